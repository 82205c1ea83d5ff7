"""Fit a quasi-Poisson regression: a level for each block of times, and at most one common slope.

The model is :math:`\\log \\mu_i = \\alpha_{j(i)} + \\beta t_i`. With a level for each block the weighted
least squares of every iteration have a closed form in sums over the blocks: no matrix is factorised. The
iterations are those of R's `glm.fit` (start at :math:`y + 0.1`, stop by the change of the deviance, at most
25), one by one, since what R answers on sparse counts depends on where it stopped.

All functions are compiled, and write into arrays that the next regression overwrites.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from broadstreet.analysis.aberration.design import Design, Floats, Indices, Outliers
from broadstreet.analysis.aberration.tables import ADDED_AT_START, Tables
from broadstreet.analysis.compiled import compiled

# R 4.2: ?glm.control and stats::glm.fit
_EPSILON = 1e-8
_MOST_ITERATIONS = 25
_MOST_HALVINGS = 25
_LEAST_MEAN = 1e-300
_ROUNDING = 4.0 * float(np.finfo(np.float64).eps)
_SAFE_EXPONENT = 300.0  # exponentials up to it, their products and sums neither overflow nor vanish

# Rows of `Fit.blocks`: coefficients, and those before the last step; the last least squares, whose weights
# are the means before that step (`glm.fit` takes leverages and standard errors from there); the means; sums
# of the observations and of the weights of the first least squares; shifts and sums of exponentials.
LEVEL, EARLIER, MASS, CENTRE, MEAN = range(5)
_COUNT, _WEIGHT, _WEIGHT_TIMED, _WORKING = range(5, 9)
_SHIFT, _TOTAL, _FIRST, _SECOND = range(9, 13)

# Entries of `Fit.overall`: the slope, and that before the last step; the weighted squares of time about the
# centres (infinite without a slope); sums of the observations.
SLOPE, EARLIER_SLOPE, SPREAD = range(3)
_WEIGHT_SQUARED, _WORKING_TIMED, _COUNT_TIMED, _SATURATED, _START = range(3, 8)


class Fit(NamedTuple):
    """Hold the regression of one point, and room for what its iterations need.

    Few arrays with named rows: to hand many arrays to a compiled function costs more than what it computes.
    """

    blocks: Floats  # (13, blocks)
    overall: Floats  # (8,)
    within: Floats  # (4, longest + 1): sums within a run by its length, and the power after it


@compiled
def room_for_a_fit(design: Design) -> Fit:
    """Return arrays for one fit at a time of this design."""
    return Fit(np.empty((13, design.blocks)), np.empty(8), np.empty((4, design.longest + 1)))


@compiled
def fit_point(
    tables: Tables,
    series: int,
    times: Indices,
    design: Design,
    outliers: Outliers,
    scale: float,
    trend: bool,
    fit: Fit,
) -> bool:
    """Fit the observations of a series at `times`; tell whether the iterations converged.

    With outliers, `fit` must hold the fit of the same observations without. All weights are multiplied by
    `scale`, which decides only when the iterations stop. Levels are NaN where R would stop with an error.
    """
    blocks, overall = fit.blocks, fit.overall
    _sum_up(tables, series, times, design, outliers, fit)
    _first_step(fit, trend)
    deviance, total = scale * overall[_START], np.nan
    for iteration in range(_MOST_ITERATIONS):
        new_deviance, new_total = _means(fit, design, outliers, scale)
        halvings = 0
        while not np.isfinite(new_deviance) and halvings < _MOST_HALVINGS:
            blocks[LEVEL] = (blocks[LEVEL] + blocks[EARLIER]) / 2.0
            overall[SLOPE] = (overall[SLOPE] + overall[EARLIER_SLOPE]) / 2.0
            new_deviance, new_total = _means(fit, design, outliers, scale)
            halvings += 1
        if not np.isfinite(new_deviance):
            blocks[LEVEL] = np.nan
            return False
        if _rests(fit, scale, (deviance, new_deviance), (total, new_total)):
            return True
        if iteration < _MOST_ITERATIONS - 1:
            deviance, total = new_deviance, new_total
            _step(fit, trend)
    return False


@compiled
def _sum_up(
    tables: Tables, series: int, times: Indices, design: Design, outliers: Outliers, fit: Fit
) -> None:
    if not len(outliers.which):
        fit.blocks[_COUNT : _WORKING + 1] = 0.0
        fit.overall[_WEIGHT_SQUARED:] = 0.0
        for i in range(len(times)):
            _add(tables, series, times[i], design, i, 1.0, fit)
    for k in range(len(outliers.which)):
        i = outliers.which[k]
        _add(tables, series, times[i], design, i, -outliers.share[k], fit)


@compiled
def _add(tables: Tables, series: int, at: int, design: Design, i: int, weight: float, fit: Fit) -> None:
    blocks, overall, j, time = fit.blocks, fit.overall, design.block[i], design.time[i]
    count, working = weight * tables.counts[series, at], weight * tables.working[series, at]
    started = count + weight * ADDED_AT_START
    blocks[_COUNT, j] += count
    blocks[_WEIGHT, j] += started
    blocks[_WEIGHT_TIMED, j] += started * time
    blocks[_WORKING, j] += working
    overall[_WEIGHT_SQUARED] += started * time * time
    overall[_WORKING_TIMED] += working * time
    overall[_COUNT_TIMED] += count * time
    overall[_SATURATED] += weight * tables.saturated[series, at]
    overall[_START] += weight * tables.start[series, at]


@compiled
def _first_step(fit: Fit, trend: bool) -> None:
    blocks, overall = fit.blocks, fit.overall
    spread, rise = overall[_WEIGHT_SQUARED], overall[_WORKING_TIMED]
    for j in range(blocks.shape[1]):
        blocks[MASS, j] = blocks[_WEIGHT, j]
        blocks[CENTRE, j] = blocks[_WEIGHT_TIMED, j] / blocks[_WEIGHT, j] if trend else 0.0
        spread -= blocks[CENTRE, j] * blocks[_WEIGHT_TIMED, j]
        rise -= blocks[CENTRE, j] * blocks[_WORKING, j]
    slope = rise / spread if trend else 0.0
    overall[SLOPE] = overall[EARLIER_SLOPE] = slope
    overall[SPREAD] = spread if trend else np.inf
    for j in range(blocks.shape[1]):
        blocks[LEVEL, j] = blocks[_WORKING, j] / blocks[_WEIGHT, j] - blocks[CENTRE, j] * slope
        blocks[EARLIER, j] = blocks[LEVEL, j]


@compiled
def _step(fit: Fit, trend: bool) -> None:
    """Take a weighted least squares step, which for a log-linear Poisson model is one of Newton's."""
    blocks, overall = fit.blocks, fit.overall
    spread, rise = 0.0, overall[_COUNT_TIMED]
    for j in range(blocks.shape[1]):
        centre = blocks[_FIRST, j] / blocks[_TOTAL, j] if trend else 0.0
        spread += blocks[MEAN, j] * (blocks[_SECOND, j] / blocks[_TOTAL, j] - centre**2)
        rise -= centre * blocks[_COUNT, j]
        blocks[CENTRE, j] = centre
        blocks[MASS, j] = blocks[MEAN, j]
    rise = rise / spread if trend else 0.0
    overall[SPREAD] = spread if trend else np.inf
    overall[EARLIER_SLOPE] = overall[SLOPE]
    overall[SLOPE] += rise
    for j in range(blocks.shape[1]):
        blocks[EARLIER, j] = blocks[LEVEL, j]
        blocks[LEVEL, j] += blocks[_COUNT, j] / blocks[MEAN, j] - 1.0 - blocks[CENTRE, j] * rise


