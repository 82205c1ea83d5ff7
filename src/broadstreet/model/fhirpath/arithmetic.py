"""`+ - * / div mod &`, on numbers, strings, quantities, dates and times.

What would leave the bounds of a type is empty, as the standard says.

Source: https://hl7.org/fhirpath/N1/#math
"""

from __future__ import annotations

import decimal
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from broadstreet.model import ucum
from broadstreet.model.fhirpath import quantities, temporal
from broadstreet.model.fhirpath.equality import is_number
from broadstreet.model.fhirpath.errors import EvaluationError
from broadstreet.model.fhirpath.evaluation import Items, name_of, single, text_of
from broadstreet.model.fhirpath.parser import MAX_INTEGER
from broadstreet.model.fhirpath.values import Quantity, Temporal

CONTEXT = decimal.Context(prec=34, Emax=400, Emin=-400)
MEAN_UNITS = {"a", "mo"}


def number(value: int | Decimal | None) -> Items:
    """Return a number as a collection; empty if it is out of the bounds of its type."""
    if value is None or (isinstance(value, int) and abs(value) > MAX_INTEGER + (value < 0)):
        return []
    return [] if isinstance(value, Decimal) and not value.is_finite() else [value]


def calculate(left: Items, right: Items, sign: str) -> Items:
    """Return the result of an operation on two single items; empty if one is missing.

    Raises
    ------
    EvaluationError
        If the types of the two do not fit.
    """
    one, other = single(left, sign), single(right, sign)
    if sign == "&":
        return text_of(_text(one) + _text(other))
    if one is None or other is None:
        return []
    try:
        return _calculate(one, other, sign)
    except (decimal.DecimalException, OverflowError, ZeroDivisionError):
        return []


def _calculate(one: Any, other: Any, sign: str) -> Items:
    if is_number(one) and is_number(other):
        return number(NUMERIC[sign](one, other))
    if isinstance(one, str) and isinstance(other, str) and sign == "+":
        return text_of(one + other)
    if isinstance(one, Temporal) and isinstance(other, Quantity) and sign in "+-":
        return _moved(one, other, 1 if sign == "+" else -1)
    if isinstance(one, Quantity | int | Decimal) and isinstance(other, Quantity | int | Decimal):
        if sign in "+-" and isinstance(one, Quantity) and isinstance(other, Quantity):
            return _sum(one, other, 1 if sign == "+" else -1)
        if sign in "*/" and not isinstance(one, bool) and not isinstance(other, bool):
            return _product(_quantity(one), _quantity(other), sign)
    raise EvaluationError(f"{sign} cannot take {name_of(one)} and {name_of(other)}")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    raise EvaluationError(f"& takes a String (got {name_of(value)})")


def _plus(one: Any, other: Any) -> Any:
    return one + other if type(one) is int is type(other) else CONTEXT.add(Decimal(one), Decimal(other))


def _minus(one: Any, other: Any) -> Any:
    return one - other if type(one) is int is type(other) else CONTEXT.subtract(Decimal(one), Decimal(other))


def _times(one: Any, other: Any) -> Any:
    return one * other if type(one) is int is type(other) else CONTEXT.multiply(Decimal(one), Decimal(other))


def _divided(one: Any, other: Any) -> Any:
    return None if other == 0 else CONTEXT.divide(Decimal(one), Decimal(other))


def _whole(one: Any, other: Any) -> Any:
    return None if other == 0 else int(CONTEXT.divide_int(Decimal(one), Decimal(other)))


def _rest(one: Any, other: Any) -> Any:
    if other == 0:
        return None
    rest = CONTEXT.remainder(Decimal(one), Decimal(other))
    return int(rest) if type(one) is int is type(other) else rest


NUMERIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": _plus,
    "-": _minus,
    "*": _times,
    "/": _divided,
    "div": _whole,
    "mod": _rest,
}


def _moved(moment: Temporal, amount: Quantity, direction: int) -> Items:
    unit = quantities.calendar_unit(amount)
    if unit is None or (not amount.calendar and amount.unit in MEAN_UNITS):
        raise EvaluationError(f"a date or time moves by a unit of the calendar (got {amount.unit!r})")
    return [temporal.shift(moment, amount.value * direction, unit)]


def _quantity(value: Any) -> Quantity:
    return value if isinstance(value, Quantity) else Quantity(Decimal(value), "1")


def _sum(one: Quantity, other: Quantity, direction: int) -> Items:
    value = other.value if one.unit == other.unit else quantities.converted(other, one.unit)
    if value is None or (one.unit != other.unit and (one.calendar or other.calendar)):
        return []
    return [Quantity(CONTEXT.add(one.value, value * direction), one.unit, one.calendar)]


def _product(one: Quantity, other: Quantity, sign: str) -> Items:
    if other.unit == "1" and not (sign == "/" and other.value == 0):
        return [Quantity(NUMERIC[sign](one.value, other.value), one.unit, one.calendar)]
    if sign == "/" and other.value == 0:
        return []
    left, right = _linear(one), _linear(other)
    if left is None or right is None:
        return []
    unit = left[1].combined(right[1], 1 if sign == "*" else -1)
    return [Quantity(NUMERIC[sign](left[0], right[0]), unit)]


def _linear(quantity: Quantity) -> tuple[Decimal, ucum.Unit] | None:
    """Return a quantity in base units; None if its unit is not known or has a zero of its own, as Cel has."""
    unit = ucum.parse(quantity.unit)
    if unit is None or unit.offset or quantity.calendar:
        return None
    value: Fraction = unit.in_base_units(quantity.value)
    return CONTEXT.divide(Decimal(value.numerator), Decimal(value.denominator)), unit
