"""How a search term compares with the range of a value: the prefixes of FHIR, as tests on `low` and `high`.

Dates are half open, `[low, high)`. Numbers are closed: a plain one is the range from itself to itself. A term
without a prefix stands for the range of its digits; one that is compared is exactly what it says.

Source: https://hl7.org/fhir/R4/search.html#prefix
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from broadstreet.model.search import EARLIEST, LATEST
from broadstreet.model.search.numbers import implicit_range
from broadstreet.store.index.kinds import LONGEST, POINT, RANGE
from broadstreet.store.query.conditions import Prefix
from broadstreet.store.query.terms import Clause, Match, Slice, Value

NEARLY: Final = Decimal("0.1")
"""What is approximately (`ap`) a number is at most a tenth from it, as the standard recommends."""


class Comparison(NamedTuple):
    """The clauses that a row must meet, and what they mean for its `low`.

    `bounds` gives the bounds on `low` of ranges up to a length (None: of any length), or None if no range of
    such a length is found.
    """

    clauses: tuple[Clause, ...]
    bounds: Callable[[int | None], tuple[Match, ...]]


def _low(operator: str, value: Value) -> Match:
    return Match("low", operator, value)  # type: ignore[arg-type]


def _high(operator: str, value: Value) -> Match:
    return Match("high", operator, value)  # type: ignore[arg-type]


def _from(value: int, longest: int | None) -> tuple[Match, ...]:
    """Bound `low` for ranges of a length that end after `value`."""
    return () if longest is None else (_low(">", max(value - longest, EARLIEST)),)


def _dates_eq(low: int, high: int) -> Comparison:
    inside = (_low(">=", low), _low("<=", high))
    return Comparison(((_low(">=", low),), (_high("<=", high),)), lambda _longest: inside)


def _dates_ne(low: int, high: int) -> Comparison:
    return Comparison(((_low("<", low), _high(">", high)),), lambda _longest: ())


def _dates_lt(low: int, _ended: int) -> Comparison:
    return Comparison(((_low("<", low),),), lambda _longest: (_low("<", low),))


def _dates_gt(_begun: int, high: int) -> Comparison:
    return Comparison(((_high(">", high),),), lambda longest: _from(high, longest))


def _dates_le(low: int, high: int) -> Comparison:
    # Begins before the term, or lies within it: what does not begin before it and ends by `high` does.
    return Comparison(((_low("<", low), _high("<=", high)),), lambda _longest: (_low("<=", high),))


def _dates_ge(low: int, high: int) -> Comparison:
    def bounds(longest: int | None) -> tuple[Match, ...]:
        return () if longest is None else (_low(">=", max(min(low, high - longest), EARLIEST)),)

    return Comparison(((_low(">=", low), _high(">", high)),), bounds)


def _dates_sa(_begun: int, high: int) -> Comparison:
    return Comparison(((_low(">=", high),),), lambda _longest: (_low(">=", high),))


def _dates_eb(low: int, _ended: int) -> Comparison:
    return Comparison(((_high("<=", low),),), lambda _longest: (_low("<=", low),))


def _dates_ap(low: int, high: int) -> Comparison:
    return Comparison(
        ((_low("<", high),), (_high(">", low),)), lambda longest: (_low("<", high), *_from(low, longest))
    )


_DATES: Final[Mapping[Prefix, Callable[[int, int], Comparison]]] = {
    "eq": _dates_eq,
    "ne": _dates_ne,
    "lt": _dates_lt,
    "gt": _dates_gt,
    "le": _dates_le,
    "ge": _dates_ge,
    "sa": _dates_sa,
    "eb": _dates_eb,
    "ap": _dates_ap,
}


def dates(prefix: Prefix, low: int, high: int) -> Comparison:
    """Return what a prefix asks of a date, for the span `[low, high)` of the term."""
    return _DATES[prefix](min(max(low, EARLIEST), LATEST), min(max(high, EARLIEST), LATEST))


# For a number x in [low, high]: the clauses, and for a point the bounds on `low` in which x lies.
_NUMBERS: Final[Mapping[Prefix, Callable[[float, float], tuple[Clause, ...]]]] = {
    "eq": lambda low, high: ((_low(">=", low),), (_high("<", high),)),
    "ne": lambda low, high: ((_low("<", low), _high(">=", high)),),
    "lt": lambda low, _: ((_low("<", low),),),
    "gt": lambda _, high: ((_high(">", high),),),
    "le": lambda low, high: ((_low("<", low), _high("<=", high)),),
    "ge": lambda low, high: ((_low(">=", low), _high(">", high)),),
    "sa": lambda _, high: ((_low(">", high),),),
    "eb": lambda low, _: ((_high("<", low),),),
    "ap": lambda low, high: ((_low("<=", high),), (_high(">=", low),)),
}
_POINTS: Final[Mapping[Prefix, Callable[[float, float], tuple[Match, ...]]]] = {
    "eq": lambda low, high: (_low(">=", low), _low("<", high)),
    "ne": lambda _begun, _ended: (),
    "lt": lambda low, _: (_low("<", low),),
    "gt": lambda _, high: (_low(">", high),),
    "le": lambda _, high: (_low("<=", high),),
    "ge": lambda low, _: (_low(">=", low),),
    "sa": lambda _, high: (_low(">", high),),
    "eb": lambda low, _: (_low("<", low),),
    "ap": lambda low, high: (_low(">=", low), _low("<=", high)),
}


def numbers(prefix: Prefix, low: float, high: float) -> Comparison:
    """Return what a prefix asks of a number, for the range of the term.

    The bounds are for `POINT` (as a length 0) and `RANGE` (None).
    """
    points = _POINTS[prefix](low, high)
    return Comparison(_NUMBERS[prefix](low, high), lambda longest: points if longest == POINT else ())


def range_of(prefix: Prefix, number: Decimal) -> tuple[Decimal, Decimal]:
    """Return the range that a term stands for: of its digits, or what it says where it is compared."""
    if prefix in ("eq", "ne"):
        return implicit_range(number)
    if prefix == "ap":
        return number - abs(number) * NEARLY, number + abs(number) * NEARLY
    return number, number


def date_slices(fixed: tuple[tuple[str, int], ...], found: Comparison) -> tuple[Slice, ...]:
    """Return where the dates of each width lie that a comparison may find."""
    lengths: tuple[int | None, ...] = (*LONGEST, None)
    return tuple(
        Slice((*fixed, ("width", width)), found.bounds(longest)) for width, longest in enumerate(lengths)
    )


def number_slices(fixed: tuple[tuple[str, int], ...], found: Comparison) -> tuple[Slice, ...]:
    """Return where the points and the ranges lie that a comparison may find."""
    return (
        Slice((*fixed, ("width", POINT)), found.bounds(POINT)),
        Slice((*fixed, ("width", RANGE)), found.bounds(None)),
    )
