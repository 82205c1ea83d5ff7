"""The line list: one row a case, checked row by row."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.columns import Column, Table, finite_or_why, read
from broadstreet.analysis.transmission.dates import are_dates, day_number, is_missing

Floats = NDArray[np.float64]

DAYS = ("onset", "diagnosed", "isolated", "died", "exposed_from", "exposed_to")


@dataclass(frozen=True)
class SetAside:
    """A row that could not be used: of which table, which, and why."""

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


def read_cases(table: Table, same: Sequence[str], near: Sequence[str], optional: bool = False) -> LineList:
    """Read a line list; rows that contradict themselves are set aside, each with its reason.

    Raises
    ------
    ValueError
        If a column that is needed or named is not there.
    """
    columns = read(table, "cases", ("id", "onset"), (*DAYS, *same, *near))
    if not optional:
        missing = [name for name in (*same, *near) if name not in columns]
        if missing:
            raise ValueError(f"cases has no column(s) {', '.join(missing)}, named in same or near")
    size = len(columns["id"])
    aside: dict[int, str] = {}
    days = {
        name: _days(columns[name], name, aside) if name in columns else np.full(size, np.nan) for name in DAYS
    }
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
        dated=any(are_dates(columns[name]) for name in DAYS if name in columns),
        set_aside=[
            SetAside("cases", row, key_of(columns["id"].tolist()[row]), aside[row]) for row in sorted(aside)
        ],
    )


def _days(values: Column, name: str, aside: dict[int, str]) -> Floats:
    found = np.full(len(values), np.nan)
    cells = values if values.dtype.kind == "M" else values.tolist()
    for row, value in enumerate(cells):
        try:
            found[row] = day_number(value)
        except ValueError as error:
            aside.setdefault(row, f"{name}: {error}")
    return found


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
