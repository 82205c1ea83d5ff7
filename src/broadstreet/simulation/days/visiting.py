"""Visit rows of a day: who was where, from when to when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.days.dates import today
from broadstreet.simulation.days.ground import Ground, Today, ground
from broadstreet.simulation.days.plan import END, MOST_VISITS, PLACE, START, plan
from broadstreet.simulation.draws import compiled
from broadstreet.simulation.population.city import City
from broadstreet.simulation.threads import share

_CHUNK = 16_384  # people whom one thread takes at a time
_ROOM = 9  # rows a person for which a chunk has room at first


@dataclass(frozen=True, eq=False, slots=True)
class Visits:
    """Visits of one day, in order of person and time; `start` and `end` in minutes, `end` not included."""

    day: int
    person: NDArray[np.uint32]
    place: NDArray[np.uint32]
    start: NDArray[np.uint16]
    end: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.person)


def visits(
    city: City,
    day: int,
    people: NDArray[np.integer] | None = None,
    modes: NDArray[np.uint8] | None = None,
    closed: NDArray[np.bool_] | None = None,
) -> Visits:
    """Return the visits of a day.

    Parameters
    ----------
    city : City
    day : int
        0-based.
    people : ndarray of int, optional
        Whose; everybody's without.
    modes : ndarray of uint8, shape (people of the city,), optional
        How each one's day is changed, see `Mode`; all are well without. `Outcome.modes` tells them.
    closed : ndarray of bool, optional
        For each place whether it is closed; `Outcome.closed` tells it.

    Returns
    -------
    Visits
    """
    chosen = np.arange(len(city.people)) if people is None else np.asarray(people, np.int64)
    if modes is None:
        modes = np.zeros(len(city.people), np.uint8)
    g = ground(city)
    return visits_on(g, today(city, g, day, closed), chosen, modes)


def visits_on(g: Ground, t: Today, people: NDArray[np.int64], modes: NDArray[np.uint8]) -> Visits:
    """Return the visits of some people on a day that is laid out already."""
    starts = range(0, len(people), _CHUNK)
    parts: list[tuple[NDArray[np.uint32], NDArray[np.uint16]] | None] = [None] * len(starts)

    def work(part: int) -> None:
        chosen = people[starts[part] : starts[part] + _CHUNK]
        for room in (_ROOM, MOST_VISITS):
            who, when = (
                np.empty((2, room * len(chosen)), np.uint32),
                np.empty((2, room * len(chosen)), np.uint16),
            )
            rows = _write(t.facts, t.closed, t.deals, g.people, g.sites, g.customs, chosen, modes, who, when)
            if rows <= room * len(chosen):
                break
        parts[part] = who[:, :rows], when[:, :rows]

    share(len(starts), work)
    filled = [part for part in parts if part is not None]
    who = np.concatenate([np.empty((2, 0), np.uint32), *(part[0] for part in filled)], axis=1)
    when = np.concatenate([np.empty((2, 0), np.uint16), *(part[1] for part in filled)], axis=1)
    return Visits(t.day, who[0], who[1], when[0], when[1])


def stream_visits(city: City, day: int, people_at_once: int = 500_000) -> Iterator[Visits]:
    """Yield the visits of a day in parts, so that memory does not grow with the city."""
    for first in range(0, len(city.people), people_at_once):
        yield visits(city, day, np.arange(first, min(first + people_at_once, len(city.people))))


@compiled
def _write(
    facts: NDArray[np.int64],
    closed: NDArray[np.bool_],
    deals: NDArray[np.int64],
    people: NDArray[np.uint32],
    sites: NDArray[np.uint32],
    customs: NDArray[np.float64],
    chosen: NDArray[np.int64],
    modes: NDArray[np.uint8],
    who: NDArray[np.uint32],
    when: NDArray[np.uint16],
) -> int:
    """Write person, place, start and end of the visits; return how many, with those that have no room."""
    rows = np.empty((MOST_VISITS, 4), np.int64)
    to, room = 0, who.shape[1]
    for person in chosen:
        visits = plan(facts, closed, deals, people, sites, customs, person, modes[person], rows)
        for row in range(visits):
            if to < room:
                who[0, to], who[1, to] = person, rows[row, PLACE]
                when[0, to], when[1, to] = rows[row, START], rows[row, END]
            to += 1
    return to


def visits_within(
    g: Ground, t: Today, people: NDArray[np.uint32], modes: NDArray[np.uint8], place: int
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return who of these people comes to a place on a day, and the first minute at which each is there."""
    rows = visits_on(g, t, people.astype(np.int64), modes)
    there = np.flatnonzero(rows.place == place)
    came, first = np.unique(rows.person[there], return_index=True)
    return came, rows.start[there[first]].astype(np.int64)
