"""CUSUM: the excess of standardised counts, added up from time to time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broadstreet.analysis import settings
from broadstreet.analysis.aberration.baselines import consecutive_times, mean_before
from broadstreet.analysis.aberration.design import Floats
from broadstreet.analysis.aberration.result import Aberrations
from broadstreet.analysis.aberration.seasonal_mean import seasonal_mean
from broadstreet.analysis.aberration.series import checked_counts, checked_times

Transform = Literal["standard", "rossi", "anscombe", "anscombe2nd", "pearson_negative_binomial", "none"]
# What a count becomes, and which count becomes a value; both take the mean and the overdispersion too.
_Function = Callable[[Floats, Floats, float], Floats]
_HIGHEST_COUNT = 10**12


def cusum(
    counts: ArrayLike,
    evaluate: ArrayLike,
    *,
    reference_value: float = 1.04,
    decision_interval: float = 2.26,
    mean: ArrayLike | Literal["seasonal"] | None = None,
    transform: Transform = "standard",
    overdispersion: float = 0.1,
    frequency: int = 52,
) -> Aberrations:
    r"""Add up by how much standardised counts exceed a reference value.

    With :math:`x_t` the count standardised by its mean :math:`m_t`, :math:`C_t = \max(0, C_{t-1} + x_t - k)`
    over the evaluated times from :math:`C_0 = 0`. An alarm is :math:`C_t \geq h`; the sum goes on after it.

    Parameters
    ----------
    counts : array_like of int, shape (time,) or (time, series)
        Cases in equal steps of time; complete, not negative.
    evaluate : array_like of int, shape (evaluated,)
        0-based indices of consecutive times; the sum starts at 0 with the first.
    reference_value : float
        :math:`k`.
    decision_interval : float
        :math:`h`. The defaults go together: about 500 times between false alarms, 7 to a true one, if
        standardised counts are normal.
    mean : array_like of float, shape () or (series,), or "seasonal", optional
        :math:`m`. By default the mean of all counts before the first evaluated time; "seasonal" fits a
        Poisson regression with one sine wave a year to them.
    transform : {"standard", "rossi", "anscombe", "anscombe2nd", "pearson_negative_binomial", "none"}
        How a count is standardised.
    overdispersion : float
        :math:`\alpha` of the variance :math:`m + \alpha m^2` for "pearson_negative_binomial".
    frequency : int
        Times a year, for "seasonal".

    Returns
    -------
    Aberrations
        `score` is :math:`C_t`; `upper` the count with which :math:`C_t` reaches :math:`h`, 0 where none
        is (rounded up for "standard", on the scale of the sum for "none"), as R has it; `dispersion` is the
        variance of the history over its mean, NaN where the mean is given. After a history without a case
        (:math:`m = 0`) nothing can be standardised: all but `expected` is NaN, save for "none".

    Raises
    ------
    ValueError
        If a count is negative, missing or not whole, times are not consecutive, there is no history to take
        the mean from, or a setting is out of its range.

    Source
    ------
    Rossi, Lampugnani and Marchi 1999, Stat Med 18:2111-2122; Höhle 2007, Comput Stat 22:571-582,
    doi:10.1007/s00180-007-0074-8. Agrees with `cusum` of R surveillance 1.20.3; its "anscombeNegBin", which
    looks its values up in a coarse table, is not offered.
    """
    table = checked_counts(counts, most=_HIGHEST_COUNT)
    times = consecutive_times(checked_times(evaluate, length=len(table)), method="cusum")
    k = settings.not_negative("reference_value", reference_value)
    h = settings.positive("decision_interval", decision_interval)
    alpha = settings.positive("overdispersion", overdispersion)
    standardise, bound = _TRANSFORMS[settings.one_of("transform", transform, _TRANSFORMS)]
    year = settings.whole_number("frequency", frequency, least=2)
    count = table[times].astype(np.float64)
    m, dispersion = _means(table, times, mean, year)
    with np.errstate(divide="ignore", invalid="ignore"):
        summed = _added_up(standardise(count, m, alpha) - k)
        before = np.concatenate([np.zeros((1, count.shape[1])), summed])[: len(times)]
        upper = h - summed if transform == "none" else bound(h + k - before, m, alpha)
    return _charted(m, dispersion, summed, upper, h)


def _charted(mean: Floats, dispersion: Floats, summed: Floats, upper: Floats, h: float) -> Aberrations:
    undefined = np.isnan(summed)
    bound = np.where(undefined, np.nan, np.fmax(upper, 0.0))
    alarm = np.where(undefined, np.nan, summed >= h)
    return Aberrations(mean.copy(), bound, alarm, summed, np.broadcast_to(dispersion, mean.shape).copy())


def _added_up(excess: Floats) -> Floats:
    summed = np.empty_like(excess)
    last = np.zeros(excess.shape[1])
    for row, step in enumerate(excess):
        last = np.maximum(last + step, 0.0, out=summed[row])
    return summed


def _means(
    table: NDArray[np.int64], times: NDArray[np.intp], mean: ArrayLike | None, frequency: int
) -> tuple[Floats, Floats]:
    shape = len(times), table.shape[1]
    first = int(times[0]) if times.size else 1
    if isinstance(mean, str):
        settings.one_of("mean", mean, ["seasonal"])
        return seasonal_mean(table[:first], times, frequency)
    if mean is not None:
        return np.broadcast_to(settings.means(mean, shape[1]), shape), np.full(shape[1], np.nan)
    centre, variance = mean_before(table, first)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.broadcast_to(centre, shape), variance / centre


# R surveillance 1.20.3, algo.cusum; Höhle 2007, section 2.3. `c` is what the standardised count may be.
def _standard(y: Floats, m: Floats, _: float) -> Floats:
    return (y - m) / np.sqrt(m)


def _standard_bound(c: Floats, m: Floats, _: float) -> Floats:
    return np.asarray(np.ceil(np.sqrt(m) * c + m))


def _rossi(y: Floats, m: Floats, _: float) -> Floats:
    return (y - 3.0 * m + 2.0 * np.sqrt(y * m)) / (2.0 * np.sqrt(m))


def _rossi_bound(c: Floats, m: Floats, _: float) -> Floats:
    root = np.sqrt(m)
    return 2.0 * c * root + 5.0 * m - 2.0 * np.sqrt(4.0 * m**2 + 2.0 * m * root * c)


def _anscombe(y: Floats, m: Floats, _: float) -> Floats:
    return np.asarray(1.5 * (np.cbrt(y) ** 2 - np.cbrt(m) ** 2) / m ** (1.0 / 6.0))


def _anscombe_bound(c: Floats, m: Floats, _: float) -> Floats:
    return np.asarray(np.maximum(2.0 / 3.0 * m ** (1.0 / 6.0) * c + np.cbrt(m) ** 2, 0.0) ** 1.5)


def _anscombe2nd(y: Floats, m: Floats, _: float) -> Floats:
    centre = np.cbrt(m) ** 2 - 1.0 / (9.0 * np.cbrt(m))
    return np.asarray((np.cbrt(y) ** 2 - centre) / (2.0 / 3.0 * m ** (1.0 / 6.0)))


def _anscombe2nd_bound(c: Floats, m: Floats, _: float) -> Floats:
    # The root of m multiplies 1/9 here and divides it above: so it stands in R.
    inner = 2.0 / 3.0 * m ** (1.0 / 6.0) * c + np.cbrt(m) ** 2 - np.cbrt(m) / 9.0
    return np.asarray(np.maximum(inner, 0.0) ** 1.5)


def _pearson(y: Floats, m: Floats, alpha: float) -> Floats:
    return (y - m) / np.sqrt(m + alpha * m**2)


def _pearson_bound(c: Floats, m: Floats, alpha: float) -> Floats:
    return np.sqrt(m + alpha * m**2) * c + m


def _as_it_is(y: Floats, _m: Floats, _alpha: float) -> Floats:
    return y


_TRANSFORMS: dict[str, tuple[_Function, _Function]] = {
    "standard": (_standard, _standard_bound),
    "rossi": (_rossi, _rossi_bound),
    "anscombe": (_anscombe, _anscombe_bound),
    "anscombe2nd": (_anscombe2nd, _anscombe2nd_bound),
    "pearson_negative_binomial": (_pearson, _pearson_bound),
    "none": (_as_it_is, _as_it_is),
}
