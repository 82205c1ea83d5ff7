"""Dates and weeks as they are written, and what they count in."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from broadstreet.app.reading.table import Unusable, shown

Order = Literal["day", "month"]
Step = Literal["day", "week"]

_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[T ].*)?")
_COMPACT = re.compile(r"((?:18|19|20)\d{2})(0[1-9]|1[0-2])([0-3]\d)")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?:[T ].*)?")
_WEEK = re.compile(r"(\d{4})(?:-?[Ww]|[-_/ ])(\d{1,2})")
_MARKED_WEEK = re.compile(r"\d{4}-?[Ww]\d{1,2}")
_HIGHEST_MONTH = 12
_WEEKS = 52
Parts = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Written:
    """How the dates of a column are written, and how each becomes a number.

    Attributes
    ----------
    weeks : bool
        Whether they are weeks.
    even_years : bool
        Whether each year has 52 weeks: then numbers count weeks, not days.
    """

    weeks: bool
    even_years: bool
    number: Callable[[str], int]

    def label(self, number: int) -> str:
        """Return a number as people write it."""
        if self.even_years:
            return f"{number // _WEEKS:04d}-W{number % _WEEKS + 1:02d}"
        day = date.fromordinal(number)
        if self.weeks:
            year, week, _ = day.isocalendar()
            return f"{year:04d}-W{week:02d}"
        return day.isoformat()


def looks_like_a_date(cell: str) -> bool:
    """Tell whether a cell is written like a date or a week."""
    return any(p.fullmatch(cell.strip()) for p in (_YEAR_FIRST, _COMPACT, _YEAR_LAST, _WEEK))


def written(cells: Sequence[str], order: Order | None = None) -> Written:
    """Return how dates are written.

    Parameters
    ----------
    cells
        All that are not missing.
    order
        Which comes first in dates such as 03/04/2026; by default what the other dates show.

    Raises
    ------
    Unusable
        If that cannot be told.
    """
    different = {cell.strip() for cell in cells}
    weeks = [match for cell in different if (match := _WEEK.fullmatch(cell))]
    if weeks and not any(_COMPACT.fullmatch(cell) for cell in different):
        return _weekly(different, [int(week[2]) for week in weeks], {int(week[1]) for week in weeks})
    order = order or _order([match for cell in different if (match := _YEAR_LAST.fullmatch(cell))])
    return Written(False, False, lambda cell: _day(cell, order))


def _weekly(different: set[str], weeks: list[int], years: set[int]) -> Written:
    if max(weeks) <= _HIGHEST_MONTH and not any(_MARKED_WEEK.fullmatch(cell) for cell in different):
        example = next(iter(sorted(different)))
        raise Unusable(
            f"{shown(example)} may be a month or a week: write weeks as 2026-W05; months are too coarse to "
            "detect with"
        )
    complete = sorted(years)[:-1]
    even = max(weeks) <= _WEEKS and any(_has_53_weeks(year) for year in complete)
    return Written(True, even, _even_week if even else _iso_week)


def _has_53_weeks(year: int) -> bool:
    return date(year, 12, 28).isocalendar().week > _WEEKS


def _parts(pattern: re.Pattern[str], cell: str) -> re.Match[str]:
    match = pattern.fullmatch(cell.strip())
    if match is None:
        raise ValueError
    return match


def _iso_week(cell: str) -> int:
    match = _parts(_WEEK, cell)
    return date.fromisocalendar(int(match[1]), int(match[2]), 1).toordinal()


def _even_week(cell: str) -> int:
    match = _parts(_WEEK, cell)
    if not 1 <= int(match[2]) <= _WEEKS:
        raise ValueError
    return int(match[1]) * _WEEKS + int(match[2]) - 1


def _day(cell: str, order: Order | None) -> int:
    text = cell.strip()
    if match := _YEAR_FIRST.fullmatch(text):
        return date(int(match[1]), int(match[3]), int(match[4])).toordinal()
    if match := _COMPACT.fullmatch(text):
        return date(int(match[1]), int(match[2]), int(match[3])).toordinal()
    match = _parts(_YEAR_LAST, text)
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    day, month = (first, second) if order != "month" else (second, first)
    return date(year, month, day).toordinal()


def _order(dates: list[re.Match[str]]) -> Order | None:
    """Tell day from month by the dates in which only one can be it."""
    if not dates or all(match[2] == "." for match in dates):
        return "day"  # 31.12.2026 is nowhere written the other way
    day_first = any(int(match[1]) > _HIGHEST_MONTH for match in dates)
    month_first = any(int(match[3]) > _HIGHEST_MONTH for match in dates)
    if day_first and month_first:
        raise Unusable("dates are written day first and month first in one column; write them as 2026-12-31")
    if not day_first and not month_first:
        raise Unusable(
            f"{shown(dates[0][0])} may begin with the day or the month, and no date of the column shows "
            "which: say --dates day-first or --dates month-first"
        )
    return "day" if day_first else "month"
