"""Who visited where and when, so that one can ask for any days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.columns import Table, read
from broadstreet.analysis.transmission.dates import day_number, is_missing
from broadstreet.analysis.transmission.linelist import SetAside, key_of, name_of

_LONGEST = 366  # days of one visit
_MOST_CELLS = 500_000_000  # pairs of person and place, times days


@dataclass(frozen=True)
class Visited:
    """Different pairs of person and place, with the days of the visits.

    Attributes
    ----------
    places : list of str
    person, place : ndarray of int, shape (pairs,)
        Positions.
    following : ndarray of int, shape (pairs, days + 1)
        The day of the next visit from each day on; above `days` if there is none.
    first_day : int
        The day that is number 0.
    """

    places: list[str]
    person: NDArray[np.int64]
    place: NDArray[np.int64]
    following: NDArray[np.int32]
    first_day: int

    @property
    def days(self) -> int:
        """How many days are held."""
        return int(self.following.shape[1]) - 1

    def between(self, first: int, last: int) -> NDArray[np.bool_]:
        """Tell of each pair whether there was a visit from one day to another, both included."""
        first, last = max(first, 0), min(last, self.days - 1)
        if last < first:
            return np.zeros(len(self.person), bool)
        there: NDArray[np.bool_] = self.following[:, first] <= last
        return there


@dataclass
class _Rows:
    """Visits of the people asked for, by day."""

    person: list[int] = field(default_factory=list)
    place: list[int] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    set_aside: list[SetAside] = field(default_factory=list)


def read_visited(
    table: Table, people: dict[str, int], days: tuple[int, int]
) -> tuple[Visited, list[SetAside]]:
    """Read the visits of some people within some days: `id`, `place`, and `day`, or `start` and `end`.

    Rows that cannot be used are set aside; those of other people or days are passed over.

    Raises
    ------
    ValueError
        If a column is missing, or there is too much.
    """
    held = read(table, "visits", ("id", "place"), ("day", "start", "end"))
    begin = next((name for name in ("start", "day") if name in held), None)
    if begin is None:
        raise ValueError("visits needs the column day, or start and end")
    columns = (held["id"], held["place"], held[begin], held.get("end", held[begin]))
    rows = _Rows()
    for row, (who, place, first, last) in enumerate(zip(*map(_cells, columns), strict=True)):
        _take(rows, row, (who, place, first, last), people, days)
    return _gathered(rows, days), rows.set_aside


def _cells(values: NDArray[Any]) -> Iterator[Any]:
    return iter(values) if values.dtype.kind == "M" else iter(values.tolist())


def _take(
    rows: _Rows,
    row: int,
    cells: tuple[Any, Any, Any, Any],
    people: dict[str, int],
    days: tuple[int, int],
) -> None:
    who, place, first, last = cells
    why, begin, end = _wrong(who, place, first, last)
    if why:
        rows.set_aside.append(SetAside("visits", row, name_of(who), why))
        return
    person = people.get(key_of(who))
    begin, end = max(begin, days[0]), min(end, days[1])
    if person is None or begin > end:
        return
    rows.person.append(person)
    rows.place.append(rows.places.setdefault(key_of(place), len(rows.places)))
    rows.first.append(begin)
    rows.last.append(end)


def _wrong(who: Any, place: Any, first: Any, last: Any) -> tuple[str | None, int, int]:
    if is_missing(who) or is_missing(place):
        return "the id or the place is missing", 0, 0
    try:
        begin, end = day_number(first), day_number(last)
    except ValueError as error:
        return str(error), 0, 0
    if np.isnan(begin):
        return "the day is missing", 0, 0
    end = begin if np.isnan(end) else end
    if end < begin:
        return "the visit ends before it begins", 0, 0
    if end - begin > _LONGEST:
        return f"the visit lasts more than {_LONGEST} days", 0, 0
    return None, int(begin), int(end)


def _gathered(rows: _Rows, days: tuple[int, int]) -> Visited:
    first = np.array(rows.first, np.int64)
    length = np.array(rows.last, np.int64) - first + 1
    person, place = (np.repeat(np.array(column, np.int64), length) for column in (rows.person, rows.place))
    day = np.repeat(first, length) + np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    count = days[1] - days[0] + 1
    pair, number = np.unique(np.column_stack([person, place]), axis=0, return_inverse=True)
    if len(pair) * count > _MOST_CELLS:
        raise ValueError(
            f"pairs of person and place x days must be at most {_MOST_CELLS:,} "
            f"(are {len(pair):,} x {count:,}); ask for a shorter window, or for fewer controls"
        )
    following = np.full((len(pair), count + 1), count + 1, np.int32)
    following[number.ravel(), day - days[0]] = day - days[0]
    for at in range(count - 1, -1, -1):
        np.minimum(following[:, at], following[:, at + 1], out=following[:, at])
    return Visited(list(rows.places), pair[:, 0], pair[:, 1], following, days[0])
