"""Give homes a place on the map, and people numbers along a curve over it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.population.configuration import Configuration
from broadstreet.simulation.population.households import Households


def settle(
    configuration: Configuration, households: Households, draw: np.random.Generator
) -> tuple[Households, NDArray[np.float32], NDArray[np.float32], NDArray[np.uint16]]:
    """Spread homes over the discs of the districts, sorted along a Morton curve within each.

    Returns
    -------
    Households, x, y, district
        People renumbered; x and y in kilometres, shape (homes,).
    """
    weights = np.array([district.weight for district in configuration.districts])
    chosen = np.searchsorted(np.cumsum(weights / weights.sum())[:-1], draw.random(households.homes))
    centres = np.array([(district.x, district.y, district.radius) for district in configuration.districts])
    reach = centres[chosen, 2] * np.sqrt(draw.random(households.homes))
    turn = 2 * np.pi * draw.random(households.homes)
    x, y = centres[chosen, 0] + reach * np.cos(turn), centres[chosen, 1] + reach * np.sin(turn)
    curve = _morton(x, y)
    cared = np.arange(households.homes) >= households.care_homes
    order = np.lexsort((curve, chosen, cared))
    renumbered = np.empty(households.homes, np.uint32)
    renumbered[order] = np.arange(households.homes, dtype=np.uint32)
    home = renumbered[households.home]
    people = np.argsort(home, kind="stable")
    sorted_households = Households(
        households.age[people], home[people], households.homes, households.care_homes
    )
    return (
        sorted_households,
        x[order].astype(np.float32),
        y[order].astype(np.float32),
        chosen[order].astype(np.uint16),
    )


def _morton(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return the position of each point on a Z-shaped curve, of 1,024 x 1,024 cells."""
    return _spread(_cell(x)) | (_spread(_cell(y)) << np.uint64(1))


def _cell(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    span = max(float(np.ptp(values)), 1e-9)
    cells: NDArray[np.uint64] = np.minimum((values - values.min()) / span * 1024, 1023).astype(np.uint64)
    return cells


def _spread(cells: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Put a zero between the bits of 10-bit numbers."""
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        cells = (cells | (cells << np.uint64(shift))) & np.uint64(mask)
    return cells
