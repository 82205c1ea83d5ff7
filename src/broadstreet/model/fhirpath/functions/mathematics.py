"""Numbers: abs, ceiling, floor, round, sqrt, ln, log, exp, power, truncate.

Source: https://hl7.org/fhirpath/N1/#math
"""

from __future__ import annotations

import decimal
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from broadstreet.model.fhirpath.arithmetic import CONTEXT, number
from broadstreet.model.fhirpath.errors import EvaluationError
from broadstreet.model.fhirpath.evaluation import Items, of_type, single
from broadstreet.model.fhirpath.functions.function import Function
from broadstreet.model.fhirpath.values import Quantity

MAX_PLACES = 28


def _whole(rounding: str) -> Callable[[Decimal], int]:
    return lambda value: int(value.to_integral_value(rounding))


def _of_number(name: str, calculate: Callable[..., Any], arguments: int = 0) -> Function:
    """Return the function of numbers that is empty where there is no result among real numbers."""

    def call(items: Items, *others: Items) -> Items:
        values = [of_type(part, f"{name}()", Decimal) for part in (items, *others)]
        if None in values:
            return []
        try:
            return number(calculate(*values))
        except (decimal.DecimalException, OverflowError):
            return []

    return Function(call, arguments, arguments)


def _abs(items: Items) -> Items:
    value = single(items, "abs()")
    if isinstance(value, Quantity):
        return [Quantity(abs(value.value), value.unit, value.calendar)]
    if value is None:
        return []
    return number(abs(of_type(items, "abs()", int if isinstance(value, int) else Decimal)))


def _round(items: Items, places: Items | None = None) -> Items:
    value = of_type(items, "round()", Decimal)
    digits = of_type(places or [0], "the precision of round()", int)
    if value is None or digits is None:
        return []
    if not 0 <= digits <= MAX_PLACES:
        raise EvaluationError(f"round() takes a precision from 0 to {MAX_PLACES} (got {digits})")
    with decimal.localcontext(CONTEXT) as context:
        context.prec = 2 * context.prec
        try:
            return [value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)]
        except decimal.InvalidOperation:
            return [value]


def _power(items: Items, exponent: Items) -> Items:
    base, raised = single(items, "power()"), single(exponent, "power()")
    decimals = of_type(items, "power()", Decimal), of_type(exponent, "power()", Decimal)
    if decimals[0] is None or decimals[1] is None:
        return []
    try:
        found = CONTEXT.power(decimals[0], decimals[1])
    except decimal.DecimalException:
        return []
    whole = isinstance(base, int) and isinstance(raised, int) and raised >= 0
    return number(int(found)) if whole and found.is_finite() else number(found)


def _logarithm(value: Decimal, base: Decimal) -> Decimal | None:
    below = CONTEXT.ln(base) if value > 0 and base > 0 else 0
    if not below:
        return None
    # The division costs the last digits: 8.log(2) is 3, not 2.999...
    return decimal.Context(prec=CONTEXT.prec - 4).plus(CONTEXT.divide(CONTEXT.ln(value), below)).normalize()


FUNCTIONS = {
    "abs": Function(_abs),
    "ceiling": _of_number("ceiling", _whole(ROUND_CEILING)),
    "floor": _of_number("floor", _whole(ROUND_FLOOR)),
    "truncate": _of_number("truncate", _whole(ROUND_DOWN)),
    "exp": _of_number("exp", CONTEXT.exp),
    "ln": _of_number("ln", CONTEXT.ln),
    "log": _of_number("log", _logarithm, 1),
    "sqrt": _of_number("sqrt", CONTEXT.sqrt),
    "power": Function(_power, 1, 1),
    "round": Function(_round, 0, 1),
}
