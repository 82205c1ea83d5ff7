"""Dates and weeks as they are written, and what they count in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from broadstreet.app.reading.months import parts_of
from broadstreet.app.reading.table import Unusable, shown

Order = Literal["day", "month"]
Step = Literal["day", "week"]

_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[T ].*)?")
_COMPACT = re.compile(r"((?:18|19|20)\d{2})(0[1-9]|1[0-2])([0-3]\d)")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?:[T ].*)?")
_WEEK = re.compile(r"(\d{4})(?:-?[Ww]|[-_/ ])(\d{1,2})")
_MARKED_WEEK = re.compile(r"\d{4}-?[Ww]\d{1,2}")
_SHORT_YEAR = re.compile(r"\d{1,2}([-/.])\d{1,2}\1\d{2}(?:[T ].*)?")
_HIGHEST_MONTH = 12
_CLEARLY = 5
"""So many times as many dates must show one order of day and month as the other, for a column to have it."""
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
    order : {"day", "month"} or None
        Which comes first in dates such as 03/04/2026.
    """

    weeks: bool
    even_years: bool
    number: Callable[[str], int]
    order: Order | None = None

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
    text = cell.strip()
    return any(p.fullmatch(text) for p in (_YEAR_FIRST, _COMPACT, _YEAR_LAST, _WEEK)) or bool(parts_of(text))


def unread(cell: str, order: Order | None = None, wanted: str = "a date as 2026-01-31") -> str:
    """Return what was expected instead of a cell that is no date, and what to do."""
    remedy, other = "", _YEAR_LAST.fullmatch(cell.strip())
    if _SHORT_YEAR.fullmatch(cell.strip()):
        remedy = "; write the year with four digits"
    elif other and order and _is_day(other, "month" if order == "day" else "day"):
        wanted = f"a date with the {order} first, as most of the column (--dates says it otherwise)"
    return f'expected {wanted}, found "{shown(cell, 30)}"{remedy}'


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
    different = dict.fromkeys(
        cell.strip() for cell in cells
    )  # in their order, so that examples stay the same
    weeks = [match for cell in different if (match := _WEEK.fullmatch(cell))]
    if weeks and not any(_COMPACT.fullmatch(cell) for cell in different):
        return _weekly(different, [int(week[2]) for week in weeks], {int(week[1]) for week in weeks})
    order = order or _order([match for cell in different if (match := _YEAR_LAST.fullmatch(cell))])
    return Written(False, False, lambda cell: _day(cell, order), order)


def _weekly(different: Iterable[str], weeks: list[int], years: set[int]) -> Written:
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
    if parts := parts_of(text):
        return date(*parts).toordinal()
    return _date(_parts(_YEAR_LAST, text), order).toordinal()


def _date(match: re.Match[str], order: Order | None) -> date:
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    day, month = (first, second) if order != "month" else (second, first)
    return date(year, month, day)


def _is_day(match: re.Match[str], order: Order) -> bool:
    try:
        _date(match, order)
    except ValueError:
        return False
    return True


def _order(dates: list[re.Match[str]]) -> Order | None:
    """Tell day from month by the dates in which only one can be it."""
    if not dates or all(match[2] == "." for match in dates):
        return "day"  # 31.12.2026 is nowhere written the other way
    day_first = [match[0] for match in dates if int(match[1]) > _HIGHEST_MONTH]
    month_first = [match[0] for match in dates if int(match[3]) > _HIGHEST_MONTH]
    if not day_first and not month_first:
        raise Unusable(
            f"{shown(dates[0][0])} may begin with the day or the month, and no date of the column shows "
            "which: say --dates day-first or --dates month-first"
        )
    if len(day_first) >= _CLEARLY * len(month_first):
        return "day"
    if len(month_first) >= _CLEARLY * len(day_first):
        return "month"
    raise Unusable(
        f"dates are written both day first ({shown(day_first[0])}) and month first ({shown(month_first[0])}) "
        "in one column: write them as 2026-12-31, or say --dates day-first or --dates month-first"
    )
