"""Which parts a version has one value of at most, so that two bounds on it are a window."""

from __future__ import annotations

from functools import cache

from broadstreet.model import fhirpath
from broadstreet.model.fhirpath import schema
from broadstreet.model.fhirpath.syntax import Call, Expression, Focus, Path, text
from broadstreet.model.search.parts import parts_in


@cache
def is_singular(type: str, numbers: tuple[int, ...]) -> bool:
    """Return whether the parts together have one value at most: an element, which may be of several types."""
    places = set()
    for part in parts_in(type):
        if part.number not in numbers:
            continue
        path = _without_type(fhirpath.parse(part.expression))
        if part.kind == "composite" or not _is_one(path, type):
            return False
        places.add(text(path))
    return len(places) == 1


def _without_type(node: Expression) -> Expression:
    while isinstance(node, Call) and node.name == "ofType":
        node = node.left
    return node


def _is_one(node: Expression, type: str) -> bool:
    return _type_after(node, type) is not None


def _type_after(node: Expression, type: str) -> str | None:
    """Return the type that a path leads to, "" if it may be several; None if it repeats or is no path."""
    match node:
        case Path(left=Focus(name=""), name=name) if schema.struct(name) is not None:
            return type
        case Path(left=left, name=name):
            owner = _type_after(left, type)
            struct = schema.struct(owner) if owner else None
            slots = schema.elements(struct).get(name, ()) if struct is not None else ()
            if not slots or any(slot.many for slot in slots):
                return None
            return slots[0].type if len(slots) == 1 else ""
        case _:
            return None
