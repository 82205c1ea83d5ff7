"""Counts in even steps of time, one column a series, from the rows of a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from broadstreet.app.detect.columns import Columns
from broadstreet.app.reading.dates import Order, Step, Written, unread, written
from broadstreet.app.reading.table import Table, Unusable, is_missing, shown

MOST_TIMES = 50_000
MOST_SERIES = 100_000
MOST_CELLS = 20_000_000
HIGHEST_COUNT = 10**9
_DAYS_A_WEEK = 7
_WEEKLY_FROM = 180
"""A line list over more days than this is counted by week."""
ALL = "all cases"
_WHOLE = re.compile(r"\+?(\d{1,12})(?:[.,]0+)?")


@dataclass(frozen=True, slots=True)
class Counts:
    """Hold counts as the methods take them.

    Attributes
    ----------
    names : list of str
        Of the series.
    labels : list of str
        Of the times: days, or weeks with their year.
    values : ndarray of int64, shape (time, series)
    step : {"day", "week"}
    dates : ndarray of datetime64, shape (time,), or None
        First days of the times; None where each year has 52 weeks.
    notes : list of str
        What was made of the rows, in sentences.
    """

    names: list[str]
    labels: list[str]
    values: NDArray[np.int64]
    step: Step
    dates: NDArray[np.datetime64] | None
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What whoever asks wants made of the rows; None and False: as the table suggests."""

    step: Step | None = None
    order: Order | None = None
    gaps_are_zero: bool = False
    add_up: bool = False
    until: date | None = None


@dataclass(frozen=True, slots=True)
class _Rows:
    """The time of each row that has one."""

    index: list[int]
    time: NDArray[np.int64]
    written: Written


def count(table: Table, columns: Columns, wishes: Wishes) -> Counts:
    """Return the counts of a table.

    Raises
    ------
    Unusable
        If a cell is not what it must be, a time is missing or there twice, or there is too much.
    """
    rows = _times(table, columns, wishes.order)
    notes = [*table.notes, _read(table, columns)]
    left_out = len(table.rows) - len(rows.index)
    if left_out:
        notes.append(f"{left_out} of {len(table.rows)} rows have no date and are left out.")
    if columns.is_line_list:
        return _of_cases(table, columns, rows, wishes, notes)
    return _of_counts(table, columns, rows, wishes, notes)


def _read(table: Table, columns: Columns) -> str:
    dates = " and ".join(f'"{shown(name)}"' for name in columns.date)
    if columns.wide:
        return f"Dates from {dates}; each of {len(columns.wide)} other columns is a series of counts."
    by = ", ".join(f'"{shown(name)}"' for name in columns.by)
    series = f", one series for each value of {by}" if by else ""
    if columns.count is None:
        return f"Line list: each of {len(table.rows)} rows is one case, dated by {dates}{series}."
    return f'Dates from {dates}, counts from "{shown(columns.count)}"{series}.'


def _times(table: Table, columns: Columns, order: Order | None) -> _Rows:
    cells = _date_cells(table, columns.date)
    index = [row for row, cell in enumerate(cells) if not is_missing(cell)]
    name = columns.date[0]
    if not columns.is_line_list and len(index) < len(cells):
        row = next(row for row, cell in enumerate(cells) if is_missing(cell))
        raise Unusable(f"{table.place(row, name)}: expected a date, found {cells[row].strip() or 'nothing'}")
    if not index:
        raise Unusable(f'expected dates in column "{shown(name)}", all of them are missing')
    how = written([cells[row] for row in index], order)
    known: dict[str, int] = {}
    for row in index:
        cell = cells[row]
        if cell not in known:
            try:
                known[cell] = how.number(cell)
            except ValueError:
                wanted = "a week as 2026-W05" if how.weeks else "a date as 2026-01-31"
                why = unread(cell, how.order, wanted)
                raise Unusable(f"{table.place(row, name)}: {why}") from None
    time = np.array([known[cells[row]] for row in index], np.int64)
    return _Rows(index, time, how)


def _date_cells(table: Table, names: tuple[str, ...]) -> list[str]:
    if len(names) == 1:
        return table.column(names[0])
    years, weeks = (table.column(name) for name in names)
    return [
        ""
        if is_missing(year) or is_missing(week)
        else f"{year.strip()}-W{week.strip().removeprefix('W'):0>2}"
        for year, week in zip(years, weeks, strict=True)
    ]


