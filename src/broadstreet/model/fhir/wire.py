"""The rules of FHIR's JSON form that a struct cannot see.

A property stands once in its object, and is not null. No object is empty. Nothing nests deeper than
`MAX_DEPTH`. Text has no control character but tab, line feed and carriage return.

Looking at every property would cost more than decoding does. So `looks_clean` asks a few questions of the
bytes as they came and of the bytes as they are written again. It never passes a text that breaks a rule.
Where it does not pass one, `inspect` walks the text and finds the element, or finds that all is well.

Source: https://hl7.org/fhir/R4/json.html, invariant ele-1.
"""

from __future__ import annotations

import json
import re
from typing import Any

from broadstreet.model.fhir.invalid import Invalid

MAX_DEPTH = 64

_ESCAPED = re.compile(rb"\\(?:u00[01]|u0022|[bf])", re.IGNORECASE)
_EMPTY = re.compile(rb'\{(?:"id":"[^"]*")?\}')
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_NOT_BRACKETS = bytes(sorted(set(range(256)) - set(b'{}"')))


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
    marks = written.count(b'"')
    return not (
        (data != written and data.count(b'"') != marks)
        or _EMPTY.search(written)
        or (b"\\" in data and _ESCAPED.search(data))
        # An object has a property, so two marks at least.
        or (marks > 2 * MAX_DEPTH and written.count(b"{") > MAX_DEPTH and depth(written) > MAX_DEPTH)
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
    _inspect_item(json.loads(data, object_pairs_hook=_properties), None, root)


class _Repeating(dict[str, Any]):
    """The properties of an object in which one stands twice."""


def _properties(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    properties = dict(pairs)
    return properties if len(properties) == len(pairs) else _Repeating({_first_repeated(pairs): None})


def _first_repeated(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            break
        seen.add(name)
    return name


def _inspect_object(properties: dict[str, Any], path: str) -> None:
    if isinstance(properties, _Repeating):
        raise Invalid(f"{path}.{next(iter(properties))}", "the property stands twice in its object")
    for name, value in properties.items():
        if value is None:
            raise Invalid(f"{path}.{name}", "null is allowed only in an array of primitives")
        sibling = properties.get(name[1:]) if name.startswith("_") else None
        if not isinstance(value, list):
            _inspect_item(value, sibling, f"{path}.{name}")
            continue
        for index, item in enumerate(value):
            _inspect_item(item, sibling[index] if sibling else None, f"{path}.{name}[{index}]")


def _inspect_item(item: Any, value: Any, path: str) -> None:
    """Inspect what stands at `path`; `value` is that of the primitive whose `_sibling` it is, or None."""
    if isinstance(item, str) and _CONTROL.search(item):
        raise Invalid(path, "text must not have control characters", "value")
    if isinstance(item, dict):
        if not item or (item.keys() == {"id"} and value is None):
            raise Invalid(path, "an element must have a value, a child or an extension")
        _inspect_object(item, path)
