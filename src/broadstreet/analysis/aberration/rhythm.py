r"""Fit what is expected: level, trend, season, day of the week and holidays; past outbreaks count for less.

The time is divided into blocks (weeks of daily counts, else single times). Within a block the trend and the
season stand still, so that :math:`\mu_t = e^{\eta_b} f_c g_h x_t` with a linear predictor of the block
:math:`b`, a factor of the position :math:`c` in it (the day of the week), one of the kind of holiday
:math:`h` and a known exposure :math:`x_t` (the share that is reported). A fit then costs a few passes over
the times without an exponential, and a regression over the blocks.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.aberration.doubt import LEAST_MEAN, doubt
from broadstreet.analysis.compiled import compiled

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# What is likely before any data: ours, wide enough for the scenarios of Noufaily et al. 2013, table 1.
TREND_DEVIATION = 0.2  # of the yearly change of the logarithm
SEASON_DEVIATION = 0.2  # of a coefficient of the first harmonic, on the log scale; of the k-th, divided by k
SEASON_CERTAINTY = 1.0  # weight of that beside the data of the harmonic, in pairs of coefficients
FACTOR_CASES = 4.0  # weight of a factor of 1, in cases: a standard deviation of a half
DISPERSION, DISPERSION_BLOCKS = 1.5, 2.0  # and the weight of that, in blocks
_SHOWN_LIKE = 3.0  # power of the first year's share
HALF_A_CASE = 0.5  # Jeffreys' prior of a Poisson mean

_STEP = 2.0  # longest step of a coefficient
_SETTLED, _NEARLY = 1e-4, 0.02
_MOST_STEPS, _LATER_STEPS = 12, 4
_HIGHEST = 30.0  # of a linear predictor
_LEAST_FACTOR = 1e-6


class Past(NamedTuple):
    """Hold what a fit looks at.

    Attributes
    ----------
    counts, exposure, belief : ndarray, shape (time,)
        Counts; the share that is reported; the weight before any doubt.
    holiday : ndarray of int, shape (time,)
        Kind of holiday.
    basis : ndarray, shape (blocks, coefficients)
        Level, trend relative to the last block, harmonics.
    cycle : int
        Times in a block.
    span : int
        Times over which a past outbreak is looked for.
    """

    counts: Floats
    exposure: Floats
    belief: Floats
    holiday: Integers
    basis: Floats
    cycle: int
    span: int


class Prior(NamedTuple):
    """Hold what is likely before any data.

    Attributes
    ----------
    beta : ndarray, shape (coefficients,)
        Of the linear predictor; that of the level is not used.
    trend : float
        Variance of the trend.
    season : ndarray, shape (harmonics,)
        Variance of the coefficients of each harmonic.
    week : ndarray, shape (cycle,)
        Factors of the positions.
    cases : float
        Weight of these.
    """

    beta: Floats
    trend: float
    season: Floats
    week: Floats
    cases: float


class Rhythm(NamedTuple):
    """Hold what a fit begins with, and then its answer.

    Attributes
    ----------
    beta : ndarray, shape (coefficients,)
    covariance : ndarray, shape (coefficients, coefficients)
        Posterior, of `beta`.
    week, holidays : ndarray
        Factor of each position, of each kind of holiday (the first is none: 1).
    support : ndarray, shape (cycle,)
        Cases that each factor of `week` rests on, divided by the dispersion.
    spread : ndarray, shape (3,)
        Dispersion with its prior; by itself; times that the latter rests on.
    """

    beta: Floats
    covariance: Floats
    week: Floats
    holidays: Floats
    support: Floats
    spread: Floats


class _Work(NamedTuple):
    weight: Floats
    rate: Floats  # of each time: weight, exposure and holiday
    means: Floats
    cases: Floats  # of each block, weighted
    exposed: Floats
    level: Floats  # exponential of the linear predictor
    found: Floats  # cases of each position, weighted
    precision: Floats
    variance: Floats


@compiled
def shown(years: float) -> float:
    """Return how much of a trend and a season so long a history can show.

    In a part of a year both look alike, and what cannot be told would only make the expectation doubtful.
    """
    return float(min(years, 1.0) ** _SHOWN_LIKE)


@compiled
def fit(past: Past, prior: Prior, rhythm: Rhythm, rounds: int) -> None:
    """Find the posterior mode by steps of Newton's, in rounds between which outbreaks are doubted anew."""
    times, blocks = len(past.counts), len(past.basis)
    work = _Work(
        past.belief.copy(), np.empty(times), np.empty(times), np.empty(blocks), np.empty(blocks),
        np.empty(blocks), np.zeros(past.cycle), np.zeros(len(rhythm.beta)), prior.season.copy(),
    )  # fmt: skip
    for turn in range(rounds):
        _fill_precision(prior, work)
        _sum_cases(past, work)
        _fill_rates(past, rhythm, work)
        for iteration in range(_MOST_STEPS if turn == 0 else _LATER_STEPS):
            _sum_exposed(past, rhythm, work)
            moved = _step(past, prior, rhythm, work)
            if past.cycle > 1:
                _fill_levels(past, rhythm, work)  # else level and factors overshoot together, and swing
                _update_week(past, prior, rhythm, work)
            if len(rhythm.holidays) > 1:
                _fill_levels(past, rhythm, work)
                _update_holidays(past, rhythm, work)
                _fill_rates(past, rhythm, work)
            if moved < _SETTLED or (moved < _NEARLY and turn < rounds - 1 and iteration > 0):
                break
        _fill_levels(past, rhythm, work)
        _fill_means(past, rhythm, work)
        _update_spread(past, prior, rhythm, work)
        _update_variance(prior, rhythm, work)


