"""What compiled code reads of a city and a day."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.population.city import NOWHERE, City
from broadstreet.simulation.population.kinds import COMPANY, GATHERINGS, Kind

WEEKDAY, SATURDAY, SUNDAY = 0, 1, 2
_SERVED_A_DAY = 25.0  # people whom one of the staff of a public place is near in a shift; an assumption
_SERVE = {Kind.SHOP: 1.0, Kind.VENUE: 1.0, Kind.CLINIC: 2.0, Kind.HOSPITAL: 3.0}


class Mode:
    """How a person's day is changed by illness or orders; higher wins."""

    WELL = 0
    HOME = 1  # stays at home
    CARE = 2  # at home, but for a visit to the clinic
    WARD = 3  # in a bed of the hospital
    DEAD = 4


class Ground(NamedTuple):
    """The city as compiled code sees it; see `People` and `Places` for the columns."""

    seed: int
    age: NDArray[np.uint8]
    role: NDArray[np.uint8]
    home: NDArray[np.uint32]
    main: NDArray[np.uint32]
    habits: NDArray[np.uint32]
    ranks: NDArray[np.uint32]
    kind: NDArray[np.uint8]
    parent: NDArray[np.uint32]
    staff: NDArray[np.uint32]
    teams: NDArray[np.uint32]  # teams that serve a place; they have consecutive numbers from `staff`
    first: NDArray[np.int64]
    members: NDArray[np.uint32]
    prime: NDArray[np.uint32]
    near: NDArray[np.float32]  # chance that two who are in one cell or group are in contact
    serve: NDArray[np.float32]  # chance that a visitor and one of the staff are
    share: NDArray[np.float64]  # by kind and kind of day
    opens: NDArray[np.int64]
    closes: NDArray[np.int64]
    late: NDArray[np.float64]
    cell: NDArray[np.int64]
    stay: NDArray[np.int64]  # by kind, least and most


class Today(NamedTuple):
    """A day as compiled code sees it.

    `closed` has a flag for each place, `deals` the columns of `days.dealing` for each gathering place.
    """

    day: int
    sort: int  # WEEKDAY, SATURDAY or SUNDAY
    term: bool
    closed: NDArray[np.bool_]
    deals: NDArray[np.int64]


def ground(city: City) -> Ground:
    """Return a city as compiled code sees it."""
    people, places = city.people, city.places
    kinds = len(Kind)
    share, stay = np.zeros((kinds, 3)), np.zeros((kinds, 2), np.int64)
    opens, closes, cell = (np.zeros(kinds, np.int64) for _ in range(3))
    late = np.zeros(kinds)
    for row in GATHERINGS:
        share[row.kind], opens[row.kind], closes[row.kind] = row.share, row.opens, row.closes
        late[row.kind], cell[row.kind], stay[row.kind] = row.late, row.cell, row.stay
    teams = _teams(city)
    return Ground(
        city.seed,
        people.age, people.role, people.home, people.main, people.habits, people.ranks,
        places.kind, places.parent, places.staff, teams, places.first, places.members, places.prime,
        _near(city, cell), _serve(city, teams, share), share, opens, closes, late, cell, stay,
    )  # fmt: skip


def _teams(city: City) -> NDArray[np.uint32]:
    places = city.places
    served = places.parent[(places.kind == Kind.TEAM) & (places.parent != NOWHERE)]
    return np.bincount(served, minlength=len(places)).astype(np.uint32)


def _near(city: City, cell: NDArray[np.int64]) -> NDArray[np.float32]:
    kind = city.places.kind
    company = np.zeros(len(Kind))
    for one, people in COMPANY.items():
        company[one] = people
    together = np.where(cell[kind] > 0, cell[kind], np.diff(city.places.first))
    near: NDArray[np.float32] = np.minimum(1.0, company[kind] / np.maximum(together - 1, 1)).astype(
        np.float32
    )
    return near


def _serve(city: City, teams: NDArray[np.uint32], share: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the chance of contact with each of the staff: each is near `_SERVED_A_DAY`, or all who come."""
    serve = np.zeros(len(city.places), np.float32)
    for kind, most in _SERVE.items():
        for place in city.places.of(kind):
            visitors = share[kind, WEEKDAY] * float(city.places.prime[place]) / max(1, int(teams[place]))
            staff = max(1, len(city.places.members_of(int(city.places.staff[place]))))
            serve[place] = min(most / staff, _SERVED_A_DAY / max(visitors, 1.0), 1.0)
    return serve
