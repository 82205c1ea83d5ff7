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

from broadstreet.simulation.days.ground import AFTER, CELL, FIRST, KIND, SHARE
from broadstreet.simulation.days.purposes import DEAL_SHIFT, DEAL_STEP
from broadstreet.simulation.draws import below, compiled, whole, word

# Columns of a deal: P, how many come, how many cells they fill; a, b, inverse of a; these of the way back.
PRIME, COMING, CELLS, STEP, SHIFT, UNDO, STEP_BACK, SHIFT_BACK, UNDO_BACK = 0, 1, 2, 3, 4, 5, 6, 7, 8
COLUMNS = 9
BACK = STEP_BACK - STEP


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
def deal(
    seed: int,
    day: int,
    sort: int,
    sites: NDArray[np.uint32],
    customs: NDArray[np.float64],
    gathering: NDArray[np.int64],
    primes: NDArray[np.uint32],
    closed: NDArray[np.bool_],
    deals: NDArray[np.int64],
) -> None:
    """Write the deal of each gathering place, (places, COLUMNS); to a closed one nobody comes."""
    for place in gathering:
        prime, kind = whole(primes[place]), sites[place, KIND]
        coming = 0 if closed[place] else whole(customs[kind, SHARE + sort] * prime)
        deals[place, PRIME], deals[place, COMING] = prime, coming
        deals[place, CELLS] = max(1, coming // whole(customs[kind, CELL])) if coming > 0 else 0
        for way in range(2):
            step = 1 + below(word(seed, DEAL_STEP, place, day, way), prime - 1)
            deals[place, STEP + way * BACK], deals[place, UNDO + way * BACK] = step, inverse(step, prime)
            deals[place, SHIFT + way * BACK] = below(word(seed, DEAL_SHIFT, place, day, way), prime)


@compiled
def position_of(deals: NDArray[np.int64], place: int, rank: int, way: int) -> int:
    """Return where a regular stands, by the deal of the place; `way` is 0, or `BACK`."""
    at = np.uint64(deals[place, STEP + way]) * np.uint64(rank) + np.uint64(deals[place, SHIFT + way])
    return whole(at % np.uint64(deals[place, PRIME]))


@compiled
def bounds(coming: int, cells: int, cell: int) -> tuple[int, int]:
    """Return the first position of a cell and the first after it."""
    return (cell * coming + cells - 1) // cells, ((cell + 1) * coming + cells - 1) // cells


@compiled
def member_at(
    sites: NDArray[np.uint32],
    members: NDArray[np.uint32],
    deals: NDArray[np.int64],
    place: int,
    position: int,
    way: int,
) -> int:
    """Return who stands at a position, or -1 where nobody does."""
    prime = deals[place, PRIME]
    moved = np.uint64(position - deals[place, SHIFT + way] + prime) % np.uint64(prime)
    at = whole(sites[place, FIRST]) + whole(moved * np.uint64(deals[place, UNDO + way]) % np.uint64(prime))
    if at >= whole(sites[place, AFTER]):
        return whole(-1)
    return whole(members[at])
