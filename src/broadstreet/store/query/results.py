"""What a search returns, or why it does not."""

from __future__ import annotations

from dataclasses import dataclass

from broadstreet.store.entry import Entry


class TooBroad(Exception):
    """So many rows were examined without a match that the search is stopped; the text says what would help.

    Attributes
    ----------
    examined
        Rows that were examined.
    next
        A page token with which the search goes on from where it stopped, for whoever has the patience.
    """

    def __init__(self, text: str, examined: int, next: str) -> None:
        super().__init__(text)
        self.examined, self.next = examined, next


@dataclass(frozen=True)
class Found:
    """A page of versions.

    Attributes
    ----------
    entries
        The versions, each resource once.
    next
        The token of the next page; None if there is none. A page may be short, and the last one empty, since
        only so many rows are examined for each.
    at
        The position that was read at; every page of a search is read at the same.
    """

    entries: list[Entry]
    next: str | None
    at: int


@dataclass(frozen=True)
class Counted:
    """How many resources meet the conditions: exactly so many, or at least."""

    number: int
    exact: bool
