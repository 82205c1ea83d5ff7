"""Data sets as they would be if risk were equal everywhere, many at once.

Each fills `counts`, shape (places, bins x lanes): one replicate a lane, cases cumulated over bins of time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.compiled import compiled

Counts = NDArray[Any]  # uint16 where the number of cases allows it, else uint32


@compiled
def next_word(state: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return the next state and 64 random bits.

    Source
    ------
    SplitMix64: Steele, Lea, Flood 2014, OOPSLA, doi:10.1145/2660193.2660195.
    """
    state += np.uint64(0x9E3779B97F4A7C15)
    word = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state, word ^ (word >> np.uint64(31))


@compiled
def next_below(state: np.uint64, limit: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return the next state and a number below `limit` <= 2^32, all equally likely.

    Source
    ------
    Lemire 2019, ACM Trans Model Comput Simul 29(1):3, doi:10.1145/3230636.
    """
    half = np.uint64(32)
    low_bits = np.uint64(0xFFFFFFFF)
    state, word = next_word(state)
    product = (word >> half) * limit
    if product & low_bits < limit:
        unfair = ((low_bits + np.uint64(1)) - limit) % limit
        while product & low_bits < unfair:
            state, word = next_word(state)
            product = (word >> half) * limit
    return state, product >> half


@compiled
def permute_times(
    counts: Counts,
    lanes: int,
    seeds: NDArray[np.uint64],
    place: NDArray[np.int64],
    time: Counts,
    stratum_end: NDArray[np.int64],
) -> None:
    """Shuffle the times of the cases (ordered by stratum, then place) within each stratum."""
    shuffled = np.empty((seeds.size, time.size), time.dtype)
    for lane in range(seeds.size):
        times = shuffled[lane]
        times[:] = time
        state = seeds[lane]
        first = 0
        for end in stratum_end:
            for last in range(end - 1, first, -1):
                state, draw = next_below(state, np.uint64(last - first + 1))
                other = first + np.int64(draw)
                times[last], times[other] = times[other], times[last]
            first = end
    counts[:] = 0
    first = 0
    while first < place.size:  # place by place, so that its counts stay in the nearest cache
        end = first
        while end < place.size and place[end] == place[first]:
            end += 1
        inside = counts[place[first]]
        for lane in range(seeds.size):
            for case in range(first, end):
                inside[np.int64(shuffled[lane, case]) * lanes + lane] += 1
        first = end
    cumulate(counts, lanes)


@compiled
def draw_cells(
    counts: Counts,
    lanes: int,
    seeds: NDArray[np.uint64],
    cases: int,
    keep: NDArray[np.float64],
    alias: NDArray[np.int64],
) -> None:
    """Put each case into a cell (place x bin) by chance, with the probabilities of an alias table."""
    bins = counts.shape[1] // lanes
    counts[:] = 0
    cells = np.uint64(keep.size)
    for lane in range(seeds.size):
        state = seeds[lane]
        for _ in range(cases):
            state, draw = next_below(state, cells)
            state, word = next_word(state)
            cell = np.int64(draw)
            if np.float64(word >> np.uint64(11)) * 2.0**-53 >= keep[cell]:
                cell = alias[cell]
            counts[cell // bins, (cell % bins) * lanes + lane] += 1
    cumulate(counts, lanes)


@compiled
def choose_cases(
    counts: Counts, lanes: int, seeds: NDArray[np.uint64], cases: int, cell_of: NDArray[np.int64]
) -> None:
    """Choose which individuals (cases and controls, each in its cell) are the cases."""
    bins = counts.shape[1] // lanes
    counts[:] = 0
    for lane in range(seeds.size):
        state = seeds[lane]
        order = cell_of.copy()
        for first in range(cases):
            state, draw = next_below(state, np.uint64(order.size - first))
            other = first + np.int64(draw)
            order[first], order[other] = order[other], order[first]
            cell = order[first]
            counts[cell // bins, (cell % bins) * lanes + lane] += 1
    cumulate(counts, lanes)


@compiled
def cumulate(counts: Counts, lanes: int) -> None:
    """Cumulate each replicate's counts over the bins of time."""
    for place in range(counts.shape[0]):
        row = counts[place]
        for cell in range(lanes, row.size):
            row[cell] += row[cell - lanes]


def alias_table(weight: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return (keep, alias) to draw an index with probability in proportion to its weight.

    Source
    ------
    Vose 1991, IEEE Trans Softw Eng 17(9):972-975, doi:10.1109/32.92917.
    """
    keep = np.asarray(weight, np.float64) * (weight.size / weight.sum())
    alias = np.arange(weight.size)
    small, large = list(np.flatnonzero(keep < 1.0)), list(np.flatnonzero(keep >= 1.0))
    while small and large:
        little, much = small.pop(), large[-1]
        alias[little] = much
        keep[much] -= 1.0 - keep[little]
        if keep[much] < 1.0:
            small.append(large.pop())
    # What is left differs from 1 by rounding only.
    keep[small + large] = np.where(weight[small + large] > 0.0, 1.0, 0.0)
    return keep, alias
