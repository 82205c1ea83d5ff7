"""Turn resources and search conditions into what the index has."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from broadstreet.model.search import EARLIEST, LATEST, Kind, parts_of
from broadstreet.model.search import parameter as parameter_of
from broadstreet.model.search.parts import TYPES, PartRef
from broadstreet.store.entry import NO_ROWS, UNKNOWN, IndexRows, Labels
from broadstreet.store.index.extraction import Extract, extractor
from broadstreet.store.index.keys import Keys, covered

TokenKey = tuple[int, int, int]
"""`(part, code, system)` of a row in token_index."""


class Indexer:
    """Turns resources and conditions into index rows; what tells who it is is hashed with the store's key."""

    def __init__(self, key: bytes) -> None:
        self.keys = Keys(key)
        self.hashed = self.keys.hashed
        self._extracts: dict[str, Extract] = {}

    def rows(self, resource: Any) -> IndexRows:
        """Return the index rows of a FHIR resource; none of what FHIR R4 does not know."""
        name = type(resource).__name__
        extract = self._extracts.get(name)
        if extract is None:
            if name not in TYPES:
                return NO_ROWS
            extract = self._extracts[name] = extractor(name, self.keys)
        return extract(resource)

    def tokens(self, type: str, name: str, system: str | None, code: str) -> tuple[TokenKey, ...]:
        """Return the rows that a resource with a token has one of; without a system, that of no system."""
        hashed = self.hashed(code), self.hashed(system)
        return tuple((part.number, *hashed) for part in parts(type, name, "token"))

    def labels(self, subjects: Sequence[str], labels: Labels = UNKNOWN) -> tuple[int, ...]:
        """Return the columns of labels, that of the subject filled in if there is one."""
        subject = labels.subject
        if not subject and len(subjects) == 1:
            subject = self.hashed(subjects[0])
        return subject, labels.organisation, labels.district, labels.category, labels.sensitivity


@cache
def parts(type: str, name: str, kind: Kind) -> tuple[PartRef, ...]:
    """Return the parts of a search parameter of a kind.

    Raises
    ------
    ValueError
        If the type has no such parameter, or it is of another kind.
    """
    found = parameter_of(type, name)
    if found.kind != kind:
        raise ValueError(f"{type}.{name} is searched as a {found.kind}, not as a {kind}")
    return parts_of(type, name)


def span(start: str | None, end: str | None) -> tuple[int, int]:
    """Return the microseconds `[low, high)` that FHIR dates of any precision cover.

    A date without a zone is read as UTC; an open end reaches to the end of time.
    """
    low = covered(start)[1] if start else EARLIEST
    high = covered(end)[2] if end else LATEST
    return low, max(low, high)
