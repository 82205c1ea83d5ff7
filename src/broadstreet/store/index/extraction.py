"""From a resource to its index rows: one function for each resource type, written from the table of parts.

The paths of a type's parts are one tree, so that each attribute is read once, and what is absent costs one
comparison. The few parts that are more than paths (extensions, `exists()`) are asked with FHIRPath. The text
of a function can be read: `source("Patient").text`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType
from typing import Any, NamedTuple

from broadstreet.model.fhirpath import schema
from broadstreet.model.search.extractors import (
    PYTHON,
    branch_extractor,
    composite_extractor,
    reader_of,
)
from broadstreet.model.search.parameters import Parameter
from broadstreet.model.search.parts import WITHIN, Part, parts_in
from broadstreet.model.search.strings import EAST_ASIAN, fold
from broadstreet.store.entry import IndexRows
from broadstreet.store.index.keys import Keys, Row, covered, cut, period, real
from broadstreet.store.index.kinds import EVERY, KINDS, MOST_CHARACTERS, POINT, width_of_date, width_of_number
from broadstreet.store.index.paths import Get, Only, Place, first_attributes, tree, ways

Extract = Callable[[Any], IndexRows]
Lists = tuple[list[Row], ...]

_LISTS = IndexRows.__struct_fields__
_ONCE, _ANY_ONCE = {"references": "targets_once"}, "once"
_CODED = [
    "if code is not None or system is not None:",
    "    tokens.append(({part}, hashed(code), hashed(system)))",
]
_TEXT = ["text = fold({value})", "if text:", "    strings.append(({part}, text[:MOST_CHARACTERS]))"]
# How a value of a type is read for a kind of parameter; what is not here, by the functions of `model.search`.
_READ: dict[tuple[str, str], list[str]] = {
    ("token", "Coding"): ["code, system = {value}.code, {value}.system", *_CODED],
    ("token", "CodeableConcept"): [
        "for coding in {value}.coding or ():",
        *(f"    {line}" for line in ["code, system = coding.code, coding.system", *_CODED]),
    ],
    ("token", "Identifier"): ["code, system = {value}.value, {value}.system", *_CODED],
    ("token", "ContactPoint"): [
        "if {value}.value is not None:",
        "    tokens.append(({part}, hashed({value}.value), hashed({value}.system)))",
    ],
    ("token", "bool"): ["tokens.append(({part}, hashed('true' if {value} else 'false'), 0))"],
    ("token", "str"): ["tokens.append(({part}, hashed({value}), 0))"],
    ("reference", "Reference"): [
        "if {value}.identifier is None and {value}.type is None:",
        "    if {value}.reference is not None:",
        "        references += targets({part}, {value}.reference)",
        "else:",
        "    refer({part}, {value}, references, tokens)",
    ],
    ("reference", "str"): ["references += targets({part}, {value})"],
    ("date", "str"): ["dates.append(({part}, *covered({value})))"],
    ("date", "Period"): [
        "if {value}.start is not None or {value}.end is not None:",
        "    dates.append(({part}, *period({value}.start, {value}.end)))",
    ],
    ("string", "str"): _TEXT,
    ("uri", "str"): [
        "uris.append(({part}, {value}[:MOST_CHARACTERS]))",
        "if '|' in {value}:",
        "    uris.append(({part}, {value}.partition('|')[0][:MOST_CHARACTERS]))",
    ],
    ("number", "int"): ["number = real({value})", "numbers.append(({part}, POINT, number, number))"],
    ("number", "Decimal"): ["number = real({value})", "numbers.append(({part}, POINT, number, number))"],
    **{
        ("quantity", name): ["measure({part}, {value}, quantities)"]
        for name in ("Quantity", "Age", "Count", "Distance", "Duration")
    },
}


class Source(NamedTuple):
    """A function's text, its code, and what it calls besides the keys."""

    text: str
    code: CodeType
    calls: dict[str, Callable[[Any], Any]]


