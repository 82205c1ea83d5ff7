"""What is done against an epidemic: actions of a script, on the day, on the people they reach."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.model.what_if import Action, Close, Isolate, QuarantineContacts, TestDistrict, Vaccinate
from broadstreet.simulation.days.contacting import contacts_on
from broadstreet.simulation.days.ground import Ground, Mode, Today
from broadstreet.simulation.draws import units_of
from broadstreet.simulation.epidemic.outcome import Stays
from broadstreet.simulation.population.city import City
from broadstreet.simulation.population.kinds import Kind

# Purposes of random numbers; those of courses are below 60.
ADHERES, TRACED, SAMPLED, INVITED, PROTECTED, FOUND = range(70, 76)
_BEFORE_ONSET = 2  # days before onset from which contacts are sought (WHO, Contact tracing, 2021)
_LOOK_BACK = 14


class Report(NamedTuple):
    """Cases whose positive result was told: the person and the onset (without symptoms, the sample)."""

    people: NDArray[np.uint32]
    onset: NDArray[np.float64]


class Past(NamedTuple):
    """A day gone by, as those who trace contacts look back on it."""

    today: Today
    modes: NDArray[np.uint8]


class Actions:
    """The actions of a scenario in a city."""

    def __init__(
        self, city: City, g: Ground, actions: tuple[Action, ...], pathogens: tuple[str, ...]
    ) -> None:
        self.city, self.g, self.actions = city, g, actions
        self.reports: dict[int, list[Report]] = defaultdict(list)
        self.past: dict[int, Past] = {}
        codes = [district.code for district in city.districts]
        for action in actions:
            district = getattr(action, "district", None)
            if district is not None and district not in codes:
                raise ValueError(f"district must be one of {', '.join(codes)} (it is {district!r})")
            if isinstance(action, Vaccinate) and action.pathogen not in pathogens:
                raise ValueError(
                    f"pathogen must be one of {', '.join(pathogens)} (it is {action.pathogen!r})"
                )
        self.traces = any(isinstance(action, QuarantineContacts) for action in actions)
        self.closures = tuple(self._closure(action) for action in actions if isinstance(action, Close))

    def told(self, report: Report, resulted: NDArray[np.float64]) -> None:
        """Note positive results on the day on which they are told."""
        days = np.floor(resulted).astype(np.int64)
        for day in np.unique(days):
            here = days == day
            self.reports[int(day)].append(Report(report.people[here], report.onset[here]))

    def remember(self, today: Today, modes: NDArray[np.uint8]) -> None:
        """Keep a day for those who trace contacts."""
        if self.traces:
            self.past[today.day] = Past(today, modes)
            self.past.pop(today.day - _LOOK_BACK, None)

    def stays_from(self, day: int) -> list[Stays]:
        """Return who stays at home by order, decided on the morning of a day."""
        reports = self.reports.pop(day - 1, [])
        if not reports:
            return []
        people = np.concatenate([report.people for report in reports])
        onset = np.concatenate([report.onset for report in reports])
        stays = []
        for at, action in enumerate(self.actions):
            if isinstance(action, Isolate) and action.is_on(day):
                stays.append(self._at_home(people, at, action, day))
            if isinstance(action, QuarantineContacts) and action.is_on(day):
                stays.append(self._at_home(self._contacts(people, onset, at, action), at, action, day))
        return stays

    def tested(self, day: int) -> list[tuple[NDArray[np.uint32], int]]:
        """Return who is tested in a district on a day, and after how many days the result is told."""
        found = []
        for at, action in enumerate(self.actions):
            if isinstance(action, TestDistrict) and action.is_on(day):
                people = self._residents(action.district)
                drawn = units_of(self.city.seed, SAMPLED, people, 1_000 * at + day)
                found.append((people[drawn < action.coverage], action.delay))
        return found

    def protected(self, day: int, pathogen: str) -> NDArray[np.uint32]:
        """Return who becomes immune on a day by a vaccine given earlier."""
        people = [np.empty(0, np.uint32)]
        for at, action in enumerate(self.actions):
            if not isinstance(action, Vaccinate) or action.pathogen != pathogen:
                continue
            given = day - action.after
            if given >= 0 and action.is_on(given):
                order = self._invited(at, action)
                first = (given - action.first_day) * action.doses
                chosen = order[first : first + action.doses]
                works = units_of(self.city.seed, PROTECTED, chosen, at) < action.efficacy
                people.append(chosen[works])
        return np.concatenate(people)

    def _closure(self, action: Close) -> tuple[int, int, NDArray[np.uint32]]:
        places = self.city.places
        chosen = np.asarray(action.places, np.int64)
        if len(chosen) and not (chosen.min() >= 0 and chosen.max() < len(places)):
            raise ValueError(f"places must be from 0 to {len(places) - 1} (they are {action.places})")
        if action.kind is not None:
            kinds = {kind.name.lower(): kind for kind in Kind if kind not in (Kind.HOME, Kind.CARE_HOME)}
            if action.kind not in kinds:
                raise ValueError(f"kind must be one of {', '.join(kinds)} (it is {action.kind!r})")
            chosen = np.union1d(chosen, places.of(kinds[action.kind]))
        if action.district is not None:
            chosen = chosen[places.district[chosen] == self._number(action.district)]
        after = 2**31 - 1 if action.last_day is None else action.last_day + 1
        return action.first_day, after, chosen.astype(np.uint32)

    def _at_home(
        self, people: NDArray[np.uint32], at: int, action: Isolate | QuarantineContacts, day: int
    ) -> Stays:
        adhering = people[units_of(self.city.seed, ADHERES, people, at) < action.adherence]
        count, first = len(adhering), day + action.delay
        return Stays(
            adhering,
            np.full(count, Mode.HOME, np.uint8),
            np.full(count, first, np.int32),
            np.full(count, first + action.days, np.int32),
        )

    def _contacts(
        self, people: NDArray[np.uint32], onset: NDArray[np.float64], at: int, action: QuarantineContacts
    ) -> NDArray[np.uint32]:
        found = [np.empty(0, np.uint32)]
        for day, past in self.past.items():
            cases = people[np.floor(onset) - _BEFORE_ONSET <= day]
            met = contacts_on(self.g, past.today, cases.astype(np.int64), past.modes)
            found.append(met.other[met.minutes >= action.least_minutes])
        others = np.setdiff1d(np.concatenate(found), people).astype(np.uint32)
        return others[units_of(self.city.seed, TRACED, others, at) < action.traced]

    def _invited(self, at: int, action: Vaccinate) -> NDArray[np.uint32]:
        age = self.city.people.age
        able = (age >= action.youngest) & (age <= action.oldest)
        if action.district is not None:
            able &= self.city.home_district == self._number(action.district)
        people = np.flatnonzero(able).astype(np.uint32)
        return people[np.argsort(units_of(self.city.seed, INVITED, people, at), kind="stable")]

    def _residents(self, district: str) -> NDArray[np.uint32]:
        return np.flatnonzero(self.city.home_district == self._number(district)).astype(np.uint32)

    def _number(self, code: str) -> int:
        return [district.code for district in self.city.districts].index(code)
