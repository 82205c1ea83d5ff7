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
        self._city: dict[int, int] = {}
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
        changes = [*self._closed.changes(), *self._changed.changes(), *self._lateness.changes()]
        if added:
            changes.append(Increment(COUNT, added))
        if gone:
            changes.append(Delete(COUNT, gone))
        return changes

    def _add(self, seq: int, cell: Cell, number: int) -> None:
        if self._is_to_be_tested(cell) or (self._is_closed(cell[3]) and self._begins_or_ends(cell, number)):
            self._changed.put(Changed(*cell, seq))
        self._deltas[cell] += number
        self._lateness.add(cell, number)

    def _is_closed(self, day: int) -> bool:
        return self._last is not None and day <= self._last.day

    def _is_to_be_tested(self, cell: Cell) -> bool:
        if self._last is None or cell[3] > self._last.day + AHEAD:
            return False
        return self._strata.is_tested(*cell[:3]) or (
            self._is_closed(cell[3]) and self._strata.is_feed(*cell[:3])
        )

    def _begins_or_ends(self, cell: Cell, number: int) -> bool:
        """Return whether the city gets its first visit of a day, or loses its last one: baselines change."""
        stream, place, _, day = cell
        if (stream, place) != (VISITS, CITY):
            return False
        if day not in self._city:
            self._city[day] = self._stored(cell)
        count = self._city[day] + self._deltas[cell]
        return 0 in (count, count + number)

    def _stored(self, cell: Cell) -> int:
        stream, place, stratum, day = cell
        where: dict[str, Condition] = {"stream": stream, "place": place, "stratum": stratum, "day": day}
        return count_of(self._reader.select(COUNT, where))


def count_of(rows: Collection[Row]) -> int:
    """Return the sum of counts."""
    return sum(int(row[-1] or 0) for row in rows)
