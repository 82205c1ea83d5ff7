"""A city as arrays: people, places and districts, with who belongs where in both directions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.population.configuration import Configuration
from broadstreet.simulation.population.defaults import District
from broadstreet.simulation.population.kinds import Kind

NOWHERE = np.uint32(0xFFFFFFFF)


@dataclass(frozen=True, eq=False, slots=True)
class People:
    """The residents, one row a person; a person's number is the row.

    `home` and `main` (class or team; `NOWHERE` without) are places whose members they are. `habits` are
    their gathering places, one column a `Habit`, and `ranks` their position among the members of each.
    """

    age: NDArray[np.uint8]
    female: NDArray[np.bool_]
    role: NDArray[np.uint8]
    home: NDArray[np.uint32]
    main: NDArray[np.uint32]
    habits: NDArray[np.uint32]
    ranks: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.age)


@dataclass(frozen=True, eq=False, slots=True)
class Places:
    """The places, one row a place; `x` and `y` in kilometres, `parent` the place that it is part of.

    The members of place `p` are `members[first[p] : first[p + 1]]`: who lives, learns or works there, or is
    a regular. `staff` is the team that serves a public place (`NOWHERE` without). `prime` is the least
    prime not below the number of regulars, 0 for other places; see `days.dealing`.
    """

    kind: NDArray[np.uint8]
    district: NDArray[np.uint16]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    parent: NDArray[np.uint32]
    staff: NDArray[np.uint32]
    first: NDArray[np.int64]
    members: NDArray[np.uint32]
    prime: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.kind)

    def of(self, kind: Kind) -> NDArray[np.uint32]:
        """Return the numbers of the places of a kind."""
        return np.flatnonzero(self.kind == kind).astype(np.uint32)

    def members_of(self, place: int) -> NDArray[np.uint32]:
        """Return the people who belong to a place: residents, pupils, staff, or regulars."""
        return self.members[self.first[place] : self.first[place + 1]]


@dataclass(frozen=True, eq=False)
class City:
    """A built city; what happens in it on a day follows from it and the seed."""

    configuration: Configuration
    seed: int
    people: People
    places: Places
    prepared: dict[str, object] = field(default_factory=dict, repr=False)  # what others derive from it, once

    @property
    def districts(self) -> tuple[District, ...]:
        """The districts; `Places.district` counts them from 0."""
        return self.configuration.districts

    @cached_property
    def home_district(self) -> NDArray[np.uint16]:
        """The district of each person's home, shape (people,)."""
        return self.places.district[self.people.home]

    def with_seed(self, seed: int) -> City:
        """Return the same people and places, in whose days and infections other numbers are drawn."""
        return City(self.configuration, seed, self.people, self.places, self.prepared)

    def date_of(self, day: int) -> date:
        """Return the date of a day, 0-based."""
        return self.configuration.first_day + timedelta(days=day)
