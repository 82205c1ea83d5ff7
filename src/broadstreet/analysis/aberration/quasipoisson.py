"""Fit many quasi-Poisson regressions at once: a level for each block of times, and at most one common slope.

The model is :math:`\\log \\mu_i = \\alpha_{j(i)} + \\beta t_i`. With a level for each block the weighted
least squares of every iteration have a closed form in sums over the blocks: no matrix is factorised, and a
thousand regressions of one design take a few array operations. The iterations are those of R's `glm.fit`
(start at :math:`y + 0.1`, stop by the change of the deviance, at most 25), one by one, since what R answers
on sparse counts depends on where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.aberration.design import Design, Floats, Moments, Outliers
from broadstreet.analysis.aberration.observations import Sums

# R 4.2: ?glm.control and stats::glm.fit
_EPSILON = 1e-8
_MOST_ITERATIONS = 25
_MOST_HALVINGS = 25
_LEAST_MEAN = 1e-300
_ROUNDING = 4.0 * np.finfo(np.float64).eps

Rows = NDArray[np.bool_] | NDArray[np.intp] | slice


@dataclass(frozen=True, slots=True)
class Fit:
    """Hold regressions, one a row.

    `earlier_level` and `earlier_slope` are the coefficients before the last step. `mass`, `centre` and
    `spread` describe the last least squares, whose weights are the means before that step: `glm.fit` takes
    leverages and standard errors from there.
    """

    level: Floats  # (fits, blocks)
    slope: Floats  # (fits,)
    earlier_level: Floats
    earlier_slope: Floats
    mass: Floats  # (fits, blocks): sums of the weights
    centre: Floats  # (fits, blocks): weighted means of time
    spread: Floats  # (fits,): weighted squares of time about the centres; infinite without a slope
    converged: NDArray[np.bool_]

    def rows(self, kept: Rows) -> Fit:
        """Return the fits of these rows."""
        return Fit(*(getattr(self, field.name)[kept] for field in fields(self)))

    def put(self, rows: Rows, other: Fit) -> None:
        """Replace these rows by the fits of another."""
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(other, field.name)

    def log_mean(self, design: Design) -> Floats:
        """Return the linear predictor of every observation, shape (fits, observations)."""
        return _predictor(self.level, self.slope, design)

    def earlier_log_mean(self, design: Design) -> Floats:
        """Return the linear predictor before the last step."""
        return _predictor(self.earlier_level, self.earlier_slope, design)

    def leverage_per_weight(self, design: Design) -> Floats:
        """Return the diagonal of the hat matrix divided by the weights, shape (fits, observations)."""
        constant = 1.0 / self.mass + self.centre**2 / self.spread[:, np.newaxis]
        linear = -2.0 * self.centre / self.spread[:, np.newaxis]
        return np.hstack([constant, linear, 1.0 / self.spread[:, np.newaxis]]) @ design.parabolas

    def variance_at(self, block: int, time: float) -> Floats:
        """Return the variance of the linear predictor at a block and time, per unit of dispersion."""
        return 1.0 / self.mass[:, block] + (time - self.centre[:, block]) ** 2 / self.spread


def fit(
    sums: Sums, design: Design, *, trend: bool, outliers: Outliers | None = None, scale: Floats | None = None
) -> Fit:
    """Fit every row of the sums.

    Parameters
    ----------
    sums : Sums
        Of the observations, the shares of the outliers taken off.
    design : Design
    trend : bool
        Whether there is a slope; without it, the slope is 0.
    outliers : Outliers, optional
        Observations with less weight than 1.
    scale : ndarray, shape (fits,), optional
        What all weights are multiplied by. It decides only when the iterations stop.

    Returns
    -------
    Fit
        `converged` is False after 25 iterations, and where R would stop with an error (coefficients are then
        NaN).
    """
    scale = np.ones(len(sums.count_timed)) if scale is None else scale
    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        running = _Running.of(_first_step(sums, trend=trend), sums, outliers, scale)
        return _iterate(running, design, trend=trend)


def _predictor(level: Floats, slope: Floats, design: Design) -> Floats:
    return np.hstack([level, slope[:, np.newaxis]]) @ design.lines


def _first_step(sums: Sums, *, trend: bool) -> Fit:
    fits = len(sums.count_timed)
    if trend:
        centre = sums.weight_timed / sums.weight
        spread = sums.weight_squared - np.einsum("ij,ij->i", centre, sums.weight_timed)
        slope = (sums.working_timed - np.einsum("ij,ij->i", centre, sums.working)) / spread
    else:
        centre, spread, slope = np.zeros_like(sums.weight), np.full(fits, np.inf), np.zeros(fits)
    level = sums.working / sums.weight - centre * slope[:, np.newaxis]
    return Fit(level, slope, level, slope, sums.weight, centre, spread, np.zeros(fits, np.bool_))


@dataclass(slots=True)
class _Running:
    """The fits that still iterate, and what their steps need."""

    row: NDArray[np.intp]
    fit: Fit
    count: Floats
    timed: Floats
    saturated: Floats
    scale: Floats
    deviance: Floats
    total: Floats  # sum of the means before the last step; NaN before the first
    outliers: Outliers | None

    @classmethod
    def of(cls, first: Fit, sums: Sums, outliers: Outliers | None, scale: Floats) -> _Running:
        row, total = np.arange(len(scale)), np.full(len(scale), np.nan)
        deviance = scale * sums.start
        return cls(row, first, sums.count, sums.count_timed, sums.saturated, scale, deviance, total, outliers)

    def keep(self, kept: NDArray[np.bool_]) -> None:
        for name in ("row", "count", "timed", "saturated", "scale", "deviance", "total"):
            setattr(self, name, getattr(self, name)[kept])
        self.fit = self.fit.rows(kept)
        self.outliers = self.outliers and self.outliers.of_rows(kept)


@dataclass(frozen=True, slots=True)
class _Means:
    """What the coefficients of the running fits say."""

    moments: Moments
    block: Floats  # (fits, blocks): sums of the means
    total: Floats
    deviance: Floats


def _iterate(running: _Running, design: Design, *, trend: bool) -> Fit:
    answer = running.fit.rows(running.row)
    for iteration in range(_MOST_ITERATIONS):
        means = _means(running, design)
        if not np.isfinite(means.deviance).all():
            means = _shorten_steps(running, design, means)
        resting = _rests(running, means)
        failed = ~np.isfinite(means.deviance)
        running.fit.converged[:] = resting
        running.fit.level[failed] = np.nan
        done = resting | failed | (iteration == _MOST_ITERATIONS - 1)
        if done.any():
            answer.put(running.row[done], running.fit.rows(done))
            running.keep(~done)
            means = _rows(means, ~done)
        if not running.row.size:
            break
        running.deviance, running.total = means.deviance, means.total
        running.fit = _step(running, means, trend=trend)
    return answer


def _means(running: _Running, design: Design) -> _Means:
    fit = running.fit
    moments = design.moments(fit.slope, running.outliers)
    block = np.maximum(np.exp(fit.level + moments.shift) * moments.total, _LEAST_MEAN)
    total = block.sum(axis=1)
    likelihood = np.einsum("ij,ij->i", fit.level, running.count) + fit.slope * running.timed
    return _Means(moments, block, total, 2.0 * running.scale * (running.saturated - likelihood + total))


def _shorten_steps(running: _Running, design: Design, means: _Means) -> _Means:
    fit = running.fit
    for _ in range(_MOST_HALVINGS):
        broken = ~np.isfinite(means.deviance)
        if not broken.any():
            break
        fit.level[broken] = (fit.level[broken] + fit.earlier_level[broken]) / 2.0
        fit.slope[broken] = (fit.slope[broken] + fit.earlier_slope[broken]) / 2.0
        means = _means(running, design)
    return means


def _rests(running: _Running, means: _Means) -> NDArray[np.bool_]:
    """Tell whose deviance changed no more than `glm.fit` asks for, or than rounding explains."""
    fit = running.fit
    moved = np.einsum("ij,ij->i", fit.level - fit.earlier_level, running.count)
    moved += (fit.slope - fit.earlier_slope) * running.timed
    change = 2.0 * running.scale * (means.total - running.total - moved)
    change = np.where(np.isnan(running.total), means.deviance - running.deviance, change)
    noise = _ROUNDING * running.scale * means.total
    resting = np.abs(change) < np.maximum(_EPSILON * (0.1 + np.abs(means.deviance)), noise)
    return np.asarray(resting)


def _step(running: _Running, means: _Means, *, trend: bool) -> Fit:
    """Take a weighted least squares step, which for a log-linear Poisson model is one of Newton's."""
    fit, moments = running.fit, means.moments
    if trend:
        centre = moments.first / moments.total
        spread = np.einsum("ij,ij->i", means.block, moments.second / moments.total - centre**2)
        rise = (running.timed - np.einsum("ij,ij->i", centre, running.count)) / spread
    else:
        centre, spread, rise = np.zeros_like(means.block), np.full_like(means.total, np.inf), 0.0
    level = fit.level + running.count / means.block - 1.0 - centre * np.reshape(rise, (-1, 1))
    unsettled = np.zeros(len(level), np.bool_)
    return Fit(level, fit.slope + rise, fit.level, fit.slope, means.block, centre, spread, unsettled)


def _rows(means: _Means, kept: NDArray[np.bool_]) -> _Means:
    old = means.moments
    moments = Moments(old.shift[kept], old.total[kept], old.first[kept], old.second[kept])
    return _Means(moments, means.block[kept], means.total[kept], means.deviance[kept])
