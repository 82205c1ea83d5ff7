"""EARS C1, C2 and C3: a count against the mean and spread of the few days before it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broadstreet.analysis.aberration.result import Aberrations
from broadstreet.analysis.aberration.series import checked_counts, checked_times

Method = Literal["C1", "C2", "C3"]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Variant:
    lag: int  # the baseline ends this many times before the evaluated one
    memory: int  # times before the evaluated one whose excess is carried over
    alpha: float


# Hutwagner et al. 2003, "Details on the algorithm"; alpha: R surveillance 1.20.3, ?earsC (the CDC's choice).
_VARIANTS = {
    "C1": _Variant(lag=1, memory=0, alpha=0.001),
    "C2": _Variant(lag=3, memory=0, alpha=0.001),
    "C3": _Variant(lag=3, memory=2, alpha=0.025),
}
_SHORTEST_BASELINE = 3
_SERIES_AT_A_TIME = 512  # a block of a year of daily counts stays in the processor's cache


def ears(
    counts: ArrayLike,
    evaluate: ArrayLike,
    *,
    method: Method = "C1",
    baseline: int = 7,
    alpha: float | None = None,
) -> Aberrations:
    r"""Compare counts with the mean and standard deviation of a short baseline before them.

    With the mean :math:`\bar Y` and standard deviation :math:`S` of the `baseline` counts that end 1 (C1) or
    3 (C2, C3) times before :math:`t`, and :math:`C(t) = (Y(t) - \bar Y(t)) / S(t)`, the upper bound of C1 and
    C2 is :math:`\bar Y(t) + z_{1-\alpha} S(t)`. The bound of C3 is the one that R surveillance computes,
    :math:`\max(0, Y(t) + S(t) (z_{1-\alpha} - M(t)))` with :math:`M(t) = \max(0, C(t-1) - 1) + \max(0,
    C(t-2) - 1)`: its alarm follows from the two times before :math:`t`. A count above the bound is an alarm.

    Parameters
    ----------
    counts : array_like of int, shape (time,) or (time, series)
        Cases in equal steps of time, mostly days; complete, not negative.
    evaluate : array_like of int, shape (evaluated,)
        0-based indices of the times to test.
    method : {"C1", "C2", "C3"}
        C1 needs `baseline` times of history, C2 two more, C3 four more.
    baseline : int
        Length of the baseline, at least 3.
    alpha : float, optional
        Probability that a count without an outbreak lies above the bound. 0.001 for C1 and C2, 0.025 for C3.

    Returns
    -------
    Aberrations
        `expected` is the mean of the baseline; `score` is :math:`C(t)` for C1 and C2, to be compared with
        :math:`z_{1-\alpha}`, and for C3 the statistic as published, :math:`\max(0, C(t) - 1) + M(t)`;
        `dispersion` is :math:`S^2 / \bar Y`. A value is NaN where the history is too short for it. Over a
        constant baseline `upper` is the mean for C1 and C2 (any count above it is an alarm); their `score` is
        then infinite, or NaN if the count equals the mean. For C3 the bound is NaN where a constant baseline
        leaves :math:`M` undefined. `dispersion` of an all-zero baseline is NaN.

    Raises
    ------
    ValueError
        If a count is negative, missing, not whole or too large to be squared exactly, an index lies outside
        the series, the method is unknown, the baseline shorter than 3, or alpha not between 0 and 1.

    Source
    ------
    Hutwagner et al. 2003, J Urban Health 80(2 Suppl 1):i89-i96, doi:10.1007/PL00022319; Salmon, Schumacher
    and Höhle 2016, J Stat Softw 70(10), section 3.1, doi:10.18637/jss.v070.i10. Agrees with `earsC` of R
    surveillance 1.20.3 (`minSigma` 0).
    """
    variant = _checked_variant(method)
    width = _checked_baseline(baseline)
    z = _quantile(variant.alpha if alpha is None else alpha)
    table = checked_counts(counts, most=_highest_exact_count(width))
    times = checked_times(evaluate, length=len(table))
    table, times = _without_unneeded_past(table, times, reach=width + variant.lag + variant.memory)
    return Aberrations(*_by_blocks(table, times, variant, width, z))


def _by_blocks(
    counts: NDArray[np.int64], times: NDArray[np.intp], variant: _Variant, width: int, z: float
) -> Floats:
    answer = np.empty((5, len(times), counts.shape[1]))
    for first in range(0, counts.shape[1], _SERIES_AT_A_TIME):
        block = slice(first, first + _SERIES_AT_A_TIME)
        answer[:, :, block] = _aberrations(counts[:, block], times, variant, width, z)
    return answer


def _aberrations(
    counts: NDArray[np.int64], times: NDArray[np.intp], variant: _Variant, width: int, z: float
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    mean, deviation = _baseline_moments(counts, width, variant.lag)
    # Over a constant baseline 0/0 and x/0 give NaN and infinity on purpose: so the bound of C3 follows R.
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = (counts - mean) / deviation
        carried = _carried_over(excess, variant.memory)[times]
        count, mean, deviation, excess = counts[times], mean[times], deviation[times], excess[times]
        dispersion = deviation**2 / mean
        if variant.memory:
            upper = np.maximum(0.0, count + deviation * (z - carried))
            score = np.maximum(0.0, excess - 1.0) + carried
        else:
            upper, score = mean + deviation * z, excess
        alarm = np.where(np.isnan(upper), np.nan, count > upper)
        return mean, upper, alarm, score, dispersion


def _baseline_moments(counts: NDArray[np.int64], width: int, lag: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the baseline of each time; NaN where history is too short.

    The sums are integers, so that the variance loses nothing and a constant baseline has exactly 0. (The
    running sum of squares may wrap around; the difference of two of them does not.)
    """
    total = _window_sums(counts, width)
    squares = _window_sums(counts * counts, width)
    variance = (width * squares - total * total) / (width * (width - 1))
    mean, deviation = np.full((2, *counts.shape), np.nan)
    windows = len(counts) - (width + lag - 1)
    if windows > 0:
        mean[-windows:] = total[:windows] / width
        deviation[-windows:] = np.sqrt(variance[:windows])
    return mean, deviation


