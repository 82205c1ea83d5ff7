"""What many regressions share: which block each observation lies in, and when it was.

Sums over a block of exp(beta t), t exp(beta t) and t^2 exp(beta t) are all that a log-linear fit with a level
for each block and one slope beta asks of its observations. Blocks are runs of consecutive times, so one
exponential at the start of each run and the powers of exp(beta) within it are enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_SAFE_EXPONENT = 300.0  # exponentials up to it, their products and sums neither overflow nor vanish
_FITS_AT_A_TIME = 512  # so many exponentials of 50 runs stay in the processor's cache


@dataclass(frozen=True, slots=True)
class Moments:
    """Hold weighted sums over blocks; every array has shape (fits, blocks).

    The sums are those of :math:`e^{\\beta t - s}`: with the shift :math:`s` of each block they can neither
    overflow nor vanish.
    """

    shift: Floats
    total: Floats
    first: Floats
    second: Floats


@dataclass(frozen=True, slots=True)
class Outliers:
    """Hold observations that count for less: `share` of observation `column` is taken off fit `row`."""

    row: Indices
    column: Indices
    share: Floats

    def of_rows(self, kept: NDArray[np.bool_]) -> Outliers:
        """Return the outliers of the rows kept, numbered anew."""
        own = kept[self.row]
        return Outliers((np.cumsum(kept) - 1)[self.row[own]], self.column[own], self.share[own])


class Design:
    """Describe the observations of regressions that have the same blocks and times.

    Parameters
    ----------
    block : ndarray of intp, shape (observations,)
        0-based block of each observation; no block is empty.
    time : ndarray of float64, shape (observations,)
        Time of each observation, increasing, in steps; best relative to their middle.
    """

    def __init__(self, block: Indices, time: Floats) -> None:
        self.block = block
        self.time = time
        self.observations = len(block)
        self.blocks = int(block.max()) + 1
        self.size = np.bincount(block).astype(np.float64)
        self.member = _membership(block, self.blocks)
        self.over_blocks = _with_powers(self.member, time)
        self.lines = np.vstack([self.member.T, time])
        self.parabolas = np.vstack([self.over_blocks[:, : 2 * self.blocks].T, time**2])
        self._runs = _Runs(block, time)
        self._flat = self.over_blocks.sum(axis=0).reshape(3, self.blocks)  # the sums where there is no slope

    def moments(self, slope: Floats, outliers: Outliers | None) -> Moments:
        """Return the sums over blocks of the weighted exponentials, for the slope of each fit."""
        found = self._unweighted_moments(slope)
        if outliers is None or not outliers.row.size:
            return found
        block, time = self.block[outliers.column], self.time[outliers.column]
        excess = outliers.share * np.exp(slope[outliers.row] * time - found.shift[outliers.row, block])
        cell = outliers.row * self.blocks + block
        for power, sums in enumerate((found.total, found.first, found.second)):
            np.subtract(
                sums, np.bincount(cell, excess * time**power, sums.size).reshape(sums.shape), out=sums
            )
        return found

    def _unweighted_moments(self, slope: Floats) -> Moments:
        runs, shape = self._runs, (len(slope), self.blocks)
        if not slope.any():
            return Moments(np.zeros(shape), *(np.tile(sums, (len(slope), 1)) for sums in self._flat))
        if float(np.abs(slope).max()) * runs.reach < _SAFE_EXPONENT:
            return runs.moments(slope, np.zeros(shape), shifted=False)
        shift = np.maximum(np.outer(slope, runs.earliest), np.outer(slope, runs.latest))
        return runs.moments(slope, shift, shifted=True)


class _Runs:
    """Consecutive observations of one block, and how their sums follow from the first of each.

    Runs of the same block and length are one kind. Arrays here have one column a fit: so the products are
    quick, and their parts contiguous.
    """

    def __init__(self, block: Indices, time: Floats) -> None:
        starts = np.flatnonzero(np.r_[True, (np.diff(block) != 0) | (np.diff(time) != 1.0)])
        lengths = np.diff(np.r_[starts, len(block)])
        own, start = block[starts], time[starts]
        blocks = int(block.max()) + 1
        self.earliest = np.array([start[own == j].min() for j in range(blocks)])
        self.latest = np.array([start[own == j].max() for j in range(blocks)])
        self.reach = float(np.abs(time).max())
        self._start, self._block = start, own
        kinds, kind = np.unique(np.column_stack([own, lengths]), axis=0, return_inverse=True)
        self._kinds = len(kinds)
        self._by_kind = _with_powers(_membership(kind.ravel(), len(kinds)), start).T.copy()
        self._within = np.arange(lengths.max(), dtype=np.float64)
        shorter = self._within[:, np.newaxis] < kinds[:, 1]
        self._by_length = _with_powers(shorter.astype(np.float64), self._within).T.copy()
        self._block_of_kind = _membership(kinds[:, 0], blocks).T.copy()

    def moments(self, slope: Floats, shift: Floats, *, shifted: bool) -> Moments:
        sums = np.empty((3, *shift.shape))
        for first in range(0, len(slope), _FITS_AT_A_TIME):
            fits = slice(first, first + _FITS_AT_A_TIME)
            outer = np.multiply.outer(self._start, slope[fits])
            if shifted:
                outer -= shift[fits].T[self._block]
            inner = np.multiply.outer(self._within, slope[fits])
            p0, p1, p2 = _three(self._by_kind @ np.exp(outer, out=outer), self._kinds)
            q0, q1, q2 = _three(self._by_length @ np.exp(inner, out=inner), self._kinds)
            for power, part in enumerate((p0 * q0, p1 * q0 + p0 * q1, p2 * q0 + 2.0 * p1 * q1 + p0 * q2)):
                sums[power, fits] = (self._block_of_kind @ part).T
        return Moments(shift, *sums)


def _membership(group: Indices, groups: int) -> Floats:
    member = np.zeros((len(group), groups))
    member[np.arange(len(group)), group] = 1.0
    return member


def _with_powers(member: Floats, time: Floats) -> Floats:
    t = time[:, np.newaxis]
    return np.hstack([member, member * t, member * t**2])


def _three(sums: Floats, height: int) -> tuple[Floats, Floats, Floats]:
    return sums[:height], sums[height : 2 * height], sums[2 * height :]
