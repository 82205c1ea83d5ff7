"""Upper bounds of counts: quantiles of Poisson, negative binomial, and power-transformed normal counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

_USUAL = (0.025, 0.975)
_LEAST_MEAN = 1e-9
_POISSON = 1e-12  # excess dispersion that changes no digit
_FINE_ENOUGH = 1e15  # counts above have no neighbours to search among: the expansion has all digits


def count_quantile(probability: float, mean: Floats, dispersion: Floats) -> Floats:
    """Return the smallest count whose distribution function reaches a probability.

    Parameters
    ----------
    probability : float
        Between 0 and 1.
    mean : ndarray of float64
        Means; NaN and infinity give NaN.
    dispersion : ndarray of float64
        Variance divided by mean: negative binomial above 1, Poisson at 1.

    Returns
    -------
    ndarray of float64
    """
    answer = np.full_like(mean, np.nan)
    known = np.isfinite(mean) & np.isfinite(dispersion)
    answer[known] = _search(probability, mean[known], dispersion[known])
    return answer


def count_probability(count: Floats, mean: Floats, dispersion: Floats) -> Floats:
    """Return the probability of at most `count`, an array of the shape of `count`.

    Parameters
    ----------
    count : ndarray of float64
        Whole numbers; below 0 the probability is 0.
    mean : ndarray of float64
        Above 0, as many as counts.
    dispersion : ndarray of float64
        Variance divided by mean, at least 1.

    Returns
    -------
    ndarray of float64
    """
    return _distribution(count.ravel(), mean.ravel(), dispersion.ravel()).reshape(count.shape)


def usual_range(mean: Floats, dispersion: Floats) -> Floats:
    """Return what 19 of 20 quiet times show: the lowest and the highest count, shape (2, \\*mean.shape).

    Parameters
    ----------
    mean, dispersion : ndarray of float64
        What is expected, and variance divided by mean; NaN gives NaN.
    """
    means, spread = np.maximum(mean, _LEAST_MEAN), np.maximum(dispersion, 1.0)
    return np.stack([count_quantile(each, means, spread) for each in _USUAL])


def two_thirds_quantile(probability: float, mean: Floats, variance: Floats, dispersion: Floats) -> Floats:
    """Return the quantile of a count whose 2/3 power is normal, the uncertainty of its mean included.

    Parameters
    ----------
    probability : float
        Between 0 and 1; below 1/2 the quantile is taken as far above the mean.
    mean : ndarray of float64
    variance : ndarray of float64
        Variance of the logarithm of the mean.
    dispersion : ndarray of float64
        Variance of the count divided by its mean.

    Returns
    -------
    ndarray of float64

    Source
    ------
    Farrington et al. 1996, J R Stat Soc A 159:547, equation 8.
    """
    spread = np.sqrt(4.0 / 9.0 * np.cbrt(mean) * (dispersion + variance * mean))
    return np.asarray((mean ** (2.0 / 3.0) + abs(special.ndtri(probability)) * spread) ** 1.5)


def _search(probability: float, mean: Floats, dispersion: Floats) -> Floats:
    """Widen a bracket about the expansion by doubling steps, then halve it."""
    guess = _expansion(probability, mean, dispersion)
    if (guess > _FINE_ENOUGH).any():
        near = guess <= _FINE_ENOUGH
        guess[near] = _search(probability, mean[near], dispersion[near])
        return guess
    reached = _distribution(guess, mean, dispersion) >= probability
    low, high = np.where(reached, guess - 1.0, guess), np.where(reached, guess, guess + 1.0)
    step, open_ = 1.0, np.arange(len(mean))
    while open_.size:
        down = reached[open_]
        end = np.where(down, low[open_], high[open_])
        beyond = (_distribution(end, mean[open_], dispersion[open_]) >= probability) == down
        open_, down, end = open_[beyond], down[beyond], end[beyond]
        high[open_] = np.where(down, end, end + step)
        low[open_] = np.where(down, np.maximum(end - step, -1.0), end)
        step *= 2.0
    wide = np.flatnonzero(high - low > 1.0)
    while wide.size:
        middle = np.floor((low[wide] + high[wide]) / 2.0)
        enough = _distribution(middle, mean[wide], dispersion[wide]) >= probability
        high[wide] = np.where(enough, middle, high[wide])
        low[wide] = np.where(enough, low[wide], middle)
        wide = wide[high[wide] - low[wide] > 1.0]
    return high


def _expansion(probability: float, mean: Floats, dispersion: Floats) -> Floats:
    """Return the Cornish-Fisher expansion of the quantile, to the third cumulant."""
    z = special.ndtri(probability)
    deviation = np.sqrt(mean * dispersion)
    skewness = (2.0 * dispersion - 1.0) / np.maximum(deviation, 1e-300)
    return np.asarray(
        np.maximum(np.floor(mean + deviation * (z + skewness * (z * z - 1.0) / 6.0) + 0.5), 0.0)
    )


def _distribution(count: Floats, mean: Floats, dispersion: Floats) -> Floats:
    """Return the probability of at most `count`; 0 below 0."""
    found = np.zeros_like(mean)
    excess = dispersion - 1.0
    poisson = (excess < _POISSON) & (count >= 0.0)
    found[poisson] = special.pdtr(count[poisson], mean[poisson])
    other = (excess >= _POISSON) & (count >= 0.0)
    shape = mean[other] / excess[other]
    found[other] = special.betainc(shape, count[other] + 1.0, 1.0 / dispersion[other])
    return found
