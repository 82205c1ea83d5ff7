"""Write down what happens in a run, and give it back as tables."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.epidemic.course import Course
from broadstreet.simulation.epidemic.outcome import Stays, Truth

_TIMES = ("onset", "sought_care", "tested", "resulted", "admitted", "discharged", "died")
StayColumns = tuple[NDArray[np.uint32], NDArray[np.uint8], NDArray[np.int32], NDArray[np.int32]]


class Ledger:
    """The infections and stays of a run, in order of time."""

    def __init__(self) -> None:
        self._infections: list[tuple[NDArray[np.generic], ...]] = []
        self._count = 0
        self._stays: list[StayColumns] = []
        self._open: StayColumns = _no_stays()
        self._found: list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]] = []

    def __len__(self) -> int:
        return self._count

    def add(
        self, pathogen: int, people: NDArray[np.uint32], infector: NDArray[np.int64],
        cause: NDArray[np.int64], place: NDArray[np.uint32], time: NDArray[np.float64], course: Course,
    ) -> None:  # fmt: skip
        """Add infections of one pathogen."""
        times = (time, *(getattr(course, name) for name in _TIMES))
        self._infections.append(
            (
                np.full(len(people), pathogen, np.uint8),
                people, infector, cause, place,
                *(column.astype(np.float32) for column in times), course.positive, course.critical,
            )
        )  # fmt: skip
        self._count += len(people)

    def add_stays(self, stays: Stays) -> None:
        """Add stays that begin today or later."""
        columns = (stays.person, stays.mode, stays.first, stays.after)
        self._stays.append(columns)
        self._open = _joined([self._open, columns])

    def current_stays(self, day: int) -> StayColumns:
        """Return the stays that are not over on a day; days are asked for in order."""
        lasting = self._open[3] > day
        person, mode, first, after = self._open
        self._open = person[lasting], mode[lasting], first[lasting], after[lasting]
        return self._open

    def stays(self) -> Stays:
        """Return all stays."""
        return Stays(*_joined([_no_stays(), *self._stays]))

    def found_by_test(
        self, rows: NDArray[np.int64], sampled: NDArray[np.float64], resulted: NDArray[np.float64]
    ) -> None:
        """Note positive tests that were not asked for; who was found sooner keeps that result."""
        self._found.append((rows, sampled, resulted))

    def truth(self) -> Truth:
        """Return all infections."""
        truth = self._infected()
        for rows, sampled, resulted in self._found:
            later = ~(truth.reported[rows] <= resulted)
            chosen = rows[later]
            truth.tested[chosen], truth.resulted[chosen] = sampled[later], resulted[later]
            truth.positive[chosen] = True
        return truth

    def _infected(self) -> Truth:
        if not self._infections:
            kinds = (
                np.uint8,
                np.uint32,
                np.int64,
                np.int64,
                np.uint32,
                *(np.float32,) * 8,
                np.bool_,
                np.bool_,
            )
            return Truth(*(np.empty(0, kind) for kind in kinds))  # type: ignore[arg-type]
        return Truth(*(np.concatenate(column) for column in zip(*self._infections, strict=True)))


def _no_stays() -> StayColumns:
    return np.empty(0, np.uint32), np.empty(0, np.uint8), np.empty(0, np.int32), np.empty(0, np.int32)


def _joined(parts: list[StayColumns]) -> StayColumns:
    person, mode, first, after = (np.concatenate(column) for column in zip(*parts, strict=True))
    return person, mode, first, after
