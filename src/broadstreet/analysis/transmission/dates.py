"""Days as they are given: dates, ISO text or whole numbers, any of them missing."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MISSING_WORDS = {"", "na", "n/a", "nan", "nat", "null", "none", "-", ".", "?", "unknown"}
_EPOCH = date(1970, 1, 1).toordinal()
_SECONDS, _LONGEST_DATE = 86_400, 10
_TIME = re.compile(r"[T ]\d{1,2}(:?\d{2}){0,2}([.,]\d+)?\s*(Z|[+-]\d{2}(:?\d{2})?)?")
_FIRST_YEAR, _LAST_YEAR = 1300, 2200
_FIRST_DAY, _LAST_DAY = (date(year, 1, 1).toordinal() - _EPOCH for year in (_FIRST_YEAR, _LAST_YEAR + 1))


def is_missing(value: Any) -> bool:
    """Tell whether a cell holds nothing."""
    if value is None or (isinstance(value, str) and value.strip().lower() in _MISSING_WORDS):
        return True
    return bool(value != value)  # noqa: PLR0124  NaN and NaT differ from themselves


def day_number(value: Any) -> float:
    """Return the day of a cell as a number, NaN where it is missing; parts of a day are cut off.

    Raises
    ------
    ValueError
        If it is neither a date nor a number of days.
    """
    if is_missing(value):
        return np.nan
    if isinstance(value, np.datetime64):
        return _in_range(float(value.astype("datetime64[D]").astype(np.int64)), value)
    if isinstance(value, datetime | date):
        return _in_range(float(value.toordinal() - _EPOCH), value)
    if isinstance(value, str):
        return _of_text(value.strip())
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if is_number and abs(float(value)) < 1e7:
        return float(np.floor(float(value)))
    raise ValueError(f"{value!r} is no date: write it as 2026-03-31, or as a number of days")


def moment(value: Any) -> float:
    """Return the day of a cell with the part of it that has passed, NaN where it is missing.

    Raises
    ------
    ValueError
        If it is neither a date, a time nor a number of days.
    """
    day = day_number(value)
    if np.isnan(day):
        return day
    if isinstance(value, np.datetime64):
        return float(value.astype("datetime64[s]").astype(np.int64)) / _SECONDS
    if isinstance(value, str) and len(value.strip()) > _LONGEST_DATE:
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return day
    if isinstance(value, datetime):
        return day + (value.hour * 3600 + value.minute * 60 + value.second) / _SECONDS
    return day if isinstance(value, str | date) else float(value)


def _in_range(day: float, value: Any) -> float:
    if _FIRST_DAY <= day <= _LAST_DAY:
        return day
    raise ValueError(f"{str(value)!r} is not between the years {_FIRST_YEAR} and {_LAST_YEAR}")


def _of_text(text: str) -> float:
    day = _iso_day(text)
    if day is not None:
        return _in_range(day, text)
    try:
        number = float(text)
    except ValueError:
        number = np.nan
    if abs(number) < 1e7 and not (number.is_integer() and len(text) >= 8):
        return float(np.floor(number))
    raise ValueError(f"{text!r} is no date: write it as 2026-03-31, or as a number of days")


def _iso_day(text: str) -> float | None:
    """Return the day of a date, with a time of that day or without; None where it is not such a text."""
    head, tail = text[:_LONGEST_DATE], text[_LONGEST_DATE:]
    if tail and not _TIME.fullmatch(tail):
        return None
    try:
        return float(date.fromisoformat(head).toordinal() - _EPOCH)
    except ValueError:
        return None


def is_date(value: Any) -> bool:
    """Tell whether a cell that is not missing is written as a date rather than as a number of days."""
    if isinstance(value, date | np.datetime64):
        return True
    if not isinstance(value, str):
        return False
    try:
        float(value)
    except ValueError:
        return True
    return len(value.strip()) >= 8 and value.strip().isdigit()


def are_dates(values: NDArray[Any]) -> bool:
    """Tell whether a column holds dates rather than numbers of days."""
    if values.dtype.kind == "M":
        return True
    return next((is_date(value) for value in values.tolist() if not is_missing(value)), False)
