"""Compare what a pathogen does in a city with what was published: pass or fail, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from broadstreet.model.pathogens import Bands, Pathogen, Range
from broadstreet.simulation.days.checking import Check
from broadstreet.simulation.epidemic.outcome import Truth
from broadstreet.simulation.epidemic.run import run
from broadstreet.simulation.epidemic.scenario import Import, Scenario
from broadstreet.simulation.population.city import City

_IMPORTED = 1 / 400  # of the people; so few meet each other's contacts
_FROM_CONTAGIOUS = 10.0  # a reproduction number above which a tenth as many are imported
_LONG = 180  # days of the epidemic whose attack rates are told


def compare_pathogen(city: City, pathogen: Pathogen) -> list[Check]:
    """Compare secondary cases, serial interval and attack rates with their published ranges.

    Parameters
    ----------
    city : City
        50,000 people or more, or chance decides.
    pathogen : Pathogen

    Returns
    -------
    list of Check
        Secondary cases: of the cases infected by imported ones, while nobody is immune. Serial interval:
        between these and whom they infect. Household attack rate: of an imported case with symptoms. Attack
        rates by age: of an epidemic of 180 days, where they were published.
    """
    checks = list(_beginning(city, replace(pathogen, immune=Bands((0,), (0.0,)))))
    if pathogen.attack_rate:
        checks += _attack_rates(city, pathogen)
    return checks


def _beginning(city: City, pathogen: Pathogen) -> Iterator[Check]:
    truth = _run(city, pathogen, _days(pathogen), _imported(city, pathogen))
    generation = generations(truth)
    secondary = np.bincount(truth.cause[truth.cause >= 0], minlength=len(truth))
    second = np.flatnonzero(generation == 2)
    serial = truth.onset[second] - truth.onset[truth.cause[second]]
    published = pathogen.reproduction_number
    yield _check(pathogen, "reproduction number", float(secondary[generation == 1].mean()), published)
    yield _check(pathogen, "serial interval, days", float(np.nanmean(serial)), pathogen.serial_interval)
    share = _household_attack(city, truth, generation)
    yield _check(pathogen, "household attack rate", share, pathogen.household_attack_rate)


def generations(truth: Truth) -> NDArray[np.int64]:
    """Return how many infections lie between each one and a case from outside, shape (infections,)."""
    generation = np.zeros(len(truth), np.int64)
    for row in np.flatnonzero(truth.cause >= 0):  # a cause stands before what it caused
        generation[row] = generation[truth.cause[row]] + 1
    return generation


def _household_attack(city: City, truth: Truth, generation: NDArray[np.int64]) -> float:
    """Return the share of those who live with a symptomatic imported case whom that case infects."""
    home = city.people.home
    size = np.bincount(home, minlength=len(city.places))
    index = (generation == 0) & ~np.isnan(truth.onset)
    by_index = (generation == 1) & index[np.maximum(truth.cause, 0)]
    there = by_index & (home[truth.infected] == home[truth.infected[np.maximum(truth.cause, 0)]])
    return float(there.sum() / (size[home[truth.infected[index]]] - 1).sum())


def _attack_rates(city: City, pathogen: Pathogen) -> Iterator[Check]:
    truth = _run(city, pathogen, _LONG, max(10, len(city.people) // 500))
    age, infected = city.people.age, np.zeros(len(city.people), np.bool_)
    infected[truth.infected] = True
    for first, after, published in pathogen.attack_rate:
        group = (age >= first) & (age < after)
        what = (
            f"attack rate, {first}-{after - 1} years"
            if after < 120
            else f"attack rate, {first} years and more"
        )
        yield _check(pathogen, what, float(infected[group].mean()), published)


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


def _check(pathogen: Pathogen, what: str, found: float, published: Range) -> Check:
    topic = pathogen.disease.title
    return Check(topic, what, found, published.value, published.low, published.high, _source(pathogen, what))


def _source(pathogen: Pathogen, what: str) -> str:
    names = {
        "reproduction number": "reproduction_number",
        "serial interval, days": "serial_interval_mean",
        "household attack rate": "household_attack_rate",
    }
    name = names.get(what, "attack_rate")
    return next((row.source for row in pathogen.constants if row.constant == name), "")
