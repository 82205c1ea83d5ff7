"""What happened: the truth about each infection, and how it changed people's days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.days.ground import Mode
from broadstreet.simulation.draws import compiled
from broadstreet.simulation.epidemic.scenario import Scenario
from broadstreet.simulation.population.city import City

IMPORTED, POINT_SOURCE = -1, -2


@dataclass(frozen=True, eq=False, slots=True)
class Truth:
    """Who infected whom, where and when, and what came of it: one row an infection, in order of time.

    `infector` is a person, `IMPORTED` or `POINT_SOURCE`; `place` is `NOWHERE` for imports and water. Times
    are days since the beginning of day 0, with the time of day as fraction; NaN where it did not happen.
    `onset` is NaN for a course without symptoms, `positive` and `critical` whether the test found it and
    intensive care was needed, `cause` the row of the infector's own infection (-1 without).
    """

    pathogen: NDArray[np.uint8]
    infected: NDArray[np.uint32]
    infector: NDArray[np.int64]
    cause: NDArray[np.int64]
    place: NDArray[np.uint32]
    time: NDArray[np.float32]
    onset: NDArray[np.float32]
    sought_care: NDArray[np.float32]
    tested: NDArray[np.float32]
    resulted: NDArray[np.float32]
    admitted: NDArray[np.float32]
    discharged: NDArray[np.float32]
    died: NDArray[np.float32]
    positive: NDArray[np.bool_]
    critical: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.infected)

    @property
    def day(self) -> NDArray[np.int32]:
        """The day of each infection, shape (infections,)."""
        return self.time.astype(np.int32)

    @property
    def reported(self) -> NDArray[np.float32]:
        """When a positive result was told, NaN without, shape (infections,)."""
        return np.where(self.positive, self.resulted, np.float32(np.nan))


@dataclass(frozen=True, eq=False, slots=True)
class Stays:
    """Days on which people were not where they usually are: `mode` from day `first` until before `after`."""

    person: NDArray[np.uint32]
    mode: NDArray[np.uint8]
    first: NDArray[np.int32]
    after: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a run gave: the truth, and what is needed to tell where everybody was on each of its days."""

    city: City
    scenario: Scenario
    truth: Truth
    stays: Stays
    closures: tuple[tuple[int, int, NDArray[np.uint32]], ...] = ()

    def modes(self, day: int) -> NDArray[np.uint8]:
        """Return how each person's day was changed (`Mode`), shape (people,)."""
        modes = np.zeros(len(self.city.people), np.uint8)
        apply_stays(self.stays.person, self.stays.mode, self.stays.first, self.stays.after, day, modes)
        return modes

    def closed(self, day: int) -> NDArray[np.bool_]:
        """Return which places were closed on a day, shape (places,)."""
        return closed_on(self.city, self.closures, day)

    def curve(self, pathogen: int = 0) -> NDArray[np.int64]:
        """Return the infections of each day, shape (days,)."""
        days = self.truth.day[self.truth.pathogen == pathogen]
        return np.bincount(days, minlength=self.scenario.days)


@compiled
def apply_stays(
    person: NDArray[np.uint32],
    mode: NDArray[np.uint8],
    first: NDArray[np.int32],
    after: NDArray[np.int32],
    day: int,
    modes: NDArray[np.uint8],
) -> None:
    """Write the highest mode of each person on a day."""
    for row in range(len(person)):
        if first[row] <= day < after[row] and mode[row] > modes[person[row]]:
            modes[person[row]] = mode[row]


def closed_on(
    city: City, closures: tuple[tuple[int, int, NDArray[np.uint32]], ...], day: int
) -> NDArray[np.bool_]:
    """Return which places are closed on a day, from (first day, day after the last, places)."""
    closed = np.zeros(len(city.places), np.bool_)
    for first, after, places in closures:
        if first <= day < after:
            closed[places] = True
    return closed


__all__ = ["IMPORTED", "POINT_SOURCE", "Mode", "Outcome", "Stays", "Truth"]
