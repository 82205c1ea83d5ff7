"""What a back end must offer to those who look after it: how large it is, and its tables row by row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from broadstreet.store.tables import Row, Table, Value


@dataclass(frozen=True)
class Volume:
    """How much room a store takes.

    Attributes
    ----------
    bytes
        By part, such as `log` and `wal`.
    free
        Bytes that are left where it lies; None if that cannot be known from here.
    """

    bytes: dict[str, int]
    free: int | None


CURRENT = Table(
    "current",
    {"type": "text", "id": "text", "seq": "integer", "version": "integer", "digest": "integer"},
    key=("type", "id"),
)
"""The newest versions, as a table to be read row by row."""


class Upkeep(Protocol):
    """The side of a store that is read to look after it."""

    def volume(self) -> Volume:
        """Return how much room the store takes, and how much is left."""
        ...

    def files(self) -> tuple[Path, ...]:
        """Return the files that hold the store; none of a server's, which cannot be read from here."""
        ...

    def index_tables(self) -> tuple[Table, ...]:
        """Return the tables of the search index."""
        ...

    def has(self, table: Table) -> bool:
        """Say whether the table is there."""
        ...

    def tally(self, table: Table, column: str) -> dict[Value, int]:
        """Return how many rows have each value of a column."""
        ...

    def count(self, table: Table) -> int:
        """Return how many rows a table has; a back end may estimate that for a large one."""
        ...

    def rows(self, table: Table) -> Iterator[Row]:
        """Yield every row in the order of the key, texts by code point, without holding them all.

        Raises
        ------
        StoreError
            If the table is not there, or not with these columns.
        """
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """Let all that this thread reads inside be as it was at one position, while writing goes on."""
        ...

    def oldest_position(self) -> int:
        """Return the oldest position that searches may still be read at."""
        ...

    def seq_at(self, at: int) -> int:
        """Return the newest seq that was committed at or before an instant in microseconds, or 0."""
        ...
