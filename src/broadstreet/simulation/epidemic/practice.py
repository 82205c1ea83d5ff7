"""Outbreaks with known truth for those who test methods: cases, visits and controls as plain tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from broadstreet.model.pathogens import Pathogen, pathogen_named
from broadstreet.simulation.days.visiting import visits
from broadstreet.simulation.draws import units_of
from broadstreet.simulation.epidemic.outcome import IMPORTED, POINT_SOURCE, Outcome
from broadstreet.simulation.epidemic.run import run
from broadstreet.simulation.epidemic.scenario import Contamination, Import, Scenario
from broadstreet.simulation.population.city import NOWHERE, City
from broadstreet.simulation.population.kinds import Kind, Role

Table = dict[str, NDArray[np.generic]]
_RECALL, _CONTROL = 60, 61  # purposes of random numbers


def outbreak(
    city: City, pathogen: str | Pathogen = "covid19", *, imports: int = 5, days: int = 60
) -> Outcome:
    """Run one pathogen through a city from a few imported cases.

    Two calls with cities of different seeds give independent outbreaks; `case_table` tells the first cases
    of each.
    """
    strain = pathogen_named(pathogen) if isinstance(pathogen, str) else pathogen
    imported = (Import(pathogen=strain.name, count=imports),)
    return run(city, Scenario(pathogens=(strain,), imports=imported, days=days))


def common_source(
    city: City,
    place: int | None = None,
    *,
    pathogen: str | Pathogen = "norovirus",
    attack: float = 0.05,
    day: int = 7,
    days: int = 3,
    spreads: bool = False,
) -> Outcome:
    """Contaminate a venue (or another place) for some days; without `spreads` nobody passes it on.

    Without `place`, the venue is drawn by the seed of the city. The truth names it in `place`.
    """
    strain = pathogen_named(pathogen) if isinstance(pathogen, str) else pathogen
    if not spreads:
        strain = replace(strain, hazard=0.0)
    if place is None:
        venues = city.places.of(Kind.VENUE)
        place = int(venues[np.random.default_rng([city.seed, 61]).integers(len(venues))])
    source = Contamination(
        pathogen=strain.name, attack=attack, first_day=day, last_day=day + days - 1, place=place
    )
    return run(city, Scenario(pathogens=(strain,), sources=(source,), days=day + days + 14))


def case_table(outcome: Outcome, *, first: int | None = None, symptomatic: bool = True) -> Table:
    """Return the cases with what an investigator may know, and the truth.

    Parameters
    ----------
    outcome : Outcome
    first : int, optional
        Only so many, the earliest infected.
    symptomatic : bool
        Leave out those without symptoms (their onset is NaN).

    Returns
    -------
    dict of ndarray
        `id` (the person), `age`, `onset`, `reported` (a positive result; NaN without), `admitted`, `died`:
        days; `household`, `class`, `team` (place, -1 without), `x`, `y` of the home in kilometres. The
        truth: `infected` (day), `infector` (a person, `IMPORTED` or `POINT_SOURCE`), `place` (-1 without).
    """
    truth, people, places = outcome.truth, outcome.city.people, outcome.city.places
    rows = np.flatnonzero(~np.isnan(truth.onset)) if symptomatic else np.arange(len(truth))
    rows = rows[:first]
    who = truth.infected[rows]
    main, role = _numbers(people.main[who]), people.role[who]
    return {
        "id": who.astype(np.int64),
        "age": people.age[who].astype(np.int64),
        "onset": truth.onset[rows].astype(np.float64),
        "reported": truth.reported[rows].astype(np.float64),
        "admitted": truth.admitted[rows].astype(np.float64),
        "died": truth.died[rows].astype(np.float64),
        "household": people.home[who].astype(np.int64),
        "class": np.where(np.isin(role, (Role.PUPIL, Role.TEACHER)), main, -1),
        "team": np.where(np.isin(role, (Role.WORKER, Role.SHIFT)), main, -1),
        "x": places.x[people.home[who]].astype(np.float64),
        "y": places.y[people.home[who]].astype(np.float64),
        "infected": truth.time[rows].astype(np.float64),
        "infector": truth.infector[rows],
        "place": _numbers(truth.place[rows]),
    }


def visit_table(
    outcome: Outcome,
    people: NDArray[np.integer],
    days: range,
    *,
    recall: float = 1.0,
    homes: bool = True,
) -> Table:
    """Return where people were on some days, as they would tell: each visit with the chance `recall`.

    Returns
    -------
    dict of ndarray
        `person`, `place`, `kind` (of place), `start`, `end` in days since day 0; without homes if `homes`
        is False.
    """
    city, parts = outcome.city, []
    chosen = np.unique(np.asarray(people, np.int64))
    for day in days:
        rows = visits(city, day, chosen, outcome.modes(day), outcome.closed(day))
        told = np.ones(len(rows), np.bool_)
        if recall < 1.0:
            told = units_of(city.seed, _RECALL, np.arange(len(rows), dtype=np.uint32), day) < recall
        kind = city.places.kind[rows.place]
        if not homes:
            told &= ~np.isin(kind, (Kind.HOME, Kind.CARE_HOME))
        start, end = day + rows.start / 1440.0, day + rows.end / 1440.0
        parts.append((rows.person[told], rows.place[told], kind[told], start[told], end[told]))
    names = ("person", "place", "kind", "start", "end")
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return {
        name: column if column.dtype.kind == "f" else column.astype(np.int64)
        for name, column in zip(names, columns, strict=True)
    }


def controls_for(outcome: Outcome, cases: NDArray[np.integer], *, each: int = 4) -> NDArray[np.int64]:
    """Return people who stayed well, `each` for a case, of the same district and within five years of age."""
    city = outcome.city
    well = np.ones(len(city.people), np.bool_)
    well[outcome.truth.infected] = False
    taken, found = ~well, []
    for case in np.asarray(cases, np.int64):
        near = np.abs(city.people.age.astype(np.int64) - int(city.people.age[case])) <= 5
        able = np.flatnonzero(near & ~taken & (city.home_district == city.home_district[case])).astype(
            np.uint32
        )
        chosen = able[np.argsort(units_of(city.seed, _CONTROL, able, int(case)))[:each]]
        taken[chosen] = True
        found.append(chosen.astype(np.int64))
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _numbers(places: NDArray[np.uint32]) -> NDArray[np.int64]:
    return np.where(places == NOWHERE, np.int64(-1), places.astype(np.int64))


__all__ = [
    "IMPORTED",
    "POINT_SOURCE",
    "case_table",
    "common_source",
    "controls_for",
    "outbreak",
    "visit_table",
]
