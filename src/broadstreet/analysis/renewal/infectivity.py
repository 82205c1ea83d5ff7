"""How infectious all earlier cases together are at each time."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from broadstreet.analysis.renewal.incidence import Floats

_TIMES_AT_A_TIME = 256  # a banded product by blocks: neither all times squared, nor one lag after the other


def infectivity(incidence: Floats, serial_interval: Floats) -> Floats:
    r"""Return the overall infectivity :math:`\Lambda_t = \sum_{k \geq 1} w_k I_{t-k}`.

    Every term is 0 or more and added as it is, so that a few cases after a large epidemic keep their digits.

    Parameters
    ----------
    incidence : ndarray, shape (time, series)
    serial_interval : ndarray, shape (days,)
        Probabilities by day from 0; day 0 is not looked at.

    Returns
    -------
    ndarray, shape (time, series)

    Source
    ------
    Cori et al. 2013, Am J Epidemiol 178:1505, equation 1.
    """
    length = len(incidence)
    reach = min(int(np.flatnonzero(serial_interval).max(initial=0)), length - 1)
    answer = np.zeros_like(incidence)
    if reach == 0:
        return answer
    lags = serial_interval[reach:0:-1]
    for first in range(1, length, _TIMES_AT_A_TIME):
        times = min(_TIMES_AT_A_TIME, length - first)
        padded = np.concatenate([np.zeros(times - 1), lags, np.zeros(times - 1)])
        band = sliding_window_view(padded, times + reach - 1)[::-1]
        start = first - reach
        past = incidence[max(start, 0) : first + times - 1]
        answer[first : first + times] = band[:, max(-start, 0) :] @ past
    return answer
