"""Remembers how late visits come: the visits of a day that were counted only after its end."""

from __future__ import annotations

from broadstreet.store.tables import Between, Change, TableReader
from broadstreet.workflows.surveillance.overlay import Overlay
from broadstreet.workflows.surveillance.tables import (
    ALL,
    CITY,
    CLOSED,
    FACILITY_PLACE,
    LATE,
    VISITS,
    Cell,
    Closed,
    Late,
)

KEPT = 56
"""Days after which it is forgotten how late a day's visits came."""
_EARLIEST = -(1 << 18)


class Lateness:
    """What came late, as a batch changes it.

    A visit of a day that is over comes late; by whose end it is known, is the day after the last closed one.
    Days up to the first that was ever closed are left out: that was history before the hub was there to see
    it arrive.

    Parameters
    ----------
    reader
        The stored tables.
    last
        The last day closed before the batch.
    """

    def __init__(self, reader: TableReader, last: Closed | None) -> None:
        self._reader, self._last = reader, last
        self._late = Overlay[tuple[str, str, int, int], Late](LATE, Late._make, reader)
        first = reader.select(CLOSED, order=("day",), limit=1) if last else []
        self._began = int(first[0][0] or 0) if first else None
        self._read: set[int] = set()

    def add(self, cell: Cell, number: int) -> None:
        """Take note of visits, or of fewer, if their day is over."""
        stream, place, stratum, day = cell
        if self._last is None or self._began is None or stratum != ALL:
            return
        is_late = max(self._began, self._last.day - KEPT) < day <= self._last.day
        if not is_late or not (place == CITY or (stream == VISITS and place.startswith(FACILITY_PLACE))):
            return
        if day not in self._read:
            self._read.add(day)
            self._late.load("day", [day])
        key = (stream, place, day, self._last.day + 1)
        row = self._late.rows.get(key, Late(*key, 0))
        row = row._replace(n=row.n + number)
        self._late.set(key, row if row.n else None)

    def close(self, closed: Closed) -> None:
        """Close a day; forget what is too long ago."""
        self._last = closed
        self._began = closed.day if self._began is None else min(self._began, closed.day)
        until = closed.day - KEPT
        self._late.take(self._reader.select(LATE, {"day": Between(_EARLIEST, until)}))
        for key in [key for key, row in self._late.rows.items() if row.day <= until]:
            self._late.drop(key)

    def changes(self) -> list[Change]:
        """Return what the batch changes."""
        return self._late.changes()
