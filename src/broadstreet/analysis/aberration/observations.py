"""What regressions need of their observations: counts, functions of them, and sums of these over blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from broadstreet.analysis.aberration.design import Design, Floats, Indices, Outliers

ADDED_AT_START = 0.1  # R 4.2, quasipoisson()$initialize: the first means are the counts plus this
_ROWS_AT_A_TIME = 256  # a few arrays of so many rows of observations stay in the processor's cache


@dataclass(frozen=True, slots=True)
class Tables:
    """Hold functions of each count; every array has the shape of the counts, (series, time)."""

    count: Floats
    working: Floats  # weight times working response of the first least squares
    saturated: Floats  # y log y - y
    start: Floats  # deviance of the first means
    two_thirds: Floats

    @classmethod
    def of(cls, counts: NDArray[np.int64]) -> Tables:
        """Compute the tables of counts."""
        count = counts.astype(np.float64)
        start = count + ADDED_AT_START
        log_start = np.log(start)
        working = start * log_start - ADDED_AT_START
        saturated = count * np.log(np.maximum(count, 1.0)) - count
        deviance = 2.0 * (saturated - count * log_start + start)
        return cls(count, working, saturated, deviance, np.cbrt(count) ** 2)


class Observations:
    """Give the observations of many fits of one design, row by row, without keeping them all.

    Parameters
    ----------
    tables : Tables
    series : ndarray of intp, shape (fits,)
        Row of the tables that each fit looks at.
    time : ndarray of intp, shape (fits,)
        Time that each fit looks back from.
    offset : ndarray of intp, shape (observations,)
        Where the observations lie, relative to that time; increasing.
    """

    def __init__(self, tables: Tables, series: Indices, time: Indices, offset: Indices) -> None:
        first, span = int(offset[0]), int(offset[-1] - offset[0]) + 1
        self._where = series, time + first
        self._columns = None if span == len(offset) else offset - first
        self._offset = offset - first
        self._tables = tables
        self._windows = {
            field.name: sliding_window_view(getattr(tables, field.name), span, axis=1)
            for field in fields(Tables)
        }

    def __len__(self) -> int:
        """Return the number of fits."""
        return len(self._where[0])

    def parts(self) -> Iterator[slice]:
        """Yield the rows in parts that are quick to work with."""
        for first in range(0, len(self), _ROWS_AT_A_TIME):
            yield slice(first, first + _ROWS_AT_A_TIME)

    def rows(self, name: str, rows: slice | Indices) -> Floats:
        """Return a table at these rows, shape (rows, observations)."""
        series, start = self._where
        found = self._windows[name][series[rows], start[rows]]
        if self._columns is not None:
            found = found[:, self._columns]
        return np.asarray(found)

    def at(self, name: str, row: Indices, column: Indices) -> Floats:
        """Return a table at single observations."""
        series, start = self._where
        table: Floats = getattr(self._tables, name)
        return np.asarray(table[series[row], start[row] + self._offset[column]])

    def only(self, rows: Indices) -> Observations:
        """Return the observations of these rows."""
        chosen = object.__new__(Observations)
        chosen.__dict__.update(self.__dict__, _where=tuple(part[rows] for part in self._where))
        return chosen


@dataclass(frozen=True, slots=True)
class Sums:
    """Hold what a fit needs of its observations: sums over blocks (fits, blocks) and over all (fits,)."""

    count: Floats
    weight: Floats  # of the first least squares
    weight_timed: Floats
    working: Floats
    weight_squared: Floats  # times the square of time
    working_timed: Floats
    count_timed: Floats
    saturated: Floats
    start: Floats

    @classmethod
    def of(cls, observed: Observations, design: Design) -> Sums:
        """Sum observations over the blocks of their design."""
        fits, blocks, ones = len(observed), design.blocks, np.ones(design.observations)
        square = design.time[:, np.newaxis] ** 2
        over_counts = np.hstack([design.over_blocks[:, : 2 * blocks], square])
        over_working = np.hstack([design.member, design.time[:, np.newaxis]])
        counts, working = np.empty((fits, 2 * blocks + 1)), np.empty((fits, blocks + 1))
        saturated, start = np.empty(fits), np.empty(fits)
        for rows in observed.parts():
            np.matmul(observed.rows("count", rows), over_counts, out=counts[rows])
            np.matmul(observed.rows("working", rows), over_working, out=working[rows])
            np.matmul(observed.rows("saturated", rows), ones, out=saturated[rows])
            np.matmul(observed.rows("start", rows), ones, out=start[rows])
        weights = counts + ADDED_AT_START * over_counts.sum(axis=0)
        return cls(
            count=counts[:, :blocks],
            weight=weights[:, :blocks],
            weight_timed=weights[:, blocks:-1],
            working=working[:, :-1],
            weight_squared=weights[:, -1],
            working_timed=working[:, -1],
            count_timed=counts[:, blocks:-1].sum(axis=1),
            saturated=saturated,
            start=start,
        )

    def without(self, outliers: Outliers, observed: Observations, design: Design) -> Sums:
        """Return the sums with the shares of the outliers taken off."""
        count, working = (observed.at(name, outliers.row, outliers.column) for name in ("count", "working"))
        time, weight = design.time[outliers.column], count + ADDED_AT_START
        cell = outliers.row * design.blocks + design.block[outliers.column]
        off = {
            "count": (cell, count),
            "weight": (cell, weight),
            "weight_timed": (cell, weight * time),
            "working": (cell, working),
            "weight_squared": (outliers.row, weight * time**2),
            "working_timed": (outliers.row, working * time),
            "count_timed": (outliers.row, count * time),
            "saturated": (outliers.row, observed.at("saturated", outliers.row, outliers.column)),
            "start": (outliers.row, observed.at("start", outliers.row, outliers.column)),
        }
        return Sums(**{name: _less(getattr(self, name), *part, outliers.share) for name, part in off.items()})

    def only(self, rows: Indices) -> Sums:
        """Return the sums of these rows."""
        return Sums(*(getattr(self, field.name)[rows] for field in fields(self)))


def _less(sums: Floats, cell: Indices, value: Floats, share: Floats) -> Floats:
    return sums - np.bincount(cell, share * value, sums.size).reshape(sums.shape)
