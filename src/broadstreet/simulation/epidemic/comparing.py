"""Compare what a pathogen does in a city with what was published: pass or fail, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from broadstreet.model.pathogens import Bands, Pathogen, Range
from broadstreet.simulation.days.checking import Check
from broadstreet.simulation.epidemic.outcome import Truth
from broadstreet.simulation.epidemic.run import run
from broadstreet.simulation.epidemic.scenario import Import, Scenario
from broadstreet.simulation.population.city import City
from broadstreet.simulation.population.kinds import Kind

_BEGINNING = "reproduction number", "serial interval, days", "household attack rate"
_ROWS = {
    "reproduction number": "reproduction_number",
    "serial interval, days": "serial_interval_mean",
    "household attack rate": "household_attack_rate",
    "doubling time, days": "doubling_time",
}
_IMPORTED = 1 / 400  # of the people; so few meet each other's contacts
_FROM_CONTAGIOUS = 10.0  # a reproduction number above which a tenth as many are imported
_RUNS = 5  # of the first generations: few cases make most infections
_LONG = 180  # days of the epidemic whose attack rates are told
_AGES = (0, 5), (5, 18), (18, 65), (65, 120)
_GROWS_UNTIL = 0.05  # of the people infected: the growth is told of what comes before


def compare_pathogen(city: City, pathogen: Pathogen, *, runs: int = _RUNS) -> list[Check]:
    """Compare secondary cases, serial interval and attack rates with their published ranges.

    Parameters
    ----------
    city : City
        50,000 people or more, or chance decides.
    pathogen : Pathogen
    runs : int
        Beginnings that are put together, each with numbers of its own.

    Returns
    -------
    list of Check
        Secondary cases: of the cases infected by imported ones, while nobody is immune (or as many as are,
        where the published number is of such people). Serial interval: between these and whom they infect.
        Household attack rate: of an imported case with symptoms, in private households. Doubling time and
        attack rates by age: of an epidemic of 180 days, where they were published.
    """
    strain = pathogen if pathogen.reproduced_in_immune else replace(pathogen, immune=Bands((0,), (0.0,)))
    seeds = [int(np.random.SeedSequence([city.seed, at]).generate_state(1)[0]) for at in range(runs)]
    beginnings = [_beginning(city.with_seed(seed), strain) for seed in seeds]
    found = (np.concatenate(column) for column in zip(*beginnings, strict=True))
    published = pathogen.reproduction_number, pathogen.serial_interval, pathogen.household_attack_rate
    checks = [
        _check(pathogen, what, float(np.nanmean(column)), known)
        for what, column, known in zip(_BEGINNING, found, published, strict=True)
    ]
    if pathogen.attack_rate or pathogen.doubling_time:
        checks += _epidemic(city, pathogen)
    return checks


def _beginning(city: City, pathogen: Pathogen) -> tuple[NDArray[np.float64], ...]:
    """Return secondary cases, serial intervals, and for each in a household of a case whether infected."""
    truth = _run(city, pathogen, _days(pathogen), _imported(city, pathogen))
    generation = generations(truth)
    secondary = np.bincount(truth.cause[truth.cause >= 0], minlength=len(truth))
    second = np.flatnonzero(generation == 2)
    serial = truth.onset[second] - truth.onset[truth.cause[second]]
    household = _household_attack(city, truth, generation)
    return secondary[generation == 1].astype(np.float64), serial.astype(np.float64), household


def generations(truth: Truth) -> NDArray[np.int64]:
    """Return how many infections lie between each one and a case from outside, shape (infections,)."""
    generation = np.zeros(len(truth), np.int64)
    for row in np.flatnonzero(truth.cause >= 0):  # a cause stands before what it caused
        generation[row] = generation[truth.cause[row]] + 1
    return generation


def _household_attack(city: City, truth: Truth, generation: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return for each who lives with a symptomatic imported case whether that case infects them: 1 or 0."""
    home = city.people.home
    size = np.bincount(home, minlength=len(city.places))
    private = city.places.kind[home[truth.infected]] == Kind.HOME
    index = (generation == 0) & ~np.isnan(truth.onset) & private
    cause = np.maximum(truth.cause, 0)
    infected = (generation == 1) & index[cause]
    infected &= home[truth.infected] == home[truth.infected[cause]]
    contacts = int((size[home[truth.infected[index]]] - 1).sum())
    told = np.zeros(contacts)
    told[: int(infected.sum())] = 1.0  # in no order: their mean is what is asked for
    return told


