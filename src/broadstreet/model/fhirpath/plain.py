"""Compile paths to closures without frames and without boxed primitives.

Nearly all expressions of search parameters are paths of elements, filtered by a type or by a code. For these
the types are known before any resource comes. What is not of that kind is left to `compiler`: the functions
here return None. Both give the same values; a test holds them against each other.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, NamedTuple

from broadstreet.model.fhirpath import schema
from broadstreet.model.fhirpath.references import extensions_with, referenced_type
from broadstreet.model.fhirpath.schema import Slot
from broadstreet.model.fhirpath.syntax import (
    Binary,
    Call,
    Expression,
    Focus,
    Index,
    Literal,
    Path,
    TypeTest,
    text,
)
from broadstreet.model.fhirpath.types import Specifier

Each = Callable[[Any], list[Any]]  # from the item that the path begins at, to what it leads to
Test = Callable[[Any], bool | None]
Get = Callable[[Any], Any]

_NOT_TEXT = {"boolean", "decimal", "integer", "positiveInt", "unsignedInt", "base64Binary", "xhtml"}
COMPARABLE_AS_TEXT = frozenset(schema.PRIMITIVES) - schema.TEMPORAL - _NOT_TEXT


class Plain(NamedTuple):
    """A path: what leads to the holders of its last element, and the attributes where that may stand."""

    before: Each | None
    slots: tuple[Slot, ...]
    start: str = ""  # the type that it begins at, if there is no step yet
    direct: tuple[Get, ...] = ()  # what leads to the one holder, if no step on the way repeats

    @property
    def kinds(self) -> frozenset[str]:
        """The types of what it leads to."""
        return frozenset(slot.type for slot in self.slots) if self.slots else frozenset({self.start})

    @property
    def many(self) -> bool:
        """Whether it may lead to more than one item from one start."""
        return (self.before is not None and not self.direct) or any(slot.many for slot in self.slots)

    def each(self) -> Each:
        """Return the closure."""
        if not self.slots:
            return self.before or (lambda item: [item])
        if self.direct and len(self.slots) == 1:
            return _straight(self.direct, self.slots[0])
        last = _one(self.slots[0]) if len(self.slots) == 1 else _choice(self.slots)
        return last if self.before is None else _chain(self.before, self.slots, last)


def compile_plain(node: Expression, kind: str) -> Each | None:
    """Return the closure of an expression that begins at a type, or None if it is not plain."""
    found = path(node, kind)
    if found is not None:
        return found.each()
    test = condition(node, kind)
    if test is None:
        return None
    holds = test
    return lambda item: [] if (answer := holds(item)) is None else [answer]


def compile_straight(node: Expression, kind: str) -> tuple[Get, ...] | None:
    """Return the steps of a path that leads to one item at most, or None if it is no such path."""
    found = path(node, kind)
    if found is None or len(found.slots) != 1 or found.many:
        return None
    return (*found.direct, attrgetter(found.slots[0].attribute))


def path(node: Expression, kind: str) -> Plain | None:
    """Return an expression as a path, or None if it is none."""
    if _is_start(node, kind):
        return Plain(None, (), kind)
    match node:
        case Path():
            return _step(path(node.left, kind), node.name)
        case TypeTest(sign="as"):
            return _narrowed(path(node.left, kind), node.type, singly=True)
        case Index(index=Literal(value=int(index))) if not isinstance(index, bool):
            return _at(path(node.left, kind), index)
        case Call():
            return _called(node, kind)
        case _:
            return None


def _is_start(node: Expression, kind: str) -> bool:
    match node:
        case Focus(name="" | "this"):
            return True
        case Path(left=Focus(name=""), name=name):
            return name in schema.ancestors(kind)
        case _:
            return False


def _called(node: Call, kind: str) -> Plain | None:
    left = path(node.left, kind)
    match node.name, node.arguments:
        case "as" | "ofType", (argument,):
            return _narrowed(left, text(argument), singly=node.name == "as")
        case "where", (criterion,):
            return _filtered(left, criterion)
        case "extension", (Literal(value=str(url)),):
            return _extension(left, url)
        case "first", ():
            return _at(left, 0)
    return None


def _step(left: Plain | None, name: str) -> Plain | None:
    if left is None or not all(map(schema.struct, left.kinds)):
        return None
    try:
        slots = schema.step(left.kinds, name)
    except KeyError:
        return None  # the compiler says what is wrong
    if not slots or schema.kinds_of(slots) is None:
        return None
    # Where a path leads to several types, not all of them need to have the element.
    if len(left.kinds) > 1 and any(schema.step(frozenset({kind}), name) != slots for kind in left.kinds):
        return None
    if not left.slots:
        return Plain(left.before, slots)
    straight = len(left.slots) == 1 and not left.slots[0].many and (left.before is None or left.direct)
    direct: tuple[Get, ...] = (*left.direct, attrgetter(left.slots[0].attribute)) if straight else ()
    return Plain(left.each(), slots, direct=direct)


def _narrowed(left: Plain | None, written: str, singly: bool) -> Plain | None:
    """Choose among the attributes of a choice; `as` is plain only where there is at most one item."""
    if left is None or not left.slots or (singly and left.many):
        return None
    specifier = Specifier(written)
    if not specifier.fhir:
        return None
    kept = [
        slot
        for slot in left.slots
        if (specifier.name == slot.type if slot.primitive else specifier.name in schema.ancestors(slot.type))
    ]
    return Plain(left.before, tuple(kept), direct=left.direct) if kept else None


def _filtered(left: Plain | None, criterion: Expression) -> Plain | None:
    if left is None or len(left.kinds) != 1:
        return None
    test = condition(criterion, next(iter(left.kinds)))
    if test is None:
        return None
    each, holds = left.each(), test

    def filtered(item: Any) -> list[Any]:
        found = each(item)
        return [value for value in found if holds(value)] if found else found

    return _closed(filtered, left)


def _extension(left: Plain | None, url: str) -> Plain | None:
    if left is None or not all(map(schema.struct, left.kinds)):
        return None
    each = left.each()

    def extensions(item: Any) -> list[Any]:
        return [found for holder in each(item) for found in extensions_with(holder, url)]

    return Plain(extensions, (), "Extension")


def _at(left: Plain | None, index: int) -> Plain | None:
    if left is None or not left.kinds.isdisjoint(schema.PRIMITIVES):
        return None  # one that has only extensions counts too
    each = left.each()
    return _closed(lambda item: each(item)[index : index + 1], left)


def _closed(each: Each, left: Plain) -> Plain | None:
    """Return a path whose closure is complete: the types stay as they were, if there is one."""
    return Plain(each, (), next(iter(left.kinds))) if len(left.kinds) == 1 else None


def condition(node: Expression, kind: str) -> Test | None:
    """Return an expression as a condition (true, false or empty), or None if it is not a plain one."""
    match node:
        case Binary(sign="and" | "or"):
            return _both(node.sign, condition(node.left, kind), condition(node.right, kind))
        case Binary(sign="=" | "!=", right=Literal(value=str() | bool() as value)):
            return _equal(path(node.left, kind), value, node.sign == "=")
        case TypeTest(sign="is", left=Call(left=Focus(name="" | "this"), name="resolve", arguments=())):
            return _refers_to(node.type, kind)
        case Call(name="hasExtension", arguments=(Literal(),)):
            return _exists(path(Call(left=node.left, name="extension", arguments=node.arguments), kind))
        case Call(name="exists", arguments=()):
            return _exists(path(node.left, kind))
        case _:
            return None


def _both(sign: str, left: Test | None, right: Test | None) -> Test | None:
    if left is None or right is None:
        return None
    first, second, decisive = left, right, sign == "or"

    def both(item: Any) -> bool | None:
        one = first(item)
        if one is decisive:
            return decisive
        other = second(item)
        return decisive if other is decisive else (None if one is None or other is None else not decisive)

    return both


def _equal(left: Plain | None, value: str | bool, wanted: bool) -> Test | None:
    if left is None or not left.slots or left.many:
        return None
    allowed = COMPARABLE_AS_TEXT if isinstance(value, str) else {"boolean", "dateTime", "date"}
    if not left.kinds <= allowed:
        return None
    if len(left.slots) == 1 and left.before is None:
        get = attrgetter(left.slots[0].attribute)
        return lambda item: None if (found := get(item)) is None else (found == value) is wanted
    each, alone = left.each(), [value]
    return lambda item: None if not (found := each(item)) else (found == alone) is wanted


def _refers_to(written: str, kind: str) -> Test | None:
    specifier = Specifier(written)
    if kind != "Reference" or not specifier.fhir:
        return None
    name = specifier.name

    def refers(item: Any) -> bool | None:
        found = referenced_type(item)
        return None if found is None else name in schema.ancestors(found)

    return refers


def _exists(left: Plain | None) -> Test | None:
    """Tell whether there is anything; a primitive may have extensions and no value, so it is told apart."""
    if left is None or not left.kinds.isdisjoint(schema.PRIMITIVES):
        return _exists_singly(left)
    each = left.each()
    return lambda item: bool(each(item))


def _exists_singly(left: Plain | None) -> Test | None:
    if left is None or left.before is not None or not left.slots:
        return None
    names = [name for slot in left.slots for name in (slot.attribute, slot.sibling) if name]
    return lambda item: any(getattr(item, name) is not None for name in names)


def _one(slot: Slot) -> Each:
    get = attrgetter(slot.attribute)
    if not slot.many:
        return lambda item: [] if (found := get(item)) is None else [found]
    if slot.sibling is None:
        return lambda item: [] if (found := get(item)) is None else found[:]
    return lambda item: (
        [] if (found := get(item)) is None else [value for value in found if value is not None]
    )


def _choice(slots: tuple[Slot, ...]) -> Each:
    if any(slot.many for slot in slots):
        steps = [_one(slot) for slot in slots]
        return lambda item: [value for step in steps for value in step(item)]
    get = attrgetter(*(slot.attribute for slot in slots))
    return lambda item: [found for found in get(item) if found is not None]


def _straight(getters: tuple[Get, ...], slot: Slot) -> Each:
    last = _one(slot)

    def straight(item: Any) -> list[Any]:
        for get in getters:
            item = get(item)
            if item is None:
                return []
        return last(item)

    return straight


def _chain(before: Each, slots: tuple[Slot, ...], last: Each) -> Each:
    if len(slots) == 1 and not slots[0].many:
        get = attrgetter(slots[0].attribute)

        def single(item: Any) -> list[Any]:
            holders = before(item)
            if not holders:
                return holders
            return [value for holder in holders if (value := get(holder)) is not None]

        return single

    def several(item: Any) -> list[Any]:
        holders = before(item)
        if not holders:
            return holders
        return [value for holder in holders for value in last(holder)]

    return several
