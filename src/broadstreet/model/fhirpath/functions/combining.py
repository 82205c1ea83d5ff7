"""Two collections as one: union, combine.

Source: https://hl7.org/fhirpath/N1/#combining
"""

from __future__ import annotations

from broadstreet.model.fhirpath.equality import distinct
from broadstreet.model.fhirpath.evaluation import Frame, Items
from broadstreet.model.fhirpath.functions.function import Function


def union(frame: Frame, items: Items, others: Items) -> Items:
    """Return the items of both, each once."""
    return distinct([*items, *others], frame.world)


FUNCTIONS = {
    "union": Function(union, 1, 1, "framed", "both"),
    "combine": Function(lambda items, others: [*items, *others], 1, 1, result="both"),
}
