"""References: `Type/id`, an absolute URL, or the identifier of what is referred to.

A version (`/_history/2`) is left away. `#contained` leads nowhere outside of its resource, and is no value. A
canonical URL with a version (`url|2.0`) is found with it and without.

Source: https://hl7.org/fhir/R4/search.html#reference
"""

from __future__ import annotations

from typing import Any

from broadstreet.model import fhir
from broadstreet.model.search.tokens import Token

ReferenceValue = str | Token


def _targets(url: str) -> list[ReferenceValue]:
    if url.startswith("#"):
        return []
    if "/_history/" in url:
        url = url.split("/_history/", 1)[0]
    return [url, url.split("|", 1)[0]] if "|" in url else [url]


def of_text(url: str) -> list[ReferenceValue]:
    """Return a canonical URL or a URI."""
    return _targets(url)


def of_reference(reference: fhir.Reference) -> list[ReferenceValue]:
    """Return what a reference leads to, and its identifier as a token."""
    found = _targets(reference.reference) if reference.reference else []
    identifier = reference.identifier
    if identifier is not None and identifier.value is not None:
        found.append((identifier.system, identifier.value))
    return found


def of_resource(resource: Any) -> list[ReferenceValue]:
    """Return the resource itself, where it stands in place of a reference (the first entry of a document)."""
    return [f"{type(resource).__name__}/{resource.id}"] if resource.id else []


READERS = {"Reference": of_reference, "Resource": of_resource, "str": of_text}
