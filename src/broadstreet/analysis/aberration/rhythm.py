r"""Fit what is expected: level, trend, season, day of the week and holidays; past outbreaks count for less.

The time is divided into blocks (weeks of daily counts, else single times). Within a block the trend and the
season stand still, so that :math:`\mu_t = e^{\eta_b} f_c g_h x_t` with a linear predictor of the block
:math:`b`, a factor of the position :math:`c` in it (the day of the week), one of the kind of holiday
:math:`h` and a known exposure :math:`x_t` (the share that is reported already). A fit then costs one pass
over the times without an exponential, and a regression over the blocks.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.compiled import compiled

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# What is likely before any data.
TREND_DEVIATION = 0.3  # of the yearly change of the logarithm
SEASON_DEVIATION = 0.3  # of the first harmonic's coefficients on the log scale; of the k-th, divided by k
SEASON_CERTAINTY = 1.0  # weight of that in an estimate of the deviation, in pairs of coefficients
FACTOR_CASES = 4.0  # a factor of the week or of a holiday has a standard deviation of 1/2 before data
HALF_A_CASE = 0.5  # Jeffreys' prior of a Poisson mean
DISPERSION = 1.5
DISPERSION_TIMES = 6.0  # weight of that, in observations

SUSPECT = 2.58  # Noufaily et al. 2013, section 3.2: residuals above it count for less
MOST_SUSPECTS = 0.1  # of the past: more is no outbreak but how the counts are
_BINS = 64
_STEP = 2.0  # longest step of a coefficient
_SETTLED = 1e-4
_LEAST = 1e-9


@compiled
def solve(matrix: Floats, right: Floats, inverse: Floats) -> None:
    """Replace `right` by the solution, and fill `inverse`; the matrix is symmetric and positive."""
    size = len(right)
    lower = np.zeros((size, size))
    for i in range(size):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= lower[i, k] * lower[j, k]
            lower[i, j] = math.sqrt(max(total, 1e-12)) if i == j else total / lower[j, j]
    for column in range(size + 1):
        side = right.copy()
        if column < size:
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
        if column < size:
            inverse[:, column] = side
        else:
            right[:] = side


@compiled
def sum_blocks(
    counts: Floats, rate: Floats, weight: Floats, first: int, cycle: int, count: Floats, exposure: Floats
) -> None:
    """Fill weighted counts and exposures of the blocks; the first time of the history is `first`."""
    count[:], exposure[:] = 0.0, 0.0
    block, position = 0, first % cycle
    for time in range(len(counts)):
        count[block] += weight[time] * counts[time]
        exposure[block] += weight[time] * rate[time]
        position += 1
        if position == cycle:
            block, position = block + 1, 0


@compiled
def step(  # noqa: PLR0913, PLR0917
    count: Floats, exposure: Floats, basis: Floats, beta: Floats, mean: Floats, precision: Floats,
    dispersion: float, level: Floats, covariance: Floats,
) -> float:  # fmt: skip
    """Take one step of Newton's towards the mode; fill `level`, the exponential of each block's predictor."""
    size = len(beta)
    hessian, gradient = np.zeros((size, size)), np.zeros(size)
    for block in range(len(count)):
        predictor = 0.0
        for i in range(size):
            predictor += basis[block, i] * beta[i]
        level[block] = math.exp(min(predictor, 30.0))
        expected = level[block] * exposure[block] / dispersion
        residual = count[block] / dispersion - expected
        for i in range(size):
            gradient[i] += basis[block, i] * residual
            scaled = basis[block, i] * expected
            for j in range(i + 1):
                hessian[i, j] += scaled * basis[block, j]
    for i in range(size):
        hessian[i, i] += precision[i]
        gradient[i] -= precision[i] * (beta[i] - mean[i])
        for j in range(i):
            hessian[j, i] = hessian[i, j]
    gradient[0] += HALF_A_CASE
    solve(hessian, gradient, covariance)
    longest = np.abs(gradient).max()
    if longest > _STEP:
        gradient *= _STEP / longest
    beta += gradient
    return float(longest)


@compiled
def update_factors(  # noqa: PLR0913, PLR0917
    counts: Floats, rate: Floats, weight: Floats, level: Floats, first: int, cycle: int,
    kind: Integers, dispersion: float, prior: Floats, prior_cases: float, factors: Floats, seen: Floats,
) -> None:  # fmt: skip
    """Update the factor of each kind; `seen` is filled with the cases that each rests on."""
    found, expected = np.zeros(len(factors)), np.zeros(len(factors))
    block, position = 0, first % cycle
    for time in range(len(counts)):
        found[kind[time]] += weight[time] * counts[time]
        expected[kind[time]] += weight[time] * rate[time] * level[block]
        position += 1
        if position == cycle:
            block, position = block + 1, 0
    for each in range(len(factors)):
        unit = expected[each] / factors[each] / dispersion
        factors[each] = (found[each] / dispersion + prior_cases * prior[each]) / (unit + prior_cases)
        factors[each] = max(factors[each], 1e-6)
        seen[each] = unit * factors[each] + prior_cases


@compiled
def doubt(
    counts: Floats, means: Floats, believed: Floats, dispersion: float, span: int, weight: Floats
) -> tuple[float, float]:
    """Lower the weight of times that look like outbreaks; return the weights' sum and that of squares.

    A time is as suspect as its own count is, or the sum over the `span` times about it.
    """
    length = len(counts)
    suspicion = np.empty(length)
    histogram = np.zeros(_BINS)
    half = span // 2
    count, mean = 0.0, 0.0
    for time in range(min(half, length)):
        count += counts[time]
        mean += means[time]
    for time in range(length):
        if time + half < length:
            count += counts[time + half]
            mean += means[time + half]
        if time - half - 1 >= 0:
            count -= counts[time - half - 1]
            mean -= means[time - half - 1]
        alone = anscombe(counts[time], max(means[time], _LEAST))
        together = anscombe(max(count, 0.0), max(mean, _LEAST)) if span > 1 else alone
        suspicion[time] = max(alone, together) / math.sqrt(dispersion)
        if suspicion[time] > SUSPECT:
            histogram[min(int((suspicion[time] - SUSPECT) * 8.0), _BINS - 1)] += 1.0
    limit, many = SUSPECT, histogram.sum()
    for place in range(_BINS):
        if many <= MOST_SUSPECTS * length:
            break
        many -= histogram[place]
        limit = SUSPECT + (place + 1) / 8.0
    total, squares = 0.0, 0.0
    for time in range(length):
        share = 1.0 if suspicion[time] <= limit else (limit / suspicion[time]) ** 2
        weight[time] = believed[time] * share
        if means[time] > _LEAST:
            total += weight[time]
            squares += weight[time] * (counts[time] - means[time]) ** 2 / means[time]
    return total, squares


@compiled
def anscombe(count: float, mean: float) -> float:
    """Return the Anscombe residual of a Poisson count: Davison and Snell 1991."""
    root = math.sqrt(mean)
    return float(1.5 * (np.cbrt(count * count) / np.cbrt(root) - root))


@compiled
def fill_means(rate: Floats, level: Floats, first: int, cycle: int, means: Floats) -> None:
    """Fill the expected count of each time."""
    block, position = 0, first % cycle
    for time in range(len(rate)):
        means[time] = rate[time] * level[block]
        position += 1
        if position == cycle:
            block, position = block + 1, 0


@compiled
def fit(  # noqa: PLR0913, PLR0917
    counts: Floats, exposure: Floats, believed: Floats, first: int, cycle: int, position: Integers,
    holiday: Integers, basis: Floats, mean: Floats, season: Floats, week_prior: Floats, week_cases: float,
    span: int, rounds: int, beta: Floats, week: Floats, holidays: Floats, covariance: Floats,
    week_seen: Floats, dispersion: float,
) -> tuple[float, float]:  # fmt: skip
    """Fit one history; `beta`, `week`, `holidays` begin the iteration and hold the answer.

    Returns the dispersion, and the weight of what it rests on (times less coefficients).
    """
    length, blocks, size = len(counts), len(basis), len(beta)
    weight, rate, means = believed.copy(), np.empty(length), np.empty(length)
    count, exposed, level = np.empty(blocks), np.empty(blocks), np.empty(blocks)
    precision = np.empty(size)
    variance = season.copy()
    holiday_prior, holiday_seen = np.ones(len(holidays)), np.ones(len(holidays))
    rests_on = 0.0
    for turn in range(rounds):
        precision[0] = 0.0
        precision[1] = 1.0 / TREND_DEVIATION**2
        for harmonic in range(len(season)):
            precision[2 + 2 * harmonic] = 1.0 / variance[harmonic]
            precision[3 + 2 * harmonic] = 1.0 / variance[harmonic]
        for iteration in range(12):
            for time in range(length):
                rate[time] = exposure[time] * week[position[time]] * holidays[holiday[time]]
            sum_blocks(counts, rate, weight, first, cycle, count, exposed)
            moved = step(count, exposed, basis, beta, mean, precision, dispersion, level, covariance)
            if cycle > 1:
                update_factors(
                    counts, rate, weight, level, first, cycle, position, dispersion, week_prior, week_cases,
                    week, week_seen,
                )  # fmt: skip
                scale = week.sum() / cycle
                week /= scale
                beta[0] += math.log(scale)
            if len(holidays) > 1:
                update_factors(
                    counts, rate, weight, level, first, cycle, holiday, dispersion, holiday_prior,
                    FACTOR_CASES, holidays, holiday_seen,
                )  # fmt: skip
                holidays[0] = 1.0
            if moved < _SETTLED or (moved < 0.02 and turn < rounds - 1) or (turn > 0 and iteration >= 3):
                break
        for block in range(blocks):
            predictor = 0.0
            for i in range(size):
                predictor += basis[block, i] * beta[i]
            level[block] = math.exp(min(predictor, 30.0))
        for time in range(length):
            rate[time] = exposure[time] * week[position[time]] * holidays[holiday[time]]
        fill_means(rate, level, first, cycle, means)
        total, squares = doubt(counts, means, believed, dispersion, span, weight)
        free = min(float(size + cycle - 1), total / 3.0)
        rests_on = max(total - free, 1.0)
        pearson = squares / rests_on
        dispersion = (pearson * total + DISPERSION * DISPERSION_TIMES) / (total + DISPERSION_TIMES)
        dispersion = max(dispersion, 1.0)
        for harmonic in range(len(season)):
            one, two = 2 + 2 * harmonic, 3 + 2 * harmonic
            spread = (beta[one] - mean[one]) ** 2 + (beta[two] - mean[two]) ** 2
            spread += covariance[one, one] + covariance[two, two]
            variance[harmonic] = (spread + 2.0 * SEASON_CERTAINTY * season[harmonic]) / (
                2.0 + 2.0 * SEASON_CERTAINTY
            )
    return dispersion, rests_on
