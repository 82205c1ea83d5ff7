"""Choosing and projecting items: where, select, repeat, ofType; and iif, aggregate, sort, trace.

Source: https://hl7.org/fhirpath/N1/#filtering-and-projection, #aggregates
"""

from __future__ import annotations

from functools import cmp_to_key
from typing import Any

from broadstreet.model.fhirpath.equality import Distinct
from broadstreet.model.fhirpath.errors import EvaluationError
from broadstreet.model.fhirpath.evaluation import Evaluate, Frame, Items, single, truth
from broadstreet.model.fhirpath.functions.function import Function
from broadstreet.model.fhirpath.ordering import order


class Descending:
    """A key of `sort()` with a minus before it."""

    def __init__(self, key: Evaluate) -> None:
        self.key = key

    def __call__(self, frame: Frame) -> Items:
        """Return the key of the frame's item."""
        return self.key(frame)


def _where(frame: Frame, items: Items, criterion: Evaluate) -> Items:
    return [each.this[0] for each in frame.each(items) if truth(criterion(each))]


def _select(frame: Frame, items: Items, projection: Evaluate) -> Items:
    return [found for each in frame.each(items) for found in projection(each)]


def _repeat(frame: Frame, items: Items, projection: Evaluate) -> Items:
    found = Distinct(frame.world)
    todo = items
    while todo:
        reached = _select(frame, todo, projection)
        todo = [item for item in reached if found.add(item)]
    return found.items


def _iif(
    frame: Frame, items: Items, criterion: Evaluate, then: Evaluate, otherwise: Evaluate | None = None
) -> Items:
    if len(items) > 1:
        raise EvaluationError(f"iif() takes one item (got {len(items)})")
    inner = Frame(items, frame.world, frame.index, frame.total)
    holds = single(criterion(inner), "the condition of iif()")
    if holds is not None and not isinstance(holds, bool):
        raise EvaluationError("the condition of iif() must be a Boolean")
    chosen = then if holds else otherwise
    return chosen(inner) if chosen else []


def _aggregate(frame: Frame, items: Items, step: Evaluate, start: Evaluate | None = None) -> Items:
    total = start(frame) if start else []
    for each in frame.each(items):
        each.total = total
        total = step(each)
        frame.world.spend(len(total))
    return total


def _sort(frame: Frame, items: Items, *keys: Evaluate) -> Items:
    """Sort by the keys; an item whose key is empty comes first, in descending order too."""

    def found(each: Frame) -> tuple[list[Any], Any]:
        values = [single(key(each), "a key of sort()") for key in keys]
        return values or [single(each.this, "sort()")], each.this[0]

    rows = [found(each) for each in frame.each(items)]
    frame.world.spend(len(rows) * len(rows).bit_length())
    descending = [isinstance(key, Descending) for key in keys] or [False]

    def compared(one: tuple[list[Any], Any], other: tuple[list[Any], Any]) -> int:
        return _compared(one[0], other[0], descending)

    rows.sort(key=cmp_to_key(compared))
    return [item for _, item in rows]


def _compared(left: list[Any], right: list[Any], descending: list[bool]) -> int:
    for one, other, backward in zip(left, right, descending, strict=True):
        if one is None or other is None:
            compared = (one is not None) - (other is not None)
        else:
            compared = (order(one, other, "sort()") or 0) * (-1 if backward else 1)
        if compared:
            return compared
    return 0


def _trace(_frame: Frame, items: Items, *_arguments: Evaluate) -> Items:
    """Return the items as they are; nothing is written down, for it may be about a person."""
    return items


FUNCTIONS = {
    "where": Function(_where, 1, 1, "each", "items"),
    "select": Function(_select, 1, 1, "each", "body"),
    "repeat": Function(_repeat, 1, 1, "each"),
    "iif": Function(_iif, 2, 3, "each"),
    "aggregate": Function(_aggregate, 1, 2, "each"),
    "sort": Function(_sort, 0, 8, "each", "items"),
    "trace": Function(_trace, 1, 2, "each", "items"),
}
