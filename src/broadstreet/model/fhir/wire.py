"""The rules of FHIR's JSON form that a struct cannot see.

A property stands once in its object. `null` stands only in an array of primitives, to keep it aligned with
its sibling for extensions. No object is empty. Nothing nests deeper than `MAX_DEPTH`; a contained resource
contains none. Text has no control character but tab, line feed and carriage return.

Looking at every property would cost more than decoding does. So `looks_clean` asks a few questions of the
bytes as they came and of the bytes as they are written again. It never passes a text that breaks a rule.
Where it does not pass one, `inspect` walks the text and finds the element, or finds that all is well.

Source: https://hl7.org/fhir/R4/json.html, invariants ele-1 and dom-2.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from broadstreet.model.fhir.invalid import Invalid

MAX_DEPTH = 64

_ESCAPED = re.compile(rb"\\(?:u00[01]|u0022|[bf])", re.IGNORECASE)
_ALIGNED = re.compile(rb'"_\w+":\[')
_ONLY_ID = re.compile(rb'\{"id":"[^"]*"\}')
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_NOT_BRACKETS = bytes(sorted(set(range(256)) - set(b'{}"')))

Pairs = list[tuple[str, Any]]


def looks_clean(data: bytes, written: bytes) -> bool:
    """Tell whether the text certainly keeps the rules of this module.

    Parameters
    ----------
    data
        The text as it came; it decoded without an error.
    written
        What was decoded from it, written again without white space. A property that stands twice in `data`,
        or holds `null`, is not in `written`: its quotation marks are missing there.
    """
    return not (
        data.count(b'"') != written.count(b'"')
        or b"null" in written
        or b"{}" in written
        or (b'{"id":' in written and _ONLY_ID.search(written))
        or (b'"_' in written and _ALIGNED.search(written))
        or (b"\\" in data and _ESCAPED.search(data))
        or written.count(b'"contained":[') > 1
        or (written.count(b"{") > MAX_DEPTH and depth(written) > MAX_DEPTH)
    )


def depth(data: bytes) -> int:
    """Return how deep objects nest, at most `MAX_DEPTH + 1`; JSON that decodes is expected."""
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = data.translate(None, _NOT_BRACKETS)
    brackets = b"".join(marks.split(b'"')[::2])  # every second part lies outside of strings
    levels = 0
    while brackets and levels <= MAX_DEPTH:
        brackets = brackets.replace(b"{}", b"")
        levels += 1
    return levels


def inspect(data: bytes, root: str) -> None:
    """Walk the text and refuse the first element that breaks a rule of this module.

    Raises
    ------
    Invalid
        With the element's path below `root`.
    """
    if depth(data) > MAX_DEPTH:
        raise Invalid(root, f"nested deeper than {MAX_DEPTH} objects", "too-costly")
    _inspect_object(json.loads(data, object_pairs_hook=_Object), root, inside_contained=False)


class _Object(list[tuple[str, Any]]):
    """The properties of an object in order, those that stand twice among them."""


def _inspect_object(pairs: _Object, path: str, *, inside_contained: bool) -> None:
    properties = dict(pairs)
    if len(properties) != len(pairs):
        raise Invalid(f"{path}.{_first_repeated(pairs)}", "the property stands twice in its object")
    if not properties.keys() - {"id"}:
        raise Invalid(path, "an element must have a value, a child or an extension")
    if inside_contained and "contained" in properties and "resourceType" in properties:
        raise Invalid(f"{path}.contained", "a contained resource must not contain another")
    for name, value in pairs:
        if value is None:
            raise Invalid(f"{path}.{name}", "null is allowed only in an array of primitives")
        if isinstance(value, str) and _CONTROL.search(value):
            raise Invalid(f"{path}.{name}", "text must not have control characters", "value")
        if isinstance(value, list) and not isinstance(value, _Object):
            _inspect_array(value, properties, name, path)
    for name, value in _objects_below(pairs):
        below = inside_contained or name.startswith("contained[")
        _inspect_object(value, f"{path}.{name}", inside_contained=below)


def _first_repeated(pairs: _Object) -> str:
    names = [name for name, _ in pairs]
    return next(name for name in names if names.count(name) > 1)


def _objects_below(pairs: _Object) -> Iterator[tuple[str, _Object]]:
    for name, value in pairs:
        if isinstance(value, _Object):
            yield name, value
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, _Object):
                    yield f"{name}[{index}]", item


def _inspect_array(values: list[Any], properties: dict[str, Any], name: str, path: str) -> None:
    sibling = name[1:] if name.startswith("_") else f"_{name}"
    others = properties.get(sibling)
    if others is not None and len(others) != len(values):
        raise Invalid(f"{path}.{name}", f"must be as long as {sibling} ({len(values)} and {len(others)})")
    for index, value in enumerate(values):
        if value is None and (others is None or others[index] is None):
            raise Invalid(f"{path}.{name}[{index}]", f"null, and {sibling}[{index}] gives nothing either")
        if isinstance(value, str) and _CONTROL.search(value):
            raise Invalid(f"{path}.{name}[{index}]", "text must not have control characters", "value")
