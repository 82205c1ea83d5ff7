"""Follow a series through the times to evaluate: at each, what its past lets expect of the newest counts."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.aberration import rhythm as fitting
from broadstreet.analysis.aberration.rhythm import Past, Prior, Rhythm
from broadstreet.analysis.compiled import compiled

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_FRESH = 30  # blocks of history: with fewer, each time has a fit of its own
_LEAST_SHOWN = 1e-4
_SETTLED = 104  # blocks: with more, a fit begins where the last one ended
_COLD_ROUNDS, _WARM_ROUNDS = 4, 2
_MOST_UNCERTAIN = 4.0
_LEAST_MEAN = 1e-6


class Series(NamedTuple):
    """Hold one series and its circumstances: see `Past`.

    `doubt` is the variance of the log exposure, `belief` the weight of a count so many times ago.
    """

    counts: Floats
    exposure: Floats
    doubt: Floats
    holiday: Integers
    kinds: int
    basis: Floats
    cycle: int
    window: int
    belief: Floats


class Priors(NamedTuple):
    """Hold the prior at each evaluated time: arrays as in `Prior`, with the evaluated times first."""

    beta: Floats
    trend: Floats
    season: Floats
    week: Floats
    cases: float


class Outlook(NamedTuple):
    """Hold what is expected of one series at each evaluated time.

    Attributes
    ----------
    means : ndarray, shape (evaluated, window)
        Expected counts, newest first; NaN before the series begins, and where there is no history.
    uncertainty : ndarray, shape (evaluated,)
        Variance of the logarithm of their common error.
    spread : ndarray, shape (evaluated, 3)
        As in `Rhythm`.
    beta, variance : ndarray, shape (evaluated, coefficients)
        Of the linear predictor, the trend relative to the last block fitted; and its variance.
    week : ndarray, shape (evaluated, cycle)
    day_error : ndarray, shape (evaluated, window)
        Dispersion of the counts that the error of their day's factor adds.
    """

    means: Floats
    uncertainty: Floats
    spread: Floats
    beta: Floats
    variance: Floats
    week: Floats
    day_error: Floats


class Many(NamedTuple):
    """Hold several series alike: `counts` and what else is of each has a row for each of them.

    `exposure` and `doubt` have one row if they are alike as well.
    """

    counts: Floats
    exposure: Floats
    doubt: Floats
    holiday: Integers
    kinds: int
    basis: Floats
    cycle: int
    window: int
    belief: Floats


@compiled
def watch_many(many: Many, times: Integers, priors: Priors, outlooks: Outlook) -> None:
    """Fill the outlooks of many series, one a row of each of their arrays."""
    for row in range(len(many.counts)):
        at = min(row, len(many.exposure) - 1)
        series = Series(
            many.counts[row], many.exposure[at], many.doubt[at], many.holiday, many.kinds, many.basis,
            many.cycle, many.window, many.belief,
        )  # fmt: skip
        outlook = Outlook(
            outlooks.means[row], outlooks.uncertainty[row], outlooks.spread[row], outlooks.beta[row],
            outlooks.variance[row], outlooks.week[row], outlooks.day_error[row],
        )  # fmt: skip
        watch(series, times, priors, outlook)


@compiled
def history_end(time: int, cycle: int, window: int) -> int:
    """Return how many of the times before `time` a fit may look at.

    The times that are tested are left out, but of a few weekly counts each is needed. Where the history is
    long, a fit serves a whole block.
    """
    start = time // cycle * cycle
    if start >= _FRESH * cycle:
        return start - window + 1
    return time if cycle == 1 else max(time - window + 1, min(time, cycle))


@compiled
def watch(series: Series, times: Integers, priors: Priors, outlook: Outlook) -> None:
    """Fill the outlook; `times` increase."""
    size, fitted = series.basis.shape[1], -1
    rhythm = Rhythm(
        np.zeros(size), np.zeros((size, size)), np.ones(series.cycle), np.ones(series.kinds),
        np.ones(series.cycle), np.ones(3),
    )  # fmt: skip
    for place in range(len(times)):
        end = history_end(times[place], series.cycle, series.window)
        if end < 1:
            continue
        if end != fitted:
            prior = _shown(Prior(*_at(priors, place)), series.basis, (end - 1) // series.cycle)
            _refit(series, end, fitted, prior, rhythm)
            fitted = end
        _look_out(series, times[place], end, rhythm, outlook, place)


@compiled
def _at(priors: Priors, place: int) -> tuple[Floats, float, Floats, Floats, float]:
    return priors.beta[place], priors.trend[place], priors.season[place], priors.week[place], priors.cases


@compiled
def _shown(prior: Prior, basis: Floats, last: int) -> Prior:
    """Return what is likely, with as much trend and season as a history up to the block `last` can show."""
    share = max(fitting.shown(basis[last, 1] - basis[0, 1]), _LEAST_SHOWN)
    return Prior(prior.beta, prior.trend * share, prior.season * share, prior.week, prior.cases)


@compiled
def _refit(series: Series, end: int, fitted: int, prior: Prior, rhythm: Rhythm) -> None:
    last = (end - 1) // series.cycle
    basis = series.basis[: last + 1].copy()
    basis[:, 1] -= series.basis[last, 1]
    warm = fitted > _SETTLED * series.cycle
    if warm:
        before = series.basis[(fitted - 1) // series.cycle, 1]
        rhythm.beta[0] += rhythm.beta[1] * (series.basis[last, 1] - before)
    else:
        rhythm.beta[:], rhythm.week[:], rhythm.holidays[:] = prior.beta, prior.week, 1.0
        mean = (series.counts[:end].sum() + fitting.HALF_A_CASE) / max(series.exposure[:end].sum(), 0.5)
        rhythm.beta[0], rhythm.spread[0] = math.log(mean), fitting.DISPERSION
    past = Past(
        series.counts[:end], series.exposure[:end], series.belief[len(series.belief) - end :],
        series.holiday[:end], basis, series.cycle, series.window,
    )  # fmt: skip
    fitting.fit(past, prior, rhythm, _WARM_ROUNDS if warm else _COLD_ROUNDS)


@compiled
def _look_out(series: Series, time: int, end: int, rhythm: Rhythm, outlook: Outlook, place: int) -> None:
    origin = series.basis[(end - 1) // series.cycle, 1]
    for back in range(min(series.window, time + 1)):
        at = time - back
        line = series.basis[at // series.cycle].copy()
        line[1] -= origin
        mean = series.exposure[at] * math.exp(min((line * rhythm.beta).sum(), 30.0))
        mean *= rhythm.week[at % series.cycle] * rhythm.holidays[series.holiday[at]]
        outlook.means[place, back] = max(mean, _LEAST_MEAN)
        if series.cycle > 1:
            outlook.day_error[place, back] = mean / rhythm.support[at % series.cycle]
        if back == 0:
            variance = (line * (rhythm.covariance @ line)).sum() + series.doubt[at]
            outlook.uncertainty[place] = min(variance, _MOST_UNCERTAIN)
    outlook.spread[place], outlook.beta[place] = rhythm.spread, rhythm.beta
    outlook.week[place] = rhythm.week
    for i in range(len(rhythm.beta)):
        outlook.variance[place, i] = rhythm.covariance[i, i]
