"""What a reference tells of what it leads to, and the extensions of an element."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from broadstreet.model.fhir import r4

_RESOURCES = frozenset(r4.RESOURCES)


def referenced_type(reference: Any) -> str | None:
    """Return the type of the resource that a Reference leads to, as its text tells; None if it does not.

    `Patient/1`, `https://example.org/fhir/Patient/1/_history/2` and the element `type` tell it. `#contained`,
    a URN and an identifier do not: nothing is fetched.
    """
    return _named(reference.reference) or (reference.type if reference.type in _RESOURCES else None)


@lru_cache(maxsize=4_096)
def _prefixed(prefix: str) -> str | None:
    name = prefix.rpartition("/")[2]
    return name if name in _RESOURCES else None


def _named(url: str | None) -> str | None:
    if not url or "/" not in url:
        return None
    parts = url.split("/_history/", 1)[0]
    return _prefixed(parts.rpartition("/")[0])


def extensions_with(holder: Any, url: str) -> list[Any]:
    """Return the extensions of an element that have a URL."""
    found = getattr(holder, "extension", None)
    return [extension for extension in found if extension.url == url] if found else []
