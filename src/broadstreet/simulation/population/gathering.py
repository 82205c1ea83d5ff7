"""Choose the places where people gather: mostly near home, some anywhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.population.city import People
from broadstreet.simulation.population.configuration import Configuration
from broadstreet.simulation.population.kinds import Habit, Kind, Role
from broadstreet.simulation.population.plots import Plots

# How far along the curve over the map a person's place is from the nearest one: mean number of places of
# the kind between (Laplace), and share of people for whom it is anywhere in the city. Assumptions.
_CHOICES = (
    (Habit.SHOP, Kind.SHOP, 0.7, 0.02),
    (Habit.SHOP_TOO, Kind.SHOP, 6.0, 0.30),
    (Habit.VENUE, Kind.VENUE, 4.0, 0.15),
    (Habit.VENUE_NEAR_WORK, Kind.VENUE, 12.0, 0.40),
    (Habit.WORSHIP, Kind.WORSHIP, 1.0, 0.10),
    (Habit.CLINIC, Kind.CLINIC, 0.5, 0.02),
    (Habit.HOSPITAL, Kind.HOSPITAL, 0.3, 0.02),
)


def choose_habits(
    configuration: Configuration, people: People, plots: Plots, draw: np.random.Generator
) -> dict[Kind, NDArray[np.uint32]]:
    """Add shops, venues, worship, clinics and hospitals, give everybody theirs; return them by kind."""
    places = {kind: _open(kind, per, plots) for kind, per in _densities(configuration).items()}
    resident = people.role == Role.RESIDENT
    for habit, kind, spread, anywhere in _CHOICES:
        chosen = _nearby(np.arange(len(people)), len(people), len(places[kind]), spread, anywhere, draw)
        people.habits[:, habit] = places[kind][chosen]
    stays_away = draw.random(len(people)) >= configuration.worshippers
    people.habits[stays_away | resident, Habit.WORSHIP] = 0xFFFFFFFF
    return places


def near_work(
    people: People,
    workers: NDArray[np.int64],
    anchors: NDArray[np.int64],
    venues: NDArray[np.uint32],
    draw: np.random.Generator,
) -> None:
    """Let each worker's second venue be near the resident beside whom they work."""
    chosen = _nearby(anchors, len(people), len(venues), 2.0, 0.05, draw)
    people.habits[workers, Habit.VENUE_NEAR_WORK] = venues[chosen]


def _densities(configuration: Configuration) -> dict[Kind, int]:
    return {
        Kind.SHOP: configuration.people_per_shop,
        Kind.VENUE: configuration.people_per_venue,
        Kind.WORSHIP: configuration.people_per_worship,
        Kind.CLINIC: configuration.people_per_clinic,
        Kind.HOSPITAL: configuration.people_per_hospital,
    }


def _open(kind: Kind, per: int, plots: Plots) -> NDArray[np.uint32]:
    people = len(plots.x)
    count = max(1, round(people / per))
    middles = ((np.arange(count) + 0.5) * people / count).astype(np.int64)
    return plots.add(kind, middles)


def _nearby(
    at: NDArray[np.int64], people: int, places: int, spread: float, anywhere: float, draw: np.random.Generator
) -> NDArray[np.int64]:
    nearest = at * places // people
    away = np.rint(draw.laplace(0.0, spread, len(at))).astype(np.int64)
    chosen: NDArray[np.int64] = np.clip(nearest + away, 0, places - 1)
    far = draw.random(len(at)) < anywhere
    chosen[far] = draw.integers(0, places, int(far.sum()))
    return chosen