@compiled
def _means(fit: Fit, design: Design, outliers: Outliers, scale: float) -> tuple[float, float]:
    """Sum the means of each block; return their deviance and their sum."""
    blocks, overall = fit.blocks, fit.overall
    _sum_exponentials(fit, design, outliers)
    total, likelihood = 0.0, overall[SLOPE] * overall[_COUNT_TIMED]
    for j in range(blocks.shape[1]):
        mean = np.exp(blocks[LEVEL, j] + blocks[_SHIFT, j]) * blocks[_TOTAL, j]
        blocks[MEAN, j] = _LEAST_MEAN if mean < _LEAST_MEAN else mean
        total += blocks[MEAN, j]
        likelihood += blocks[LEVEL, j] * blocks[_COUNT, j]
    return 2.0 * scale * (overall[_SATURATED] - likelihood + total), total


@compiled
def _rests(fit: Fit, scale: float, deviances: tuple[float, float], totals: tuple[float, float]) -> bool:
    """Tell whether the deviance changed no more than `glm.fit` asks for, or than rounding explains."""
    blocks, overall = fit.blocks, fit.overall
    change = deviances[1] - deviances[0]
    if not np.isnan(totals[0]):
        moved = (overall[SLOPE] - overall[EARLIER_SLOPE]) * overall[_COUNT_TIMED]
        for j in range(blocks.shape[1]):
            moved += (blocks[LEVEL, j] - blocks[EARLIER, j]) * blocks[_COUNT, j]
        change = 2.0 * scale * (totals[1] - totals[0] - moved)
    noise = _ROUNDING * scale * totals[1]
    return abs(change) < max(_EPSILON * (0.1 + abs(deviances[1])), noise)


