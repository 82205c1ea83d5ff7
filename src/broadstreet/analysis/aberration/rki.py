"""RKI: a count against a confidence limit, as the Robert Koch Institute did."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from broadstreet.analysis.aberration.baselines import Baseline
from broadstreet.analysis.aberration.result import Aberrations
from broadstreet.analysis.aberration.series import checked_counts, checked_times

# Upper 95 % confidence limits of a Poisson mean after 0 to 20 cases: Crow and Gardner 1959, Biometrika
# 46:441-453, table 1
# fmt: off
_UPPER_LIMIT = np.array([
    3.285, 5.323, 6.686, 8.102, 9.598, 11.177, 12.817, 13.765, 14.921, 16.768, 17.633,
    19.050, 20.335, 21.364, 22.945, 23.762, 25.400, 26.306, 27.735, 28.966, 30.017,
])
# fmt: on
_NORMAL_ABOVE = 20.0
_DEVIATIONS = 2.0


def rki(
    counts: ArrayLike,
    evaluate: ArrayLike,
    *,
    frequency: int = 52,
    years_back: int = 2,
    window: int = 4,
    recent: bool = False,
) -> Aberrations:
    r"""Compare counts with an upper limit about the mean of reference counts.

    With the mean :math:`\bar Y` and standard deviation :math:`S` of the reference counts, the upper bound is
    :math:`\bar Y + 2 S` if :math:`\bar Y > 20`, else the upper 95 % confidence limit of a Poisson mean for
    :math:`\lfloor \bar Y \rfloor` cases.

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

    Returns
    -------
    Aberrations
        `score` is :math:`(y - \bar Y) / (U - \bar Y)`; infinite or NaN over a constant baseline above 20
        (:math:`U = \bar Y`). `dispersion` is :math:`S^2 / \bar Y`, NaN for a baseline of zeros or one count.

    Raises
    ------
    ValueError
        If a count is negative, missing, not whole or too large to be squared exactly, the history too short,
        or a setting out of its range.

    Source
    ------
    Höhle 2007, Comput Stat 22:571-582, doi:10.1007/s00180-007-0074-8; R surveillance 1.20.3, `?algo.rki`.
    Agrees with its `rki`.
    """
    baseline = Baseline.checked(frequency, years_back, window, recent=recent)
    size = baseline.size
    table = checked_counts(counts, most=math.isqrt(2**63 - 1) // size)
    times = checked_times(evaluate, length=len(table))
    total, squares = baseline.sums(table, times), baseline.sums(table * table, times)
    mean = total / size
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.divide(size * squares - total * total, size * (size - 1.0))
        limit = _UPPER_LIMIT[np.minimum(mean, _NORMAL_ABOVE).astype(np.intp)]
        upper = np.where(mean > _NORMAL_ABOVE, mean + _DEVIATIONS * np.sqrt(variance), limit)
        count = table[times].astype(np.float64)
        alarm = np.where(np.isnan(upper), np.nan, count > upper)
        return Aberrations(mean, upper, alarm, (count - mean) / (upper - mean), variance / mean)
