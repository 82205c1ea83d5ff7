"""Rates of false alarms and of outbreaks seen, and how soon."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Hold a rate or mean with its standard error.

    Attributes
    ----------
    value : float
        NaN where there is nothing to take it of.
    standard_error : float
        Series are independent, times and outbreaks of one series need not be: taken between series. With a
        single series it is NaN.
    of : int
        Number of times, alarms or outbreaks that it is taken of.
    """

    value: float
    standard_error: float
    of: int


@dataclass(frozen=True, slots=True)
class Performance:
    """Hold how a detector did.

    Attributes
    ----------
    false_positive_rate : Estimate
        Alarms among the times without an outbreak case.
    specificity : Estimate
        The others among these.
    probability_of_detection : Estimate
        Outbreaks with an alarm in at least one time with a case of theirs.
    sensitivity : Estimate
        Alarms among the times with an outbreak case.
    positive_predictive_value : Estimate
        Times with an outbreak case among the alarms.
    timeliness : Estimate
        Mean over outbreaks of the time lost before the first alarm, as a share of the outbreak's duration; 1
        for one that was missed. 0 is best.
    delay : Estimate
        Mean number of times between the first case and the first alarm, over outbreaks detected.
    """

    false_positive_rate: Estimate
    specificity: Estimate
    probability_of_detection: Estimate
    sensitivity: Estimate
    positive_predictive_value: Estimate
    timeliness: Estimate
    delay: Estimate


def performance(alarm: ArrayLike, outbreak: ArrayLike) -> Performance:
    """Compare alarms with what is known about outbreaks.

    Parameters
    ----------
    alarm : array_like, shape (time,) or (time, series)
        1 for an alarm, 0 for none; NaN, a test without an answer, is no alarm.
    outbreak : array_like of int, same shape
        0 where no case belongs to an outbreak, else the number of the outbreak within its series.

    Returns
    -------
    Performance

    Raises
    ------
    ValueError
        If shapes differ, an alarm is neither 0, 1 nor NaN, or an outbreak is not a whole number from 0.

    Source
    ------
    Noufaily et al. 2013, Stat Med 32:1206, section 4.3; Noufaily et al. 2019, Bioinformatics 35:3110, section
    2.5 (timeliness). Standard errors: Cochran 1977, Sampling Techniques, section 2.11 (ratio estimators).
    """
    alarms, outbreaks = _checked(alarm, outbreak)
    hit = outbreaks > 0
    first, last, detected, series = _outbreaks(alarms, outbreaks)
    found = np.isfinite(detected)
    count = alarms.shape[1]
    lost = np.where(found, (detected - first) / (last - first + 1.0), 1.0)
    return Performance(
        false_positive_rate=_ratio(_per_series(alarms & ~hit), _per_series(~hit)),
        specificity=_ratio(_per_series(~alarms & ~hit), _per_series(~hit)),
        probability_of_detection=_mean(found.astype(np.float64), series, count),
        sensitivity=_ratio(_per_series(alarms & hit), _per_series(hit)),
        positive_predictive_value=_ratio(_per_series(alarms & hit), _per_series(alarms)),
        timeliness=_mean(lost, series, count),
        delay=_mean((detected - first)[found], series[found], count),
    )


def _checked(alarm: ArrayLike, outbreak: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    alarms, outbreaks = np.asarray(alarm), np.asarray(outbreak)
    if alarms.shape != outbreaks.shape or alarms.ndim not in (1, 2):
        raise ValueError(
            f"alarm and outbreak must have one shape, (time,) or (time, series) "
            f"(they have {alarms.shape} and {outbreaks.shape})"
        )
    if alarms.dtype.kind not in "biuf" or not np.isin(alarms[~np.isnan(alarms.astype(float))], (0, 1)).all():
        raise ValueError("alarm must be 0, 1 or NaN")
    if outbreaks.dtype.kind not in "biu" or (outbreaks < 0).any():
        raise ValueError("outbreak must be whole numbers: 0, or the number of the outbreak")
    columns = (len(alarms), -1) if alarms.ndim == 1 and len(alarms) else (*alarms.shape, 1)[:2]
    return (alarms == 1).reshape(columns), outbreaks.astype(np.int64).reshape(columns)


def _outbreaks(
    alarms: NDArray[np.bool_], outbreaks: NDArray[np.int64]
) -> tuple[Floats, Floats, Floats, NDArray[np.intp]]:
    """Return first and last time with a case, time of the first alarm, and series, of each outbreak."""
    time, series = np.nonzero(outbreaks)
    named, place = np.unique(np.column_stack([series, outbreaks[time, series]]), axis=0, return_inverse=True)
    place = place.ravel()
    first, last, detected = np.full((3, len(named)), np.inf)
    np.minimum.at(first, place, time)
    np.minimum.at(last, place, -time)
    seen = alarms[time, series]
    np.minimum.at(detected, place[seen], time[seen])
    return first, -last, detected, named[:, 0].astype(np.intp)


def _per_series(table: NDArray[np.bool_]) -> Floats:
    return np.asarray(table.sum(axis=0), np.float64)


def _mean(values: Floats, series: NDArray[np.intp], count: int) -> Estimate:
    total = np.asarray(np.bincount(series, values, count), np.float64)
    return _ratio(total, np.bincount(series, minlength=count).astype(np.float64))


def _ratio(part: Floats, whole: Floats) -> Estimate:
    """Return the ratio of two totals, with the standard error of a ratio estimator over series."""
    total = whole.sum()
    if total == 0.0:
        return Estimate(math.nan, math.nan, 0)
    value = part.sum() / total
    clusters = int((whole > 0.0).sum())
    if clusters < 2:
        return Estimate(float(value), math.nan, int(total))
    variance = clusters / (clusters - 1.0) * ((part - value * whole) ** 2).sum() / total**2
    return Estimate(float(value), float(math.sqrt(variance)), int(total))