def _window_sums(values: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    running = np.zeros((len(values) + 1, values.shape[1]), np.int64)
    np.cumsum(values, axis=0, out=running[1:])
    return running[width:] - running[:-width]


def _carried_over(excess: Floats, memory: int) -> Floats:
    carried = np.zeros_like(excess)
    for back in range(1, memory + 1):
        carried[:back] = np.nan
        carried[back:] += np.maximum(0.0, excess[:-back] - 1.0)
    return carried


def _without_unneeded_past(
    counts: NDArray[np.int64], times: NDArray[np.intp], *, reach: int
) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    if times.size == 0:
        return counts[:0], times
    first = max(0, int(times.min()) - reach)
    return counts[first : int(times.max()) + 1], times - first


def _highest_exact_count(width: int) -> int:
    return math.isqrt(2**63 - 1) // width


def _checked_variant(method: str) -> _Variant:
    if method not in _VARIANTS:
        raise ValueError(f"method must be one of {', '.join(_VARIANTS)} (it is {method!r})")
    return _VARIANTS[method]


def _checked_baseline(baseline: int) -> int:
    if isinstance(baseline, bool) or not isinstance(baseline, (int, np.integer)):
        raise ValueError(f"baseline must be a whole number (it is {baseline!r})")
    if baseline < _SHORTEST_BASELINE:
        raise ValueError(f"baseline must be at least {_SHORTEST_BASELINE} times long (it is {baseline})")
    return int(baseline)


def _quantile(alpha: float) -> float:
    if not 0.0 < 1.0 - alpha < 1.0:
        raise ValueError(f"alpha must lie between 0 and 1 (it is {alpha})")
    return NormalDist().inv_cdf(1.0 - alpha)
