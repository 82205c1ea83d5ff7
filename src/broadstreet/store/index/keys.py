"""From what is written in a resource, or asked in a search, to the values in index rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from itertools import product
from math import inf
from typing import Any

from broadstreet.model import fhir
from broadstreet.model.fhirpath.references import referenced_type
from broadstreet.model.search import QuantityValue, dates, quantities, references
from broadstreet.model.search.parts import TYPE_NUMBERS
from broadstreet.store.index.kinds import MOST_CHARACTERS, POINT, width_of_date, width_of_number

MOST_REMEMBERED = 131_072
MOST_VARIANTS = 64
"""Rows that one place of a composite may have."""

Token = tuple[str | None, str | None]
Row = tuple[Any, ...]

_NEAR = 3  # characters
_UUID, _AGO = 36, 26  # its length, and how much of it is cut to leave 36 bits of its time: 4 s


class Keys:
    """Hashes with the key of one store; what was hashed lately is remembered."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self._whole = blake2b(digest_size=8, key=key)
        self._near = blake2b(digest_size=2, key=key, person=b"near")
        self.hashed: Callable[[str | None], int] = lru_cache(MOST_REMEMBERED)(self._hashed)
        self.targets: Callable[[int, str], tuple[Row, ...]] = lru_cache(MOST_REMEMBERED)(self._targets)
        self._leading: Callable[[str], tuple[tuple[int, int], ...]] = lru_cache(4_096)(self._leads)
        self.measured = lru_cache(MOST_REMEMBERED)(self._measured)
        self._neighbourhood: Callable[[str], bytes] = lru_cache(4_096)(self._neighbourhood_of)

    def _hashed(self, text: str | None) -> int:
        """Return the 64-bit hash of a code, a system, a unit or a reference's target; 0 for None.

        The first 16 bits are those of the text without its end: numbers that were given one after another,
        and ids that were drawn together, lie together in the index, on a page that was changed already.
        """
        if text is None:
            return 0
        hashed = self._whole.copy()
        hashed.update(text.encode("utf-8", "surrogatepass"))
        near = self._neighbourhood(text[: -_AGO if _is_time_ordered(text) else -_NEAR])
        return int.from_bytes(near + hashed.digest()[2:], "big", signed=True) or 1

    def _neighbourhood_of(self, start: str) -> bytes:
        near = self._near.copy()
        near.update(start.encode("utf-8", "surrogatepass"))
        return near.digest()

    def _targets(self, part: int, url: str) -> tuple[Row, ...]:
        return tuple((part, *led) for led in self._leading(url))

    def _leads(self, url: str) -> tuple[tuple[int, int], ...]:
        return tuple(
            (self.hashed(target), TYPE_NUMBERS.get(referenced_type(_Written(target)) or "", 0))
            for target in references.of_text(url)
            if isinstance(target, str)
        )

    def refer(self, part: int, reference: fhir.Reference, rows: list[Row], tokens: list[Row]) -> None:
        """Add the rows of a reference: what it leads to, and as tokens the identifier of that."""
        told = TYPE_NUMBERS.get(referenced_type(reference) or "", 0)
        for value in references.of_reference(reference):
            if isinstance(value, str):
                rows.append((part, self.hashed(value), told))
            else:
                tokens.append((part, self.hashed(value[1]), self.hashed(value[0])))

    def quantities(self, part: int, quantity: fhir.Quantity, rows: list[Row]) -> None:
        """Add the rows of a quantity."""
        value = quantity.value
        if value is not None:
            # As text, for the digits count: Decimals of 1.0 and 1.00 are equal.
            found = self.measured(
                str(value), quantity.comparator, quantity.system, quantity.code, quantity.unit
            )
            rows += [(part, *row) for row in found]

    def _measured(
        self, value: str, comparator: str | None, system: str | None, code: str | None, unit: str | None
    ) -> tuple[Row, ...]:
        written = fhir.Quantity(
            value=Decimal(value), comparator=comparator, system=system, code=code, unit=unit
        )
        return tuple(row for one in quantities.of_quantity(written) for row in self.units(one))

    def units(self, value: QuantityValue) -> list[tuple[int, int, float, float]]:
        """Return `(unit, width, low, high)` of a quantity: in base units, and as written with the unit 0.

        A unit that is none of UCUM, or a currency, stands for itself: as a code with its system and without,
        and as what a reader sees.
        """
        low, high = real(value.low, -inf), real(value.high, inf)
        found = [(0, width_of_number(low, high), low, high)]
        if value.base is not None:
            base_low, base_high = real(value.base_low, -inf), real(value.base_high, inf)
            width = width_of_number(base_low, base_high)
            return [(self.hashed(value.base), width, base_low, base_high), *found]
        named = dict.fromkeys(self.unit(*name) for name in _names(value))
        return found + [(unit, width_of_number(low, high), low, high) for unit in named]

    def unit(self, system: str | None, code: str) -> int:
        """Return the hash of a unit that has no base units: with a system, or as it is written."""
        return self.hashed(code if system is None else f"{system}|{code}")

    def composites(self, part: int, kinds: Sequence[str], values: Sequence[Any]) -> list[Row]:
        """Return the rows of what stands together, one for each way to write what must be equal."""
        texts: list[list[str]] = []
        spans: list[Row] = [(POINT, 0.0, 0.0)]
        ordered: list[Row] = []
        for kind, value in zip(kinds, values, strict=True):
            if kind == "quantity":
                measured = self.units(value)
                texts.append([f"={unit}" for unit, *_ in measured])
                spans = [row[1:] for row in measured]
            elif kind in ("number", "date"):
                ordered.append((real(value[0], -inf), real(value[1], inf)))
            else:
                texts.append(ways(kind, value))
        if ordered:
            low, high = ordered[0][0], ordered[-1][1]
            spans = [(width_of_number(low, high), low, high)]
        by_unit = kinds and "quantity" in kinds
        rows = []
        for number, way in enumerate(product(*texts)):
            if number == MOST_VARIANTS:
                break
            span = spans[texts[_unit_at(kinds)].index(way[_unit_at(kinds)])] if by_unit else spans[0]
            rows.append((part, self.composite(way), *span))
        return rows

    def composite(self, texts: Sequence[str]) -> int:
        """Return the hash of what must be equal in a composite, each as one of its `ways`."""
        return self.hashed("\x1f".join(texts))


