"""Run an epidemic through a city, day by day."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from broadstreet.model.pathogens import Pathogen
from broadstreet.simulation.days.dates import today
from broadstreet.simulation.days.ground import Mode, Today, ground
from broadstreet.simulation.days.visiting import visits_within
from broadstreet.simulation.draws import units_of
from broadstreet.simulation.epidemic.acting import FOUND, Actions, Report
from broadstreet.simulation.epidemic.course import (
    FAINT,
    IMMUNE,
    IMPORTS,
    SOURCE,
    by_age,
    draw_courses,
    key_of,
    stays_of,
)
from broadstreet.simulation.epidemic.infectiousness import (
    Infectiousness,
    by_company,
    by_kind,
    by_susceptibility,
)
from broadstreet.simulation.epidemic.ledger import Ledger
from broadstreet.simulation.epidemic.outcome import IMPORTED, POINT_SOURCE, Outcome, apply_stays, closed_on
from broadstreet.simulation.epidemic.scenario import Contamination, Import, Scenario
from broadstreet.simulation.epidemic.spread import Passing, pass_on
from broadstreet.simulation.population.city import NOWHERE, City

# Who is less infectious than this hazard per hour counts as so infectious with the chance of the quotient,
# else not at all that day: the mean is the same, and most of the faint are passed over.
_FAINT = 2e-3
Progress = Callable[[int, int], None]


def run(city: City, scenario: Scenario, *, progress: Progress | None = None) -> Outcome:
    """Run a scenario.

    Parameters
    ----------
    city : City
    scenario : Scenario
    progress : callable, optional
        Called after each day with the day and the infections so far.

    Returns
    -------
    Outcome
        The same for the same city, seed and scenario, on any number of threads.

    Raises
    ------
    ValueError
        If the scenario names a district or place that the city does not have, or asks for more imports than
        there are people.
    """
    return _Run(city, scenario).days(progress)


class _Run:
    def __init__(self, city: City, scenario: Scenario) -> None:
        self.city, self.scenario, self.g = city, scenario, ground(city)
        self.ledger = Ledger()
        names = tuple(pathogen.name for pathogen in scenario.pathogens)
        self.actions = Actions(city, self.g, scenario.interventions, names)
        self.strains = [_Strain(city, pathogen) for pathogen in scenario.pathogens]
        codes = [district.code for district in city.districts]
        entries: tuple[Import | Contamination, ...] = (*scenario.imports, *scenario.sources)
        for entry in entries:
            if entry.district is not None and entry.district not in codes:
                raise ValueError(f"district must be one of {', '.join(codes)} (it is {entry.district!r})")
        for source in scenario.sources:
            if source.place is not None and not 0 <= source.place < len(city.places):
                raise ValueError(f"place must be from 0 to {len(city.places) - 1} (it is {source.place})")

    def days(self, progress: Progress | None) -> Outcome:
        for day in range(self.scenario.days):
            self._day(day)
            if progress is not None:
                progress(day, len(self.ledger))
        closures = self.actions.closures
        return Outcome(self.city, self.scenario, self.ledger.truth(), self.ledger.stays(), closures)

    def _day(self, day: int) -> None:
        for stays in self.actions.stays_from(day):
            self.ledger.add_stays(stays)
        modes = np.zeros(len(self.city.people), np.uint8)
        apply_stays(*self.ledger.current_stays(day), day, modes)
        t = today(self.city, self.g, day, closed_on(self.city, self.actions.closures, day))
        for number, strain in enumerate(self.strains):
            strain.immune[self.actions.protected(day, strain.pathogen.name)] = True
            self._import(number, strain, day)
            self._expose(number, strain, t, modes)
            self._spread(number, strain, t, modes)
        self._test(day)
        self.actions.remember(t, modes)

    def _test(self, day: int) -> None:
        """Test people of a district: who is infected and not over it is found with the test's sensitivity."""
        for people, delay in self.actions.tested(day):
            for strain in self.strains:
                rows = np.flatnonzero(np.isin(strain.people, people) & (strain.since < day))
                drawn = units_of(self.city.seed, FOUND, strain.people[rows], strain.passing.key + day)
                rows = rows[drawn < strain.pathogen.test_sensitivity]
                sampled, resulted = np.full(len(rows), day + 0.5), np.full(len(rows), day + 0.75 + delay)
                self.ledger.found_by_test(strain.truth_rows[rows], sampled, resulted)
                self.actions.told(Report(strain.people[rows], np.fmin(strain.onset[rows], day)), resulted)

    def _spread(self, number: int, strain: _Strain, t: Today, modes: NDArray[np.uint8]) -> None:
        rows, hazard = strain.infectious_on(t.day)
        if not len(rows):
            return
        infectious = strain.people[rows]
        passed = pass_on(self.g, t, strain.passing, infectious, hazard, modes, strain.immune)
        source = rows[passed.source]
        self._infect(
            number,
            strain,
            passed.infected.astype(np.uint32),
            infector=strain.people[source].astype(np.int64),
            cause=strain.truth_rows[source],
            place=passed.place.astype(np.uint32),
            time=t.day + passed.minute / 1440.0,
        )

    def _import(self, number: int, strain: _Strain, day: int) -> None:
        for at, entry in enumerate(self.scenario.imports):
            if entry.pathogen == strain.pathogen.name and _is_on(entry, day):
                people = self._travellers(entry, at, strain, day)
                self._infect_from_outside(
                    number, strain, people, IMPORTED, NOWHERE, np.full(len(people), day + 0.25)
                )

    def _travellers(self, entry: Import, at: int, strain: _Strain, day: int) -> NDArray[np.uint32]:
        eligible = ~strain.immune
        if entry.district is not None:
            eligible &= self.city.home_district == self._district(entry.district)
        able = np.flatnonzero(eligible).astype(np.uint32)
        if len(able) < entry.count:
            raise ValueError(
                f"count must be at most the {len(able)} people who can be infected (it is {entry.count})"
            )
        drawn = units_of(self.city.seed, IMPORTS, able, strain.passing.key + 1_000 * at + day)
        return able[np.sort(np.argsort(drawn, kind="stable")[: entry.count])]

    def _expose(self, number: int, strain: _Strain, t: Today, modes: NDArray[np.uint8]) -> None:
        for at, source in enumerate(self.scenario.sources):
            if source.pathogen != strain.pathogen.name or not _is_on(source, t.day):
                continue
            people, minute = self._exposed(source, t, modes)
            able = ~strain.immune[people]
            people, minute = people[able], minute[able]
            chance = (
                self._attack(source, people) * strain.passing.susceptibility[self.city.people.age[people]]
            )
            ill = units_of(self.city.seed, SOURCE, people, strain.passing.key + 1_000 * at + t.day) < chance
            place = NOWHERE if source.place is None else np.uint32(source.place)
            self._infect_from_outside(
                number, strain, people[ill], POINT_SOURCE, place, t.day + minute[ill] / 1440.0
            )

    def _exposed(
        self, source: Contamination, t: Today, modes: NDArray[np.uint8]
    ) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """Return who comes to the source on a day, and the minute at which they do."""
        if source.place is None:
            here = self.city.home_district == self._district(source.district or "")
            people = np.flatnonzero(here | (source.reach is not None))
            well = people[modes[people] < Mode.WARD].astype(np.uint32)
            return well, np.full(len(well), 480)
        members = np.unique(self.city.places.members_of(source.place))
        return visits_within(self.g, t, members, modes, source.place)

    def _attack(self, source: Contamination, people: NDArray[np.uint32]) -> NDArray[np.float64] | float:
        """Return the chance of each to be infected; from a pump it falls with the distance of their homes."""
        if source.reach is None or source.district is None:
            return source.attack
        pump, home = self.city.districts[self._district(source.district)], self.city.people.home[people]
        away = np.hypot(self.city.places.x[home] - pump.x, self.city.places.y[home] - pump.y)
        chance: NDArray[np.float64] = source.attack * np.exp(-away.astype(np.float64) / source.reach)
        return chance

    def _district(self, code: str) -> int:
        return [district.code for district in self.city.districts].index(code)

    def _infect_from_outside(
        self, number: int, strain: _Strain, people: NDArray[np.uint32], infector: int, place: np.uint32,
        time: NDArray[np.float64],
    ) -> None:  # fmt: skip
        count = len(people)
        nobody = np.full(count, -1, np.int64)
        self._infect(
            number, strain, people, np.full(count, infector, np.int64), nobody, np.full(count, place), time
        )

    def _infect(
        self, number: int, strain: _Strain, people: NDArray[np.uint32], infector: NDArray[np.int64],
        cause: NDArray[np.int64], place: NDArray[np.uint32], time: NDArray[np.float64],
    ) -> None:  # fmt: skip
        if not len(people):
            return
        course = draw_courses(self.city, strain.pathogen, people, time)
        strain.add(
            people,
            np.arange(len(self.ledger), len(self.ledger) + len(people)),
            time,
            course.hidden_onset,
            course.strength,
        )
        self.ledger.add(number, people, infector, cause, place, time, course)
        self.ledger.add_stays(stays_of(people, course))
        positive = course.positive
        self.actions.told(Report(people[positive], course.hidden_onset[positive]), course.resulted[positive])