@compiled
def _fill_precision(prior: Prior, work: _Work) -> None:
    work.precision[1] = 1.0 / prior.trend
    for harmonic in range(len(prior.season)):
        work.precision[2 + 2 * harmonic] = 1.0 / work.variance[harmonic]
        work.precision[3 + 2 * harmonic] = 1.0 / work.variance[harmonic]


@compiled
def _sum_cases(past: Past, work: _Work) -> None:
    """Add up what stays as it is while outbreaks are not doubted anew."""
    work.found[:] = 0.0
    for block in range(len(past.basis)):
        cases, start = 0.0, block * past.cycle
        for place in range(min(past.cycle, len(past.counts) - start)):
            weighted = work.weight[start + place] * past.counts[start + place]
            work.found[place] += weighted
            cases += weighted
        work.cases[block] = cases


@compiled
def _fill_rates(past: Past, rhythm: Rhythm, work: _Work) -> None:
    for time in range(len(past.counts)):
        work.rate[time] = work.weight[time] * past.exposure[time] * rhythm.holidays[past.holiday[time]]


@compiled
def _fill_means(past: Past, rhythm: Rhythm, work: _Work) -> None:
    for block in range(len(past.basis)):
        start = block * past.cycle
        for place in range(min(past.cycle, len(past.counts) - start)):
            time = start + place
            factor = rhythm.week[place] * rhythm.holidays[past.holiday[time]]
            work.means[time] = past.exposure[time] * factor * work.level[block]


@compiled
def _fill_levels(past: Past, rhythm: Rhythm, work: _Work) -> None:
    for block in range(len(past.basis)):
        predictor = 0.0
        for i in range(len(rhythm.beta)):
            predictor += past.basis[block, i] * rhythm.beta[i]
        work.level[block] = math.exp(min(predictor, _HIGHEST))


@compiled
def _sum_exposed(past: Past, rhythm: Rhythm, work: _Work) -> None:
    for block in range(len(past.basis)):
        exposed, start = 0.0, block * past.cycle
        for place in range(min(past.cycle, len(past.counts) - start)):
            exposed += work.rate[start + place] * rhythm.week[place]
        work.exposed[block] = exposed


@compiled
def _step(past: Past, prior: Prior, rhythm: Rhythm, work: _Work) -> float:
    size, spread = len(rhythm.beta), rhythm.spread[0]
    hessian, gradient = np.zeros((size, size)), np.zeros(size)
    _fill_levels(past, rhythm, work)
    for block in range(len(past.basis)):
        expected = work.level[block] * work.exposed[block] / spread
        residual = work.cases[block] / spread - expected
        for i in range(size):
            gradient[i] += past.basis[block, i] * residual
            scaled = past.basis[block, i] * expected
            for j in range(size):  # all of it: so the processor takes several at once
                hessian[i, j] += scaled * past.basis[block, j]
    for i in range(size):
        hessian[i, i] += work.precision[i]
        gradient[i] -= work.precision[i] * (rhythm.beta[i] - prior.beta[i])
    gradient[0] += HALF_A_CASE
    _solve(hessian, gradient, rhythm.covariance)
    longest = np.abs(gradient).max()
    if longest > _STEP:
        gradient *= _STEP / longest
    rhythm.beta[:] += gradient
    return float(longest)


