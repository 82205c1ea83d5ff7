"""Which past times a time is compared with, and in which block of the season each lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from broadstreet.analysis import settings
from broadstreet.analysis.aberration.calendar_dates import (
    anniversaries_by_date,
    checked_dates,
    steps_are_even,
)
from broadstreet.analysis.aberration.design import Design, Floats, Indices

_DAYS_A_MONTH = 365.25 / 12.0  # only the unit of the slope of monthly counts


@dataclass(frozen=True, slots=True)
class Reference:
    """Hold the past that some of the evaluated times are compared with.

    Attributes
    ----------
    rows : ndarray of intp
        Which of the evaluated times.
    offset : ndarray of intp, shape (observations,)
        Index of each observation relative to the evaluated time; negative, increasing.
    design : Design
    block : int
        Block of the evaluated time.
    time : float
        Evaluated time on the scale of the design.
    """

    rows: Indices
    offset: Indices
    design: Design
    block: int
    time: float

    @classmethod
    def of(cls, rows: Indices, offset: Indices, block: Indices, time: Floats) -> Reference:
        """Describe observations; `time` is relative to the evaluated time, whose block is the last."""
        middle = np.rint(time.mean())
        present, renumbered = np.unique(block, return_inverse=True)
        return cls(rows, offset, Design.of(renumbered, time - middle), len(present) - 1, -middle)


@dataclass(frozen=True, slots=True)
class Season:
    """Hold how the past is divided: see :func:`farrington_flexible` for the terms."""

    frequency: int
    years_back: int
    window: int
    periods: int
    excluded: int

    @classmethod
    def checked(cls, frequency: int, years_back: int, window: int, periods: int, excluded: int) -> Season:
        """Return the settings if they go together.

        Raises
        ------
        ValueError
            If one is out of its range, or the year is too short for the windows and periods.
        """
        season = cls(
            settings.whole_number("frequency", frequency, least=2),
            settings.whole_number("years_back", years_back, least=1, most=1000),
            settings.whole_number("window", window, least=0),
            settings.whole_number("periods", periods, least=1),
            settings.whole_number("past_weeks_excluded", excluded, least=0),
        )
        between = season.frequency - 2 * season.window - 1
        if between < season.periods - 1 or between < 0:
            raise ValueError(
                "between the windows of two anniversaries there must be at least periods - 1 = "
                f"{season.periods - 1} times (there are {between}); lower periods or window"
            )
        return season

    @property
    def history(self) -> int:
        """Number of times that must lie before an evaluated one."""
        return self.frequency * self.years_back + self.window


def seasonal_references(
    times: Indices, season: Season, length: int, dates: ArrayLike | None
) -> list[Reference]:
    """Return what each of the times is compared with, by seasons.

    Raises
    ------
    ValueError
        If the history of a time is too short, or too little of it is left.
    """
    if dates is None:
        groups = [_anniversaries_by_index(times, season)]
        days = np.arange(length)
    else:
        days = checked_dates(dates, length=length, frequency=season.frequency)
        groups = list(anniversaries_by_date(times, days, season.frequency, season.years_back))
    found = []
    for years, rows in groups if times.size else []:
        offset, block = _seasonal_blocks(years, season)
        refuse_short_history(times[rows], -int(years[-1]) + season.window, season)
        _refuse_too_few(block, season)
        if steps_are_even(days):
            found.append(Reference.of(rows, offset, block, offset.astype(np.float64)))
            continue
        for row in rows:
            passed = (days[times[row] + offset] - days[times[row]]) / _DAYS_A_MONTH
            found.append(Reference.of(np.array([row]), offset, block, passed))
    return found


def window_references(
    times: Indices, season: Season, length: int, dates: ArrayLike | None
) -> list[Reference]:
    """Return what each of the times is compared with: the times around its anniversaries, one block."""
    if dates is None:
        groups = [_anniversaries_by_index(times, season)]
    else:
        days = checked_dates(dates, length=length, frequency=season.frequency)
        groups = list(anniversaries_by_date(times, days, season.frequency, season.years_back))
    found = []
    around = np.arange(-season.window, season.window + 1)
    for years, rows in groups if times.size else []:
        refuse_short_history(times[rows], -int(years[-1]) + season.window, season)
        offset = np.sort(np.add.outer(years[1:], around).ravel())
        found.append(Reference.of(rows, offset, np.zeros(len(offset), np.intp), offset.astype(np.float64)))
    return found


def refuse_short_history(times: Indices, needed: int, season: Season) -> None:
    """Refuse times with fewer than `needed` times before them, and say what can be done.

    Raises
    ------
    ValueError
        If there is one.
    """
    if int(times.min()) >= needed:
        return
    shortest = int(times.min())
    years = (shortest - season.window) // season.frequency
    remedy = f"years_back={years} would do" if years >= 1 else "ears or bayes need only weeks of history"
    raise ValueError(
        f"{season.years_back} years back and a window of {season.window} need {needed} times before each "
        f"evaluated one (time {shortest} has {shortest}); evaluate later times, or {remedy}"
    )


def _refuse_too_few(block: Indices, season: Season) -> None:
    coefficients = len(np.unique(block)) + (season.years_back > 2)
    if season.periods - 1 not in block or len(block) <= coefficients:
        raise ValueError(
            f"years_back={season.years_back}, window={season.window}, periods={season.periods} and "
            f"past_weeks_excluded={season.excluded} leave {len(block)} observations for {coefficients} "
            "coefficients, and need more, some of them in the season of the evaluated time; raise years_back "
            "or window, or lower periods"
        )


def _anniversaries_by_index(times: Indices, season: Season) -> tuple[Indices, Indices]:
    return -season.frequency * np.arange(season.years_back + 1), np.arange(len(times))


def _seasonal_blocks(years: Indices, season: Season) -> tuple[Indices, Indices]:
    """Return offsets and blocks of the observations of one evaluated time.

    The times around each anniversary are one block, the last; those between two anniversaries are divided
    into `periods - 1` blocks as equal as can be, longer ones first. `years` are the offsets of the evaluated
    time itself (0) and of its anniversaries, latest first.
    """
    window, periods = season.window, season.periods
    first = int(years[-1]) - window
    block = np.full(1 - first, -1, np.intp)
    block[-window - first :] = periods - 1
    for later, year in zip(years[:-1] - first, years[1:] - first, strict=True):
        block[year - window : year + window + 1] = periods - 1
        if periods > 1:
            between = later - year - 2 * window - 1
            lengths = np.full(periods - 1, between // (periods - 1))
            lengths[: between % (periods - 1)] += 1
            start = year + window + 1
            block[start : start + between] = np.repeat(np.arange(periods - 1), lengths)
    block[max(0, -season.excluded - first) :] = -1
    kept = np.flatnonzero(block >= 0)
    return kept + first, block[kept]
