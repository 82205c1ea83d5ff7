"""What a search finds, by looking at every resource: shares no code with the planner, and no table."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from broadstreet.model import fhir, search
from broadstreet.model.search.numbers import implicit_range
from broadstreet.model.search.quantities import measured
from broadstreet.store.entry import Entry
from broadstreet.store.query import (
    ANY,
    AnyOf,
    Composite,
    Condition,
    Dated,
    Missing,
    Not,
    Number,
    Quantity,
    Refers,
    Text,
    Token,
    Uri,
)

Range = tuple[Any, Any]


def found(versions: list[Entry], type: str, conditions: tuple[Condition, ...], at: int) -> set[int]:
    """Return the seqs of the versions of a type that hold at a position and meet every condition."""
    newest: dict[str, Entry] = {}
    for entry in versions:
        if entry.seq <= at and entry.type == f"fhir/{type}":
            newest[entry.id] = entry
    held = [entry for entry in newest.values() if entry.body is not None]
    return {entry.seq for entry in held if all(meets(entry, condition) for condition in conditions)}


def meets(entry: Entry, condition: Condition) -> bool:  # noqa: PLR0911
    if isinstance(condition, AnyOf):
        return any(meets(entry, one) for one in condition.conditions)
    if isinstance(condition, Not):
        return not meets(entry, condition.condition)
    if isinstance(condition, Missing) and condition.parameter in ("_id", "_lastUpdated"):
        return not condition.missing  # every resource has them
    if condition.parameter == "_id":
        return isinstance(condition, Token) and entry.id == condition.code
    if condition.parameter == "_lastUpdated":
        assert isinstance(condition, Dated)
        return compares(condition.prefix, (entry.at, entry.at + 1), (condition.low, condition.high))
    assert entry.body is not None
    resource = fhir.decode(entry.body)
    parameter = search.parameter(type(resource).__name__, condition.parameter)
    values = search.values(resource, parameter)
    if isinstance(condition, Missing):
        return condition.missing != bool(values)
    if isinstance(condition, Composite):
        return any(
            all(
                is_met(part, one, parameter.targets)
                for part, one in zip(value, condition.components, strict=True)
            )
            for value in values
        )
    return any(is_met(value, condition, parameter.targets) for value in values)


def is_met(value: Any, condition: Condition, targets: tuple[str, ...]) -> bool:  # noqa: PLR0911
    if isinstance(condition, Token):
        return is_token(value, condition)
    if isinstance(condition, Text):
        asked = search.fold(condition.text)
        if condition.match == "prefix":
            return bool(value.startswith(asked))
        return value == asked if condition.match == "exact" else asked in value
    if isinstance(condition, Dated):
        return compares(condition.prefix, value, (condition.low, condition.high))
    if isinstance(condition, Refers):
        asked = condition.target
        return value in ([asked] if "/" in asked else [f"{one}/{asked}" for one in targets])
    if isinstance(condition, Number):
        return is_number(value, condition.prefix, condition.number)
    if isinstance(condition, Quantity):
        return is_quantity(value, condition)
    assert isinstance(condition, Uri)
    return is_uri(value, condition)


def is_token(value: Any, condition: Token) -> bool:
    if not isinstance(value, tuple):
        return False
    system, code = value
    if condition.system is not ANY and system != condition.system:
        return False
    return condition.code is None or code == condition.code


def is_uri(value: str, condition: Uri) -> bool:
    if condition.match == "exact":
        return value == condition.uri
    above, below = (condition.uri, value) if condition.match == "below" else (value, condition.uri)
    return below == above or below.startswith(above if above.endswith("/") else above + "/")


def compares(prefix: str, target: Range, term: Range) -> bool:
    """Compare half-open ranges, in the standard's words: the range above the term, the term containing it."""
    (low, high), (asked_low, asked_high) = target, term
    contained = asked_low <= low and high <= asked_high
    above, below = high > asked_high, low < asked_low
    return bool(
        {
            "eq": contained,
            "ne": not contained,
            "gt": above,
            "lt": below,
            "ge": above or contained,
            "le": below or contained,
            "sa": low >= asked_high,
            "eb": high <= asked_low,
            "ap": low < asked_high and asked_low < high,
        }[prefix]
    )


def is_number(target: Range, prefix: str, number: Decimal) -> bool:
    return compares_numbers(prefix, target, asked(prefix, number))


def asked(prefix: str, number: Decimal) -> Range:
    if prefix in ("eq", "ne"):
        return implicit_range(number)
    return (number - abs(number) / 10, number + abs(number) / 10) if prefix == "ap" else (number, number)


def compares_numbers(prefix: str, target: Range, term: Range) -> bool:
    low, high = (float(end) if end is not None else None for end in target)
    low, high = -float("inf") if low is None else low, float("inf") if high is None else high
    asked_low, asked_high = map(float, term)
    contained = asked_low <= low and high < asked_high
    exactly = asked_low == low == high == asked_high
    return bool(
        {
            "eq": contained,
            "ne": not contained,
            "gt": high > asked_high,
            "lt": low < asked_low,
            "ge": high > asked_high or exactly,
            "le": low < asked_low or exactly,
            "sa": low > asked_high,
            "eb": high < asked_low,
            "ap": low <= asked_high and asked_low <= high,
        }[prefix]
    )


def is_quantity(value: search.QuantityValue, condition: Quantity) -> bool:
    term = asked(condition.prefix, condition.number)
    if condition.code is None:
        return compares_numbers(condition.prefix, (value.low, value.high), term)
    unit = measured(term, condition.system, condition.code, None)
    if unit.base is not None:
        if value.base != unit.base:
            return False
        return compares_numbers(
            condition.prefix, (value.base_low, value.base_high), (unit.base_low, unit.base_high)
        )
    if value.base is not None:
        return False
    coded = value.code == condition.code and (condition.system is None or value.system == condition.system)
    if not coded and not (condition.system is None and value.unit == condition.code):
        return False
    return compares_numbers(condition.prefix, (value.low, value.high), term)
