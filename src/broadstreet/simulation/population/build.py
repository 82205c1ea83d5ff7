"""Build a city: households on the map, then schools, work and the places where people gather."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.population.city import NOWHERE, City, People, Places
from broadstreet.simulation.population.configuration import Configuration
from broadstreet.simulation.population.gathering import choose_habits
from broadstreet.simulation.population.households import Households, make_households
from broadstreet.simulation.population.kinds import Habit, Kind, Role
from broadstreet.simulation.population.learning import send_to_school
from broadstreet.simulation.population.membership import link, next_primes
from broadstreet.simulation.population.plots import Plots
from broadstreet.simulation.population.settling import settle
from broadstreet.simulation.population.working import send_to_work


def build(configuration: Configuration, seed: int) -> City:
    """Build the people and places of a city.

    Parameters
    ----------
    configuration : Configuration
    seed : int
        0 or more; the same seed and configuration give the same city.

    Returns
    -------
    City
        People are numbered along a curve over the map, household by household: neighbours have near numbers.

    Raises
    ------
    ValueError
        If the seed is below 0.
    """
    if seed < 0:
        raise ValueError(f"seed must be 0 or more (it is {seed})")
    draw = np.random.default_rng([seed, configuration.population])
    households, x, y, district = settle(configuration, make_households(configuration, draw), draw)
    plots = Plots(x[households.home], y[households.home], district[households.home])
    plots.add_homes(_home_kinds(households), x, y, district)
    people = _people(households, draw)
    workers = send_to_school(configuration, people, plots, draw)
    public = choose_habits(configuration, people, plots, draw)
    send_to_work(configuration, people, plots, public, workers, draw)
    return City(configuration, seed, people, _places(people, plots))


def _home_kinds(households: Households) -> NDArray[np.uint8]:
    kinds = np.full(households.homes, Kind.HOME, np.uint8)
    kinds[households.care_homes :] = Kind.CARE_HOME
    return kinds


def _people(households: Households, draw: np.random.Generator) -> People:
    count = len(households.age)
    cared = households.home >= households.care_homes
    return People(
        age=households.age,
        female=draw.random(count) < 0.51,
        role=np.where(cared, Role.RESIDENT, Role.NONE).astype(np.uint8),
        home=households.home,
        main=np.full(count, NOWHERE, np.uint32),
        habits=np.full((count, len(Habit)), NOWHERE, np.uint32),
        ranks=np.zeros((count, len(Habit)), np.uint32),
    )


def _places(people: People, plots: Plots) -> Places:
    kind, district, x, y, parent, staff = plots.columns()
    first, members = link(len(kind), people.home, people.main, people.habits, people.ranks)
    gathers = ~np.isin(kind, (Kind.HOME, Kind.CARE_HOME, Kind.CLASS, Kind.TEAM, Kind.WORKPLACE))
    prime = next_primes(np.where(gathers, np.diff(first), 0))
    return Places(kind, district, x, y, parent, staff, first, members, prime)
