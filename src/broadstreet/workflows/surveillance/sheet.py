"""The counts as one table of days by series, kept in memory between batches and read again where they change.

What it holds is what the stored counts say, so it may be thrown away at any time: it saves reading years of
counts for one night's tests.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from broadstreet.store.tables import Between, OneOf, TableReader
from broadstreet.workflows.surveillance.rule import SILENCE
from broadstreet.workflows.surveillance.strata import Series, Strata
from broadstreet.workflows.surveillance.tables import AHEAD, ALL, CITY, COUNT, VISITS

Table = NDArray[np.int64]

HISTORY = 5 * 364
"""So many days before the last closed one are looked at: as far back as a season needs."""
CITY_VISITS = Series(VISITS, CITY, ALL)
_AT_ONCE = 500


class Sheet:
    """The counts of the series that are tested, of the feeds, and of who reports what.

    Attributes
    ----------
    first
        The day of the first row.
    columns
        The column of each series.
    """

    def __init__(self, strata: Strata) -> None:
        self._strata = strata
        self.first = 0
        self.columns: dict[Series, int] = {}
        self._table = np.zeros((0, 0), np.int64)
        self._rows = 0
        self._reported = np.empty(0, np.int64)  # the days on which anybody came

    def follow(self, reader: TableReader, closed: int, changed: Iterable[int]) -> None:
        """Be as the tables are, given that since the last call only counts of the `changed` days changed, and
        of those after the last closed one."""
        self._read(reader, closed, changed)
        self._reported = np.flatnonzero(self.of(CITY_VISITS)) + self.first

    def _read(self, reader: TableReader, closed: int, changed: Iterable[int]) -> None:
        last = closed + AHEAD
        if not self._rows or closed - self.first > HISTORY + HISTORY // 2:
            self.columns.clear()
            self.first, self._rows = closed - HISTORY, 0
            self._room(last + 1 - self.first, 0)
            self._take(reader.select(COUNT, {"day": Between(self.first, last)}))
            return
        before = self.last
        self._room(last + 1 - self.first, len(self.columns))
        days = {day for day in changed if self.first <= day <= last}
        wanted = sorted(days.union(range(min(before - AHEAD, closed) + 1, last + 1)))
        for begin in range(0, len(wanted), _AT_ONCE):
            some = wanted[begin : begin + _AT_ONCE]
            self._table[np.array(some) - self.first] = 0
            self._take(reader.select(COUNT, {"day": OneOf(some)}))

    @property
    def last(self) -> int:
        """The day of the last row."""
        return self.first + self._rows - 1

    @property
    def began(self) -> int:
        """The first day that anybody in the city reported; the day after the last row if nobody did."""
        return int(self._reported[0]) if self._reported.size else self.first + self._rows

    @property
    def table(self) -> Table:
        """The counts, shape (days, series)."""
        return self._table[: self._rows, : len(self.columns)]

    def of(self, series: Series) -> NDArray[np.int64]:
        """Return the counts of a series, zeros where nobody came."""
        column = self.columns.get(series)
        return np.zeros(self._rows, np.int64) if column is None else self._table[: self._rows, column]

    def at(self, series: Series, day: int) -> int:
        """Return one count."""
        row, column = day - self.first, self.columns.get(series)
        return 0 if column is None or not 0 <= row < self._rows else int(self._table[row, column])

    def begin(self, day: int) -> int:
        """Return the first day of the history of a day: that of the first report of anybody in the city after
        the last long silence; the day itself where there is none."""
        reported = self._reported[: np.searchsorted(self._reported, day, side="right")]
        if not reported.size:
            return day
        silences = np.flatnonzero(np.diff(reported) > SILENCE)
        return int(reported[silences[-1] + 1] if silences.size else reported[0])

    def tested(self) -> list[Series]:
        """Return the series that are tested, in order."""
        return sorted(series for series in self.columns if self._strata.is_tested(*series))

    def feeds(self) -> list[Series]:
        """Return the series that tell whether sources report, in order."""
        return sorted(series for series in self.columns if self._strata.is_feed(*series))

    def _room(self, rows: int, columns: int) -> None:
        held = self._table
        height, width = max(rows, len(held)), max(columns, held.shape[1])
        if height > len(held) or width > held.shape[1]:
            grown = np.zeros((height + HISTORY // 4, max(width * 2, 64)), np.int64)
            grown[: len(held), : held.shape[1]] = held
            self._table = grown
        self._rows = rows

    def _take(self, rows: Collection[tuple[object, ...]]) -> None:
        for stream, place, stratum, day, n in rows:
            series = Series(str(stream), str(place), str(stratum))
            column = self.columns.get(series)
            if column is None:
                column = self.columns[series] = len(self.columns)
                self._room(self._rows, column + 1)
            self._table[int(day) - self.first, column] = int(n)  # type: ignore[call-overload]
