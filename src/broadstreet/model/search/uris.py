"""URIs: compared as they are, case and all.

Source: https://hl7.org/fhir/R4/search.html#uri
"""

from __future__ import annotations


def of_text(uri: str) -> list[str]:
    """Return a URI; a canonical URL with a version also without it."""
    canonical, bar, _ = uri.partition("|")
    return [uri, canonical] if bar else [uri]


READERS = {"str": of_text}