class _Strain:
    """One pathogen in the run: who is immune, and who may be infectious."""

    def __init__(self, city: City, pathogen: Pathogen) -> None:
        self.pathogen, self.seed = pathogen, city.seed
        self.passing = Passing(
            key_of(pathogen), by_kind(pathogen), by_company(pathogen), by_susceptibility(pathogen)
        )
        self.curve = Infectiousness(pathogen)
        everybody = np.arange(len(city.people), dtype=np.uint32)
        drawn = units_of(city.seed, IMMUNE, everybody, self.passing.key)
        self.immune = drawn < by_age(pathogen.immune)[city.people.age]
        self.people = np.empty(0, np.uint32)
        self.truth_rows = np.empty(0, np.int64)
        self.since, self.onset, self.strength = np.empty(0), np.empty(0), np.empty(0)

    def add(
        self, people: NDArray[np.uint32], rows: NDArray[np.int64], time: NDArray[np.float64],
        onset: NDArray[np.float64], strength: NDArray[np.float64],
    ) -> None:  # fmt: skip
        self.immune[people] = True
        self.people = np.concatenate([self.people, people])
        self.truth_rows = np.concatenate([self.truth_rows, rows])
        self.since = np.concatenate([self.since, time])
        self.onset = np.concatenate([self.onset, onset])
        self.strength = np.concatenate([self.strength, strength])

    def infectious_on(self, day: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return rows and hazards per hour of those infectious on a day; forget those who no longer are."""
        kept = self.curve.may_come(day, self.onset)
        if not kept.all():
            self.people, self.truth_rows = self.people[kept], self.truth_rows[kept]
            self.since, self.onset, self.strength = self.since[kept], self.onset[kept], self.strength[kept]
        hazard = self.strength * self.curve.hazard(day, self.since, self.onset)
        rows = np.flatnonzero(hazard > 0.0)
        drawn = units_of(self.seed, FAINT, self.people[rows], self.passing.key + day)
        rows = rows[drawn * _FAINT < hazard[rows]]
        return rows, np.maximum(hazard[rows], _FAINT)


def _is_on(entry: Import | Contamination, day: int) -> bool:
    last = entry.first_day if entry.last_day is None else entry.last_day
    return entry.first_day <= day <= last
