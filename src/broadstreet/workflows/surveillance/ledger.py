"""Adds to counts and takes from them, and remembers which changed and are to be tested."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from broadstreet.store.tables import Between, Change, Condition, Delete, Increment, Row, TableReader
from broadstreet.workflows.surveillance.lateness import Lateness
from broadstreet.workflows.surveillance.overlay import Overlay
from broadstreet.workflows.surveillance.strata import Strata
from broadstreet.workflows.surveillance.tables import (
    AHEAD,
    CHANGED,
    CITY,
    CLOSED,
    COUNT,
    VISITS,
    Cell,
    Changed,
    Closed,
)


class Ledger:
    """The counts as a batch changes them."""

    def __init__(self, reader: TableReader, strata: Strata) -> None:
        self._reader, self._strata = reader, strata
        self._deltas: defaultdict[Cell, int] = defaultdict(int)
        self._changed = Overlay[Cell, Changed](CHANGED, Changed._make, reader)
        self._closed = Overlay[int, Closed](CLOSED, Closed._make, reader)
        last = self._closed.take(reader.select(CLOSED, order=("-seq",), limit=1))
        self._last = last[0] if last else None
        self._city: dict[Cell, int] = {}
        self._marked: dict[Cell, int] = {}
        self._watched: dict[tuple[str, str, str], tuple[bool, bool]] = {}
        self._lateness = Lateness(reader, self._last)

    def move(self, seq: int, before: frozenset[Cell], after: frozenset[Cell]) -> None:
        """Count a visit in the cells `after`, and no longer in those `before`, because of entry `seq`."""
        for cell in before - after:
            self._add(seq, cell, -1)
        for cell in after - before:
            self._add(seq, cell, 1)

    def close(self, closed: Closed) -> None:
        """Close a day; forget what changed before the last closing, for that was tested with it."""
        before = self._last.seq if self._last else 0
        self._write_marks()
        self._changed.take(self._reader.select(CHANGED, {"seq": Between(0, before - 1)}))
        for cell in [cell for cell, each in self._changed.rows.items() if each.seq < before]:
            self._changed.drop(cell)
        self._closed.put(closed)
        self._last = closed
        self._lateness.close(closed)

    def changes(self) -> list[Change]:
        """Return what the batch changes; a count that falls to 0 has no row any more."""
        deltas = {cell: number for cell, number in self._deltas.items() if number}
        stored = {cell: self._stored(cell) for cell, number in deltas.items() if number < 0}
        gone: list[Row] = [cell for cell, count in stored.items() if count + deltas[cell] <= 0]
        added: list[Row] = [
            (*cell, number) for cell, number in deltas.items() if stored.get(cell, 1) + number > 0
        ]
        self._write_marks()
        changes = [*self._closed.changes(), *self._changed.changes(), *self._lateness.changes()]
        if added:
            changes.append(Increment(COUNT, added))
        if gone:
            changes.append(Delete(COUNT, gone))
        return changes

    def _add(self, seq: int, cell: Cell, number: int) -> None:
        if self._last is not None:
            self._mark(self._last.day, seq, cell, number)
        self._deltas[cell] += number

    def _mark(self, closed: int, seq: int, cell: Cell, number: int) -> None:
        """Remember a cell that is to be tested; and of a closed day, that somebody came late."""
        day = cell[3]
        if day > closed + AHEAD:
            return
        is_tested, is_feed = self._tested_or_feed(cell[:3])
        if day > closed:
            if is_tested:
                self._marked[cell] = seq
            return
        if is_tested or is_feed or self._begins_or_ends(cell, number):
            self._marked[cell] = seq
        self._lateness.add(cell, number)

    def _tested_or_feed(self, series: tuple[str, str, str]) -> tuple[bool, bool]:
        known = self._watched.get(series)
        if known is None:
            known = self._strata.is_tested(*series), self._strata.is_feed(*series)
            self._watched[series] = known
        return known

    def _write_marks(self) -> None:
        for cell, seq in self._marked.items():
            self._changed.put(Changed(*cell, seq))
        self._marked.clear()

    def _begins_or_ends(self, cell: Cell, number: int) -> bool:
        """Return whether a stratum of the city gets its first visit of a day, or loses its last one.

        Baselines change.
        """
        stream, place, _, _ = cell
        if (stream, place) != (VISITS, CITY):
            return False
        if cell not in self._city:
            self._city[cell] = self._stored(cell)
        count = self._city[cell] + self._deltas[cell]
        return 0 in (count, count + number)

    def _stored(self, cell: Cell) -> int:
        stream, place, stratum, day = cell
        where: dict[str, Condition] = {"stream": stream, "place": place, "stratum": stratum, "day": day}
        return count_of(self._reader.select(COUNT, where))


def count_of(rows: Collection[Row]) -> int:
    """Return the sum of counts."""
    return sum(int(row[-1] or 0) for row in rows)