def _of_cases(table: Table, columns: Columns, rows: _Rows, wishes: Wishes, notes: list[str]) -> Counts:
    first, last = int(rows.time.min()), int(rows.time.max())
    if rows.written.weeks:
        step: Step = "week"
    else:
        step = wishes.step or ("week" if last - first >= _WEEKLY_FROM else "day")
    if wishes.step == "day" and step == "week":
        raise Unusable("expected days to count by day, the file has weeks")
    width = _DAYS_A_WEEK if step == "week" and not rows.written.even_years else 1
    times = rows.time
    if step == "week" and not rows.written.weeks:
        times = times - (times - 1) % _DAYS_A_WEEK  # ordinal 1 is a Monday
    start, stop = _span(times, rows, width, wishes.until, notes)
    kept = (times >= start) & (times < stop)
    names, series = _series(table, columns.by, rows.index)
    moments = (stop - start) // width
    _check_size(moments, len(names), table, rows, columns)
    cell = ((times[kept] - start) // width) * len(names) + series[kept]
    values = np.bincount(cell, minlength=moments * len(names)).reshape(moments, len(names))
    dropped = int((~kept).sum())
    if dropped:
        notes.append(f"{dropped} cases after the last complete {step} are left out.")
    notes.append(f"Counted by {step}; a {step} without a row has the count 0.")
    return _finished(names, np.arange(start, stop, width), values, step, rows.written, notes, from_cases=True)


def _span(
    times: NDArray[np.int64], rows: _Rows, width: int, until: date | None, notes: list[str]
) -> tuple[int, int]:
    """Return the first time and the end of the last, incomplete weeks left out."""
    start, stop = int(times.min()), int(times.max()) + width
    if rows.written.even_years:
        return start, stop
    last_known = int(rows.time.max()) + (_DAYS_A_WEEK - 1 if rows.written.weeks else 0)
    complete = until.toordinal() if until else last_known
    if until:
        stop = start + (complete + 1 - start) // width * width
    elif width > 1 and stop > complete + 1 and stop - width > start:
        stop -= width
        notes.append(
            f"The last date is {date.fromordinal(complete).isoformat()}: its week is not complete and not "
            "tested (say --until with the day until which all is known)."
        )
    if stop <= start:
        raise Unusable(f"expected --until after the first date, {date.fromordinal(start).isoformat()}")
    return start, stop


def _of_counts(table: Table, columns: Columns, rows: _Rows, wishes: Wishes, notes: list[str]) -> Counts:
    different = np.unique(rows.time)
    step, width = _step_of_counts(different, rows.written)
    if wishes.step and wishes.step != step:
        raise Unusable(f"expected counts by {wishes.step}, the file has counts by {step}")
    start = int(different[0])
    _check_size((int(different[-1]) - start) // width + 1, 1, table, rows, columns)
    _check_even(table, columns, rows, different, width)
    moments = np.arange(start, int(different[-1]) + 1, width)
    if columns.wide:
        names, series = list(columns.wide), None
    else:
        names, series = _series(table, columns.by, rows.index)
    _check_size(len(moments), len(names), table, rows, columns)
    at = (rows.time - start) // width
    if series is None:
        values, seen = _wide(table, columns, at, len(moments))
    else:
        values, seen = _long(table, columns, at, series, (len(moments), len(names)), wishes.add_up)
    _fill(names, moments, seen, rows.written, step, wishes.gaps_are_zero, notes)
    if wishes.until:
        kept = int(np.searchsorted(moments, wishes.until.toordinal() - width + 1, side="right"))
        values, moments = values[:kept], moments[:kept]
        if not kept:
            raise Unusable(f"expected --until after the first date, {rows.written.label(start)}")
    return _finished(names, moments, values, step, rows.written, notes, from_cases=False)


def _step_of_counts(different: NDArray[np.int64], how: Written) -> tuple[Step, int]:
    if how.weeks:
        return "week", 1 if how.even_years else _DAYS_A_WEEK
    steps = np.diff(different)
    if len(steps) and (steps % _DAYS_A_WEEK == 0).all():
        return "week", _DAYS_A_WEEK
    return "day", 1


def _check_even(
    table: Table, columns: Columns, rows: _Rows, different: NDArray[np.int64], width: int
) -> None:
    steps = np.diff(different)
    if width == 1 and len(steps) > 3 and np.median(steps) > 25 and not rows.written.even_years:
        row = int(np.flatnonzero(rows.time == different[1])[0])
        raise Unusable(
            f"{table.place(rows.index[row], columns.date[0])}: expected days or weeks in even steps, found "
            f"{rows.written.label(int(different[1]))} after {rows.written.label(int(different[0]))}; "
            "months are too coarse to detect with"
        )


def _series(table: Table, by: Sequence[str], index: list[int]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the names of the series, and which each row belongs to."""
    if not by:
        return [ALL], np.zeros(len(index), np.int64)
    columns = [table.column(name) for name in by]
    keys = [" / ".join(shown(column[row].strip()) or "(empty)" for column in columns) for row in index]
    names = sorted(set(keys))
    position = {name: at for at, name in enumerate(names)}
    return names, np.array([position[key] for key in keys], np.int64)


def _whole(table: Table, row: int, name: str, cell: str) -> int:
    match = _WHOLE.fullmatch(cell.strip())
    if match is None or int(match[1]) > HIGHEST_COUNT:
        found = f'"{shown(cell)}"' if cell.strip() else "nothing"
        raise Unusable(
            f"{table.place(row, name)}: expected a whole number from 0 to {HIGHEST_COUNT}, written "
            f"without separators, found {found}"
        )
    return int(match[1])


def _long(
    table: Table,
    columns: Columns,
    at: NDArray[np.int64],
    series: NDArray[np.int64],
    shape: tuple[int, int],
    add_up: bool,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    assert columns.count is not None
    values, first = np.zeros(shape, np.int64), np.full(shape, -1)
    for row, (cell, time, one) in enumerate(
        zip(table.column(columns.count), at.tolist(), series.tolist(), strict=True)
    ):
        if first[time, one] >= 0 and not add_up:
            raise Unusable(_repeated(table, columns, row, int(first[time, one])))
        values[time, one] += _whole(table, row, columns.count, cell)
        first[time, one] = row
    return values, first >= 0


def _repeated(table: Table, columns: Columns, row: int, before: int) -> str:
    cell = " ".join(shown(table.column(name)[row]) for name in columns.date)
    remedy = (
        "add such counts up with --add-up"
        if columns.by
        else "say with --by which column tells series apart, or add such counts up with --add-up"
    )
    return (
        f"row {table.numbers[row]}: expected one count for each time, {cell} is also in row "
        f"{table.numbers[before]}; {remedy}"
    )


def _wide(
    table: Table, columns: Columns, at: NDArray[np.int64], moments: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    values, first = np.zeros((moments, len(columns.wide)), np.int64), np.full(moments, -1)
    for row, time in enumerate(at.tolist()):
        if first[time] >= 0:
            raise Unusable(_repeated(table, columns, row, int(first[time])))
        first[time] = row
    for one, name in enumerate(columns.wide):
        for row, cell in enumerate(table.column(name)):
            values[at[row], one] = _whole(table, row, name, cell)
    return values, np.broadcast_to(first[:, np.newaxis] >= 0, values.shape)


def _fill(
    names: list[str],
    moments: NDArray[np.int64],
    seen: NDArray[np.bool_],
    how: Written,
    step: Step,
    wanted: bool,
    notes: list[str],
) -> None:
    missing = int((~seen).sum())
    if not missing:
        return
    if wanted:
        notes.append(f"{missing} {step}s without a row were taken as 0.")
        return
    time, one = np.argwhere(~seen)[0]
    of = f" of {names[one]}" if len(names) > 1 else ""
    raise Unusable(
        f"there is no row for {how.label(int(moments[time]))}{of} ({missing} {step}s are missing): add it, "
        "or, if no row means no case, say --gaps zero"
    )


def _check_size(moments: int, series: int, table: Table, rows: _Rows, columns: Columns) -> None:
    if moments > MOST_TIMES:
        row = (
            int(rows.time.argmin())
            if np.median(rows.time) - rows.time.min() > MOST_TIMES
            else int(rows.time.argmax())
        )
        label = rows.written.label(int(rows.time[row]))
        raise Unusable(
            f"{table.place(rows.index[row], columns.date[0])}: expected at most {MOST_TIMES:,} times from "
            f"the first to the last, there are {moments:,}; is {label} right?"
        )
    if series > MOST_SERIES or moments * series > MOST_CELLS:
        raise Unusable(
            f"expected at most {MOST_SERIES:,} series and {MOST_CELLS:,} counts, there are {series:,} "
            f"series of {moments:,} times; name another column with --by"
        )


def _finished(
    names: list[str],
    moments: NDArray[np.int64],
    values: NDArray[np.int64],
    step: Step,
    how: Written,
    notes: list[str],
    *,
    from_cases: bool,
) -> Counts:
    by_week = how.weeks or (step == "week" and from_cases)
    how = Written(by_week, how.even_years, how.number)
    dates = None if how.even_years else (moments - date(1970, 1, 1).toordinal()).astype("datetime64[D]")
    return Counts(names, [how.label(int(m)) for m in moments], values.astype(np.int64), step, dates, notes)
