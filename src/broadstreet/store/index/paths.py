"""The expressions of parts as a tree of attributes, so that what several parts pass through is read once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from broadstreet.model import fhirpath
from broadstreet.model.fhirpath import schema
from broadstreet.model.fhirpath.plain import COMPARABLE_AS_TEXT
from broadstreet.model.fhirpath.syntax import (
    Binary,
    Call,
    Expression,
    Focus,
    Index,
    Literal,
    Path,
    TypeTest,
    Unary,
    text,
)
from broadstreet.model.fhirpath.types import Specifier
from broadstreet.model.search.parts import Part


class Get(NamedTuple):
    """Read an attribute; `holes` if its list may have items of None."""

    attribute: str
    many: bool
    holes: bool


class Only(NamedTuple):
    """Go on where an attribute has a value."""

    attribute: str
    value: str


Step = Get | Only


class Way(NamedTuple):
    """A path to values of one type."""

    steps: tuple[Step, ...]
    type: str


@dataclass
class Place:
    """What is found at the end of a path: values of parts, and the paths that go on."""

    parts: list[tuple[Part, str]] = field(default_factory=list)  # with the type of the value
    on: dict[Step, Place] = field(default_factory=dict)


def tree(parts: list[tuple[Part, list[Way]]]) -> Place:
    """Return the paths of parts as one tree."""
    root = Place()
    for part, ways in parts:
        for way in ways:
            place = root
            for step in way.steps:
                place = place.on.setdefault(step, Place())
            place.parts.append((part, way.type))
    return root


def ways(part: Part) -> list[Way] | None:
    """Return the paths that a part's expression is; None if it is more than paths."""
    return _ways(fhirpath.parse(part.expression), part.type)


def first_attributes(part: Part) -> list[str]:
    """Return the attributes of the resource without which the part has no value; none if that is unknown."""
    node = fhirpath.parse(part.expression)
    while not isinstance(node, Literal | Focus):
        if isinstance(node, Binary | Unary):
            return []
        if isinstance(node, Call | Path) and _is_root(node.left, part.type):
            name = node.name if isinstance(node, Path) else "extension"
            slots = schema.step(frozenset({part.type}), name) or ()
            known = isinstance(node, Path) or node.name == "extension"
            return [slot.attribute for slot in slots] if known else []
        if not isinstance(node, Call | Path | Index | TypeTest):
            return []
        node = node.left
    return []


def _is_root(node: Expression, type: str) -> bool:
    match node:
        case Path(left=Focus(name=""), name=name):
            return name in schema.ancestors(type)
        case Focus(name="" | "this"):
            return True
        case _:
            return False


def _ways(node: Expression, type: str) -> list[Way] | None:
    if _is_root(node, type):
        return [Way((), type)]
    match node:
        case Path():
            return _step(_ways(node.left, type), node.name)
        case Call(name="ofType", arguments=(argument,)):
            return _narrowed(_ways(node.left, type), text(argument))
        case Call(name="where", arguments=(Binary(sign="=", left=Path() as left, right=Literal() as right),)):
            return _filtered(_ways(node.left, type), left, right.value)
        case _:
            return None


def _step(found: list[Way] | None, name: str) -> list[Way] | None:
    if found is None or len(found) != 1 or schema.struct(found[0].type) is None:
        return None
    slots = schema.step(frozenset({found[0].type}), name)
    if slots is None or schema.kinds_of(slots) is None:
        return None
    return [
        Way(
            (*found[0].steps, Get(slot.attribute, slot.many, slot.many and slot.sibling is not None)),
            slot.type,
        )
        for slot in slots
    ]


def _narrowed(found: list[Way] | None, name: str) -> list[Way] | None:
    if found is None or not Specifier(name).fhir:
        return None
    kept = [
        way
        for way in found
        if (way.type == name if way.type in schema.PRIMITIVES else name in schema.ancestors(way.type))
    ]
    return kept or None


def _filtered(found: list[Way] | None, left: Path, value: object) -> list[Way] | None:
    if (
        found is None
        or len(found) != 1
        or not isinstance(value, str)
        or left.left != Focus(name="", at=left.left.at)
    ):
        return None
    slots = schema.step(frozenset({found[0].type}), left.name) or ()
    if len(slots) != 1 or slots[0].many or slots[0].type not in COMPARABLE_AS_TEXT:
        return None
    return [Way((*found[0].steps, Only(slots[0].attribute, value)), found[0].type)]