@compiled
def _sum_exponentials(fit: Fit, design: Design, outliers: Outliers) -> None:
    """Sum exp(beta t - shift) over each block, and its products with t and t^2.

    With the shift of each block they can neither overflow nor vanish. Without shifts, a run that follows upon
    another of its year begins where that one's powers end; longer chains of products would lose digits.
    """
    blocks, within, slope = fit.blocks, fit.within, fit.overall[SLOPE]
    _sum_within_runs(slope, within)
    shifted = _choose_shifts(slope, design, blocks)
    blocks[_TOTAL : _SECOND + 1] = 0.0
    first, due, previous = 0.0, np.inf, 0
    for r in range(len(design.run) - 1):
        start, length = design.run[r], design.run[r + 1] - design.run[r]
        j, time = design.block[start], design.time[start]
        if shifted or time != due or j <= previous:
            first = np.exp(slope * time - blocks[_SHIFT, j])
        none, once, twice = within[0, length], within[1, length], within[2, length]
        blocks[_TOTAL, j] += first * none
        blocks[_FIRST, j] += first * (time * none + once)
        blocks[_SECOND, j] += first * (time * (time * none + 2.0 * once) + twice)
        first, due, previous = first * within[3, length], time + length, j
    for k in range(len(outliers.which)):
        j, time = design.block[outliers.which[k]], design.time[outliers.which[k]]
        excess = outliers.share[k] * np.exp(slope * time - blocks[_SHIFT, j])
        blocks[_TOTAL, j] -= excess
        blocks[_FIRST, j] -= excess * time
        blocks[_SECOND, j] -= excess * time * time


@compiled
def _sum_within_runs(slope: float, within: Floats) -> None:
    """Sum exp(beta k) and its products with k and k^2 over 0, 1, 2... steps; keep the next power."""
    growth = np.exp(slope)
    within[:3, 0] = 0.0
    within[3, 0] = 1.0
    for k in range(within.shape[1] - 1):
        value = within[3, k]
        within[0, k + 1] = within[0, k] + value
        within[1, k + 1] = within[1, k] + value * k
        within[2, k + 1] = within[2, k] + value * k * k
        within[3, k + 1] = value * growth


@compiled
def _choose_shifts(slope: float, design: Design, blocks: Floats) -> bool:
    """Write the shift of each block; tell whether there is any."""
    reach = max(abs(design.time[0]), abs(design.time[-1]))
    if abs(slope) * reach < _SAFE_EXPONENT:
        blocks[_SHIFT] = 0.0
        return False
    blocks[_SHIFT] = -np.inf
    for r in range(len(design.run) - 1):
        start = design.run[r]
        j = design.block[start]
        blocks[_SHIFT, j] = max(blocks[_SHIFT, j], slope * design.time[start])
    return True
