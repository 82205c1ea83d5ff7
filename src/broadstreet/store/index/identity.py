"""Identifiers alone: what a commit itself must be able to look up, when a follower keeps the index."""

from __future__ import annotations

from functools import cache
from typing import Any

from broadstreet.model.search.parts import TYPES
from broadstreet.store.entry import NO_ROWS, IndexRows
from broadstreet.store.index.indexer import Indexer, TokenKey, parts

IDENTIFIER = "identifier"


class IdentityIndexer(Indexer):
    """Gives the rows of a resource's identifiers, and no others."""

    def rows(self, resource: Any) -> IndexRows:
        """Return a row for each identifier that has a value."""
        found = getattr(resource, IDENTIFIER, None)
        if not found:
            return NO_ROWS
        part = part_of(type(resource).__name__)
        if not part:
            return NO_ROWS
        hashed = self.hashed
        held = found if isinstance(found, list) else [found]
        rows = [(part, hashed(each.value), hashed(each.system)) for each in held if each.value]
        return IndexRows(tokens=tuple(rows) if len(rows) < 2 else tuple(dict.fromkeys(rows)))

    def tokens(self, type: str, name: str, system: str | None, code: str) -> tuple[TokenKey, ...]:
        """Return the rows that a resource with an identifier has one of.

        Raises
        ------
        ValueError
            If another parameter is asked for: only a search, beside the commit, can answer that.
        """
        if name != IDENTIFIER:
            raise ValueError(f"inside a commit resources are found by identifier only (asked: {type}.{name})")
        return super().tokens(type, name, system, code)


@cache
def part_of(type: str) -> int:
    """Return the part of a type's identifiers, 0 if it has none."""
    try:
        return parts(type, IDENTIFIER, "token")[0].number if type in TYPES else 0
    except ValueError:  # it has no such parameter
        return 0


def identity_parts() -> tuple[int, ...]:
    """Return the parts of all types' identifiers."""
    return tuple(sorted({part for type in TYPES if (part := part_of(type))}))
