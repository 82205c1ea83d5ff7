"""The types of FHIR R4 as an expression sees them: elements, choices, and which type is a kind of which.

Read from the structs of `broadstreet.model.fhir`, each when it is first asked for.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from typing import Any, NamedTuple

from broadstreet.model.fhir import r4, registry
from broadstreet.model.fhir.rules import Node, wire_name

# The primitive types, each with the type that it is a kind of. Source: https://hl7.org/fhir/R4/datatypes.html
PRIMITIVES = {
    **dict.fromkeys(
        ("base64Binary", "boolean", "date", "dateTime", "decimal", "instant", "integer"), "Element"
    ),
    **dict.fromkeys(("string", "time", "uri", "xhtml"), "Element"),
    **dict.fromkeys(("code", "id", "markdown"), "string"),
    **dict.fromkeys(("canonical", "oid", "url", "uuid"), "uri"),
    **dict.fromkeys(("positiveInt", "unsignedInt"), "integer"),
}
SYSTEM = ("Any", "Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity")
TEMPORAL = frozenset({"date", "dateTime", "instant", "time"})
# Elements whose names end with their types, but which are no choice: both may be given.
NO_CHOICES = {
    ("ClinicalImpressionFinding", "item"),
    ("PaymentReconciliation", "payment"),
    ("Task", "instantiates"),
}

Kinds = frozenset[str] | None  # the types that a value may have; None where any is possible

_ANNOTATION = re.compile(r"^(?:(Many)\[)?([A-Za-z0-9]+)")
_BY_ALIAS = {name[0].upper() + name[1:]: name for name in PRIMITIVES}


class Slot(NamedTuple):
    """An attribute in which an element may stand: an element `value` in `valueString`, `valueQuantity` ..."""

    attribute: str
    type: str  # FHIR's name of a primitive, or that of a struct
    many: bool
    primitive: bool
    sibling: str | None  # the attribute with the ids and extensions of a primitive

    @property
    def kind(self) -> str | None:
        """The type of what stands there; None where any resource may stand."""
        return None if self.type in ("Resource", "AnyResource") else self.type


Elements = dict[str, tuple[Slot, ...]]


@cache
def elements(kind: type[Node]) -> Elements:
    """Return the elements of a struct by their names in FHIR, choices under the name of the choice."""
    slots = _slots(kind)
    found: Elements = {wire_name(name): (slot,) for name, slot in slots.items()}
    for stem, choice in _choices(kind.__name__, slots).items():
        for slot in choice:
            del found[wire_name(slot.attribute)]
        found[stem] = choice
    return found


def _slots(kind: type[Node]) -> dict[str, Slot]:
    annotations: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        annotations |= vars(base).get("__annotations__", {})
    slots = {}
    for name in kind.__struct_fields__:
        match = _ANNOTATION.match(annotations[name])
        if match is None or name.endswith("_ext"):
            continue
        alias = match[2]
        bare = name.removesuffix("_")
        sibling = f"{bare}_ext" if f"{bare}_ext" in annotations else None
        primitive = alias in _BY_ALIAS and alias not in r4.HOMES
        slots[name] = Slot(name, _BY_ALIAS[alias] if primitive else alias, bool(match[1]), primitive, sibling)
    return slots


def _choices(owner: str, slots: dict[str, Slot]) -> dict[str, tuple[Slot, ...]]:
    """Find the elements `x[x]`: attributes whose names differ only in the type, which they end with."""
    stems: dict[str, list[Slot]] = defaultdict(list)
    for slot in slots.values():
        suffix = slot.type[0].upper() + slot.type[1:]
        stem = slot.attribute.removesuffix(suffix)
        if not slot.many and stem not in ("", slot.attribute):
            stems[stem].append(slot)
    return {
        stem: tuple(found)
        for stem, found in stems.items()
        if len(found) > 1 and stem not in slots and (owner, stem) not in NO_CHOICES
    }


def elements_of(item: Node) -> Elements:
    """Return the elements of a struct's type."""
    kind: type[Node] = type(item)
    return elements(kind)


@cache
def struct(name: str) -> type[Node] | None:
    """Return the struct of a resource, datatype or inner element (`PatientContact`), if there is one."""
    return registry.struct(name) if name in r4.HOMES else None


def is_type(name: str) -> bool:
    """Tell whether FHIR R4 has a type of that name."""
    return name in PRIMITIVES or name in r4.HOMES


@cache
def ancestors(name: str) -> frozenset[str]:
    """Return the names of a type and of all types that it is a kind of; its own alone if it is unknown."""
    if name in PRIMITIVES:
        return ancestors(PRIMITIVES[name]) | {name}
    kind = struct(name)
    if kind is None:
        return frozenset({name})
    return frozenset(base.__name__ for base in kind.__mro__ if base is not Node and issubclass(base, Node))


def step(kinds: Kinds, name: str) -> tuple[Slot, ...] | None:
    """Return where an element of one of these types may stand; None where that depends on the value.

    Raises
    ------
    KeyError
        If none of the types has such an element.
    """
    if kinds is None:
        return None
    found: dict[Slot, None] = {}
    for kind in kinds:
        holder = struct(kind)
        if holder is None:
            return None
        found |= dict.fromkeys(elements(holder).get(name, ()))
    if not found:
        raise KeyError(name)
    return tuple(found)


def kinds_of(slots: tuple[Slot, ...] | None) -> Kinds:
    """Return the types of what stands in these attributes."""
    if slots is None or any(slot.kind is None for slot in slots):
        return None
    return frozenset(slot.type for slot in slots)


def names_of(kind: str) -> list[str]:
    """Return the names of a type's elements, for an error to tell."""
    holder = struct(kind)
    return sorted(elements(holder)) if holder else []


def read(item: Any, slot: Slot) -> tuple[Any, Any]:
    """Return what stands in an attribute, and in that of its ids and extensions."""
    return getattr(item, slot.attribute), getattr(item, slot.sibling) if slot.sibling else None
