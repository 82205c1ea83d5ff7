"""Cases of an epidemic as clinics meet them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.draws import unit
from broadstreet.simulation.epidemic import Outcome
from broadstreet.simulation.population import City, Habit

_CASES = 1100  # purpose of random numbers
_OPENS, _CLOSES = 500, 1020  # minutes of the day between which a patient arrives at a clinic
_SUNDAY = 6


class Cases(NamedTuple):
    """Who comes because of an epidemic, one value a visit in each column.

    Attributes
    ----------
    person
        Number of the person.
    place
        Number of the clinic or hospital in the city.
    day, minute
        When they arrive: day of the run, minute of the day.
    pathogen
        Names of the pathogens.
    severe
        Whether they need a bed.
    tested, positive
        Whether a specimen is taken, and what the laboratory then answers.
    """

    person: NDArray[np.uint32]
    place: NDArray[np.uint32]
    day: NDArray[np.int64]
    minute: NDArray[np.int64]
    pathogen: NDArray[np.str_]
    severe: NDArray[np.bool_]
    tested: NDArray[np.bool_]
    positive: NDArray[np.bool_]

    @classmethod
    def none(cls) -> Cases:
        """Return no cases: a city that has its usual illnesses only."""
        kinds = (np.uint32, np.uint32, np.int64, np.int64, np.str_, np.bool_, np.bool_, np.bool_)
        return cls._make(np.zeros(0, kind) for kind in kinds)

    def at(self, place: int) -> Cases:
        """Return the cases that come to a place."""
        here = self.place == place
        return Cases._make(column[here] for column in self)


def cases_of(outcome: Outcome) -> Cases:
    """Return who comes to clinics and hospitals because of the epidemics of a run.

    Who needs a bed comes to the hospital when admitted; others see their clinic, or on a day on which it is
    closed the emergency room of their hospital. Who was reported has a positive result.
    """
    truth, city = outcome.truth, outcome.city
    mild = np.isfinite(truth.sought_care) & ~(truth.admitted <= truth.sought_care)
    severe = np.isfinite(truth.admitted)
    rows = np.concatenate([np.flatnonzero(mild), np.flatnonzero(severe)])
    severe = np.arange(len(rows)) >= int(mild.sum())
    at = np.where(severe, truth.admitted[rows], truth.sought_care[rows]).astype(np.float64)
    person, day = truth.infected[rows], np.floor(at).astype(np.int64)
    drawn = np.array([unit(city.seed, _CASES, who) for who in person.tolist()], np.float64)
    shut = np.array([_closed(city, int(number)) for number in day], bool)
    in_hospital = severe | shut
    habits = city.people.habits[person]
    minute = np.where(in_hospital, (at - day) * 1440, _OPENS + drawn * (_CLOSES - _OPENS))
    names = np.array([pathogen.name for pathogen in outcome.scenario.pathogens])
    tested = np.isfinite(truth.tested[rows])
    order = np.lexsort((person, minute, day))
    found = Cases(
        person=person,
        place=np.where(in_hospital, habits[:, Habit.HOSPITAL], habits[:, Habit.CLINIC]),
        day=day,
        minute=minute.astype(np.int64),
        pathogen=names[truth.pathogen[rows]],
        severe=severe,
        tested=tested,
        positive=np.isfinite(truth.reported[rows]),
    )
    return Cases._make(column[order] for column in found)


def _closed(city: City, day: int) -> bool:
    return city.date_of(day).weekday() == _SUNDAY
