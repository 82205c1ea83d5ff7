"""The highest log likelihood ratio of every replicate: the search that takes the time.

Replicates lie side by side, one a lane, so that one instruction serves many. A cylinder's expected count is
the same in all of them; a table tells the count that it needs to exceed the lowest maximum found so far.
Where the highest count over the lanes does not reach it, and that is almost everywhere, nothing is computed.
Neighbouring circles are taken together first: no cylinder between the smallest and the largest circle holds
more cases than the largest, nor expects fewer than the smallest.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.compiled import compiled
from broadstreet.analysis.scan.likelihood import (
    fill_thresholds,
    log_likelihood_ratio,
    threshold,
    threshold_table,
)
from broadstreet.analysis.scan.replicates import Counts

_RAISE_BY = 0.2  # the table is made anew when the lowest maximum has grown by this much


@compiled
def add(total: Counts, more: Counts) -> None:
    """Add `more` to `total`, element by element."""
    for cell in range(more.size):
        total[cell] += more[cell]


@compiled
def highest_count(until_start: Counts, until_end: Counts) -> int:
    """Return the most cases that any lane holds between two cumulative rows."""
    highest = until_end.dtype.type(0)
    for lane in range(until_end.size):
        highest = max(highest, until_end.dtype.type(until_end[lane] - until_start[lane]))
    return np.int64(highest)  # type: ignore[return-value]


@compiled
def improve(
    maxima: NDArray[np.float64],
    until_start: Counts,
    until_end: Counts,
    floor: int,
    ratios: NDArray[np.float64],
) -> None:
    """Raise the maximum of each lane whose count above `floor` has a higher ratio."""
    for lane in range(maxima.size):
        count = np.int64(until_end[lane]) - np.int64(until_start[lane])
        if count > floor:
            maxima[lane] = max(maxima[lane], ratios[count - floor])


@compiled
def find_suspects(
    suspects: NDArray[np.int64],
    inside: Counts,
    expected: NDArray[np.float64],
    windows: NDArray[np.int64],
    table: NDArray[np.int64],
) -> int:
    """List the windows in which some lane of the largest circle has too many cases for the smallest."""
    found = 0
    for window in range(len(windows)):
        start, stop = windows[window]
        if highest_count(inside[start], inside[stop]) > threshold(table, expected[stop] - expected[start]):
            suspects[found] = window
            found += 1
    return found


@compiled
def examine(
    maxima: NDArray[np.float64],
    inside: Counts,
    expected: NDArray[np.float64],
    windows: NDArray[np.int64],
    table: NDArray[np.int64],
    ratios: NDArray[np.float64],
    individuals: float,
) -> None:
    """Raise the maxima by one circle's ratios in some windows."""
    cases = ratios.size - 2
    for start, stop in windows:
        mean = expected[stop] - expected[start]
        floor = threshold(table, mean)
        highest = highest_count(inside[start], inside[stop])
        if highest > floor:
            for count in range(floor + 1, highest + 1):
                ratios[count - floor] = log_likelihood_ratio(count, mean, cases, individuals)
            improve(maxima, inside[start], inside[stop], floor, ratios)


@compiled
def search(  # noqa: PLR0913, PLR0917  a compiled loop takes arrays, not objects
    maxima: NDArray[np.float64],
    counts: Counts,
    lanes: int,
    measure: NDArray[np.float64],
    places: NDArray[np.int32],
    centre_end: NDArray[np.int64],
    circle_end: NDArray[np.int64],
    group_end: NDArray[np.int64],
    windows: NDArray[np.int64],
    cases: int,
    individuals: float,
    min_cases: int,
) -> None:
    """Raise `maxima` to the highest log likelihood ratio over all cylinders, replicate by replicate."""
    edges = measure.shape[1]
    inside = np.zeros((edges, lanes), counts.dtype)  # cumulated over time; the first row stays 0
    total = inside.reshape(edges * lanes)[lanes:]
    before = np.zeros_like(total)
    expected = np.zeros(edges)
    suspects = np.zeros(len(windows), np.int64)
    ratios = np.zeros(cases + 2)
    level = 0.0
    table = threshold_table(cases)
    fill_thresholds(table, level, cases, individuals, min_cases)
    position = 0
    for end in centre_end:
        total[:] = 0
        expected[:] = 0.0
        while position < end:
            first, position = position, group_end[position]
            smallest = circle_end[first]
            before[:] = total
            for place in places[first:position]:
                add(total, counts[place])
            for place in places[first:smallest]:
                expected += measure[place]
            found = find_suspects(suspects, inside, expected, windows, table)
            if found:
                total[:] = before
                for place in places[first:smallest]:
                    add(total, counts[place])
                examine(maxima, inside, expected, windows[suspects[:found]], table, ratios, individuals)
            for member in range(smallest, position):
                expected += measure[places[member]]
                if found:
                    add(total, counts[places[member]])
                    if circle_end[member] == member + 1:
                        examine(
                            maxima, inside, expected, windows[suspects[:found]], table, ratios, individuals
                        )
            if found and maxima.min() > level + _RAISE_BY:
                level = maxima.min()
                fill_thresholds(table, level, cases, individuals, min_cases)


@compiled
def group_circles(
    weight: NDArray[np.float64],
    places: NDArray[np.int32],
    centre_end: NDArray[np.int64],
    circle_end: NDArray[np.int64],
    spread: float,
) -> NDArray[np.int64]:
    """Return, for the first position of each group of circles, where the group ends.

    A group grows by at most `spread` standard deviations of its smallest circle's expected count.
    """
    group_end = np.zeros(places.size, np.int64)
    position = 0
    for end in centre_end:
        inside = 0.0
        while position < end:
            first = position
            position = circle_end[first]
            for member in range(first, position):
                inside += weight[places[member]]
            most = inside + spread * math.sqrt(inside)
            while position < end:
                grown = inside
                for member in range(position, circle_end[position]):
                    grown += weight[places[member]]
                if grown > most:
                    break
                inside = grown
                position = circle_end[position]
            group_end[first] = position
    return group_end
