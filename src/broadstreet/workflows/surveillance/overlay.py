"""Rows of one table as a batch sees them: read at once, changed in memory, told as few changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, Generic, TypeVar

from broadstreet.store.tables import Change, Delete, OneOf, Row, Table, TableReader, Upsert, Value

_AT_ONCE = 1_000

R = TypeVar("R", bound=tuple[Any, ...])
K = TypeVar("K", bound=Value | tuple[Any, ...])


class Overlay(Generic[K, R]):
    """The rows of a table that a batch has read, with its changes.

    Parameters
    ----------
    table
        Its key is its first columns.
    make
        Makes a row from the table's values, such as `Visit._make`.
    reader
        Where the rows are read.
    """

    def __init__(self, table: Table, make: Callable[[Iterable[Any]], R], reader: TableReader) -> None:
        self._table, self._make, self._reader = table, make, reader
        self._width = len(table.key)
        self._stored: dict[K, R] = {}
        self._changed: set[K] = set()
        self.rows: dict[K, R] = {}

    def load(self, column: str, values: Collection[Value]) -> list[R]:
        """Read the rows that have one of these values in a column; return those not known before."""
        return self.take(selected(self._reader, self._table, column, values))

    def take(self, rows: Iterable[Row]) -> list[R]:
        """Take rows that were read; return those not known before."""
        fresh = []
        for each in rows:
            key = self._key(each)
            if key not in self._stored and key not in self._changed:
                row = self._make(each)
                self._stored[key] = self.rows[key] = row
                fresh.append(row)
        return fresh

    def put(self, row: R) -> None:
        """Write a row."""
        key = self._key(row)
        self.rows[key] = row
        self._changed.add(key)

    def set(self, key: K, row: R | None) -> None:
        """Write a row, or remove it (None)."""
        if row is None:
            self.drop(key)
        else:
            self.put(row)

    def drop(self, key: K) -> None:
        """Remove a row."""
        if self.rows.pop(key, None) is not None:
            self._changed.add(key)

    def changes(self) -> list[Change]:
        """Return what makes the stored rows these rows."""
        written: list[Row] = []
        gone: list[Row] = []
        for key in self._changed:
            row = self.rows.get(key)
            if row is None:  # whether it was read or not: a row may be written unread
                gone.append(key if isinstance(key, tuple) else (key,))
            elif row != self._stored.get(key):
                written.append(row)
        changes: list[Change] = [Upsert(self._table, written)] if written else []
        return [*changes, Delete(self._table, gone)] if gone else changes

    def _key(self, row: Row) -> Any:
        return row[0] if self._width == 1 else row[: self._width]


def selected(reader: TableReader, table: Table, column: str, values: Collection[Value]) -> list[Row]:
    """Return the rows that have one of these values in a column, however many values there are."""
    wanted = list(values)
    rows: list[Row] = []
    for first in range(0, len(wanted), _AT_ONCE):
        rows += reader.select(table, {column: OneOf(wanted[first : first + _AT_ONCE])})
    return rows