def _epidemic(city: City, pathogen: Pathogen) -> Iterator[Check]:
    imported = _seeded(city)
    truth = _run(city, pathogen, _LONG, imported)
    if pathogen.doubling_time:
        found = doubling_time(truth.day, 2 * imported, round(_GROWS_UNTIL * len(city.people)))
        yield _check(pathogen, "doubling time, days", found, pathogen.doubling_time)
    rates = _attack_rates(city, truth, [(first, after) for first, after, _ in pathogen.attack_rate])
    for (ages, rate), (_, _, published) in zip(rates.items(), pathogen.attack_rate, strict=True):
        yield _check(pathogen, f"attack rate, {ages}", rate, published)


def attack_rates(city: City, pathogen: Pathogen) -> dict[str, float]:
    """Return the share of each age that an epidemic of 180 days infects while nothing is done against it.

    For most pathogens nothing was published that this could be held against: what was measured is of
    epidemics that were fought, or of people who were ill before.
    """
    truth = _run(city, pathogen, _LONG, _seeded(city))
    return _attack_rates(city, truth, _AGES)


def _attack_rates(city: City, truth: Truth, ages: Sequence[tuple[int, int]]) -> dict[str, float]:
    age, infected = city.people.age, np.zeros(len(city.people), np.bool_)
    infected[truth.infected] = True
    told = [
        f"{first}-{after - 1} years" if after < 120 else f"{first} years and more" for first, after in ages
    ]
    groups = [(age >= first) & (age < after) for first, after in ages]
    return {name: float(infected[group].mean()) for name, group in zip(told, groups, strict=True)}


def doubling_time(day: NDArray[np.int32], least: int, most: int) -> float:
    """Return in how many days infections double while between `least` and `most` have come (NaN if never).

    A line is laid through the logarithm of the infections of each day, weighted by them.
    """
    curve = np.bincount(day)
    so_far = np.cumsum(curve)
    grows = np.flatnonzero((so_far >= least) & (so_far <= most) & (curve > 0))
    if len(grows) < 3:
        return float("nan")
    rate = np.polyfit(grows, np.log2(curve[grows]), 1, w=np.sqrt(curve[grows]))[0]
    return float(1.0 / rate)


def _run(city: City, pathogen: Pathogen, days: int, imported: int) -> Truth:
    imports = (Import(pathogen=pathogen.name, count=imported),)
    return run(city, Scenario(pathogens=(pathogen,), imports=imports, days=days)).truth


def _days(pathogen: Pathogen) -> int:
    """Return how long to wait until hardly any case of the first two generations will infect anyone more."""
    curve = pathogen.infectiousness
    once = pathogen.incubation.mean * 1.8 + curve.start + curve.mean + 3 * curve.sd
    return int(2 * once) + 4


def _imported(city: City, pathogen: Pathogen) -> int:
    share = _IMPORTED / (10 if pathogen.reproduction_number.value > _FROM_CONTAGIOUS else 1)
    return max(20, round(share * len(city.people)))


def _seeded(city: City) -> int:
    """Return how many imports an epidemic begins with that is told as a whole."""
    return max(10, len(city.people) // 500)


def _check(pathogen: Pathogen, what: str, found: float, published: Range) -> Check:
    topic = pathogen.disease.title
    return Check(topic, what, found, published.value, published.low, published.high, _source(pathogen, what))


def _source(pathogen: Pathogen, what: str) -> str:
    name = _ROWS.get(what, "attack_rate")
    return next((row.source for row in pathogen.constants if row.constant == name), "")
