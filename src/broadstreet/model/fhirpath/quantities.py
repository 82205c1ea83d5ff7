"""Quantities as numbers of base units, so that they can be compared and added.

A calendar's week, day, hour, minute, second and millisecond are those of UCUM. Its month and year are not: a
month is no number of days.

Source: https://hl7.org/fhirpath/N1/#quantity
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

from broadstreet.model import ucum
from broadstreet.model.fhirpath.values import Quantity

UCUM_OF = {
    "week": "wk",
    "day": "d",
    "hour": "h",
    "minute": "min",
    "second": "s",
    "millisecond": "ms",
}
MEAN = {
    "a": "year",
    "mo": "month",
}  # a year and a month of UCUM are means: equivalent to the calendar's, not equal
CALENDAR_MONTHS = {"year": 12, "month": 1}


def calendar_unit(quantity: Quantity) -> str | None:
    """Return the calendar's word for a unit, in the singular; None if it is no unit of time."""
    word = quantity.unit.removesuffix("s") if len(quantity.unit) > 2 else quantity.unit
    if word in CALENDAR_MONTHS or word in UCUM_OF:
        return word
    return next((name for name, code in UCUM_OF.items() if code == quantity.unit), None)


def in_base_units(quantity: Quantity, mean: bool = False) -> tuple[Fraction, str] | None:
    """Return the number and the base units of a quantity; None for a unit that is not known.

    Parameters
    ----------
    quantity
        The quantity.
    mean
        Whether a calendar's month and year are taken as the mean ones of UCUM.
    """
    unit = quantity.unit
    word = unit.removesuffix("s")
    if quantity.calendar and word in CALENDAR_MONTHS and not mean:
        return Fraction(quantity.value) * CALENDAR_MONTHS[word], "calendar month"
    if quantity.calendar:
        unit = UCUM_OF.get(word) or {"year": "a", "month": "mo"}[word]
    found = ucum.parse(unit)
    return None if found is None else (found.in_base_units(quantity.value), found.dimension)


def comparable(left: Quantity, right: Quantity) -> bool:
    """Tell whether two quantities have units of one dimension."""
    one, other = in_base_units(left), in_base_units(right)
    return one is not None and other is not None and one[1] == other[1]


def compare(left: Quantity, right: Quantity) -> int | None:
    """Return -1, 0 or 1; None if the two cannot be compared."""
    if left.unit == right.unit and left.calendar == right.calendar:
        return (left.value > right.value) - (left.value < right.value)
    one, other = in_base_units(left), in_base_units(right)
    if one is None or other is None or one[1] != other[1]:
        return None
    return (one[0] > other[0]) - (one[0] < other[0])


def converted(quantity: Quantity, unit: str) -> Decimal | None:
    """Return the number of a quantity in another unit; None if it has another dimension."""
    if quantity.unit == unit:
        return quantity.value
    source, target = in_base_units(quantity, mean=True), ucum.parse(unit)
    if source is None or target is None or source[1] != target.dimension:
        return None
    found = target.from_base_units(source[0])
    with localcontext() as context:
        context.prec = 28
        return Decimal(found.numerator) / Decimal(found.denominator)
