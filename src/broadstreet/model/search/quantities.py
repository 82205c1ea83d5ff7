"""Quantities: as they were written, and in base units of UCUM, so that 0.0385 k[degF] and 38.5 [degF] meet.

Source: https://hl7.org/fhir/R4/search.html#quantity
"""

from __future__ import annotations

import re
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache

import msgspec

from broadstreet.model import fhir, ucum

UCUM = "http://unitsofmeasure.org"
CURRENCY = "urn:iso:std:iso:4217"
MAX_SAMPLES = 100_000
_SAMPLE = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{0,40})?")  # the others are E, U and L: error, under, over
_CONTEXT = Context(prec=20, Emax=999, Emin=-999)
_EXACT = Context(prec=40, Emax=999, Emin=-999)

Bounds = tuple[Decimal | None, Decimal | None]


class QuantityValue(msgspec.Struct, frozen=True, gc=False):
    """A quantity, or a range of quantities.

    Attributes
    ----------
    low, high
        The bounds, in the unit that was written; None where there is none (`< 5`).
    system, code
        The coded unit; None where it is not coded.
    unit
        What a reader sees; searched where no system is given.
    base_low, base_high
        The bounds in base units; None without `base`.
    base
        The base units as a code of UCUM (`g.m-1.s-2`); None if the unit is not one that `model.ucum` knows.
    """

    low: Decimal | None
    high: Decimal | None
    system: str | None = None
    code: str | None = None
    unit: str | None = None
    base_low: Decimal | None = None
    base_high: Decimal | None = None
    base: str | None = None


def of_quantity(quantity: fhir.Quantity) -> list[QuantityValue]:
    """Return a quantity: from its value to its value, open at one end where it was compared (`< 5`)."""
    if quantity.value is None:
        return []
    bounds: Bounds = quantity.value, quantity.value
    if quantity.comparator is not None:
        bounds = _compared(quantity.comparator, quantity.value)
    return [measured(bounds, quantity.system, quantity.code, quantity.unit)]


def _compared(comparator: str, value: Decimal) -> Bounds:
    return (None, value) if comparator.startswith("<") else (value, None)


def of_range(found: fhir.Range) -> list[QuantityValue]:
    """Return the bounds of a range, in the unit of the one that has one."""
    bounds = found.low, found.high
    unit = next((bound for bound in bounds if bound is not None and bound.value is not None), None)
    if unit is None:
        return []
    low, high = (None if bound is None else bound.value for bound in bounds)
    return [measured((low, high), unit.system, unit.code, unit.unit)]


def of_money(money: fhir.Money) -> list[QuantityValue]:
    """Return an amount with its currency as the unit."""
    if money.value is None:
        return []
    return [QuantityValue(money.value, money.value, CURRENCY, money.currency, money.currency)]


def of_samples(samples: fhir.SampledData) -> list[QuantityValue]:
    """Return the lowest and the highest of the samples."""
    words = (samples.data or "").split(None, MAX_SAMPLES)[:MAX_SAMPLES]
    numbers = [Decimal(word) for word in words if _SAMPLE.fullmatch(word)]
    if not numbers or samples.origin.value is None:
        return []
    factor = samples.factor if samples.factor is not None else Decimal(1)
    ends = [samples.origin.value + factor * end for end in (min(numbers), max(numbers))]
    return [measured((min(ends), max(ends)), samples.origin.system, samples.origin.code, samples.origin.unit)]


def measured(bounds: Bounds, system: str | None, code: str | None, unit: str | None) -> QuantityValue:
    """Return a value with its bounds in base units, if the unit is one of UCUM that is known."""
    low, high = bounds
    scale = _scale(code) if system == UCUM and code else None
    if scale is None:
        return QuantityValue(low, high, system, code, unit)
    factor, zero, base = scale
    base_low = None if low is None else _CONTEXT.fma(low, factor, zero)
    base_high = None if high is None else _CONTEXT.fma(high, factor, zero)
    return QuantityValue(low, high, system, code, unit, base_low, base_high, base)


@lru_cache(maxsize=4_096)
def _scale(code: str) -> tuple[Decimal, Decimal, str] | None:
    """Return how many base units a unit is, where its zero lies, and the base units."""
    unit = ucum.parse(code)
    return None if unit is None else (_decimal(unit.factor), _decimal(unit.offset), unit.dimension)


def _decimal(number: Fraction) -> Decimal:
    return _EXACT.divide(Decimal(number.numerator), Decimal(number.denominator))


READERS = {
    **dict.fromkeys(("Quantity", "Age", "Count", "Distance", "Duration"), of_quantity),
    "Range": of_range,
    "Money": of_money,
    "SampledData": of_samples,
}