class _Written:
    """A reference of which only the text is known."""

    __slots__ = ("reference", "type")

    def __init__(self, reference: str) -> None:
        self.reference, self.type = reference, None


def _unit_at(kinds: Sequence[str]) -> int:
    return [kind for kind in kinds if kind not in ("number", "date")].index("quantity")


def _names(value: QuantityValue) -> list[tuple[str | None, str]]:
    names: list[tuple[str | None, str]] = []
    if value.code is not None:
        names += (
            [(None, value.code)] if value.system is None else [(value.system, value.code), (None, value.code)]
        )
    if value.unit is not None:
        names.append((None, value.unit))
    return names


def ways(kind: str, value: Any) -> list[str]:
    """Return the ways to write an equal component of a composite: a token with its system, and without."""
    if kind == "token" or isinstance(value, tuple):
        system, code = value
        return [f"={code or ''}", f"{system or ''}|{code or ''}"]
    return [f"={value}"]


def _is_time_ordered(text: str) -> bool:
    """Tell whether it ends with a UUID of version 7, which begins with the time when it was drawn."""
    return len(text) >= _UUID and text[-22] == "7" and text[-28] == "-" and text[-23] == "-"


def real(number: Decimal | float | None, otherwise: float = 0.0) -> float:
    """Return a number as the index has it, infinite where it is beyond what 64 bits hold."""
    if number is None:
        return otherwise
    try:
        return float(number)
    except OverflowError:
        return inf if number > 0 else -inf


@lru_cache(MOST_REMEMBERED)
def covered(text: str) -> tuple[int, int, int]:
    """Return `(width, low, high)` of a date, dateTime or instant."""
    low, high = dates.span(text)
    return width_of_date(low, high), low, high


def period(start: str | None, end: str | None) -> tuple[int, int, int]:
    """Return `(width, low, high)` of a period, either end of which may be open."""
    low = covered(start)[1] if start else dates.EARLIEST
    high = max(low, covered(end)[2]) if end else dates.LATEST
    return width_of_date(low, high), low, high


def cut(text: str) -> str:
    """Return as much of a text as the index has."""
    return text[:MOST_CHARACTERS]
