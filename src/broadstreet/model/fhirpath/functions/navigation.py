"""Elements and types: children, descendants, extension, is, as, ofType, type, conformsTo.

Source: https://hl7.org/fhirpath/N1/#tree-navigation, #types; https://hl7.org/fhir/R4/fhirpath.html#functions
"""

from __future__ import annotations

from typing import Any

from broadstreet.model.fhir.rules import Node
from broadstreet.model.fhirpath import schema
from broadstreet.model.fhirpath.errors import EvaluationError
from broadstreet.model.fhirpath.evaluation import Frame, Items, of_type
from broadstreet.model.fhirpath.functions.function import BOOLEAN, Function
from broadstreet.model.fhirpath.references import extensions_with, referenced_type
from broadstreet.model.fhirpath.schema import Slot
from broadstreet.model.fhirpath.types import Specifier, type_info, type_name
from broadstreet.model.fhirpath.values import Primitive, Quantity, Target, TypeInfo

DEFINITIONS = "http://hl7.org/fhir/StructureDefinition/"


def standing_at(item: Any, slots: tuple[Slot, ...]) -> Items:
    """Return what stands in one of these attributes of a struct, primitives with their types."""
    for slot in slots:
        value, sibling = schema.read(item, slot)
        if value is None and sibling is None:
            continue
        if not slot.primitive:
            return list(value) if slot.many else [value]
        if not slot.many:
            return [Primitive(value, slot.type, sibling)]
        values, siblings = value or [None] * len(sibling), sibling or [None] * len(value or ())
        return [Primitive(one, slot.type, beside) for one, beside in zip(values, siblings, strict=False)]
    return []


def step(items: Items, name: str) -> Items:
    """Return the elements of a name that the items have."""
    found: Items = []
    for item in items:
        if isinstance(item, Node):
            found += standing_at(item, schema.elements_of(item).get(name, ()))
        elif isinstance(item, Primitive) and item.sibling is not None:
            found += standing_at(item.sibling, schema.elements_of(item.sibling).get(name, ()))
        elif isinstance(item, TypeInfo | Quantity) and name in ("namespace", "name", "value", "unit"):
            found += [getattr(item, name)] if hasattr(item, name) else []
    return found


def _children_of(item: Any) -> Items:
    holder = item.sibling if isinstance(item, Primitive) else item
    if not isinstance(holder, Node):
        return []
    return [child for slots in schema.elements_of(holder).values() for child in standing_at(holder, slots)]


def _children(items: Items) -> Items:
    return [child for item in items for child in _children_of(item)]


def _descendants(frame: Frame, items: Items) -> Items:
    found: Items = []
    level = items
    while level:
        level = _children(level)
        frame.world.spend(len(level))
        found += level
    return found


def _extension(items: Items, url: Items) -> Items:
    wanted = of_type(url, "extension()", str)
    holders = [item.sibling if isinstance(item, Primitive) else item for item in items]
    return [found for holder in holders for found in extensions_with(holder, wanted)]


def _is(items: Items, specifier: Specifier) -> Items:
    if len(items) > 1:
        raise EvaluationError(f"is takes one item (got {len(items)})")
    return [specifier.matches(item) for item in items]


def _as(items: Items, specifier: Specifier) -> Items:
    if len(items) > 1:
        raise EvaluationError(f"as takes one item (got {len(items)}); ofType() takes several")
    return _of_type(items, specifier)


def _of_type(items: Items, specifier: Specifier) -> Items:
    return [item for item in items if specifier.takes(item)]


def _resolve(items: Items) -> Items:
    references = [item for item in items if type_name(item) == "Reference"]
    return [Target(found) for reference in references if (found := referenced_type(reference))]


def _conforms_to(items: Items, profile: Items) -> Items:
    url = of_type(profile, "conformsTo()", str)
    if not items or url is None:
        return []
    name = url.removeprefix(DEFINITIONS)
    if name == url or not schema.is_type(name):
        raise EvaluationError(f"conformsTo() knows the types of FHIR R4 only (got {url!r})")
    return [all(name in schema.ancestors(type_name(item)) for item in items)]


FUNCTIONS = {
    "children": Function(_children),
    "descendants": Function(_descendants, style="framed"),
    "extension": Function(_extension, 1, 1, result="Extension"),
    "hasExtension": Function(lambda items, url: [bool(_extension(items, url))], 1, 1, result=BOOLEAN),
    "is": Function(_is, 1, 1, "type", BOOLEAN),
    "as": Function(_as, 1, 1, "type", "type"),
    "ofType": Function(_of_type, 1, 1, "type", "type"),
    "type": Function(lambda items: [type_info(item) for item in items]),
    "resolve": Function(_resolve, result="Target"),
    "conformsTo": Function(_conforms_to, 1, 1, result=BOOLEAN),
}
