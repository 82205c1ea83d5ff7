"""A history with labelled outbreaks, read from a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from broadstreet.app.reading.table import Table, Unusable, read_table, shown

COUNTS = ("observed", "count", "cases", "n")
LABELS = ("state", "outbreak", "label")
TIMES = ("epoch", "date", "week", "day", "time")
UNITS = ("unit", "series", "place", "region")
"""Names of columns that are known; the first that is there is taken."""


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
        The file; times are in its order, the same for every series.
    history
        So many times go before the first one that is tested.

    Raises
    ------
    Unusable
        If a column is missing, a cell is no number, or series have different lengths.
    """
    table = read_table(path)
    time, count, label = (_column(table, names, path) for names in (TIMES, COUNTS, LABELS))
    unit = next((name for name in table.names if name.lower() in UNITS), None)
    units = table.column(unit) if unit else [""] * len(table.rows)
    names = list(dict.fromkeys(units))
    times = list(dict.fromkeys(table.column(time)))
    if len(times) * len(names) != len(table.rows):
        raise Unusable(
            f"{path.name}: expected one row for each time of each series ({len(times)} x {len(names)}), got"
            f" {len(table.rows)} rows"
        )
    counts, states = np.zeros((2, len(times), len(names)), np.int64)
    rows = {each: at for at, each in enumerate(times)}
    columns = {each: at for at, each in enumerate(names)}
    for at, (when, which) in enumerate(zip(table.column(time), units, strict=True)):
        place = rows[when], columns[which]
        counts[place], states[place] = _number(table, at, count), _number(table, at, label)
    if len(times) <= history:
        raise Unusable(f"{path.name}: expected more than {history} times, got {len(times)}: lower --history")
    return Labelled(counts, numbered(states), np.arange(history, len(times)))


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
    cell = table.rows[at][table.names.index(name)]
    try:
        value = int(float(cell))
    except ValueError:
        raise Unusable(f"{table.place(at, name)}: expected a whole number, got {shown(cell)!r}") from None
    if value < 0:
        raise Unusable(f"{table.place(at, name)}: expected 0 or more, got {value}")
    return value
