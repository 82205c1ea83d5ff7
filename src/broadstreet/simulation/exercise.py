"""An exercise: the clinics of a city send what they see, and one outbreak is hidden in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import NamedTuple

import numpy as np

from broadstreet.model.pathogens import diseases, pathogen_named
from broadstreet.simulation.clinics import Clinic, Clinics
from broadstreet.simulation.clinics.cases import Cases, cases_of
from broadstreet.simulation.clinics.chance import Purpose, by_weight, cumulative, generator, one_of
from broadstreet.simulation.epidemic import Contamination, Import, Outcome, Scenario, run
from broadstreet.simulation.population import City, build, configuration

FIRST_DAY = date(2026, 1, 5)
DAYS = 120
MOST_CLINICS = 48
RESIDENTS = 2_500  # for each clinic or hospital
_CLINICS_PER_HOSPITAL = 5
_EARLIEST, _LATEST = 40 / 120, 95 / 120  # of the run: the first infections
_SIZES = (40, 130)  # visits that are aimed at
_LONGEST = 10  # days of infections from outside
_LEAST_SHARE, _MOST_SHARE = 0.01, 0.30  # of a district's residents who are infected from outside
_TOLD = 0.95  # of the visits: the outbreak is over when so many have come


class _Cause(NamedTuple):
    """How an outbreak begins; `passed_on` is a factor on what people pass on: below 1 it stays small."""

    pathogen: str
    water: bool
    passed_on: float
    words: str


_CAUSES = (
    _Cause("norovirus", True, 0.15, "norovirus in the water of {}"),
    _Cause("cholera", True, 0.05, "cholera in the water of {}"),
    _Cause("influenza", False, 0.3, "influenza, brought home by travellers from {}"),
    _Cause("sars", False, 0.008, "SARS, brought home by travellers from {}"),
)


@dataclass(frozen=True)
class Truth:
    """The outbreak of a seed, known to the referee only.

    Attributes
    ----------
    syndrome, district
        What most of its patients show, and the code of the district where it begins.
    start, end
        First day with a visit because of it, and the day by which 95 % of these visits have come.
    size
        Visits because of it from `start` to `end`.
    visits
        Of them on each day, as registered: like any other visit, a few are cancelled or corrected later.
    cause
        In words.
    """

    syndrome: str
    district: str
    start: date
    end: date
    size: int
    visits: dict[date, int]
    cause: str = ""


@dataclass(frozen=True)
class Exercise:
    """A city of clinics with one outbreak.

    Parameters
    ----------
    seed
        Decides everything, 0 or more.
    start, days
        First day and number of days of the run.
    clinics
        Number of clinics and hospitals; the city has 2,500 residents for each.
    zone
        IANA name of the time zone that the city lives in.
    """

    seed: int
    start: date = FIRST_DAY
    days: int = DAYS
    clinics: int = 20
    zone: str = "Asia/Seoul"

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"seed must be 0 or more (it is {self.seed})")
        if self.days < 1:
            raise ValueError(f"days must be 1 or more (it is {self.days})")
        if not 1 <= self.clinics <= MOST_CLINICS:
            raise ValueError(f"clinics must be from 1 to {MOST_CLINICS} (it is {self.clinics})")

    @cached_property
    def city(self) -> City:
        """The city."""
        people = max(RESIDENTS * self.clinics, 1_000)
        hospitals = max(1, self.clinics // _CLINICS_PER_HOSPITAL)
        # Of one facility alone the city still builds a clinic and a hospital; only the hospital is then used.
        desks = max(1, self.clinics - hospitals)
        usual = configuration("demo", people)
        return build(
            replace(
                usual, first_day=self.start, people_per_clinic=people // desks,
                people_per_hospital=people // hospitals,
            ),
            self.seed,
        )  # fmt: skip

    @cached_property
    def outcome(self) -> Outcome:
        """What happens in the city."""
        scenario, _ = self._hidden
        return run(self.city, scenario)

    @cached_property
    def cases(self) -> Cases:
        """Who comes to clinics because of it within the days of the run."""
        cases = cases_of(self.outcome)
        within = cases.day < self.days
        return Cases._make(column[within] for column in cases)

    @cached_property
    def desks(self) -> Clinics:
        """The clinics and hospitals."""
        return Clinics(self.city, self.days, self.cases, self.zone)

    @cached_property
    def truth(self) -> Truth:
        """The outbreak that is hidden in the messages.

        Raises
        ------
        ValueError
            If nobody sought care because of it: the city or the run is too small.
        """
        _, cause = self._hidden
        cases = self.cases
        if not len(cases.day):
            raise ValueError("days and clinics must leave room for an outbreak: nobody fell ill in this one")
        counts = np.bincount(cases.day, minlength=self.days)
        told = np.cumsum(counts) / counts.sum()
        first, last = int(np.flatnonzero(counts)[0]), int(np.searchsorted(told, _TOLD))
        names = [_syndrome(name, severe) for name, severe in zip(cases.pathogen, cases.severe, strict=True)]
        visits = {self.date_of(day): int(counts[day]) for day in range(first, last + 1)}
        return Truth(
            syndrome=Counter(names).most_common(1)[0][0],
            district=self._district,
            start=min(visits),
            end=max(visits),
            size=sum(visits.values()),
            visits=visits,
            cause=cause,
        )

    def clinic(self, number: int) -> Clinic:
        """Return clinic `number`, 0-based; the hospitals come first."""
        if not 0 <= number < self.clinics:
            raise ValueError(f"the clinics are 0 to {self.clinics - 1} (asked for {number})")
        return self.desks.clinic(number)

    def date_of(self, day: int) -> date:
        """Return the date of a day of the run, 0-based."""
        if not 0 <= day < self.days:
            raise ValueError(f"the days are 0 to {self.days - 1} (asked for {day})")
        return self.start + timedelta(days=day)

    @cached_property
    def _district(self) -> str:
        draw = generator(self.seed, Purpose.SHARES)
        districts = self.city.districts
        return districts[by_weight(draw, cumulative(district.weight for district in districts))].code

    @cached_property
    def _hidden(self) -> tuple[Scenario, str]:
        """Draw what happens, and say it in words."""
        draw = generator(self.seed, Purpose.OUTBREAK)
        cause = one_of(draw, _CAUSES)
        first = int(draw.integers(int(self.days * _EARLIEST), int(self.days * _LATEST), endpoint=True))
        length = min(1 + int(draw.integers(4, _LONGEST)), max(1, self.days - first))
        size = int(draw.integers(*_SIZES, endpoint=True))
        at = next(n for n, d in enumerate(self.city.districts) if d.code == self._district)
        residents = int((self.city.home_district == at).sum())
        share = float(np.clip(size / self._visits_each(cause) / residents, _LEAST_SHARE, _MOST_SHARE))
        known = pathogen_named(cause.pathogen)
        scenario = Scenario(
            pathogens=(replace(known, hazard=known.hazard * cause.passed_on),),
            imports=() if cause.water else (self._brought(cause, share * residents, first, length),),
            sources=(self._leak(cause, share, first, length),) if cause.water else (),
            days=self.days,
        )
        return scenario, cause.words.format(self.city.districts[at].name)

    def _visits_each(self, cause: _Cause) -> float:
        """Return how many visits an infection brings on average, roughly: at 40 years of age."""
        known = pathogen_named(cause.pathogen)
        ill = 1 - known.asymptomatic.at(40)
        return ill * max(known.seeks_care.at(40), known.hospitalised.at(40))

    def _brought(self, cause: _Cause, people: float, first: int, length: int) -> Import:
        return Import(
            pathogen=cause.pathogen, count=max(1, round(people / length)), first_day=first,
            last_day=first + length - 1, district=self._district,
        )  # fmt: skip

    def _leak(self, cause: _Cause, share: float, first: int, length: int) -> Contamination:
        return Contamination(
            pathogen=cause.pathogen, attack=1 - (1 - share) ** (1 / length), first_day=first,
            last_day=first + length - 1, district=self._district,
        )  # fmt: skip


def _syndrome(pathogen: str, severe: bool) -> str:
    disease = diseases()[str(pathogen)]
    return disease.severe_syndrome if severe else disease.syndrome
