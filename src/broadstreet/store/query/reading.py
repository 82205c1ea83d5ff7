"""Searching, as each back end of the store offers it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from broadstreet.store.query.conditions import Condition
from broadstreet.store.query.plan import Plan
from broadstreet.store.query.results import Counted, Found
from broadstreet.store.query.search import MOST_EXAMINED, Backend, Search
from broadstreet.store.query.visible import Everything, Visible

LONGEST_PAGE: Final = 1_000
MOST_COUNTED: Final = 10_000
MOST_EXAMINED_TO_COUNT: Final = 100_000


class Searching(Backend, Protocol):
    """What the read side of a store can be asked; alike on every back end."""

    def search(
        self,
        type: str,
        conditions: Sequence[Condition],
        *,
        visible: Visible | None = None,
        at: int | None = None,
        page: str | None = None,
        limit: int = 50,
    ) -> Found:
        """Return a page of the versions of a type that meet every condition at a position.

        Parameters
        ----------
        type
            A resource type of FHIR, such as `Encounter`.
        conditions
            What must hold; none finds all of the type.
        visible
            What may be seen; everything if it is not told.
        at
            A position; the newest if there is none.
        page
            `next` of the page before.
        limit
            Entries on a page, 1 to 1,000.

        Returns
        -------
        Found
            The newest versions first, or in the order of the index that the search begins with.

        Raises
        ------
        ValueError
            If a condition is unknown, does not fit its parameter or is beyond a limit, or a page token is
            forged.
        TooBroad
            If nothing was found among as many rows as are examined for a first page.
        PositionGone
            If the index rows of that position are purged.
        StoreError
            If the index is being rebuilt.
        """
        if not 1 <= limit <= LONGEST_PAGE:
            raise ValueError(f"a page has 1 to {LONGEST_PAGE:,} entries (asked for {limit:,})")
        begun = Search(self, type, conditions, visible or Everything(), at, page)
        seqs, reached, examined = begun.read(limit, MOST_EXAMINED)
        entries = begun.entries(seqs)
        self.require_readable(begun.asked)  # afterwards: a purge may have come in between
        if reached is not None and not seqs and page is None:
            raise begun.too_broad(reached, examined)
        return Found(entries, begun.token(reached) if reached else None, begun.at)

    def explain(
        self,
        type: str,
        conditions: Sequence[Condition],
        *,
        visible: Visible | None = None,
        at: int | None = None,
        page: str | None = None,
    ) -> Plan:
        """Return how a search would be done, without doing it; raises what `search` does but `TooBroad`."""
        return Search(self, type, conditions, visible or Everything(), at, page).plan()

    def count_found(
        self,
        type: str,
        conditions: Sequence[Condition],
        *,
        visible: Visible | None = None,
        at: int | None = None,
        most: int = MOST_COUNTED,
    ) -> Counted:
        """Return how many resources meet the conditions, counting up to `most`; raises what `search` does."""
        if not 1 <= most <= MOST_EXAMINED_TO_COUNT:
            raise ValueError(f"a count goes to 1 to {MOST_EXAMINED_TO_COUNT:,} (asked for {most:,})")
        begun = Search(self, type, conditions, visible or Everything(), at, None)
        seqs, reached, _ = begun.read(most, MOST_EXAMINED_TO_COUNT)
        self.require_readable(begun.asked)
        return Counted(len(seqs), exact=reached is None)
