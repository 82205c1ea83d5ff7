"""The rules of FHIR R4 that a type alone cannot say; the generated structs call them when they are built."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from broadstreet.model.fhir.primitives import CODE, URI

# Codes and URIs that were seen and found right; None, as most are absent. At most MOST_KNOWN, then anew.
KNOWN_CODES: set[str | None] = {None}
KNOWN_URIS: set[str | None] = {None}
MOST_KNOWN = 65_536
LONGEST_KNOWN = 200


class RuleError(ValueError):
    """A rule that an element breaks; the decoder adds the path of the element."""

    def __init__(self, element: str, reason: str, code: str) -> None:
        super().__init__(f"{element}: {reason}")
        self.element = element
        self.reason = reason
        self.code = code


def wire_name(attribute: str) -> str:
    """Return the name in JSON: `class_` is `class`, `birthDate_ext` is `_birthDate`."""
    if attribute.endswith("_ext"):
        return f"_{attribute[:-4]}"
    return attribute.rstrip("_")


class Node(
    Struct,
    kw_only=True,
    omit_defaults=True,
    repr_omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,  # a record holds no cycles, and the collector need not look for them
    rename=wire_name,
):
    """What every resource and element is."""


def missing(element: str) -> RuleError:
    """Return the error for a required primitive that has neither a value nor an extension."""
    return RuleError(element, "required, and absent", "required")


def check_choice(struct: Struct, stem: str, at_least: int) -> None:
    """Refuse a choice element such as `value[x]` that is given in two types, or absent where it is required.

    A primitive and its sibling for extensions (`valueString`, `_valueString`) are one value.
    """
    after = len(stem)
    names = [n for n in struct.__struct_fields__ if n.startswith(stem) and n[after : after + 1].isupper()]
    given = {n.removesuffix("_ext"): None for n in names if getattr(struct, n) is not None}
    if len(given) > 1:
        raise RuleError(f"{stem}[x]", f"only one type may be given (came: {', '.join(given)})", "structure")
    if len(given) < at_least:
        raise RuleError(f"{stem}[x]", "required, and absent", "required")


def check_code(struct: Struct, attribute: str) -> None:
    """Refuse a code with white space at its ends, or two spaces in a row within it."""
    _check_words(struct, attribute, KNOWN_CODES, CODE, "code")


def check_uri(struct: Struct, attribute: str) -> None:
    """Refuse a URI with white space in it."""
    _check_words(struct, attribute, KNOWN_URIS, URI, "uri")


def _check_words(
    struct: Struct, attribute: str, known: set[str | None], pattern: re.Pattern[str], name: str
) -> None:
    given = getattr(struct, attribute)
    for index, word in enumerate(given if isinstance(given, list) else [given]):
        if word in known:
            continue
        if not pattern.fullmatch(word):
            place = f"[{index}]" if isinstance(given, list) else ""
            raise RuleError(wire_name(attribute) + place, f"not a valid {name}", "value")
        if len(known) >= MOST_KNOWN:
            known.clear()
            known.add(None)
        if len(word) <= LONGEST_KNOWN:
            known.add(word)


def check_aligned(struct: Struct, element: str) -> None:
    """Refuse an array of primitives that its sibling for extensions does not match, place by place."""
    attribute = element if hasattr(struct, element) else f"{element}_"
    values, extensions = getattr(struct, attribute), getattr(struct, f"{element}_ext")
    if values is not None and extensions is not None and len(values) != len(extensions):
        reason = f"must be as long as _{element} ({len(values)} and {len(extensions)})"
        raise RuleError(element, reason, "structure")
    for index in range(len(values or extensions)):
        if (values is None or values[index] is None) and (extensions is None or extensions[index] is None):
            given = f"_{element}" if values is None else element
            raise RuleError(f"{given}[{index}]", "null, with neither a value nor an extension", "structure")


def check_contained(contained: Sequence[Struct]) -> None:
    """Refuse a contained resource that contains another (invariant dom-2)."""
    for index, resource in enumerate(contained):
        if getattr(resource, "contained", None) is not None:
            reason = "a contained resource must not contain another"
            raise RuleError(f"contained[{index}].contained", reason, "structure")
