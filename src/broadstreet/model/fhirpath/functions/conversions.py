"""From one type of System to another: toInteger, convertsToDate ...

Source: https://hl7.org/fhirpath/N1/#conversion
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from broadstreet.model.fhirpath import temporal
from broadstreet.model.fhirpath.arithmetic import number
from broadstreet.model.fhirpath.evaluation import Items, single
from broadstreet.model.fhirpath.functions.function import BOOLEAN, Function
from broadstreet.model.fhirpath.parser import CALENDAR_WORDS, MAX_DIGITS
from broadstreet.model.fhirpath.quantities import converted
from broadstreet.model.fhirpath.values import Date, DateTime, Quantity, Time

_INTEGER = re.compile(r"[+-]?[0-9]{1,10}")
_DECIMAL = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_QUANTITY = re.compile(r"(?P<value>[+-]?[0-9]+(?:\.[0-9]+)?)\s*(?:'(?P<unit>[^']+)'|(?P<word>[a-z]+))?")
# Source: the table in the section toBoolean.
_BOOLEANS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "1.0"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "0.0"), False),
}


def _boolean(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _BOOLEANS.get(value.lower())
    return bool(value) if isinstance(value, int | Decimal) and value in (0, 1) else None


def _integer(value: Any) -> Any:
    if isinstance(value, str):
        value = int(value) if _INTEGER.fullmatch(value) else None
    if not isinstance(value, int):
        return None
    return next(iter(number(int(value))), None)


def _decimal(value: Any) -> Any:
    if isinstance(value, str):
        return Decimal(value) if len(value) <= MAX_DIGITS and _DECIMAL.fullmatch(value) else None
    return Decimal(value) if isinstance(value, bool | int | Decimal) else None


def _date(value: Any) -> Any:
    if isinstance(value, str):
        # A text with a time of day is a date too, its time left away.
        moment = temporal.parse_date(value) or temporal.parse_datetime(value)
        return _date(moment)
    if isinstance(value, DateTime):
        return Date(value.parts[:3])
    return value if isinstance(value, Date) else None


def _datetime(value: Any) -> Any:
    if isinstance(value, str):
        return temporal.parse_datetime(value)
    if isinstance(value, Date):
        return DateTime(value.parts)
    return value if isinstance(value, DateTime) else None


def _time(value: Any) -> Any:
    if isinstance(value, str):
        return temporal.parse_time(value)
    return value if isinstance(value, Time) else None


def _quantity(value: Any) -> Any:
    if isinstance(value, str):
        return _quantity_of_text(value) if len(value) <= 2 * MAX_DIGITS else None
    if isinstance(value, bool | int | Decimal):
        return Quantity(Decimal(value), "1")
    return value if isinstance(value, Quantity) else None


def _quantity_of_text(text: str) -> Quantity | None:
    match = _QUANTITY.fullmatch(text)
    if match is None or (match["word"] and match["word"] not in CALENDAR_WORDS):
        return None
    return Quantity(Decimal(match["value"]), match["word"] or match["unit"] or "1", bool(match["word"]))


def text(value: Any) -> str | None:
    """Return a value as text; None for what has none."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value) if isinstance(value, str | int | Date | DateTime | Time | Quantity) else None


CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "Boolean": _boolean,
    "Integer": _integer,
    "Decimal": _decimal,
    "Date": _date,
    "DateTime": _datetime,
    "Time": _time,
    "String": text,
    "Quantity": _quantity,
}


def _to(name: str, convert: Callable[[Any], Any]) -> Function:
    def call(items: Items) -> Items:
        value = single(items, f"to{name}()")
        made = None if value is None else convert(value)
        return [] if made is None else [made]

    return Function(call, result=f"System.{name}")


def _converts_to(name: str, convert: Callable[[Any], Any]) -> Function:
    def call(items: Items) -> Items:
        value = single(items, f"convertsTo{name}()")
        return [] if value is None else [convert(value) is not None]

    return Function(call, result=BOOLEAN)


def _to_quantity(items: Items, unit: Items | None = None) -> Items:
    value = single(items, "toQuantity()")
    quantity = None if value is None else _quantity(value)
    asked = single(unit or [], "the unit of toQuantity()")
    if quantity is None or asked is None:
        return [] if quantity is None else [quantity]
    found = converted(quantity, asked)
    return [] if found is None else [Quantity(found, asked)]


def _converts_to_quantity(items: Items, unit: Items | None = None) -> Items:
    return [bool(_to_quantity(items, unit))] if items else []


FUNCTIONS = {
    **{f"to{name}": _to(name, convert) for name, convert in CONVERSIONS.items()},
    **{f"convertsTo{name}": _converts_to(name, convert) for name, convert in CONVERSIONS.items()},
    "toQuantity": Function(_to_quantity, 0, 1, result="System.Quantity"),
    "convertsToQuantity": Function(_converts_to_quantity, 0, 1, result=BOOLEAN),
}
