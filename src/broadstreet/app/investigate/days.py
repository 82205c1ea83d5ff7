"""Cells of a column of dates as days: dates as people write them, or whole numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from broadstreet.app.reading.dates import Order, Written, looks_like_a_date, unread, written
from broadstreet.app.reading.table import Table, Unusable, is_missing, shown

_WHOLE = re.compile(r"\s*[-+]?\d{1,6}(\.0+)?\s*")
_NUMBER = re.compile(r"\s*[-+]?\d{1,6}([.,]\d+)?\s*")
_SERIALS = range(30_000, 60_000)
"""Days as Excel counts them, of 1982 to 2064: nobody counts so many days of an outbreak."""
_EXCEL_BEGINS = date(1899, 12, 30).toordinal()
_EARLIEST, _LATEST = date(1300, 1, 1).toordinal(), date(2201, 1, 1).toordinal()


@dataclass(frozen=True)
class Days:
    """Days of a column: ordinals of dates, or numbers; None where missing.

    Attributes
    ----------
    values : list of int or None
    wrong : dict of int to str
        What was expected and what came, of the cells that are no days.
    dated : bool
    told : str
        What to say of how the column was read, "" where that is as usual.
    """

    values: list[int | None]
    wrong: dict[int, str]
    dated: bool
    told: str = ""

    def numbers(self) -> NDArray[np.float64]:
        """Return the days as an array, NaN where missing."""
        return np.array([np.nan if day is None else day for day in self.values], np.float64)

    @property
    def is_empty(self) -> bool:
        """Whether no cell is a day."""
        return all(day is None for day in self.values)


def read_days(table: Table, name: str, order: Order | None) -> Days:
    """Read the days of a column; cells that are none are told apart from those that are missing.

    Raises
    ------
    Unusable
        If day and month cannot be told apart.
    """
    cells = table.column(name)
    like = [cell for cell in cells if looks_like_a_date(cell)]
    serials = _serials(cells)
    if not serials and (len(like) < sum(bool(_WHOLE.fullmatch(cell)) for cell in cells) or not like):
        return _numbers(cells)
    try:
        how = written(like, order)
    except Unusable as error:
        raise Unusable(f'column "{shown(name)}": {error}') from error
    values: list[int | None] = []
    wrong: dict[int, str] = {}
    for row, cell in enumerate(cells):
        day = serials.get(cell) or (None if is_missing(cell) else _day(how, cell))
        if day is not None and not _EARLIEST <= day < _LATEST:
            wrong[row], day = f"{shown(cell, 30)} is not between the years 1300 and 2200", None
        elif day is None and not is_missing(cell):
            wrong[row] = unread(cell, how.order)
        values.append(day)
    return Days(values, wrong, True, _told(serials, how))


def _serials(cells: list[str]) -> dict[str, int]:
    """Return the days of the cells that are numbers, where all of these are as Excel keeps dates."""
    numbers = {cell: int(float(cell.replace(",", "."))) for cell in cells if _NUMBER.fullmatch(cell)}
    if not all(number in _SERIALS for number in numbers.values()):
        return {}
    return {cell: _EXCEL_BEGINS + number for cell, number in numbers.items()}


def _told(serials: dict[str, int], how: Written) -> str:
    if serials:
        cell, day = next(iter(serials.items()))
        read = date.fromordinal(day).isoformat()
        return f"holds numbers as Excel keeps dates: {cell.strip()} was read as {read}."
    return (
        "holds weeks: each was read as its Monday, though the day may be any of the week."
        if how.weeks
        else ""
    )


def _day(how: Written, cell: str) -> int | None:
    try:
        day = how.number(cell)
    except ValueError:
        return None
    return None if how.even_years else day


def _numbers(cells: list[str]) -> Days:
    values: list[int | None] = []
    wrong: dict[int, str] = {}
    has_numbers = any(_WHOLE.fullmatch(cell) for cell in cells)
    wanted = "a whole number of days" if has_numbers else "a date as 2026-01-31, or a whole number of days"
    for row, cell in enumerate(cells):
        is_number = bool(_WHOLE.fullmatch(cell))
        if not is_number and not is_missing(cell):
            wrong[row] = unread(cell, wanted=wanted)
        values.append(int(float(cell)) if is_number else None)
    return Days(values, wrong, dated=False)
