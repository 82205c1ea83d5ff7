"""Contacts of people on a day: with whom, where, from when and how long."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.days.dates import today
from broadstreet.simulation.days.ground import Ground, Today, ground
from broadstreet.simulation.days.meeting import MEETING, MOST_MEETINGS, OTHER, WHERE, meet, minutes_together
from broadstreet.simulation.days.plan import MOST_VISITS, plan
from broadstreet.simulation.draws import compiled
from broadstreet.simulation.population.city import City
from broadstreet.simulation.threads import share

_CHUNK = 1_024  # people whom one thread takes at a time
_ROOM = 40  # contacts a person for which there is room at first


@dataclass(frozen=True, eq=False, slots=True)
class Contacts:
    """Contacts of one day: `person` with `other` at `place` from minute `start` for `minutes` in all."""

    day: int
    person: NDArray[np.uint32]
    other: NDArray[np.uint32]
    place: NDArray[np.uint32]
    start: NDArray[np.uint16]
    minutes: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.person)


def contacts(
    city: City,
    day: int,
    people: NDArray[np.integer],
    modes: NDArray[np.uint8] | None = None,
    closed: NDArray[np.bool_] | None = None,
) -> Contacts:
    """Return the contacts of some people on a day.

    A contact is near enough to talk, or touch: all at home, some of those in a class, a team or a cell of a
    gathering (`population.kinds.COMPANY`). Infections of `epidemic.run` pass along these contacts and no
    others.

    Parameters
    ----------
    city, day, modes, closed
        As in `visits`.
    people : ndarray of int
        Whose contacts; each contact of two of them is told twice.

    Returns
    -------
    Contacts
        Sorted by `person` as given.
    """
    chosen = np.asarray(people, np.int64)
    if modes is None:
        modes = np.zeros(len(city.people), np.uint8)
    g = ground(city)
    return contacts_on(g, today(city, g, day, closed), chosen, modes)


def contacts_on(g: Ground, t: Today, chosen: NDArray[np.int64], modes: NDArray[np.uint8]) -> Contacts:
    """Return the contacts of some people on a day that is laid out already."""
    starts = range(0, len(chosen), _CHUNK)
    parts: list[NDArray[np.uint32]] = [np.empty((0, 5), np.uint32)] * len(starts)

    def work(part: int) -> None:
        some, room = chosen[starts[part] : starts[part] + _CHUNK], _ROOM * _CHUNK
        while True:
            found = np.empty((room, 5), np.uint32)
            rows = _list(
                t.facts, t.closed, t.deals, g.people, g.sites, g.customs, g.members, some, modes, found
            )
            if rows <= room:
                break
            room = rows
        parts[part] = found[:rows]

    share(len(starts), work)
    rows = np.concatenate([np.empty((0, 5), np.uint32), *parts])
    start, minutes = rows[:, 3].astype(np.uint16), rows[:, 4].astype(np.uint16)
    return Contacts(t.day, rows[:, 0].copy(), rows[:, 1].copy(), rows[:, 2].copy(), start, minutes)


@compiled
def _list(
    facts: NDArray[np.int64],
    closed: NDArray[np.bool_],
    deals: NDArray[np.int64],
    people: NDArray[np.uint32],
    sites: NDArray[np.uint32],
    customs: NDArray[np.float64],
    members: NDArray[np.uint32],
    chosen: NDArray[np.int64],
    modes: NDArray[np.uint8],
    found: NDArray[np.uint32],
) -> int:
    mine, theirs = np.empty((MOST_VISITS, 4), np.int64), np.empty((MOST_VISITS, 4), np.int64)
    meetings = np.empty((MOST_MEETINGS, MEETING), np.int64)
    count = 0
    for person in chosen:
        visits = plan(facts, closed, deals, people, sites, customs, person, modes[person], mine)
        for m in range(meet(facts, deals, people, sites, members, person, mine, visits, meetings)):
            other = meetings[m, OTHER]
            others = plan(facts, closed, deals, people, sites, customs, other, modes[other], theirs)
            minutes, begin = minutes_together(mine, visits, theirs, others, meetings[m])
            if minutes > 0:
                if count < len(found):
                    found[count, 0], found[count, 1], found[count, 2] = person, other, meetings[m, WHERE]
                    found[count, 3], found[count, 4] = begin, minutes
                count += 1
    return count
