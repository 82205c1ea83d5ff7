"""Quantiles of gamma distributions, and of mixtures of those with one shape."""

from __future__ import annotations

import numpy as np
from scipy import special

from broadstreet.analysis.renewal.incidence import Floats

_HALVINGS = 60  # of a bracket: all digits of a float64
_CELLS_AT_A_TIME = 1_000_000


def gamma_quantile(probability: float, shape: Floats) -> Floats:
    """Return the quantile of gamma variables of scale 1.

    Shapes are often a constant plus a count: each different one is inverted once.
    """
    different, place = np.unique(shape, return_inverse=True)
    return np.asarray(special.gammaincinv(different, probability)[place].reshape(shape.shape))


def gamma_mixture_quantile(probability: float, shape: Floats, scale: Floats) -> Floats:
    """Return the quantile of equal mixtures of gamma variables.

    Parameters
    ----------
    probability : float
    shape : ndarray, shape (...)
        Common to all parts of a mixture.
    scale : ndarray, shape (parts, ...)
        NaN for a part that does not count.

    Returns
    -------
    ndarray, shape (...)
        NaN where no part counts.
    """
    parts = scale.reshape(len(scale), -1)
    shapes = shape.ravel()
    answer = np.empty(len(shapes))
    step = max(1, _CELLS_AT_A_TIME // len(parts))
    for first in range(0, len(shapes), step):
        columns = slice(first, first + step)
        answer[columns] = _by_halving(probability, shapes[columns], parts[:, columns])
    return answer.reshape(shape.shape)


def _by_halving(probability: float, shape: Floats, scale: Floats) -> Floats:
    """Halve the bracket that the quantiles of the parts are, and nothing outside of it can be."""
    single = gamma_quantile(probability, shape)
    low = single * np.fmin.reduce(scale, axis=0)
    high = single * np.fmax.reduce(scale, axis=0)
    known = ~np.isnan(scale)
    wanted = probability * known.sum(axis=0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        reached = np.where(known, special.gammainc(shape, middle / scale), 0.0).sum(axis=0) >= wanted
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        if not (high - low > 1e-13 * high).any():
            break
    return np.asarray((low + high) / 2.0)
