"""Which column holds the dates, which the counts, and which tells series apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from broadstreet.app.reading.guessing import holds_dates, holds_numbers, listed, named
from broadstreet.app.reading.table import Table, Unusable, shown

# Names as registries, surveillance systems and line lists have them, without accents; the first that
# matches a column wins.
_DATE_NAMES = [
    r"date|day|week|isoweek|iso_week|epiweek|epi_week|year_?week|kalenderwoche|datum|fecha|날짜|주|日期|周",
    r".*onset.*|.*prodrome.*|.*symptom.*|.*erkrankungs.*|发病.*",
    r".*(report|notif|diag|specimen|sample|admission|visit|meldung|rash|발생|신고).*",
    r"epoch|time|period|.*(date|week|datum|fecha).*|(dt|day)_.*",
]
_YEAR_NAMES = r"year|isoyear|iso_year|epiyear|epi_year|jahr|ano|연도|年"
_WEEK_NAMES = r"week|isoweek|iso_week|epiweek|epi_week|week_?(no|number|of_year)|woche|kw|semana|주|周"
_COUNT_NAMES = (
    r"counts?|cases|n|observed|number|new_cases|case_count|num_cases|total|visits|freq|frequency|value|y|"
    r"casos|faelle|falle|fallzahl|anzahl|meldungen|환자수|건수|病例数"
)
_SERIES_NAMES = (
    r"series|unit|region|district|place|location|area|county|province|state|city|site|facility|hospital|name|"
    r"syndrome|pathogen|disease|indicator|age_?group|altersgruppe|bundesland|landkreis|distrito|지역|구|地区"
)


@dataclass(frozen=True, slots=True)
class Columns:
    """Hold the roles of columns.

    Attributes
    ----------
    date : tuple of str
        The column of the dates, or those of year and week.
    count : str or None
        None for a line list and for a table with a column for each series.
    by : tuple of str
        Whose values tell series apart.
    wide : tuple of str
        Columns that are a series each.
    """

    date: tuple[str, ...]
    count: str | None
    by: tuple[str, ...]
    wide: tuple[str, ...]

    @property
    def is_line_list(self) -> bool:
        """Whether each row is a case."""
        return self.count is None and not self.wide


def recognise(
    table: Table,
    *,
    date: str | None = None,
    count: str | None = None,
    by: Sequence[str] = (),
    line_list: bool = False,
) -> Columns:
    """Return what the columns hold; what is named goes before what is recognised.

    Raises
    ------
    Unusable
        If a name is not there, no column holds dates, or what is named does not go together.
    """
    for name in (*filter(None, (date, count)), *by):
        if name not in table.names:
            raise Unusable(f'expected a column "{shown(name)}", the file has {listed(table.names)}')
    if count and line_list:
        raise Unusable("expected --count or --line-list, not both: in a line list each row is one case")
    dates = (date,) if date else _dates(table)
    others = [name for name in table.names if name and name not in (*dates, *by)]
    counted = None if line_list else count or _count(table, others)
    if counted or line_list:
        series = tuple(by) or (_series(table, others, counted) if counted else ())
        return Columns(dates, counted, series, ())
    numeric = [name for name in others if holds_numbers(table, name)]
    is_wide = bool(numeric) and not by and len(numeric) == len(others) and _differs(table, dates)
    return Columns(dates, None, tuple(by), tuple(numeric) if is_wide else ())


def _dates(table: Table) -> tuple[str, ...]:
    dated = [name for name in table.names if name and holds_dates(table, name)]
    for pattern in _DATE_NAMES:
        if found := named(pattern, dated):
            return (found,)
    year, week = (named(pattern, table.names) for pattern in (_YEAR_NAMES, _WEEK_NAMES))
    if year and week and year != week:
        return year, week
    if dated:
        return (dated[0],)
    raise Unusable(
        "expected a column of dates (2026-01-31, 31.01.2026, 2026-W05) or columns year and week, found "
        f"{listed(table.names)}; name it with --date"
    )


def _count(table: Table, names: Sequence[str]) -> str | None:
    candidates = [name for name in names if holds_numbers(table, name) and not _numbers_rows(table, name)]
    if {"x", "y"} <= {name.lower() for name in candidates}:  # where a case lives, not how many there are
        candidates = [name for name in candidates if name.lower() != "y"]
    return named(_COUNT_NAMES, candidates)


def _series(table: Table, names: Sequence[str], count: str | None) -> tuple[str, ...]:
    found = named(_SERIES_NAMES, [n for n in names if n != count and not holds_numbers(table, n)])
    return (found,) if found else ()


def _numbers_rows(table: Table, name: str) -> bool:
    """Tell whether a column numbers its rows, as a line list may."""
    cells = [cell.strip() for cell in table.column(name)]
    return len(cells) > 2 and cells == [str(number) for number in range(1, len(cells) + 1)]


def _differs(table: Table, dates: tuple[str, ...]) -> bool:
    """Tell whether no date is there twice: in a line list some mostly are."""
    cells = list(zip(*(table.column(name) for name in dates), strict=True))
    return len(set(cells)) == len(cells)
