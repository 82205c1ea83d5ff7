"""A history with labelled outbreaks, read from a table."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from broadstreet.app.evaluate.times import times_of
from broadstreet.app.reading.table import Table, Unusable, read_table, shown

COUNTS = ("observed", "count", "cases", "n")
LABELS = ("state", "outbreak", "label")
TIMES = ("epoch", "date", "week", "day", "time")
UNITS = ("unit", "series", "place", "region")
"""Names of columns that are known; the first that is there is taken."""

MOST = 1_000_000_000
"""Persons at one time; there are no more in any series that one could want to test."""
_PLAIN = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?")
Cell = tuple[int, str]
"""A time, and a series."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """Series with known outbreaks: counts and outbreaks have shape `(time, series)`.

    `outbreaks` numbers the outbreaks of a series from 1; 0 is none. `evaluate` are the times to test.
    """

    counts: NDArray[np.int64]
    outbreaks: NDArray[np.int64]
    evaluate: NDArray[np.intp]


def read_labelled(path: Path, history: int) -> Labelled:
    """Return the series of a CSV file with columns for time, count, outbreak (0 or 1) and maybe series.

    Parameters
    ----------
    path
        The file; its rows may stand in any order. Times are dates, weeks or numbers, the same for every
        series.
    history
        So many times go before the first one that is tested.

    Raises
    ------
    Unusable
        If a column is missing, a cell is no count, or a time is there twice or not at all.
    """
    table = read_table(path)
    time, count, label = (_column(table, names, path) for names in (TIMES, COUNTS, LABELS))
    cells = _cells(table, time)
    times = sorted({when for when, _ in cells})
    names = list(dict.fromkeys(which for _, which in cells))
    _check_complete(table, time, cells, times, names)
    counts, states = np.zeros((2, len(times), len(names)), np.int64)
    rows = {each: at for at, each in enumerate(times)}
    columns = {each: at for at, each in enumerate(names)}
    for (when, which), at in cells.items():
        place = rows[when], columns[which]
        counts[place], states[place] = _number(table, at, count), _number(table, at, label)
    if len(times) <= history:
        raise Unusable(f"{path.name}: expected more than {history} times, got {len(times)}: lower --history")
    return Labelled(counts, numbered(states), np.arange(history, len(times)))


def _cells(table: Table, time: str) -> dict[Cell, int]:
    """Return the row of each time of each series."""
    unit = next((name for name in table.names if name.lower() in UNITS), None)
    units = table.column(unit) if unit else [""] * len(table.rows)
    found: dict[Cell, int] = {}
    for at, cell in enumerate(zip(times_of(table, time), units, strict=True)):
        if cell in found:
            of = f" of {shown(cell[1])!r}" if cell[1] else ""
            raise Unusable(
                f"{table.place(at, time)}: expected each time once in a series, got"
                f" {shown(table.column(time)[at])!r}{of} again after row {table.numbers[found[cell]]}; keep"
                " one of them, or add them up"
            )
        found[cell] = at
    return found


def _check_complete(
    table: Table, time: str, cells: Mapping[Cell, int], times: Sequence[int], names: Sequence[str]
) -> None:
    """Refuse a series that has no row for a time that another has."""
    missing = next(((when, which) for which in names for when in times if (when, which) not in cells), None)
    if missing is None:
        return
    at = next(at for (when, _), at in cells.items() if when == missing[0])
    raise Unusable(
        f"{table.place(at, time)}: expected one row for each time of each series ({len(times)} x"
        f" {len(names)}), got none for {shown(table.column(time)[at])!r} of {shown(missing[1])!r}; add it,"
        " with 0 where there was nobody"
    )


def numbered(states: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return outbreaks numbered from 1 in each series: times in a row with a state of 1 or more are one."""
    is_in = states > 0
    begins = is_in & ~np.vstack([np.zeros((1, is_in.shape[1]), np.bool_), is_in[:-1]])
    return np.asarray(np.where(is_in, begins.cumsum(axis=0), 0), np.int64)


def _column(table: Table, names: Sequence[str], path: Path) -> str:
    found = next((name for name in table.names if name.lower() in names), None)
    if found is None:
        came = ", ".join(shown(name) for name in table.names[:10])
        raise Unusable(f"{path.name}: expected a column named {' or '.join(names)}, got {came}")
    return found


def _number(table: Table, at: int, name: str) -> int:
    cell = table.rows[at][table.names.index(name)].strip()
    value = float(cell) if _PLAIN.fullmatch(cell) else math.nan
    place = table.place(at, name)
    if math.isnan(value) or (math.isfinite(value) and value != int(value)):
        raise Unusable(
            f"{place}: expected a whole number, got {shown(cell)!r}; count persons, and write 0 where there"
            " was nobody"
        )
    if not 0 <= value <= MOST:
        came = shown(cell)
        raise Unusable(f"{place}: expected 0 or more, got {came}" if value < 0 else _too_many(place, came))
    return int(value)


def _too_many(place: str, came: str) -> str:
    return f"{place}: expected at most {MOST:,}, got {came}; is it a count of persons?"
