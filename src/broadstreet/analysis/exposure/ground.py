"""The ground that cases could have come from: who lives where, and how far every spot is from every site."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.columns import Table, finite_numbers, read
from broadstreet.analysis.exposure.plane import Plane, Points
from broadstreet.analysis.exposure.streets import Streets

_SPOTS = 4_000  # spots that stand for the ground where no population is given
_MOST_DISTANCES = 100_000_000


@dataclass(frozen=True)
class Ground:
    """Cases, sites and where people live.

    Attributes
    ----------
    spots : ndarray, shape (spots, 2)
    people : ndarray, shape (spots,)
        Share of the people at each spot; sums to 1.
    from_spots : ndarray, shape (sites, spots)
    from_cases : ndarray, shape (sites, cases)
        Distances from where a case stands on the streets; infinite without a way.
    door : ndarray, shape (cases,)
        How far each case itself is from there.
    diameter : float
    """

    spots: Points
    people: NDArray[np.float64]
    from_spots: NDArray[np.float64]
    from_cases: NDArray[np.float64]
    door: NDArray[np.float64]
    diameter: float


def measure(
    cases: Points, sites: Points, network: Streets | None, population: Table | None, plane: Plane
) -> Ground:
    """Measure the ground: along the streets where there are any, else as the crow flies.

    Raises
    ------
    ValueError
        If the population lacks a column or counts nobody, or all lies at one point.
    """
    given = None if population is None else _population(population, plane)
    spot_count = _SPOTS if given is None else len(given[0])
    if len(sites) * (len(cases) + spot_count) > _MOST_DISTANCES:
        raise ValueError(
            f"sites x (cases + places with a population) must be at most {_MOST_DISTANCES:,} "
            f"(are {len(sites):,} x {len(cases) + spot_count:,}); add up cases of one place as a count"
        )
    everything = np.concatenate(
        [cases, sites, *(given[:1] if given else []), *([network.nodes] if network else [])]
    )
    diameter = float(np.hypot(*np.ptp(everything, axis=0)))
    if not diameter > 0.0:
        raise ValueError(
            "cases, sites and population lie at one point; at least two different points are needed"
        )
    if network is None:
        spots, people = given or _rectangle(np.concatenate([cases, sites]))
        return Ground(
            spots, people, _straight(sites, spots), _straight(sites, cases), np.zeros(len(cases)), diameter
        )
    return _along_streets(cases, sites, network, given, diameter)


def _along_streets(
    cases: Points,
    sites: Points,
    network: Streets,
    given: tuple[Points, NDArray[np.float64]] | None,
    diameter: float,
) -> Ground:
    beside = network.stand(sites)
    streets, node = network.split(beside)
    from_nodes = streets.from_nodes(node) + beside.away[:, np.newaxis]
    standing = streets.stand(cases)
    if given is None:
        homes, length = streets.every(float(streets.lengths.sum()) / _SPOTS)
        spots, people = streets.spots(homes), length / length.sum()
    else:
        spots, people = given
        homes = streets.stand(spots)
    return Ground(
        spots,
        people,
        streets.to_points(from_nodes, homes),
        streets.to_points(from_nodes, standing),
        standing.away,
        diameter,
    )


def _population(population: Table, plane: Plane) -> tuple[Points, NDArray[np.float64]]:
    spots = plane.points(population, "population")
    people = finite_numbers(
        read(population, "population", ("population",))["population"], "population", "population"
    )
    if (people < 0.0).any():
        row = int(np.flatnonzero(people < 0.0)[0])
        raise ValueError(f"population row {row}: population must be 0 or more (is {people[row]})")
    if not people.sum() > 0.0:
        raise ValueError("population must count somebody (its sum is 0)")
    return spots, people / people.sum()


def _rectangle(points: Points) -> tuple[Points, NDArray[np.float64]]:
    """Return an even grid over the rectangle that holds the points."""
    (left, low), (right, high) = points.min(axis=0), points.max(axis=0)
    width, height = max(right - left, 1e-12), max(high - low, 1e-12)
    columns = int(np.clip(np.sqrt(_SPOTS * width / height), 1, _SPOTS))
    rows = max(1, _SPOTS // columns)
    x = left + (np.arange(columns) + 0.5) * width / columns
    y = low + (np.arange(rows) + 0.5) * height / rows
    spots = np.column_stack([np.tile(x, rows), np.repeat(y, columns)])
    return spots, np.full(len(spots), 1.0 / len(spots))


def _straight(sites: Points, points: Points) -> NDArray[np.float64]:
    away: NDArray[np.float64] = np.hypot(sites[:, :1] - points[:, 0], sites[:, 1:] - points[:, 1])
    return away
