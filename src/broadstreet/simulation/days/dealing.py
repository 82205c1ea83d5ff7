"""Deal the regulars of a place to its cells, anew each day, so that both directions are cheap.

A place with R regulars takes the least prime P >= R. On a day, regular k stands at position (a k + b) mod
P, with a and b drawn for this place and day: a permutation, so "where is k" and "who is at this position"
each take a few operations, and any two regulars are at any two positions with the same chance. The first
`share` of the positions come, in cells of equal size.

Source: Carter and Wegman, "Universal classes of hash functions", J Comput Syst Sci 18:143, 1979 (the class
H1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.days.ground import Ground
from broadstreet.simulation.days.purposes import DEAL_SHIFT, DEAL_STEP
from broadstreet.simulation.draws import below, compiled, whole, word

# Columns of a deal: P, how many positions come, how many cells they fill, a and b, and those of the way back.
PRIME, COMING, CELLS, STEP, SHIFT, STEP_BACK, SHIFT_BACK = 0, 1, 2, 3, 4, 5, 6
COLUMNS = 8  # a row fills a line of the cache
BACK = STEP_BACK - STEP


@compiled
def deal(g: Ground, day: int, sort: int, places: NDArray[np.int64], deals: NDArray[np.int64]) -> None:
    """Write the deal of a day for each gathering place, `deals` of shape (all places, COLUMNS)."""
    for place in places:
        prime, row, kind = whole(g.prime[place]), deals[place], g.kind[place]
        coming = whole(g.share[kind, sort] * prime)
        row[PRIME], row[COMING] = prime, coming
        row[CELLS] = max(1, coming // g.cell[kind]) if coming > 0 else 0
        for way in range(2):
            row[STEP + way * BACK] = 1 + below(word(g.seed, DEAL_STEP, place, day, way), prime - 1)
            row[SHIFT + way * BACK] = below(word(g.seed, DEAL_SHIFT, place, day, way), prime)


@compiled
def position_of(row: NDArray[np.int64], rank: int, way: int) -> int:
    """Return where a regular stands, by the deal of the place; `way` is 0, or `BACK`."""
    at = np.uint64(row[STEP + way]) * np.uint64(rank) + np.uint64(row[SHIFT + way])
    return whole(at % np.uint64(row[PRIME]))


@compiled
def bounds(row: NDArray[np.int64], cell: int) -> tuple[int, int]:
    """Return the first position of a cell and the first after it."""
    coming, cells = row[COMING], row[CELLS]
    return (cell * coming + cells - 1) // cells, ((cell + 1) * coming + cells - 1) // cells


@compiled
def inverse(step: int, prime: int) -> int:
    """Return the number that undoes a step modulo a prime (extended Euclid)."""
    old, new = prime, step
    before, after = whole(0), whole(1)
    while new > 1:
        quotient = old // new
        old, new = new, old - quotient * new
        before, after = after, before - quotient * after
    return after % prime


@compiled
def member_at(g: Ground, place: int, row: NDArray[np.int64], position: int, undo: int, way: int) -> int:
    """Return who stands at a position, or -1 where nobody does; `undo` is the inverse of the step."""
    prime = row[PRIME]
    rank = (position - row[SHIFT + way] + prime) % prime * undo % prime
    if rank >= g.first[place + 1] - g.first[place]:
        return whole(-1)
    return whole(g.members[g.first[place] + rank])
