"""Whether there is anything, and how much: empty, exists, all, count, subsetOf ...

Source: https://hl7.org/fhirpath/N1/#existence
"""

from __future__ import annotations

from broadstreet.model.fhirpath.equality import Distinct, distinct
from broadstreet.model.fhirpath.evaluation import Evaluate, Frame, Items, of_type, truth
from broadstreet.model.fhirpath.functions.function import BOOLEAN, INTEGER, Function
from broadstreet.model.fhirpath.values import Primitive


def _exists(frame: Frame, items: Items, criterion: Evaluate | None = None) -> Items:
    if criterion is None:
        return [bool(items)]
    return [any(truth(criterion(each)) for each in frame.each(items))]


def _all(frame: Frame, items: Items, criterion: Evaluate) -> Items:
    return [all(truth(criterion(each)) for each in frame.each(items))]


def _not(items: Items) -> Items:
    found = truth(items, "not()")
    return [] if found is None else [not found]


def _booleans(items: Items, name: str) -> list[bool]:
    return [of_type([item], name, bool) for item in items]


def _inside(frame: Frame, items: Items, others: Items) -> Items:
    found = Distinct(frame.world)
    for other in others:
        found.add(other)
    return [all(found.has(item) for item in items)]


def _is_distinct(frame: Frame, items: Items) -> Items:
    return [len(distinct(items, frame.world)) == len(items)]


def _has_value(items: Items) -> Items:
    """Tell whether there is one primitive that has a value (not only extensions)."""
    if len(items) != 1:
        return [False]
    return [
        items[0].value is not None if isinstance(items[0], Primitive) else isinstance(items[0], str | int)
    ]


FUNCTIONS = {
    "empty": Function(lambda items: [not items], result=BOOLEAN),
    "exists": Function(_exists, 0, 1, "each", BOOLEAN),
    "all": Function(_all, 1, 1, "each", BOOLEAN),
    "not": Function(_not, result=BOOLEAN),
    "allTrue": Function(lambda items: [all(_booleans(items, "allTrue()"))], result=BOOLEAN),
    "anyTrue": Function(lambda items: [any(_booleans(items, "anyTrue()"))], result=BOOLEAN),
    "allFalse": Function(lambda items: [not any(_booleans(items, "allFalse()"))], result=BOOLEAN),
    "anyFalse": Function(lambda items: [not all(_booleans(items, "anyFalse()"))], result=BOOLEAN),
    "subsetOf": Function(_inside, 1, 1, "framed", BOOLEAN),
    "supersetOf": Function(
        lambda frame, items, others: _inside(frame, others, items), 1, 1, "framed", BOOLEAN
    ),
    "count": Function(lambda items: [len(items)], result=INTEGER),
    "distinct": Function(lambda frame, items: distinct(items, frame.world), style="framed", result="items"),
    "isDistinct": Function(_is_distinct, style="framed", result=BOOLEAN),
    "hasValue": Function(_has_value, result=BOOLEAN),
}
