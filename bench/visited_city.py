"""A small city: people, the places that they visit, and an outbreak from one of these as truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

AREAS_ACROSS = 6  # home areas lie on a square of this many by as many
AGE_GROUPS = 4
HABITS = 14  # places that a person goes to
OUTINGS_A_DAY = 1.3
HOUSEHOLD = 2.6
EMPLOYED = 0.55
WORKPLACE = 40.0


@dataclass(frozen=True)
class City:
    """Residents and their visits; days count from 0."""

    area: NDArray[np.int64]
    age: NDArray[np.int64]
    household: NDArray[np.int64]
    workplace: NDArray[np.int64]
    person: NDArray[np.int64]
    place: NDArray[np.int64]
    day: NDArray[np.int64]
    places: int


@dataclass(frozen=True)
class Outbreak:
    """Tables as `rank_visits` takes them, and the place that it began at."""

    visits: dict[str, Any]
    cases: dict[str, Any]
    controls: dict[str, Any]
    source: int


def build(seed: int, *, people: int = 30_000, places: int = 400, days: int = 28) -> City:
    """Return a city: people go to places that are popular, near, and of their age's taste, out of habit."""
    generator = np.random.default_rng(seed)
    area = generator.integers(0, AREAS_ACROSS**2, people)
    household = np.sort(generator.integers(0, int(people / HOUSEHOLD), people))
    area = area[np.searchsorted(household, household)]  # who lives together lives in one area
    age = generator.integers(0, AGE_GROUPS, people)
    workplace = np.where(
        generator.random(people) < EMPLOYED,
        generator.integers(0, int(people * EMPLOYED / WORKPLACE), people),
        -1,
    )
    habits = _habits(generator, area, age, places)
    outings = generator.poisson(OUTINGS_A_DAY, (people, days))
    person = np.repeat(np.arange(people), outings.sum(axis=1))
    day = np.repeat(np.tile(np.arange(days), people), outings.ravel())
    rank = np.minimum(generator.geometric(0.18, len(person)) - 1, HABITS - 1)
    place = habits[person, rank]
    at_work = (np.arange(days) % 7 < 5)[np.newaxis, :] & (workplace >= 0)[:, np.newaxis]
    worker, work_day = np.nonzero(at_work)
    return City(
        area, age, household, workplace,
        np.concatenate([person, worker]),
        np.concatenate([place, places + workplace[worker]]),
        np.concatenate([day, work_day]),
        places,
    )  # fmt: skip


def _habits(
    generator: np.random.Generator, area: NDArray[np.int64], age: NDArray[np.int64], places: int
) -> NDArray[np.int64]:
    at = generator.uniform(0, AREAS_ACROSS, (places, 2))
    popularity = generator.lognormal(0.0, 0.8, places)
    taste = generator.lognormal(0.0, 0.6, (AGE_GROUPS, places))
    habits = np.empty((len(area), HABITS), np.int64)
    for home in range(AREAS_ACROSS**2):
        centre = np.array([home % AREAS_ACROSS, home // AREAS_ACROSS]) + 0.5
        near = np.exp(-np.hypot(*(at - centre).T) / 1.5)
        for group in range(AGE_GROUPS):
            who = np.flatnonzero((area == home) & (age == group))
            weight = popularity * near * taste[group]
            # Without replacement, by the Gumbel trick; a person's own taste is in the draw.
            draw = np.log(weight) + generator.gumbel(size=(len(who), places))
            habits[who] = np.argsort(-draw, axis=1)[:, :HABITS]
    return habits


def outbreak(
    city: City,
    seed: int,
    *,
    cases: int = 20,
    observed: float = 0.5,
    recalled: float = 0.6,
    attack: float = 0.05,
    secondary: float = 0.25,
    controls: int = 200,
    incubation: tuple[float, float] = (1.4, 0.5),
) -> Outbreak:
    """Return an outbreak: one place infects its visitors over one to three days; some infect others."""
    generator = np.random.default_rng(seed)
    source, start, length = _source(city, generator, round(cases * (1 - secondary)), attack)
    there = (city.place == source) & (city.day >= start) & (city.day < start + length)
    person, day = city.person[there], city.day[there]
    struck = generator.random(len(person)) < attack
    ill, first = np.unique(person[struck], return_index=True)
    onset = day[struck][first] + np.maximum(1, np.round(generator.lognormal(*incubation, len(ill)))).astype(
        int
    )
    ill, onset = ill[: round(cases * (1 - secondary))], onset[: round(cases * (1 - secondary))]
    ill, onset = _spread(city, generator, ill, onset, cases)
    seen = generator.permutation(len(ill))[: max(2, round(len(ill) * observed))]
    ill, onset = ill[seen], onset[seen]
    healthy = _matched(city, generator, ill, controls)
    asked = np.isin(city.person, np.concatenate([ill, healthy])) & (
        generator.random(len(city.person)) < recalled
    )
    return Outbreak(
        {"id": city.person[asked], "place": city.place[asked], "day": city.day[asked]},
        {"id": ill, "onset": onset, **_traits(city, ill)},
        {"id": healthy, **_traits(city, healthy)},
        source,
    )


def _source(city: City, generator: np.random.Generator, needed: int, attack: float) -> tuple[int, int, int]:
    """Return a place, a first day and a number of days that bring about as many cases as are needed."""
    while True:
        source, start = int(generator.integers(city.places)), int(generator.integers(7, 12))
        for length in range(1, 8):
            here = (city.place == source) & (city.day >= start) & (city.day < start + length)
            if len(np.unique(city.person[here])) * attack >= needed:
                return source, start, length


def _spread(
    city: City, generator: np.random.Generator, ill: NDArray[np.int64], onset: NDArray[np.int64], cases: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Add cases that others infected: at home, at work, or anywhere, a third each."""
    ids, days = ill.tolist(), onset.tolist()
    while len(ids) < cases:
        infector = int(generator.integers(len(ill)))
        group = (city.household, city.workplace, None)[generator.integers(3)]
        near = (
            np.arange(len(city.area))
            if group is None
            else np.flatnonzero((group == group[ids[infector]]) & (group >= 0))
        )
        new = int(generator.choice(near)) if len(near) else ids[infector]
        if new not in ids:
            ids.append(new)
            days.append(days[infector] + int(generator.integers(1, 6)))
    return np.array(ids), np.array(days)


def _matched(
    city: City, generator: np.random.Generator, ill: NDArray[np.int64], number: int
) -> NDArray[np.int64]:
    """Return healthy people of the cases' areas and ages."""
    chosen: list[int] = []
    each = -(-number // len(ill))
    for case in ill:
        alike = (city.area == city.area[case]) & (city.age == city.age[case])
        alike[ill] = False
        alike[chosen] = False
        pool = np.flatnonzero(alike)
        chosen += generator.choice(pool, min(each, len(pool)), replace=False).tolist()
    return np.array(chosen)


def _traits(city: City, people: NDArray[np.int64]) -> dict[str, Any]:
    traits = {
        name: getattr(city, name)[people].tolist() for name in ("area", "age", "household", "workplace")
    }
    return {
        "home": traits["area"],
        "age": [20 * group + 10 for group in traits["age"]],
        "household": traits["household"],
        "workplace": [None if at < 0 else at for at in traits["workplace"]],
    }
