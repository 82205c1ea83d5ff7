"""One day of passing on: from each infectious person along their contacts, and to nobody else."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.days.ground import Ground, Today
from broadstreet.simulation.days.meeting import (
    MOST_MEETINGS,
    MY_CELL,
    MY_PLACE,
    OTHER,
    THEIR_CELL,
    THEIR_PLACE,
    WHERE,
    meet,
    minutes_together,
    shared_minute,
)
from broadstreet.simulation.days.plan import MOST_VISITS, plan
from broadstreet.simulation.draws import compiled, unit, whole
from broadstreet.simulation.epidemic.course import TRANSMITS
from broadstreet.simulation.threads import share

_CHUNK = 512  # infectious people whom one thread takes at a time
_ROOM = 2_048  # infections a chunk has room for at first


class Passing(NamedTuple):
    """A pathogen as compiled code sees it: factors by kind of place, susceptibility by age."""

    key: int
    places: NDArray[np.float64]
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
    starts = range(0, len(infectious), _CHUNK)
    parts: list[NDArray[np.int64]] = [np.empty((0, 4), np.int64)] * len(starts)

    def work(part: int) -> None:
        begin, end, room = starts[part], min(starts[part] + _CHUNK, len(infectious)), _ROOM
        while True:
            found = np.empty((room, 4), np.int64)
            rows = _pass_on(g, t, passing, infectious, hazard, modes, immune, begin, end, found)
            if rows <= room:
                break
            room = rows
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
def _pass_on(  # noqa: PLR0913, PLR0917
    g: Ground,
    t: Today,
    passing: Passing,
    infectious: NDArray[np.uint32],
    hazard: NDArray[np.float64],
    modes: NDArray[np.uint8],
    immune: NDArray[np.bool_],
    begin: int,
    end: int,
    found: NDArray[np.int64],
) -> int:
    """Write infected, source, place and minute of what some of the infectious pass on; return how many."""
    mine, theirs = np.empty((MOST_VISITS, 4), np.int64), np.empty((MOST_VISITS, 4), np.int64)
    meetings = np.empty((MOST_MEETINGS, 6), np.int64)
    count = 0
    for at in range(begin, end):
        person = whole(infectious[at])
        visits = plan(g, t, person, modes[person], mine)
        for m in range(meet(g, t, person, mine, visits, meetings)):
            minute = _infects(
                g, t, passing, person, hazard[at], modes, immune, mine, visits, meetings[m], theirs
            )
            if minute >= 0:
                if count < len(found):
                    row = found[count]
                    row[0], row[1], row[2], row[3] = meetings[m, OTHER], at, meetings[m, WHERE], minute
                count += 1
    return count


@compiled
def _infects(  # noqa: PLR0913, PLR0917
    g: Ground,
    t: Today,
    passing: Passing,
    person: int,
    hazard: float,
    modes: NDArray[np.uint8],
    immune: NDArray[np.bool_],
    mine: NDArray[np.int64],
    visits: int,
    meeting: NDArray[np.int64],
    theirs: NDArray[np.int64],
) -> int:
    """Return the minute at which a meeting passes it on, or -1.

    The draw is compared with the chance for a whole day together first: for most that settles it, without
    the other's day.
    """
    other, where = meeting[OTHER], meeting[WHERE]
    if immune[other]:
        return whole(-1)
    rate = hazard * passing.places[g.kind[where]] * passing.susceptibility[g.age[other]] / 60.0
    drawn = -np.log(1.0 - unit(g.seed, TRANSMITS ^ passing.key, person, other, (t.day << 32) | where))
    if drawn >= rate * 1440.0:
        return whole(-1)
    others = plan(g, t, other, modes[other], theirs)
    minutes, _ = minutes_together(
        mine,
        visits,
        meeting[MY_PLACE],
        meeting[MY_CELL],
        theirs,
        others,
        meeting[THEIR_PLACE],
        meeting[THEIR_CELL],
    )
    if drawn >= rate * minutes:
        return whole(-1)
    return shared_minute(  # what was drawn is the time together until it passes
        mine, visits, meeting[MY_PLACE], meeting[MY_CELL],
        theirs, others, meeting[THEIR_PLACE], meeting[THEIR_CELL], whole(drawn / rate),
    )  # fmt: skip
