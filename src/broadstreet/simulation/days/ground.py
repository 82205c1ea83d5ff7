"""What compiled code reads of a city and a day: a few arrays of numbers.

Compiled code is handed these arrays one by one: an array inside a tuple is counted each time it is looked
at, which takes longer than what is done with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.population.city import NOWHERE, City
from broadstreet.simulation.population.kinds import COMPANY, GATHERINGS, Habit, Kind

WEEKDAY, SATURDAY, SUNDAY = 0, 1, 2

# Columns of `Ground.people`; a place for each `Habit` from HABITS on, and the rank there from RANKS on.
HOME, MAIN, ROLE, AGE, HABITS, RANKS = 0, 1, 2, 3, 4, 4 + len(Habit)
_PEOPLE_COLUMNS = 4 + 2 * len(Habit)
# Columns of `Ground.sites`. NEAR and SERVE are chances of contact out of 2^32 - 1: of two in one cell or
# group, and of a visitor with one of the staff. TEAMS serve a place; they have consecutive numbers from
# STAFF.
KIND, PARENT, STAFF, TEAMS, FIRST, AFTER, NEAR, SERVE = 0, 1, 2, 3, 4, 5, 6, 7
_SITE_COLUMNS = 8
# Columns of `Ground.customs`, by kind of place; SHARE has one for each sort of day.
SHARE, OPENS, CLOSES, LATE, CELL, LEAST_STAY, MOST_STAY = 0, 3, 4, 5, 6, 7, 8
_CUSTOM_COLUMNS = 9
# What `Today.facts` holds.
SEED, DAY, SORT, TERM = 0, 1, 2, 3

# With how many people of the staff a visitor has to do, and how many visitors one of the staff is near in a
# shift. Assumptions.
_SERVED_BY = {Kind.SHOP: 1.0, Kind.VENUE: 1.0, Kind.CLINIC: 2.0, Kind.HOSPITAL: 3.0}
_SERVES = 25.0
_CERTAIN = 2**32 - 1


class Mode:
    """How a person's day is changed by illness or orders; higher wins."""

    WELL = 0
    HOME = 1  # stays at home
    CARE = 2  # at home, but for a visit to the clinic
    WARD = 3  # in a bed of the hospital
    DEAD = 4


@dataclass(frozen=True, eq=False, slots=True)
class Ground:
    """A city as compiled code sees it: a row for each person, each place and each kind of place."""

    people: NDArray[np.uint32]
    age: NDArray[np.uint8]
    sites: NDArray[np.uint32]
    members: NDArray[np.uint32]
    customs: NDArray[np.float64]
    gathering: NDArray[np.int64]  # numbers of the gathering places
    prime: NDArray[np.uint32]


@dataclass(frozen=True, eq=False, slots=True)
class Today:
    """A day as compiled code sees it: `facts`, which places are closed, the deal of each gathering place."""

    facts: NDArray[np.int64]
    closed: NDArray[np.bool_]
    deals: NDArray[np.int64]

    @property
    def day(self) -> int:
        """Number of the day, 0-based."""
        return int(self.facts[DAY])


def ground(city: City) -> Ground:
    """Return a city as compiled code sees it; it is made once for a city."""
    made = city.prepared.get("ground")
    if not isinstance(made, Ground):
        made = city.prepared["ground"] = _lay(city)
    return made


def _lay(city: City) -> Ground:
    source, places = city.people, city.places
    people = np.empty((len(source), _PEOPLE_COLUMNS), np.uint32)
    people[:, HOME], people[:, MAIN] = source.home, source.main
    people[:, ROLE], people[:, AGE] = source.role, source.age
    people[:, HABITS:RANKS], people[:, RANKS:] = source.habits, source.ranks
    customs = np.zeros((len(Kind), _CUSTOM_COLUMNS))
    for row in GATHERINGS:
        customs[row.kind] = (*row.share, row.opens, row.closes, row.late, row.cell, *row.stay)
    sites = np.empty((len(places), _SITE_COLUMNS), np.uint32)
    sites[:, KIND], sites[:, PARENT], sites[:, STAFF] = places.kind, places.parent, places.staff
    sites[:, TEAMS] = _teams(city)
    sites[:, FIRST], sites[:, AFTER] = places.first[:-1], places.first[1:]
    sites[:, NEAR] = _near(city, customs[:, CELL]) * _CERTAIN
    sites[:, SERVE] = _serve(city, sites[:, TEAMS], customs) * _CERTAIN
    return Ground(
        people, source.age, sites, places.members, customs, np.flatnonzero(places.prime), places.prime
    )


def _teams(city: City) -> NDArray[np.int64]:
    places = city.places
    served = places.parent[(places.kind == Kind.TEAM) & (places.parent != NOWHERE)]
    return np.bincount(served, minlength=len(places))


def _near(city: City, cell: NDArray[np.float64]) -> NDArray[np.float64]:
    kind = city.places.kind
    company = np.zeros(len(Kind))
    for one, people in COMPANY.items():
        company[one] = people
    together = np.where(cell[kind] > 0, cell[kind], np.diff(city.places.first))
    near: NDArray[np.float64] = np.minimum(1.0, company[kind] / np.maximum(together - 1, 1))
    return near


def _serve(city: City, teams: NDArray[np.uint32], customs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the chance of contact with each of the staff: each serves `_SERVES`, or all who come."""
    places, serve = city.places, np.zeros(len(city.places))
    for kind, most in _SERVED_BY.items():
        here = np.flatnonzero((places.kind == kind) & (places.staff != NOWHERE))
        visitors = customs[kind, SHARE] * places.prime[here] / np.maximum(teams[here], 1)
        staff = np.maximum(np.diff(places.first)[places.staff[here]], 1)
        serve[here] = np.minimum(np.minimum(most / staff, _SERVES / np.maximum(visitors, 1.0)), 1.0)
    return serve
