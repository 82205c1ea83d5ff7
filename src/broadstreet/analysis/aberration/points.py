"""Go through many series and times in parts that fit the processor's cache and the memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.aberration.design import Floats, Indices
from broadstreet.analysis.aberration.references import Reference
from broadstreet.analysis.aberration.result import Aberrations
from broadstreet.analysis.aberration.robust import Past
from broadstreet.analysis.aberration.tables import Tables

# Takes the past of points, their counts, and whether there were cases enough.
Judge = Callable[[Past, Floats, NDArray[np.bool_]], Floats]

HIGHEST_COUNT = 10**9  # verified so far; beyond it, R's own test of convergence drowns in rounding
_POINTS_AT_A_TIME = 4096
_SERIES_AT_A_TIME = 128
_TABLE_CELLS = 1_000_000


def judge_points(
    counts: NDArray[np.int64],
    times: Indices,
    references: Sequence[Reference],
    limit54: tuple[int, int],
    judge: Judge,
) -> Aberrations:
    """Judge every evaluated time of every series.

    Parameters
    ----------
    counts : ndarray of int64, shape (time, series)
    times : ndarray of intp, shape (evaluated,)
    references : sequence of Reference
        Every row of `times` is in one.
    limit54 : (int, int)
        At least so many cases in the last so many times, the evaluated one among them.
    judge : callable
        Returns an array of shape (5, points): the fields of :class:`Aberrations`.
    """
    answer = np.full((5, len(times), counts.shape[1]), np.nan)
    step = min(_SERIES_AT_A_TIME, max(1, _TABLE_CELLS // max(1, len(counts))))
    for first in range(0, counts.shape[1], step):
        part = counts[:, first : first + step]
        tables = Tables.of(np.ascontiguousarray(part.T))
        enough = _recent_cases(part, limit54[1]) >= limit54[0]
        for reference in references:
            for start in range(0, len(reference.rows) * part.shape[1], _POINTS_AT_A_TIME):
                point = np.arange(start, min(start + _POINTS_AT_A_TIME, len(reference.rows) * part.shape[1]))
                series, row = np.divmod(point, len(reference.rows))
                row = reference.rows[row]
                time = times[row]
                past = Past(tables, series, time, reference)
                found = judge(past, tables.counts[series, time], enough[time, series])
                answer[:, row, first + series] = found
    return Aberrations(*answer)


def _recent_cases(counts: NDArray[np.int64], times: int) -> NDArray[np.int64]:
    running = np.zeros((len(counts) + 1, counts.shape[1]), np.int64)
    np.cumsum(counts, axis=0, out=running[1:])
    start = np.maximum(np.arange(1, len(counts) + 1) - times, 0)
    return np.asarray(running[1:] - running[start])
