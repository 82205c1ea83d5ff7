"""Visits: who was where, and when."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.columns import Table, read
from broadstreet.analysis.transmission.dates import day_number, is_missing
from broadstreet.analysis.transmission.linelist import LineList, SetAside, key_of

TIMES = ("start", "day", "time", "end")
_MOST_STAY = 366


@dataclass
class Stays:
    """Presence of cases by place and day. `rarity` is 1 over the visitors of that place on that day.

    Visitors are all ids of the table, cases or not.
    """

    case: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    place: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    day: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    visitors: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    names: list[str] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)


def read_visits(table: Table | None, cases: LineList) -> Stays:
    """Read visits: `id, place` and `day`, or `start` and `end`; rows that cannot be used are set aside.

    Ids that are no case are other visitors: they make a place less rare.
    """
    if table is None:
        return Stays()
    held = read(table, "visits", ("id", "place"), TIMES)
    begin = next((name for name in ("start", "day", "time") if name in held), None)
    if begin is None:
        raise ValueError("visits needs the column day, or start and end")
    found = Stays()
    position = cases.position()
    places: dict[str, int] = {}
    presence: set[tuple[int, int, int]] = set()
    visitor: dict[str, int] = {}
    ends = held.get("end", held[begin])
    for row, (who, place, first, last) in enumerate(
        zip(*(_cells(values) for values in (held["id"], held["place"], held[begin], ends)), strict=True)
    ):
        why, days = _wrong(who, place, first, last)
        if why:
            found.set_aside.append(SetAside("visits", row, key_of(who), why))
            continue
        person = visitor.setdefault(key_of(who), len(visitor))
        where = places.setdefault(key_of(place), len(places))
        presence.update((where, day, person) for day in days)
    found.names = list(places)
    _count(found, presence, {number: position[key] for key, number in visitor.items() if key in position})
    return found


def _cells(values: NDArray[np.generic]) -> list[object]:
    return list(values) if values.dtype.kind == "M" else values.tolist()


def _wrong(who: object, place: object, first: object, last: object) -> tuple[str | None, range]:
    if is_missing(who) or is_missing(place):
        return "the id or the place is missing", range(0)
    try:
        begin, end = day_number(first), day_number(last)
    except ValueError as error:
        return str(error), range(0)
    if np.isnan(begin):
        return "the day is missing", range(0)
    end = begin if np.isnan(end) else end
    if end < begin:
        return "the visit ends before it begins", range(0)
    if end - begin > _MOST_STAY:
        return f"the visit lasts more than {_MOST_STAY} days", range(0)
    return None, range(int(begin), int(end) + 1)


def _count(found: Stays, presence: set[tuple[int, int, int]], case_of: dict[int, int]) -> None:
    if not presence:
        return
    table = np.array(sorted(presence), np.int64)
    starts = np.flatnonzero(np.r_[True, (np.diff(table[:, :2], axis=0) != 0).any(axis=1)])
    visitors = np.repeat(np.diff(np.r_[starts, len(table)]), np.diff(np.r_[starts, len(table)]))
    case = np.array([case_of.get(int(person), -1) for person in table[:, 2]], np.int64)
    keep = case >= 0
    found.case, found.place, found.day = case[keep], table[keep, 0], table[keep, 1]
    found.visitors = visitors[keep]
