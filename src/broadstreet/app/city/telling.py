"""What a run came to, in numbers and sentences: the same for the terminal and the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.epidemic import IMPORTED, POINT_SOURCE, Outcome
from broadstreet.simulation.population import NOWHERE, Kind

Ints = NDArray[np.int64]
BANDS = ((0, 17), (18, 64), (65, 120))
_SETTINGS = {
    "home": (Kind.HOME,),
    "school": (Kind.CLASS, Kind.SCHOOL),
    "work": (Kind.TEAM, Kind.WORKPLACE),
    "care home": (Kind.CARE_HOME,),
    "clinic or hospital": (Kind.CLINIC, Kind.HOSPITAL),
    "shop": (Kind.SHOP,),
    "venue": (Kind.VENUE,),
    "worship": (Kind.WORSHIP,),
    "transport": (Kind.TRANSPORT,),
}
_EARLY = 3
"""Generations whose secondary cases tell the reproduction number before many are immune."""


@dataclass(frozen=True)
class Daily:
    """Counts by day, shape (days,) each."""

    infected: Ints
    ill: Ints
    reported: Ints


@dataclass(frozen=True)
class Course:
    """What became of one pathogen in a run.

    `settings` counts infections by where they happened; `districts` has code, name, residents and
    infections; `ages` has first and last age, people and infections; `generation` is in days (NaN without
    pairs); `secondary` the mean number of people infected by those of the first generations, in full.
    """

    name: str
    title: str
    first_day: date
    people: int
    infections: int
    outside: int
    totals: dict[str, int]
    daily: Daily
    settings: dict[str, int]
    districts: tuple[tuple[str, str, int, int], ...]
    ages: tuple[tuple[int, int, int, int], ...]
    generation: float
    secondary: float

    @property
    def peak(self) -> date:
        """The day with most infections."""
        return self.first_day + timedelta(days=int(np.argmax(self.daily.infected)))


def courses(outcome: Outcome) -> tuple[Course, ...]:
    """Return what became of each pathogen."""
    return tuple(_course(outcome, number) for number in range(len(outcome.scenario.pathogens)))


def lead(course: Course) -> str:
    """Return the course in one or two sentences."""
    if not course.infections:
        return f"Nobody was infected with {course.title}."
    share = course.infections / course.people
    seen = course.totals["reported"] / course.infections
    return (
        f"{course.infections:,} of {course.people:,} people ({share:.1%}) were infected with {course.title},"
        f" most on {course.peak}; {course.totals['reported']:,} of them ({seen:.0%}) came to be reported."
    )


def rows(course: Course) -> Sequence[tuple[str, str]]:
    """Return the numbers of a course with their names."""
    totals = course.totals
    told = [
        ("Infected", f"{course.infections:,} ({course.infections / course.people:.1%} of the people)"),
        ("From outside", f"{course.outside:,} (imported, or from a point source)"),
        ("Fell ill", f"{totals['onset']:,}"),
        ("Sought care", f"{totals['sought_care']:,}"),
        ("Tested, reported", f"{totals['tested']:,}, {totals['reported']:,}"),
        ("In hospital, died", f"{totals['admitted']:,}, {totals['died']:,}"),
    ]
    if course.infections:
        told.append(("Most infections", f"on {course.peak}, {int(course.daily.infected.max()):,}"))
    if np.isfinite(course.secondary):
        told.append(("Infected by one", f"{course.secondary:.2f} on average, in the first generations"))
    if np.isfinite(course.generation):
        told.append(("Generation time", f"{course.generation:.1f} days on average"))
    return told


def _course(outcome: Outcome, number: int) -> Course:
    city, truth, pathogen = outcome.city, outcome.truth, outcome.scenario.pathogens[number]
    mine = truth.pathogen == number
    infected, time = truth.infected[mine], truth.time[mine]
    days = outcome.scenario.days
    names = ("onset", "sought_care", "tested", "reported", "admitted", "died")
    return Course(
        name=pathogen.name,
        title=pathogen.disease.title,
        first_day=city.configuration.first_day,
        people=len(city.people),
        infections=len(infected),
        outside=int((truth.infector[mine] < 0).sum()),
        totals={name: int(np.isfinite(getattr(truth, name)[mine]).sum()) for name in names},
        daily=Daily(
            _by_day(time, days), _by_day(truth.onset[mine], days), _by_day(truth.reported[mine], days)
        ),
        settings=_by_setting(outcome, mine),
        districts=_by_district(outcome, infected),
        ages=_by_age(outcome, infected),
        generation=_generation(outcome, mine),
        secondary=_secondary(outcome, mine),
    )


def _by_day(time: NDArray[np.floating], days: int) -> Ints:
    known = time[np.isfinite(time)].astype(np.int64)
    return np.bincount(known[known < days], minlength=days)[:days]


def _by_setting(outcome: Outcome, mine: NDArray[np.bool_]) -> dict[str, int]:
    truth = outcome.truth
    place, infector = truth.place[mine], truth.infector[mine]
    here = place[(place != NOWHERE) & (infector >= 0)]
    kinds = np.bincount(outcome.city.places.kind[here], minlength=len(Kind))
    counts = {name: int(kinds[list(group)].sum()) for name, group in _SETTINGS.items()}
    counts["a point source"] = int((infector == POINT_SOURCE).sum())
    counts["another city"] = int((infector == IMPORTED).sum())
    return {name: count for name, count in sorted(counts.items(), key=lambda item: -item[1]) if count}


def _by_district(outcome: Outcome, infected: NDArray[np.uint32]) -> tuple[tuple[str, str, int, int], ...]:
    city = outcome.city
    many = len(city.districts)
    living = np.bincount(city.home_district, minlength=many)
    hit = np.bincount(city.home_district[infected], minlength=many)
    return tuple(
        (district.code, district.name, int(living[at]), int(hit[at]))
        for at, district in enumerate(city.districts)
    )


def _by_age(outcome: Outcome, infected: NDArray[np.uint32]) -> tuple[tuple[int, int, int, int], ...]:
    age = outcome.city.people.age
    return tuple(
        (first, last, int(_between(age, first, last)), int(_between(age[infected], first, last)))
        for first, last in BANDS
    )


def _between(age: NDArray[np.uint8], first: int, last: int) -> int:
    return int(((age >= first) & (age <= last)).sum())


def _generation(outcome: Outcome, mine: NDArray[np.bool_]) -> float:
    truth = outcome.truth
    pairs = np.flatnonzero(mine & (truth.cause >= 0))
    if not len(pairs):
        return float("nan")
    return float(np.mean(truth.time[pairs] - truth.time[truth.cause[pairs]]))


def _secondary(outcome: Outcome, mine: NDArray[np.bool_]) -> float:
    """Return the mean number infected by those of the first generations whose infectious time is over."""
    truth = outcome.truth
    generation = np.zeros(len(truth), np.int64)
    for row in np.flatnonzero(truth.cause >= 0).tolist():  # causes come before their effects
        generation[row] = generation[truth.cause[row]] + 1
    made = np.bincount(truth.cause[truth.cause >= 0], minlength=len(truth))
    longest = 20.0
    early = mine & (generation < _EARLY) & (truth.time < outcome.scenario.days - longest)
    return float(made[early].mean()) if early.any() else float("nan")
