"""What a value that is known to some precision may be at least and at most; and that precision.

Source: https://hl7.org/fhirpath/#boundary-functions (for trial use); comparable() of FHIR R5.
"""

from __future__ import annotations

import calendar
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from typing import Any

from broadstreet.model.fhirpath import quantities
from broadstreet.model.fhirpath.evaluation import WIDE, Items, of_type, single
from broadstreet.model.fhirpath.functions.function import BOOLEAN, INTEGER, Function
from broadstreet.model.fhirpath.temporal import FARTHEST_EAST, FARTHEST_WEST, Parts
from broadstreet.model.fhirpath.values import Date, DateTime, Quantity, Temporal, Time

MAX_PLACES = 28
DEFAULT_PLACES = 8
DIGITS = {Date: (4, 6, 8), DateTime: (4, 6, 8, 10, 12, 17), Time: (2, 4, 9)}  # digits of each precision
EDGES = {False: (1, 1, 1, 0, 0, Decimal("0.000")), True: (12, 12, 31, 23, 59, Decimal("59.999"))}


def _boundary(high: bool) -> Function:
    def call(items: Items, precision: Items | None = None) -> Items:
        name = f"{'high' if high else 'low'}Boundary()"
        value, digits = single(items, name), of_type(precision or [], name, int)
        if isinstance(value, Temporal):
            found: Any = _of_moment(value, digits, high)
        elif isinstance(value, Quantity):
            number = _of_number(value.value, digits, high)
            found = None if number is None else Quantity(number, value.unit, value.calendar)
        elif value is None:
            return []
        else:
            found = _of_number(of_type(items, name, Decimal), digits, high)
        return [] if found is None else [found]

    return Function(call, 0, 1)


def _of_number(value: Decimal, places: int | None, high: bool) -> Decimal | None:
    places = DEFAULT_PLACES if places is None else places
    exponent = value.as_tuple().exponent
    if not 0 <= places <= MAX_PLACES or not isinstance(exponent, int):
        return None
    half = Decimal(5).scaleb(min(exponent, 0) - 1)
    edge = WIDE.add(value, half if high else -half)
    step = Decimal(1).scaleb(-places)
    # Fewer places than the value has: cut off outward; what is less than one step is zero.
    if abs(value) < step and places < -exponent:
        return value.quantize(step, ROUND_DOWN, WIDE)
    return edge.quantize(step, ROUND_CEILING if high else ROUND_FLOOR, WIDE)


def _of_moment(moment: Temporal, digits: int | None, high: bool) -> Temporal | None:
    known = DIGITS[type(moment)]
    wanted = known[-1] if digits is None else digits
    if wanted not in known:
        return None
    count = known.index(wanted) + 1
    parts = _filled(moment, high)[:count]
    if not isinstance(moment, DateTime) or count <= 3:
        return type(moment)(parts)
    # Time is lowest where the sun rises first.
    zone = (FARTHEST_WEST if high else FARTHEST_EAST) if moment.zone is None else moment.zone
    return DateTime(parts, zone)


def _filled(moment: Temporal, high: bool) -> Parts:
    known = moment.parts
    edges: Parts = EDGES[high][3:] if isinstance(moment, Time) else EDGES[high]
    filled = [*known, *edges[len(known) :]]
    if not isinstance(moment, Time) and high and len(known) < 3:
        filled[2] = calendar.monthrange(int(filled[0]), int(filled[1]))[1]
    if len(known) == len(edges):
        filled[-1] = _to_the_millisecond(Decimal(known[-1]), high)
    return tuple(filled)


def _to_the_millisecond(seconds: Decimal, high: bool) -> Decimal:
    exponent = seconds.as_tuple().exponent
    if high and isinstance(exponent, int) and exponent > -3:
        seconds += Decimal(1).scaleb(exponent) - Decimal("0.001")
    return seconds.quantize(Decimal("0.001"), ROUND_DOWN)


def _precision(items: Items) -> Items:
    value = single(items, "precision()")
    if value is None:
        return []
    if isinstance(value, Temporal):
        return [DIGITS[type(value)][len(value.parts) - 1]]
    exponent = of_type(items, "precision()", Decimal).as_tuple().exponent
    return [max(0, -exponent)]


def _comparable(items: Items, other: Items) -> Items:
    left, right = of_type(items, "comparable()", Quantity), of_type(other, "comparable()", Quantity)
    return [] if left is None or right is None else [quantities.comparable(left, right)]


FUNCTIONS = {
    "lowBoundary": _boundary(high=False),
    "highBoundary": _boundary(high=True),
    "precision": Function(_precision, result=INTEGER),
    "comparable": Function(_comparable, 1, 1, result=BOOLEAN),
}
