"""Time in even steps: whole numbers, or days, weeks, months or years of the calendar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.columns import Column

Label = int | np.datetime64

_CALENDAR = ("Y", "M", "W", "D")
_CALENDAR_YEARS = (1800, 2199)
_MOST_STEPS = 20_000
# A population known for a year or a month is that of its middle (SaTScan User Guide 10.0, "Population file":
# July 1).
_MIDDLE = {"Y": (6, "M"), "M": (14, "D"), "W": (3, "D"), "D": (0, "D")}


@dataclass(frozen=True)
class Steps:
    """The steps of a study period; `unit` is NumPy's letter, "" for whole numbers.

    `timed` is False for the one step of a study whose cases were given no times.
    """

    first: int
    count: int
    unit: str
    timed: bool = True

    def index(self, times: Times, table: str) -> NDArray[np.int64]:
        """Return the step of each time."""
        steps = times.in_unit(self.unit, table) - self.first
        outside = np.flatnonzero((steps < 0) | (steps >= self.count))
        if outside.size:
            row = int(outside[0])
            raise ValueError(
                f"{table} row {row}: time {self.label(int(steps[row]))} lies outside of the period "
                f"{self.label(0)} to {self.label(self.count - 1)} ({outside.size:,} such row(s)); "
                "widen the period or leave them out"
            )
        return steps

    def label(self, step: int) -> Label:
        """Return a step as it was given."""
        number = self.first + step
        return np.datetime64(number, self.unit) if self.unit else number  # type: ignore[call-overload]

    def edges(self) -> NDArray[np.float64]:
        """Return where steps begin, and the last ends, in days (steps, where there is no calendar)."""
        numbers = np.arange(self.first, self.first + self.count + 1)
        if self.unit:
            return _days(numbers, self.unit)
        return _days(numbers - 1970, "Y") if _are_years(numbers[:-1]) else numbers.astype(np.float64)

    def middles(self, times: Times, table: str) -> NDArray[np.float64]:
        """Return the middle of other times (a census) on the axis of `edges`."""
        if not self.unit and not _are_years(np.array([self.first, self.first + self.count - 1])):
            return times.in_unit("", table).astype(np.float64) + 0.5
        numbers, unit = times.numbers, times.unit
        if not unit:
            if not _are_years(numbers):
                raise ValueError(
                    f"{table}: time must be dates or years, as in cases; got {numbers[:3].tolist()}"
                )
            numbers, unit = numbers - 1970, "Y"
        amount, finer = _MIDDLE[unit]
        begin = numbers.astype(f"datetime64[{unit}]").astype(f"datetime64[{finer}]")
        return (begin + amount).astype("datetime64[D]").astype(np.float64)


@dataclass(frozen=True)
class Times:
    """Times as numbers: of steps, or of units since 1970."""

    numbers: NDArray[np.int64]
    unit: str

    def in_unit(self, unit: str, table: str) -> NDArray[np.int64]:
        """Return the same times counted in another, mostly coarser, unit."""
        if unit == self.unit:
            return self.numbers
        if not unit or not self.unit:
            kind, came = ("dates" if letter else "whole numbers" for letter in (unit, self.unit))
            raise ValueError(f"{table}: time must be {kind}, as in cases; got {came}")
        return self.numbers.astype(f"datetime64[{self.unit}]").astype(f"datetime64[{unit}]").astype(np.int64)


def study_steps(times: Times, period: tuple[Any, Any] | None) -> Steps:
    """Return the steps from the first to the last: of the period, or of the cases."""
    unit = _longest_unit(times)
    numbers = times.in_unit(unit, "cases")
    if period is not None:
        if len(period) != 2:
            raise ValueError(f"period must be (first, last); got {period!r}")
        ends = np.empty(2, object)
        ends[:] = list(period)
        numbers = read_times(ends, "period").in_unit(unit, "period")
        if numbers[0] > numbers[1]:
            raise ValueError(f"period must not end before it begins; got {period[0]} to {period[1]}")
    first, last = int(numbers.min()), int(numbers.max())
    if last - first >= _MOST_STEPS:
        raise ValueError(
            f"the period has {last - first + 1:,} steps, at most {_MOST_STEPS:,} can be scanned; "
            "use longer steps"
        )
    return Steps(first, last - first + 1, unit)


def read_times(values: Column, table: str) -> Times:
    """Read whole numbers, dates (NumPy's, Python's), or ISO text such as 2001-11-22, 2001-11 or 2001."""
    held = values.tolist() if values.dtype.kind == "O" else []
    if values.dtype.kind in "iu" or (held and all(isinstance(v, int | np.integer) for v in held)):
        return Times(values.astype(np.int64), "")
    if values.dtype.kind == "f" or (held and all(isinstance(v, float | int) for v in held)):
        numbers = values.astype(np.float64)
        if not (numbers == np.floor(numbers)).all():
            raise ValueError(f"{table}: time must be whole numbers or dates; got {numbers[:3].tolist()}")
        return Times(numbers.astype(np.int64), "")
    try:
        plain = np.array([getattr(v, "isoformat", lambda v=v: str(v))() for v in held]) if held else values
        dates = plain if plain.dtype.kind == "M" else np.array(plain, "datetime64")
    except ValueError:
        raise ValueError(
            f"{table}: time must be whole numbers, dates or ISO text such as 2001-11-22; "
            f"got {values.tolist()[:3]}"
        ) from None
    return _whole_days(dates, table)


def _whole_days(dates: NDArray[np.datetime64], table: str) -> Times:
    missing = np.flatnonzero(np.isnat(dates))
    if missing.size:
        raise ValueError(f"{table} row {missing[0]}: time is missing")
    unit, amount = np.datetime_data(dates.dtype)
    if unit not in _CALENDAR or amount != 1:
        days = dates.astype("datetime64[D]")
        if (days != dates).any():
            raise ValueError(
                f"{table}: time must be whole days; got {dates[np.flatnonzero(days != dates)[0]]}; "
                "cut the time of day off"
            )
        dates, unit = days, "D"
    return Times(dates.astype(np.int64), unit)


def _longest_unit(times: Times) -> str:
    """Return years or months where all days are the first of one."""
    if times.unit != "D" or times.numbers.size == 0:
        return times.unit
    days = times.numbers.astype("datetime64[D]")
    for unit in ("Y", "M"):
        if (days.astype(f"datetime64[{unit}]") == days).all() and len(np.unique(days)) > 1:
            return unit
    return "D"


def _are_years(numbers: NDArray[np.int64]) -> bool:
    return bool(numbers.size) and bool(
        (_CALENDAR_YEARS[0] <= numbers.min()) and (numbers.max() <= _CALENDAR_YEARS[1])
    )


def _days(numbers: NDArray[np.int64], unit: str) -> NDArray[np.float64]:
    return numbers.astype(f"datetime64[{unit}]").astype("datetime64[D]").astype(np.float64)
