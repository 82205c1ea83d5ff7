"""One day of passing on: from each infectious person along their contacts, and to nobody else."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.days.ground import AFTER, DAY, FIRST, KIND, SEED, Ground, Today
from broadstreet.simulation.days.meeting import (
    AT_MOST,
    MEETING,
    MOST_MEETINGS,
    OTHER,
    WHERE,
    meet,
    shared_minute,
)
from broadstreet.simulation.days.plan import MOST_VISITS, plan
from broadstreet.simulation.draws import as_unit, begun, compiled, ended, fold, whole
from broadstreet.simulation.epidemic.course import TRANSMITS
from broadstreet.simulation.population.kinds import Kind
from broadstreet.simulation.threads import share

_CHUNK = 512  # infectious people whom one thread takes at a time
_ROOM = 2_048  # infections a chunk has room for at first
_HOME = int(Kind.HOME)
IMMUNE_AGE = 255  # stands for the age of those who cannot be infected


class Passing(NamedTuple):
    """A pathogen as compiled code sees it: factors by kind of place, at home by its people, and by age."""

    key: int
    places: NDArray[np.float64]
    crowding: NDArray[np.float64]
    susceptibility: NDArray[np.float64]


class Passed(NamedTuple):
    """Infections of one day before competing ones are sorted out."""

    infected: NDArray[np.int64]
    source: NDArray[np.int64]  # position among the infectious
    place: NDArray[np.int64]
    minute: NDArray[np.int64]


def pass_on(
    g: Ground,
    t: Today,
    passing: Passing,
    infectious: NDArray[np.uint32],
    hazard: NDArray[np.float64],
    modes: NDArray[np.uint8],
    immune: NDArray[np.bool_],
) -> Passed:
    """Return whom the infectious infect on a day: each once, by the earliest contact that passes it on.

    Parameters
    ----------
    g, t, passing
    infectious : ndarray of uint32, shape (infectious,)
    hazard : ndarray of float64, shape (infectious,)
        Per hour of contact, on this day, to a person of susceptibility 1 at a place of factor 1.
    modes : ndarray of uint8, shape (people,)
    immune : ndarray of bool, shape (people,)
    """
    ages = np.where(immune, np.uint8(IMMUNE_AGE), g.age)
    starts = range(0, len(infectious), _CHUNK)
    parts: list[NDArray[np.int64]] = [np.empty((0, 4), np.int64)] * len(starts)

    def work(part: int) -> None:
        begin, end, room = starts[part], min(starts[part] + _CHUNK, len(infectious)), _ROOM
        while True:
            found = np.empty((room, 4), np.int64)
            rows = _pass_on(
                t.facts, t.closed, t.deals, g.people, g.sites, g.customs, g.members,
                passing.key, passing.places, passing.crowding, passing.susceptibility,
                infectious[begin:end], hazard[begin:end], modes, ages, found,
            )  # fmt: skip
            if rows <= room:
                break
            room = rows
        found[:, 1] += begin
        parts[part] = found[:rows]

    share(len(starts), work)
    rows = np.concatenate([np.empty((0, 4), np.int64), *parts])
    order = np.lexsort((infectious[rows[:, 1]], rows[:, 3], rows[:, 0]))
    rows = rows[order]
    first = np.ones(len(rows), np.bool_)
    first[1:] = rows[1:, 0] != rows[:-1, 0]
    rows = rows[first]
    return Passed(rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3])


@compiled
def _pass_on(
    facts: NDArray[np.int64],
    closed: NDArray[np.bool_],
    deals: NDArray[np.int64],
    people: NDArray[np.uint32],
    sites: NDArray[np.uint32],
    customs: NDArray[np.float64],
    members: NDArray[np.uint32],
    key: int,
    places: NDArray[np.float64],
    crowding: NDArray[np.float64],
    susceptibility: NDArray[np.float64],
    infectious: NDArray[np.uint32],
    hazard: NDArray[np.float64],
    modes: NDArray[np.uint8],
    ages: NDArray[np.uint8],
    found: NDArray[np.int64],
) -> int:
    """Write infected, source, place and minute of what some of the infectious pass on; return how many.

    What is drawn for a meeting gives the time together until it passes on. Whether all of one's own stay
    would do, with the most susceptible, comes first: for most that settles it, and nothing is read of the
    other. Of `ages` the immune are one, `IMMUNE_AGE`, of susceptibility 0.
    """
    mine, theirs = np.empty((MOST_VISITS, 4), np.int64), np.empty((MOST_VISITS, 4), np.int64)
    meetings = np.empty((MOST_MEETINGS, MEETING), np.int64)
    today = facts[DAY]
    count, largest, most = 0, len(crowding) - 1, susceptibility.max()
    for at in range(len(infectious)):
        person = whole(infectious[at])
        begins = fold(begun(facts[SEED], TRANSMITS ^ key), person)
        visits = plan(facts, closed, deals, people, sites, customs, person, modes[person], mine)
        for m in range(meet(facts, deals, people, sites, members, person, mine, visits, meetings)):
            other, where = meetings[m, OTHER], meetings[m, WHERE]
            kind = whole(sites[where, KIND])
            rate = hazard[at] * places[kind] / 60.0
            if kind == _HOME:
                rate *= crowding[min(whole(sites[where, AFTER]) - whole(sites[where, FIRST]), largest)]
            chance = as_unit(ended(fold(begins, other), (today << 32) | where))
            if chance >= rate * most * meetings[m, AT_MOST]:  # 1 - exp(-x) is below x
                continue
            rate *= susceptibility[ages[other]]
            if chance >= rate * meetings[m, AT_MOST]:
                continue
            drawn = -np.log(1.0 - chance)
            others = plan(facts, closed, deals, people, sites, customs, other, modes[other], theirs)
            minute = shared_minute(mine, visits, theirs, others, meetings[m], drawn / rate)
            if minute >= 0:
                if count < len(found):
                    found[count, 0], found[count, 1] = other, at
                    found[count, 2], found[count, 3] = where, minute
                count += 1
    return count