def extractor(type: str, keys: Keys) -> Extract:
    """Return the function from a resource of a type to its index rows."""
    written = source(type)
    space: dict[str, Any] = {
        "IndexRows": IndexRows, "fold": fold, "joined": joined, "covered": covered, "period": period,
        "real": real, "once": once, "others": Others(keys), "hashed": keys.hashed, "targets": keys.targets,
        "refer": keys.refer, "measure": keys.quantities, "MOST_CHARACTERS": MOST_CHARACTERS, "POINT": POINT,
        "type_": (EVERY, keys.hashed(type), 0), "targets_once": targets_once,
        **written.calls,
    }  # fmt: skip
    exec(written.code, space)  # noqa: S102 - made of names in the table of parts, of nothing that came from outside
    made: Extract = space["rows"]
    return made


@cache
def source(type: str) -> Source:
    """Write the function of a resource type."""
    calls: dict[str, Callable[[Any], Any]] = {}
    paths, rest = [], []
    for part in parts_in(type):
        found = None if part.kind == "composite" else ways(part)
        if found is None or any(way.type == "Extension" for way in found):
            rest.append(part)
        else:
            paths.append((part, found))
    body = [
        *_place(tree(paths), "resource", 0, calls),
        *(line for part in rest for line in _asked(part, calls)),
    ]
    lines = [
        "def rows(resource):",
        "    tokens = [type_]",
        *(f"    {name} = []" for name in _LISTS[1:]),
        f"    every = {', '.join(_LISTS)}",
        *(f"    {line}" for line in body),
        f"    return IndexRows({', '.join(f'{_ONCE.get(name, _ANY_ONCE)}({name})' for name in _LISTS)})",
    ]
    text = "\n".join(lines) + "\n"
    return Source(text, compile(text, f"<index rows of {type}>", "exec"), calls)


def _place(place: Place, value: str, depth: int, calls: dict[str, Any]) -> Iterator[str]:
    for part, type in place.parts:
        yield from _read(part, type, value, calls)
    for number, (step, following) in enumerate(place.on.items()):
        if isinstance(step, Only):
            yield f"if {value}.{step.attribute} == {step.value!r}:"
            yield from _indented(_place(following, value, depth, calls))
        else:
            yield from _got(step, following, value, f"v{depth}_{number}", depth, calls)


def _got(
    step: Get, following: Place, holder: str, value: str, depth: int, calls: dict[str, Any]
) -> Iterator[str]:
    inner = list(_place(following, f"{value}_" if step.many else value, depth + 1, calls))
    if not inner:
        return
    yield f"{value} = {holder}.{step.attribute}"
    yield f"if {value} is not None:"
    if step.many:
        yield f"    for {value}_ in {value}:"
        if step.holes:
            yield f"        if {value}_ is not None:"
        inner = list(_indented(_indented(inner) if step.holes else inner))
    yield from _indented(inner)


