"""One item, or some, by place: single, first, last, tail, skip, take.

Source: https://hl7.org/fhirpath/N1/#subsetting
"""

from __future__ import annotations

from broadstreet.model.fhirpath.equality import Distinct, distinct
from broadstreet.model.fhirpath.errors import EvaluationError
from broadstreet.model.fhirpath.evaluation import Frame, Items, of_type
from broadstreet.model.fhirpath.functions.function import Function


def _single(items: Items) -> Items:
    if len(items) > 1:
        raise EvaluationError(f"single() takes one item (got {len(items)})")
    return items


def _skip(items: Items, count: Items) -> Items:
    number = of_type(count, "skip()", int)
    return [] if number is None else items[max(0, number) :]


def _take(items: Items, count: Items) -> Items:
    number = of_type(count, "take()", int)
    return [] if number is None else items[: max(0, number)]


def at(items: Items, index: Items) -> Items:
    """Return the item at a place, counted from 0; nothing where there is none."""
    place = of_type(index, "an index", int)
    return [] if place is None or place < 0 else items[place : place + 1]


def _intersect(frame: Frame, items: Items, others: Items) -> Items:
    kept = Distinct(frame.world)
    for other in others:
        kept.add(other)
    return distinct([item for item in items if kept.has(item)], frame.world)


def _exclude(frame: Frame, items: Items, others: Items) -> Items:
    left_out = Distinct(frame.world)
    for other in others:
        left_out.add(other)
    return [item for item in items if not left_out.has(item)]


FUNCTIONS = {
    "single": Function(_single, result="items"),
    "first": Function(lambda items: items[:1], result="items"),
    "last": Function(lambda items: items[-1:], result="items"),
    "tail": Function(lambda items: items[1:], result="items"),
    "skip": Function(_skip, 1, 1, result="items"),
    "take": Function(_take, 1, 1, result="items"),
    "intersect": Function(_intersect, 1, 1, "framed", "items"),
    "exclude": Function(_exclude, 1, 1, "framed", "items"),
}
