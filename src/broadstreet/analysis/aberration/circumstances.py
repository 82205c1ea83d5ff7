"""What is known about the times beside the counts: pace, calendar, holidays, and what is reported so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broadstreet.analysis import settings
from broadstreet.analysis.aberration.calendar_dates import checked_dates

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

HIGHEST_FREQUENCY = 366
MOST_KINDS = 30
_DAYS_A_YEAR = 365.25
_DAILY = 300  # times a year: from here on a week has a rhythm of seven
_WORKING_DAYS = (250, 262)  # times a year of series without weekends
_HARMONICS = 3
_WINDOW = 3  # times over which evidence is gathered, where a week has no rhythm of its own
_LEAST_SHARE = 1e-3


@dataclass(frozen=True, slots=True)
class Pace:
    """Say how time passes.

    Attributes
    ----------
    frequency : int
        Times a year.
    cycle : int
        Times a week where the days of the week differ, else 1.
    window : int
        Newest times over which evidence is gathered.
    harmonics : int
        Of the year.
    """

    frequency: int
    cycle: int
    window: int
    harmonics: int

    @classmethod
    def of(cls, frequency: int) -> Pace:
        """Return the pace of so many times a year.

        Raises
        ------
        ValueError
            If it is not a whole number from 1 to 366.
        """
        frequency = settings.whole_number("frequency", frequency, least=1, most=HIGHEST_FREQUENCY)
        low, high = _WORKING_DAYS
        cycle = 7 if frequency >= _DAILY else 5 if low <= frequency <= high else 1
        return cls(frequency, cycle, max(_WINDOW, cycle), min(_HARMONICS, (frequency - 1) // 2))

    def basis(self, length: int, dates: ArrayLike | None) -> Floats:
        """Return level, trend (years) and harmonics of each block, shape (blocks, coefficients).

        Raises
        ------
        ValueError
            If dates are not one for each time, in even steps.
        """
        if dates is None:
            year = np.arange(0, length, self.cycle) / self.frequency
        else:
            year = checked_dates(dates, length=length, frequency=self.frequency)[:: self.cycle] / _DAYS_A_YEAR
        turns = 2.0 * np.pi * np.outer(year, np.arange(1, self.harmonics + 1))
        basis = np.ones((len(year), 2 + 2 * self.harmonics))
        basis[:, 1] = year
        basis[:, 2::2], basis[:, 3::2] = np.cos(turns), np.sin(turns)
        return basis


def checked_holidays(holidays: ArrayLike | None, length: int) -> Integers:
    """Return the kind of holiday of each time: 0 for none.

    Raises
    ------
    ValueError
        If there is not one for each time, or a kind is not a whole number from 0 to 30.
    """
    if holidays is None:
        return np.zeros(length, np.int64)
    kinds = np.asarray(holidays)
    if kinds.shape != (length,) or kinds.dtype.kind not in "biu":
        raise ValueError(
            f"holidays must be {length} whole numbers or truth values, one for each time: 0 for none, else "
            f"the kind of holiday (they have shape {kinds.shape} and type {kinds.dtype})"
        )
    if kinds.size and not 0 <= kinds.min() <= kinds.max() <= MOST_KINDS:
        wrong = kinds[(kinds < 0) | (kinds > MOST_KINDS)][0]
        raise ValueError(f"holidays must be kinds from 0 to {MOST_KINDS} (one is {wrong})")
    return kinds.astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Reported:
    """Say how much of the counts is known so far.

    Attributes
    ----------
    share : ndarray, shape (time, series)
        Of the cases of a time, those that are reported by the end of the series.
    doubt : ndarray, shape (time, series)
        Variance of the logarithm of that.
    """

    share: Floats
    doubt: Floats

    @classmethod
    def of(cls, delays: ArrayLike | None, length: int, series: int) -> Reported:
        """Take the shares from observed delays.

        Parameters
        ----------
        delays : array_like, shape (delays,) or (delays, series), optional
            Number of past cases that were reported so many times after their own.

        Raises
        ------
        ValueError
            If these are not such numbers.
        """
        if delays is None:
            return cls(np.ones((length, 1)), np.zeros((length, 1)))
        cases = _checked_delays(delays, series)
        total = cases.sum(axis=0)
        age = np.minimum(np.arange(length)[::-1], len(cases) - 1)
        share = np.clip(np.cumsum(cases, axis=0) / total, _LEAST_SHARE, 1.0)[age]
        return cls(share, (1.0 - share) / (share * total))

    def only(self, series: Integers) -> Reported:
        """Return this, of some of the series."""
        return self if self.share.shape[1] == 1 else Reported(self.share[:, series], self.doubt[:, series])

    def where(self, reporting: ArrayLike | None, length: int, series: int) -> Reported:
        """Return this, lowered to the share of sources that sent.

        Raises
        ------
        ValueError
            If there is not a share from 0 to 1 for each time.
        """
        if reporting is None:
            return self
        share = np.asarray(reporting)
        if share.dtype.kind not in "biuf" or share.shape not in ((length,), (length, series)):
            raise ValueError(
                f"reporting must be a share for each time, shape ({length},) or ({length}, {series}) "
                f"(it has shape {share.shape} and type {share.dtype})"
            )
        share = share.astype(np.float64).reshape(length, -1)
        if not ((share >= 0.0) & (share <= 1.0)).all():
            raise ValueError("reporting must be shares from 0 to 1, none missing")
        return Reported(np.maximum(self.share * share, _LEAST_SHARE**2), self.doubt + 0.0 * share)


def _checked_delays(delays: ArrayLike, series: int) -> Floats:
    cases = np.asarray(delays)
    if cases.dtype.kind not in "iuf" or cases.shape[1:] not in ((), (series,)) or not cases.size:
        raise ValueError(
            f"delays must be numbers of cases by delay, shape (delays,) or (delays, {series}) "
            f"(they have shape {cases.shape} and type {cases.dtype})"
        )
    cases = cases.astype(np.float64).reshape(len(cases), -1)
    if not np.isfinite(cases).all() or (cases < 0.0).any():
        raise ValueError("delays must be numbers of cases, 0 or more, none missing")
    if not (cases.sum(axis=0) > 0.0).all():
        raise ValueError("delays must hold a case for each series; leave them out if none were observed")
    return cases


def checked_groups(groups: ArrayLike | None, series: int) -> Integers | None:
    """Return the number of the group of each series, from 0.

    Raises
    ------
    ValueError
        If there is not a label for each series, or one is missing.
    """
    if groups is None:
        return None
    labels = np.asarray(groups)
    if labels.shape != (series,):
        raise ValueError(f"groups must be {series} labels, one for each series (they have {labels.shape})")
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise ValueError("groups must be complete: a label is missing")
    return np.unique(labels.astype(str) if labels.dtype.kind == "O" else labels, return_inverse=True)[1]
