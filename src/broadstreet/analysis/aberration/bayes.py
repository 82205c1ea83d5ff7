"""Bayes: a count against its predictive distribution, given a few reference counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broadstreet.analysis import settings
from broadstreet.analysis.aberration.baselines import Baseline
from broadstreet.analysis.aberration.design import Floats
from broadstreet.analysis.aberration.quantiles import count_probability, count_quantile
from broadstreet.analysis.aberration.result import Aberrations
from broadstreet.analysis.aberration.series import checked_counts, checked_times

_HIGHEST_COUNT = 10**12
_PRIOR_SHAPE = 0.5  # Jeffreys' prior for a Poisson mean; Höhle 2007, section 2.2


def bayes(
    counts: ArrayLike,
    evaluate: ArrayLike,
    *,
    frequency: int = 52,
    years_back: int = 0,
    window: int = 6,
    recent: bool = True,
    alpha: float = 0.05,
) -> Aberrations:
    r"""Compare counts with the Bayesian prediction from reference counts.

    With Jeffreys' prior for their Poisson mean, :math:`n` reference counts of sum :math:`S` predict a
    negative binomial count of size :math:`S + 1/2` and probability :math:`n / (n + 1)`. The upper bound is
    its :math:`1 - \alpha` quantile.

    Parameters
    ----------
    counts : array_like of int, shape (time,) or (time, series)
        Cases in equal steps of time; complete, not negative.
    evaluate : array_like of int, shape (evaluated,)
        0-based indices of the times to test; each needs `years_back * frequency + window` times before it.
    frequency : int
        Times a year.
    years_back : int
        Past years whose `2 * window + 1` counts around the anniversary are taken.
    window : int
        Half width of these windows, and number of times just before.
    recent : bool
        Whether the `window` times just before the evaluated one are taken (`actY` in R).
    alpha : float
        Probability that a count without an outbreak lies above the bound.

    Returns
    -------
    Aberrations
        `score` is the predicted probability of a lower count, at least :math:`1 - \alpha` for an alarm;
        `dispersion` is that of the prediction, :math:`(n + 1) / n`. Defined everywhere: after a history of
        zeros the prior alone makes the bound.

    Raises
    ------
    ValueError
        If a count is negative, missing or not whole, the history too short, or a setting out of its range.

    Source
    ------
    Riebler 2004, diploma thesis, LMU Munich; Höhle 2007, Comput Stat 22:571-582,
    doi:10.1007/s00180-007-0074-8. Agrees with `bayes` of R surveillance 1.20.3.
    """
    table = checked_counts(counts, most=_HIGHEST_COUNT)
    times = checked_times(evaluate, length=len(table))
    probability = 1.0 - settings.probability("alpha", alpha)
    baseline = Baseline.checked(frequency, years_back, window, recent=recent)
    sums = baseline.sums(table, times)
    expected, upper = _predicted(sums, baseline.size, probability)
    count = table[times].astype(np.float64)
    spread = np.full_like(expected, (baseline.size + 1) / baseline.size)
    score = count_probability(count - 1.0, expected.ravel(), spread.ravel())
    return Aberrations(expected, upper, (count > upper).astype(np.float64), score, spread)


def _predicted(sums: NDArray[np.int64], size: int, probability: float) -> tuple[Floats, Floats]:
    """Return mean and quantile of the prediction; each sum that occurs is looked at once."""
    total, place = np.unique(sums, return_inverse=True)
    mean = (total + _PRIOR_SHAPE) / size
    upper = count_quantile(probability, mean, np.full_like(mean, (size + 1) / size))
    return mean[place].reshape(sums.shape), upper[place].reshape(sums.shape)
