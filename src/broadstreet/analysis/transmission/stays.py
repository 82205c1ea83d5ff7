"""Visits: who was where, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.columns import Table, read
from broadstreet.analysis.transmission.dates import is_missing, moment
from broadstreet.analysis.transmission.linelist import LineList, SetAside, key_of, name_of

_BEGINS = ("start", "day", "time")
TIMES = (*_BEGINS, "end")
_MOST_STAY = 366
# A visit of which only the beginning is known is taken to last two hours, but not into the next day.
_UNTOLD = 2.0 / 24.0


@dataclass
class Stays:
    """Presence of cases by place and day, sorted by both.

    `visitors` are all ids of the table at that place on that day, cases or not. `begin` and `end` are parts
    of the day: 0 and 1 where no times were given.
    """

    case: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    place: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    day: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    visitors: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    begin: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    end: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    names: list[str] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)


def read_visits(table: Table | None, cases: LineList) -> Stays:
    """Read visits, each row `id, place` and `day`, or `start` and `end`; rows that cannot be are set aside.

    Ids that are no case are other visitors: they make a place less rare.
    """
    if table is None:
        return Stays()
    held = read(table, "visits", ("id", "place"), TIMES)
    began = _begins([_cells(held[name]) for name in _BEGINS if name in held])
    found = Stays()
    position = cases.position()
    places: dict[str, int] = {}
    presence: set[tuple[int, int, int, float, float]] = set()
    visitor: dict[str, int] = {}
    ends = _cells(held["end"]) if "end" in held else began
    for row, (who, place, first, last) in enumerate(
        zip(_cells(held["id"]), _cells(held["place"]), began, ends, strict=True)
    ):
        why, begins, stops = _wrong(who, place, first, last)
        if why:
            found.set_aside.append(SetAside("visits", row, name_of(who), why))
            continue
        person = visitor.setdefault(key_of(who), len(visitor))
        where = places.setdefault(key_of(place), len(places))
        presence.update((where, day, person, *part) for day, part in _by_day(begins, stops))
    found.names = list(places)
    _count(found, presence, {number: position[key] for key, number in visitor.items() if key in position})
    return found


def _begins(columns: list[list[object]]) -> list[object]:
    """Return when each visit began: the first of its cells that is not missing."""
    if not columns:
        raise ValueError("visits needs the column day, or start and end")
    return [next((cell for cell in row if not is_missing(cell)), None) for row in zip(*columns, strict=True)]


def _cells(values: NDArray[np.generic]) -> list[object]:
    return list(values) if values.dtype.kind == "M" else values.tolist()


def _wrong(who: object, place: object, first: object, last: object) -> tuple[str | None, float, float]:
    """Return why a visit cannot be used, its beginning and its end."""
    if is_missing(who) or is_missing(place):
        return "the id or the place is missing", 0.0, 0.0
    try:
        begin, end = moment(first), moment(last)
    except ValueError as error:
        return str(error), 0.0, 0.0
    if np.isnan(begin):
        return "the day is missing", 0.0, 0.0
    end = begin if np.isnan(end) else end
    if end < begin:
        return "the visit ends before it begins", 0.0, 0.0
    if end - begin > _MOST_STAY:
        return f"the visit lasts more than {_MOST_STAY} days", 0.0, 0.0
    return None, begin, end


def _by_day(begin: float, end: float) -> Iterator[tuple[int, tuple[float, float]]]:
    """Return the days of a visit, and from when to when it lasted on each; whole days without times."""
    if begin.is_integer() and (end.is_integer() or end == begin):
        end += 1.0
    elif end == begin:
        end = min(begin + _UNTOLD, np.floor(begin) + 1.0)
    for day in range(int(np.floor(begin)), int(np.ceil(end))):
        yield day, (max(begin - day, 0.0), min(end - day, 1.0))


def _count(found: Stays, presence: set[tuple[int, int, int, float, float]], case_of: dict[int, int]) -> None:
    if not presence:
        return
    table = np.array(sorted(presence), np.float64)
    place, day, person = table[:, :3].astype(np.int64).T
    fresh = np.r_[True, (np.diff(place) != 0) | (np.diff(day) != 0)]
    visit = np.cumsum(fresh) - 1
    visitors = np.bincount(visit[fresh | np.r_[True, np.diff(person) != 0]])[visit]
    case = np.array([case_of.get(who, -1) for who in person.tolist()], np.int64)
    keep = case >= 0
    found.case, found.place, found.day, found.visitors = case[keep], place[keep], day[keep], visitors[keep]
    found.begin, found.end = table[keep, 3], table[keep, 4]
