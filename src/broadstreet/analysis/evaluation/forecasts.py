"""How good a probabilistic forecast is: scores that reward honest uncertainty; lower is better."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# The central intervals of the COVID-19 Forecast Hub: Bracher et al. 2021, section 1
INTERVALS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
HUB_PROBABILITIES = tuple(sorted({0.5, *(a / 2 for a in INTERVALS), *(1 - a / 2 for a in INTERVALS)}))
_EVEN = 1e-9


def crps(draws: ArrayLike, observed: ArrayLike) -> Floats:
    r"""Return the continuous ranked probability score of forecasts given as draws.

    .. math:: \text{CRPS} = \frac1m \sum_i |x_i - y| - \frac1{2 m^2} \sum_i \sum_j |x_i - x_j|

    It is in the unit of the observation; for a single draw, its absolute error.

    Parameters
    ----------
    draws : array_like, shape (draws, ...)
    observed : array_like, shape (...)
        What came; NaN is not scored (NaN).

    Returns
    -------
    ndarray of float64, shape (...)

    Raises
    ------
    ValueError
        If shapes do not match, there is no draw or one is missing.

    Source
    ------
    Gneiting and Raftery 2007, J Am Stat Assoc 102:359-378, equation 21; of the empirical distribution of the
    draws (`crps_sample` of R scoringRules).
    """
    x, y = np.asarray(draws, np.float64), np.asarray(observed, np.float64)
    if x.ndim != y.ndim + 1 or x.shape[1:] != y.shape or not len(x):
        raise ValueError(f"draws must have shape (draws, *{y.shape}), that of observed (it is {x.shape})")
    if np.isnan(x).any():
        raise ValueError("draws must be complete: some are NaN")
    m = len(x)
    rank = np.arange(1, m + 1).reshape(-1, *[1] * y.ndim)
    spread = ((2.0 * rank - m - 1.0) * np.sort(x, axis=0)).sum(axis=0) / m**2
    return np.asarray(np.abs(x - y).mean(axis=0) - spread)


def wis(quantiles: ArrayLike, observed: ArrayLike, probabilities: ArrayLike = HUB_PROBABILITIES) -> Floats:
    r"""Return the weighted interval score of forecasts given as quantiles.

    With :math:`K` central intervals of levels :math:`1 - \alpha_k` and the median :math:`m`,

    .. math:: \text{WIS} = \frac{1}{K + 1/2} \Bigl(\tfrac12 |y - m| + \sum_k \tfrac{\alpha_k}2 (u_k - l_k)
        + (l_k - y)_+ + (y - u_k)_+\Bigr).

    Parameters
    ----------
    quantiles : array_like, shape (probabilities, ...)
        Not decreasing along the first axis.
    observed : array_like, shape (...)
        What came; NaN is not scored (NaN).
    probabilities : array_like of float
        Increasing and even about 1/2, which is one of them; by default the 23 of the COVID-19 Forecast Hub.

    Returns
    -------
    ndarray of float64, shape (...)

    Raises
    ------
    ValueError
        If shapes do not match, quantiles decrease or are missing, or probabilities are not as above.

    Source
    ------
    Bracher, Ray, Gneiting and Reich 2021, PLoS Comput Biol 17(2):e1008618, equation 2,
    doi:10.1371/journal.pcbi.1008618.
    """
    p = _checked_probabilities(probabilities)
    q, y = np.asarray(quantiles, np.float64), np.asarray(observed, np.float64)
    if q.shape != (len(p), *y.shape):
        raise ValueError(f"quantiles must have shape {(len(p), *y.shape)} (it is {q.shape})")
    if np.isnan(q).any() or (np.diff(q, axis=0) < 0.0).any():
        raise ValueError("quantiles must be complete, and not decrease along the first axis")
    # The interval score is the sum of the quantile scores of its ends: Bracher et al. 2021, S1 Text
    chance = p.reshape(-1, *[1] * y.ndim)
    loss = (y - q) * (chance - (y < q))
    return np.asarray(2.0 * loss.mean(axis=0))


def coverage(lower: ArrayLike, upper: ArrayLike, observed: ArrayLike) -> float:
    """Return the share of observations within their intervals, ends included; NaN are left out.

    Raises
    ------
    ValueError
        If shapes do not match.
    """
    low, high, y = (np.asarray(values, np.float64) for values in (lower, upper, observed))
    if not low.shape == high.shape == y.shape:
        raise ValueError(
            f"lower, upper and observed must have one shape ({low.shape}, {high.shape}, {y.shape})"
        )
    known = ~np.isnan(y)
    return float(((low <= y) & (y <= high))[known].mean()) if known.any() else float("nan")


def _checked_probabilities(probabilities: ArrayLike) -> Floats:
    p = np.asarray(probabilities, np.float64)
    good = p.ndim == 1 and len(p) % 2 == 1 and (np.diff(p) > 0.0).all() and p[0] > 0.0
    if not good or np.abs(p + p[::-1] - 1.0).max() > _EVEN:
        raise ValueError(
            "probabilities must increase, be even about 1/2 and hold it, such as 0.05, 0.5, 0.95 "
            f"(they are {probabilities!r})"
        )
    return p