def _indented(lines: Iterator[str] | list[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)


def _read(part: Part, type: str, value: str, calls: dict[str, Any]) -> Iterator[str]:
    reader = reader_of(part.kind, type)
    if reader is None:
        return
    if part.kind == "string" and type in WITHIN:
        yield from _read_elements(part, type, value)
        return
    name = PYTHON.get(type, "str") if type in schema.PRIMITIVES else type
    lines = _READ.get((part.kind, name))
    if lines is not None:
        yield from (line.format(part=part.number, value=value) for line in lines)
        return
    calls[f"read_{part.kind}_{name}"] = reader
    yield f"others.{part.kind}({part.number}, read_{part.kind}_{name}({value}), every)"


def _read_elements(part: Part, type: str, value: str) -> Iterator[str]:
    """Read the elements of a name or an address that have no part of their own."""
    apart = {other.expression for other in parts_in(part.type) if other.kind == "string"}
    struct = schema.struct(type)
    assert struct is not None
    for name in WITHIN[type]:
        if f"{part.expression}.{name}" in apart:
            continue
        (slot,) = schema.elements(struct)[name]
        text = [line.format(part=part.number, value="text") for line in _TEXT]
        if slot.many:
            yield f"for text in {value}.{slot.attribute} or ():"
            yield from _indented(["if text is not None:", *_indented(text)])
        else:
            yield f"text = {value}.{slot.attribute}"
            yield "if text is not None:"
            yield from _indented(text)
    if type == "HumanName":
        yield f"text = joined({value})"
        yield "if text:"
        yield f"    strings.append(({part.number}, text[:MOST_CHARACTERS]))"


def _asked(part: Part, calls: dict[str, Any]) -> Iterator[str]:
    """Ask with FHIRPath, if the attributes are there that the expression begins with."""
    name = f"ask_{part.number}"
    if part.kind == "composite":
        place = Parameter(part.number, part.type, "", "composite", part.expression, (), part.components)
        calls[name] = composite_extractor(part.expression, place)
        kinds = tuple(component.kind for component in part.components)
        line = f"others.composite({part.number}, {name}(resource), every, {kinds!r})"
    else:
        calls[name] = branch_extractor(part.expression, part.kind, part.type)
        line = f"others.{part.kind}({part.number}, {name}(resource), every)"
    needed = " or ".join(f"resource.{attribute} is not None" for attribute in first_attributes(part))
    if needed:
        yield f"if {needed}:"
    yield f"    {line}" if needed else line


class Others:
    """Adds the rows of values as `model.search` returns them, each kind in a way of its own."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def token(self, part: int, values: list[Any], every: Lists) -> None:
        """Add tokens."""
        hashed = self._keys.hashed
        every[_TOKENS].extend((part, hashed(code), hashed(system)) for system, code in values)

    def string(self, part: int, values: list[Any], every: Lists) -> None:
        """Add folded texts."""
        every[_STRINGS].extend((part, cut(text)) for text in values if text)

    def date(self, part: int, values: list[Any], every: Lists) -> None:
        """Add spans of time."""
        every[_DATES].extend((part, width_of_date(low, high), low, high) for low, high in values)

    def reference(self, part: int, values: list[Any], every: Lists) -> None:
        """Add what references lead to; the identifiers of what they lead to are tokens."""
        for value in values:
            if isinstance(value, str):
                every[_REFERENCES].extend(self._keys.targets(part, value))
            else:
                self.token(part, [value], every)

    def number(self, part: int, values: list[Any], every: Lists) -> None:
        """Add numbers."""
        for low, high in values:
            bounds = real(low), real(high)
            every[_NUMBERS].append((part, width_of_number(*bounds), *bounds))

    def quantity(self, part: int, values: list[Any], every: Lists) -> None:
        """Add quantities."""
        every[_QUANTITIES].extend((part, *row) for value in values for row in self._keys.units(value))

    def uri(self, part: int, values: list[Any], every: Lists) -> None:
        """Add URIs."""
        every[_URIS].extend((part, cut(uri)) for uri in values)

    def composite(self, part: int, values: list[Any], every: Lists, kinds: tuple[str, ...]) -> None:
        """Add what stands together."""
        for value in values:
            every[_COMPOSITES].extend(self._keys.composites(part, kinds, value))


_TOKENS, _STRINGS, _DATES, _REFERENCES, _NUMBERS, _QUANTITIES, _URIS, _COMPOSITES = range(len(KINDS))


def once(rows: list[Row]) -> tuple[Row, ...]:
    """Return rows without repetitions."""
    return tuple(dict.fromkeys(rows)) if len(rows) > 1 else tuple(rows)


def targets_once(rows: list[Row]) -> tuple[Row, ...]:
    """Return references, each target once at a part: of several types that are told, the first.

    A sender may write the same URN twice, once with a type and once without, or with two.
    """
    if len(rows) < 2:
        return tuple(rows)
    found: dict[tuple[int, int], Row] = {}
    for row in rows:
        held = found.get(row[:2])
        if held is None or not held[2]:
            found[row[:2]] = row
    return tuple(found.values())


def joined(name: Any) -> str:
    """Return family and given name as one, where they are written so; else nothing."""
    if name.family and name.given and EAST_ASIAN.match(name.family):
        return fold(name.family + "".join(filter(None, name.given)))
    return ""
