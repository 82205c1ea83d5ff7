"""The line list: one row a case, checked row by row."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.columns import Column, Table, finite_or_why, read
from broadstreet.analysis.transmission.dates import day_number, is_date, is_missing
from broadstreet.analysis.transmission.faraway import far_away

Floats = NDArray[np.float64]

DAYS = ("onset", "diagnosed", "isolated", "died", "exposed_from", "exposed_to")


@dataclass(frozen=True)
class SetAside:
    """A row that could not be used: of which table, which, and why. The id is "" where it is missing."""

    table: str
    row: int
    id: str
    why: str


@dataclass
class LineList:
    """Cases in the order of the table. Days are numbers (since 1970 where they were dates), NaN where
    missing.

    `groups` holds, for each column of `same`, the number of each case's group (-1 = missing) and the names.
    """

    ids: list[Hashable]
    days: dict[str, Floats]
    groups: dict[str, tuple[NDArray[np.int64], list[Any]]]
    points: Floats
    dated: bool
    set_aside: list[SetAside] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Return the number of cases."""
        return len(self.ids)

    def position(self) -> dict[str, int]:
        """Return where each id stands; ids are compared as text, so that 7 and "7" are one case."""
        return {key_of(value): at for at, value in enumerate(self.ids)}


def key_of(value: Any) -> str:
    """Return an id as other tables may write it: 7, 7.0 and "7" are one."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def name_of(value: Any) -> str:
    """Return an id to be shown: "" where it is missing."""
    return "" if is_missing(value) else key_of(value)


def read_cases(
    table: Table, same: Sequence[str], near: Sequence[str], optional: Sequence[str] = ()
) -> LineList:
    """Read a line list; rows that contradict themselves are set aside, each with its reason.

    The columns of `same` and `near` must be there, but for those that are `optional`.

    Raises
    ------
    ValueError
        If a column that is needed or named is not there.
    """
    columns = read(table, "cases", ("id", "onset"), (*DAYS, *same, *near))
    missing = [name for name in (*same, *near) if name not in columns and name not in optional]
    if missing:
        raise ValueError(f"cases has no column(s) {', '.join(missing)}, named in same or near")
    size = len(columns["id"])
    aside: dict[int, str] = {}
    days, dated = _read_days(columns, size, aside)
    for row, (name, day) in far_away(_without(days, aside)).items():
        when = str(np.datetime64(int(day), "D")) if dated else f"{day:g}"
        aside[row] = f"{name}: {when} is more than 5 years from the other days of the list"
    points = _points(columns, near, size, aside)
    seen: dict[str, int] = {}
    for row, value in enumerate(columns["id"].tolist()):
        why = _wrong_id(value, row, seen) or aside.get(row) or _contradiction(row, days)
        if why:
            aside[row] = why
    keep = np.array([row not in aside for row in range(size)], bool)
    ids = [value for value, kept in zip(columns["id"].tolist(), keep, strict=True) if kept]
    return LineList(
        ids=ids,
        days={name: values[keep] for name, values in days.items()},
        groups={name: _numbered(columns[name][keep]) for name in same if name in columns},
        points=points[keep],
        dated=dated,
        set_aside=[
            SetAside("cases", row, name_of(columns["id"].tolist()[row]), aside[row]) for row in sorted(aside)
        ],
    )


def _read_days(
    columns: dict[str, Column], size: int, aside: dict[int, str]
) -> tuple[dict[str, Floats], bool]:
    """Return the days of each column, and whether they are dates; cells of the other kind are set aside."""
    held = {name: _cells(columns[name]) for name in DAYS if name in columns}
    dated = _are_dated(held)
    days = {name: np.full(size, np.nan) for name in DAYS}
    for name, cells in held.items():
        for row, value in enumerate(cells):
            try:
                day = day_number(value)
            except ValueError as error:
                aside.setdefault(row, f"{name}: {error}")
                continue
            if not np.isnan(day) and is_date(value) != dated:
                wanted = "a date, as the others are" if dated else "a number of days, as the others are"
                aside.setdefault(row, f"{name} must be {wanted} (is {str(value)[:40]!r})")
                continue
            days[name][row] = day
    return days, dated


def _cells(values: Column) -> list[Any]:
    return list(values) if values.dtype.kind == "M" else values.tolist()


def _are_dated(held: dict[str, list[Any]]) -> bool:
    """Tell whether days are dates: as most onsets are, else as most cells are."""
    for cells in (held.get("onset", []), [cell for column in held.values() for cell in column]):
        kinds = [is_date(cell) for cell in cells if not is_missing(cell)]
        if kinds:
            return 2 * sum(kinds) >= len(kinds)
    return False


def _without(days: dict[str, Floats], aside: dict[int, str]) -> dict[str, Floats]:
    rows = list(aside)
    kept = {name: values.copy() for name, values in days.items()}
    for values in kept.values():
        values[rows] = np.nan
    return kept


def _wrong_id(value: Any, row: int, seen: dict[str, int]) -> str | None:
    if is_missing(value):
        return "the id is missing"
    first = seen.setdefault(key_of(value), row)
    return f"the id is that of row {first}" if first != row else None


def _contradiction(row: int, days: dict[str, Floats]) -> str | None:
    onset, died, begin, end = (days[name][row] for name in ("onset", "died", "exposed_from", "exposed_to"))
    if onset > died:
        return "onset after death"
    if begin > end:
        return "the exposure window ends before it begins"
    if begin > onset:
        return "the exposure window begins after onset"
    if all(np.isnan(days[name][row]) for name in DAYS):
        return "no onset, and no other date to place it in time"
    return None


def _numbered(values: Column) -> tuple[NDArray[np.int64], list[Any]]:
    names: dict[str, int] = {}
    labels: list[Any] = []
    codes = np.full(len(values), -1, np.int64)
    for row, value in enumerate(values.tolist()):
        if is_missing(value):
            continue
        key = key_of(value)
        if key not in names:
            names[key] = len(labels)
            labels.append(value)
        codes[row] = names[key]
    return codes, labels


def _points(columns: dict[str, Column], near: Sequence[str], size: int, aside: dict[int, str]) -> Floats:
    """Return the points of all rows, NaN where missing; what is no coordinate is set aside."""
    points = np.full((size, 2), np.nan)
    if not near or any(name not in columns for name in near):
        return points
    for at, name in enumerate(near):
        for row, value in enumerate(columns[name].tolist()):
            found = np.nan if is_missing(value) else finite_or_why(name, value)
            if isinstance(found, str):
                aside.setdefault(row, found)
            else:
                points[row, at] = found
    return points
