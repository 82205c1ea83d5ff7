"""EWMA: an exponentially weighted moving average of counts against its control limit."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from broadstreet.analysis import settings
from broadstreet.analysis.aberration.baselines import consecutive_times, mean_before
from broadstreet.analysis.aberration.design import Floats
from broadstreet.analysis.aberration.result import Aberrations
from broadstreet.analysis.aberration.series import checked_counts, checked_times

_HIGHEST_COUNT = 10**12
# Lucas and Saccucci 1990, table 3: one false alarm in about 500 times (two-sided, normal)
_SMOOTHING = 0.25
_WIDTH = 2.998


def ewma(
    counts: ArrayLike,
    evaluate: ArrayLike,
    *,
    smoothing: float = _SMOOTHING,
    width: float = _WIDTH,
    mean: ArrayLike | None = None,
    dispersion: float | None = None,
) -> Aberrations:
    r"""Compare a weighted average of the counts so far with its control limit.

    From :math:`Z_0 = \mu_0`, :math:`Z_t = \lambda Y_t + (1 - \lambda) Z_{t-1}` over the evaluated times; an
    alarm is :math:`Z_t > \mu_0 + L \sigma_t` with :math:`\sigma_t^2 = \phi \mu_0 \tfrac{\lambda}{2 - \lambda}
    \left(1 - (1 - \lambda)^{2t}\right)`.

    Parameters
    ----------
    counts : array_like of int, shape (time,) or (time, series)
        Cases in equal steps of time; complete, not negative.
    evaluate : array_like of int, shape (evaluated,)
        0-based indices of consecutive times; the average starts afresh at the first.
    smoothing : float
        :math:`\lambda`, weight of the newest count, above 0 and at most 1.
    width : float
        :math:`L`, distance of the limit in standard deviations.
    mean : array_like of float, shape () or (series,), optional
        :math:`\mu_0`, above 0. By default the mean of all counts before the first evaluated time.
    dispersion : float, optional
        :math:`\phi`, variance of a count over its mean; 1 for Poisson counts. By default estimated from the
        counts before the first evaluated time, at least 1.

    Returns
    -------
    Aberrations
        `upper` is the highest count that keeps :math:`Z_t` at its limit, below 0 where no count would;
        `score` is :math:`(Z_t - \mu_0) / \sigma_t`, to be compared with `width`. After a history without a
        case (:math:`\mu_0 = 0`) any case is an alarm, and `score` is infinite or NaN.

    Raises
    ------
    ValueError
        If a count is negative, missing or not whole, times are not consecutive, there are not 2 times of
        history where mean or dispersion are estimated, or a setting is out of its range.

    Source
    ------
    Borror, Champ and Rigdon 1998, J Qual Technol 30(4):352-361 (Poisson counts); Lucas and Saccucci 1990,
    Technometrics 32(1):1-12 (the defaults). R surveillance has no counterpart.
    """
    table = checked_counts(counts, most=_HIGHEST_COUNT)
    times = consecutive_times(checked_times(evaluate, length=len(table)), method="ewma")
    weight = _checked_weight(smoothing)
    limit = settings.positive("width", width)
    count = table[times].astype(np.float64)
    centre, spread = _centre_and_dispersion(table, int(times[0]) if times.size else 2, mean, dispersion)
    return _charted(count, centre, spread, weight, limit)


def _charted(count: Floats, centre: Floats, spread: Floats, weight: float, limit: float) -> Aberrations:
    passed = np.arange(1, len(count) + 1)[:, np.newaxis]
    settled = weight / (2.0 - weight) * (1.0 - (1.0 - weight) ** (2 * passed))
    deviation = np.sqrt(spread * centre * settled)
    average = _averages(count, centre, weight)
    highest = centre + limit * deviation
    with np.errstate(divide="ignore", invalid="ignore"):
        score = (average[1:] - centre) / deviation
    upper = (highest - (1.0 - weight) * average[:-1]) / weight
    expected = np.broadcast_to(centre, count.shape).copy()
    alarm = (average[1:] > highest).astype(np.float64)
    return Aberrations(expected, upper, alarm, score, np.broadcast_to(spread, count.shape).copy())


def _averages(count: Floats, centre: Floats, weight: float) -> Floats:
    """Return the averages before the first count and after each, shape (time + 1, series)."""
    average = np.empty((len(count) + 1, count.shape[1]))
    average[0] = centre
    for row, newest in enumerate(count):
        average[row + 1] = weight * newest + (1.0 - weight) * average[row]
    return average


def _checked_weight(smoothing: float) -> float:
    weight = settings.positive("smoothing", smoothing)
    if weight > 1.0:
        raise ValueError(f"smoothing must be at most 1 (it is {smoothing})")
    return weight


def _centre_and_dispersion(
    table: np.ndarray, first: int, mean: ArrayLike | None, dispersion: float | None
) -> tuple[Floats, Floats]:
    given = None if mean is None else settings.means(mean, table.shape[1])
    if given is not None and dispersion is not None:
        return given, np.full_like(given, settings.positive("dispersion", dispersion))
    if first < 2:
        raise ValueError("evaluate must start at 2 or later where mean or dispersion come from the history")
    past_mean, variance = mean_before(table, first)
    centre = past_mean if given is None else given
    if dispersion is not None:
        return centre, np.full_like(centre, settings.positive("dispersion", dispersion))
    return centre, np.maximum(variance / np.where(past_mean > 0.0, past_mean, 1.0), 1.0)
