"""The rules of FHIR R4 that a type alone cannot say; the generated structs call them when they are built."""

from __future__ import annotations

from msgspec import Struct


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