@compiled
def _solve(matrix: Floats, right: Floats, inverse: Floats) -> None:
    """Replace `right` by the solution and fill `inverse`; the matrix is symmetric and positive (Cholesky)."""
    size = len(right)
    lower = np.zeros((size, size))
    for i in range(size):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= lower[i, k] * lower[j, k]
            lower[i, j] = math.sqrt(max(total, 1e-12)) if i == j else total / lower[j, j]
    for column in range(size):
        side = inverse[:, column]
        side[:] = 0.0
        side[column] = 1.0
        for i in range(size):
            for k in range(i):
                side[i] -= lower[i, k] * side[k]
            side[i] /= lower[i, i]
        for i in range(size - 1, -1, -1):
            for k in range(i + 1, size):
                side[i] -= lower[k, i] * side[k]
            side[i] /= lower[i, i]
    right[:] = inverse @ right


@compiled
def _update_week(past: Past, prior: Prior, rhythm: Rhythm, work: _Work) -> None:
    found, expected = work.found, np.zeros(past.cycle)
    for block in range(len(past.basis)):
        level, start = work.level[block], block * past.cycle
        for place in range(min(past.cycle, len(past.counts) - start)):
            expected[place] += work.rate[start + place] * level
    expected *= rhythm.week
    for place in range(past.cycle):
        _update_factor(
            rhythm.week,
            place,
            found[place],
            expected[place],
            prior.week[place],
            prior.cases,
            rhythm.spread[0],
        )
        rhythm.support[place] = found[place] / rhythm.spread[0] + prior.cases * prior.week[place]
    scale = rhythm.week.sum() / past.cycle
    rhythm.week[:] /= scale
    rhythm.beta[0] += math.log(scale)


@compiled
def _update_holidays(past: Past, rhythm: Rhythm, work: _Work) -> None:
    kinds = len(rhythm.holidays)
    found, expected = np.zeros(kinds), np.zeros(kinds)
    for time in range(len(past.counts)):
        found[past.holiday[time]] += work.weight[time] * past.counts[time]
        rate = work.rate[time] * rhythm.week[time % past.cycle]
        expected[past.holiday[time]] += rate * work.level[time // past.cycle]
    for kind in range(1, kinds):
        _update_factor(
            rhythm.holidays, kind, found[kind], expected[kind], 1.0, FACTOR_CASES, rhythm.spread[0]
        )


@compiled
def _update_factor(
    factors: Floats, at: int, found: float, expected: float, prior: float, cases: float, spread: float
) -> None:
    """Take the posterior mean under a gamma prior of the weight of so many cases."""
    unit = expected / factors[at] / spread
    factors[at] = max((found / spread + cases * prior) / (unit + cases), _LEAST_FACTOR)


@compiled
def _update_spread(past: Past, prior: Prior, rhythm: Rhythm, work: _Work) -> None:
    doubt(past.counts, work.means, past.belief, rhythm.spread[0], past.span, work.weight)
    total, squares = 0.0, 0.0
    for time in range(len(past.counts)):
        if work.means[time] > LEAST_MEAN:
            total += work.weight[time]
            squares += work.weight[time] * (past.counts[time] - work.means[time]) ** 2 / work.means[time]
    rests_on = max(total - _used(past, prior, rhythm), 1.0)
    alone = squares / rests_on
    prior_times = DISPERSION_BLOCKS * past.cycle
    rhythm.spread[0] = (alone * rests_on + DISPERSION * prior_times) / (rests_on + prior_times)
    rhythm.spread[0] = max(rhythm.spread[0], 1.0)
    rhythm.spread[1], rhythm.spread[2] = alone, rests_on


@compiled
def _used(past: Past, prior: Prior, rhythm: Rhythm) -> float:
    """Return how many times the coefficients use up: each as far as it follows the data, not the prior."""
    used = 1.0 + shown(-past.basis[0, 1]) * (len(rhythm.beta) - 1)
    if past.cycle > 1:
        for place in range(past.cycle):
            used += (1.0 - prior.cases * prior.week[place] / rhythm.support[place]) * (1.0 - 1.0 / past.cycle)
    return used


@compiled
def _update_variance(prior: Prior, rhythm: Rhythm, work: _Work) -> None:
    """Learn how large each harmonic is: a step of expectation and maximisation (MacKay 1992, section 4)."""
    for harmonic in range(len(prior.season)):
        spread = 2.0 * SEASON_CERTAINTY * prior.season[harmonic]
        for at in range(2 + 2 * harmonic, 4 + 2 * harmonic):
            spread += (rhythm.beta[at] - prior.beta[at]) ** 2 + rhythm.covariance[at, at]
        work.variance[harmonic] = spread / (2.0 + 2.0 * SEASON_CERTAINTY)
