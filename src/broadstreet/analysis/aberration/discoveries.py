"""The share of false alarms among many series that are tested at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def q_values(log_chance: Floats) -> Floats:
    """Return the Benjamini-Hochberg q-value of each series among those of its time.

    Parameters
    ----------
    log_chance : ndarray, shape (evaluated, series)
        Log probability of such evidence by chance; NaN is not counted.

    Returns
    -------
    ndarray of float64, shape (evaluated, series)
        NaN where `log_chance` is.

    Source
    ------
    Benjamini and Hochberg 1995, J R Stat Soc B 57(1):289-300; under positive dependence, Benjamini and
    Yekutieli 2001, Ann Stat 29(4):1165-1188.
    """
    order = np.argsort(log_chance, axis=1)  # NaN last
    ranked = np.take_along_axis(log_chance, order, axis=1)
    tested = np.isfinite(ranked).sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        scaled = ranked + np.log(tested) - np.log(np.arange(1, ranked.shape[1] + 1))
    lowest = np.fmin.accumulate(scaled[:, ::-1], axis=1)[:, ::-1]
    answer = np.empty_like(log_chance)
    np.put_along_axis(
        answer, order, np.where(np.isnan(ranked), np.nan, np.exp(np.minimum(lowest, 0.0))), axis=1
    )
    return answer
