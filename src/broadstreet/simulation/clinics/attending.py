"""Who comes to a clinic on a day by their own plans."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.days.dates import today
from broadstreet.simulation.days.dealing import COMING, position_of
from broadstreet.simulation.days.ground import Mode, ground
from broadstreet.simulation.days.plan import MOST_VISITS, PLACE, START, plan
from broadstreet.simulation.draws import compiled
from broadstreet.simulation.population import City

_WELL = Mode.WELL


class Attendance:
    """Who comes to which clinic when, by the same plans that visit rows are made of.

    It computes on one thread only, so that a clinic's process may be forked from one that has used several.
    """

    def __init__(self, city: City) -> None:
        self.city = city
        self._ground = ground(city)
        self._today = lru_cache(maxsize=4)(lambda day: today(city, self._ground, day))

    def on(self, day: int, place: int) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """Return who comes to a place on a day, by number, and the minute of the day at which they arrive."""
        members = self.city.places.members_of(place)
        minutes = np.empty(len(members), np.int64)
        g, t = self._ground, self._today(day)
        _attend(t.facts, t.closed, t.deals, g.people, g.sites, g.customs, members, place, minutes)
        come = minutes >= 0
        return members[come], minutes[come]


@compiled
def _attend(  # noqa: PLR0913, PLR0917
    facts: NDArray[np.int64],
    closed: NDArray[np.bool_],
    deals: NDArray[np.int64],
    people: NDArray[np.uint32],
    sites: NDArray[np.uint32],
    customs: NDArray[np.float64],
    members: NDArray[np.uint32],
    place: int,
    minutes: NDArray[np.int64],
) -> None:
    """Write at which minute each member arrives, -1 for those who do not."""
    rows = np.empty((MOST_VISITS, 4), np.int64)
    for at in range(len(members)):
        minutes[at] = -1
        if position_of(deals, place, at, 0) >= deals[place, COMING]:  # not their day, so no plan is needed
            continue
        visits = plan(facts, closed, deals, people, sites, customs, members[at], _WELL, rows)
        for row in range(visits):
            if rows[row, PLACE] == place and minutes[at] < 0:
                minutes[at] = rows[row, START]
