"""Anniversaries on the calendar, for counts with dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
from numpy.typing import ArrayLike

from broadstreet.analysis.aberration.design import Indices

# Frequencies for which R surveillance 1.20.3 knows the step on the calendar (epochAsDate), and its days.
_DAYS_A_STEP = {52: (7, 7), 365: (1, 1), 12: (28, 31)}
_EPOCH = date(1970, 1, 1).toordinal()


def anniversaries_by_date(
    times: Indices, days: Indices, frequency: int, years: int
) -> Iterator[tuple[Indices, Indices]]:
    """Yield groups of rows with the same offsets to their anniversaries on the calendar.

    The anniversary of a week is the nearest day of the same weekday: 52 or 53 weeks before.
    """
    groups: dict[tuple[int, ...], list[int]] = {}
    index = {int(day): position for position, day in enumerate(days)}
    for row, time in enumerate(times):
        now = int(days[time])
        wanted = [now, *(_anniversary(now, back, weekly=frequency == 52) for back in range(1, years + 1))]
        missing = [day for day in wanted if day not in index]
        if missing:
            raise ValueError(
                f"dates must reach back {years} years before each evaluated time: there is no "
                f"{_name(missing[0])} for {_name(now)}; evaluate later times, lower years_back, "
                "or use ears or bayes, which need weeks"
            )
        groups.setdefault(tuple(index[day] - int(time) for day in wanted), []).append(row)
    for offsets, rows in groups.items():
        yield np.array(offsets, np.intp), np.array(rows, np.intp)


def _anniversary(day: int, back: int, *, weekly: bool) -> int:
    now = date.fromordinal(day + _EPOCH)
    try:
        then = now.replace(year=now.year - back)
    except ValueError:  # 29 February: the day after the 28th
        then = date(now.year - back, 3, 1)
    found = then.toordinal() - _EPOCH
    return found + (now.weekday() - then.weekday() + 3) % 7 - 3 if weekly else found


def _name(day: int) -> str:
    return date.fromordinal(day + _EPOCH).isoformat()


def checked_dates(dates: ArrayLike, *, length: int, frequency: int) -> Indices:
    """Return the dates of the counts as days since 1970-01-01.

    Raises
    ------
    ValueError
        If there is not one date for each count, or they do not go on in even steps of the frequency.
    """
    if frequency not in _DAYS_A_STEP:
        known = ", ".join(map(str, _DAYS_A_STEP))
        raise ValueError(f"frequency must be one of {known} where dates are given (it is {frequency})")
    try:
        days = np.asarray(dates, "datetime64[D]")
    except (ValueError, TypeError) as error:
        raise ValueError(f"dates must be dates or ISO 8601 strings ({error})") from error
    if days.shape != (length,) or np.isnat(days).any():
        raise ValueError(f"dates must be {length}, one for each time, none missing (they are {days.shape})")
    steps = np.diff(days).astype(np.int64)
    least, most = _DAYS_A_STEP[frequency]
    wrong = np.flatnonzero((steps < least) | (steps > most))
    if wrong.size:
        before, after = days[wrong[0]], days[wrong[0] + 1]
        raise ValueError(
            f"dates must increase in steps of {least} to {most} days, without gap or repetition "
            f"({after} follows {before})"
        )
    return np.asarray(days.astype(np.int64), np.intp)


def steps_are_even(days: Indices) -> bool:
    """Tell whether all steps have the same length."""
    return len(days) < 2 or bool((np.diff(days) == days[1] - days[0]).all())
