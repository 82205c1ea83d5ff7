"""Pairs of cases whose dates allow a link: sparse, one row a case, one entry a candidate infector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from broadstreet.analysis.compiled import compiled
from broadstreet.analysis.transmission.always import Always, none_always
from broadstreet.analysis.transmission.timing import DOUBT, Timing

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# A link whose dates fit worse than the best by this factor is no candidate.
_LEAST_FIT = 1e-5
MOST_PAIRS, THINNED = 4_000_000, 1_500_000


@dataclass(frozen=True)
class Pairs:
    """Candidate infectors of case i: `infector[start[i]:start[i + 1]]`, ascending; `fit` is a density per
    day.

    `thinned` is the share of candidates that was looked at where there were too many: those of a case's own
    groups and those that are always looked at, and of others of cases with many an even selection that stands
    for all.
    """

    start: Ints
    infector: NDArray[np.int32]
    fit: Floats
    thinned: float = 1.0

    @property
    def size(self) -> int:
        """Return the number of cases."""
        return len(self.start) - 1

    def case(self) -> NDArray[np.int32]:
        """Return the case of each entry."""
        return np.repeat(np.arange(self.size, dtype=np.int32), np.diff(self.start))

    def find(self, infector: Ints, case: Ints) -> Ints:
        """Return the entry of each pair, -1 where it is no candidate."""
        keys = self.case().astype(np.int64) * self.size + self.infector
        wanted = case * self.size + infector
        at = np.searchsorted(keys, wanted)
        inside = at < len(keys)
        return (
            np.where(inside & (keys[np.minimum(at, max(len(keys) - 1, 0))] == wanted), at, -1)
            if len(keys)
            else at - 1
        )


def find_pairs(timing: Timing, groups: Ints, told: Callable[[], Always]) -> Pairs:
    """Return the pairs whose dates allow a link.

    `groups` are those of cases, shape (columns, cases); `told` gives the pairs that are looked at even where
    there are too many.
    """
    everyone = np.arange(len(timing.infected.first))
    every, share = _strides(timing)
    chosen = told() if share < 1.0 else none_always(len(everyone))
    return _pairs(timing, [(everyone, everyone)], groups, chosen, every, share)


def touched_pairs(timing: Timing, touched: NDArray[np.bool_]) -> Pairs:
    """Return the pairs of which at least one is a touched case."""
    new, old, size = np.flatnonzero(touched), np.flatnonzero(~touched), len(touched)
    parts, every = [(new, np.arange(size)), (old, new)], np.ones(size, np.int64)
    return _pairs(timing, parts, np.zeros((0, size), np.int64), none_always(size), every, 1.0)


def renewed_pairs(old: Pairs, timing: Timing, origin: Ints) -> tuple[Pairs, Ints]:
    """Return pairs after some cases changed, and the entry that each has among the old pairs (-1 = none).

    `origin[i]` is the number that case i had, -1 where it is new or changed.
    """
    fresh = touched_pairs(timing, origin < 0)
    position = positions(origin, old.size)
    start = np.zeros(len(origin) + 1, np.int64)
    none = np.zeros(0, np.int32), np.zeros(0), np.zeros(0, np.int64)
    given = (
        origin, position, old.start, old.infector, old.fit, fresh.start, fresh.infector, fresh.fit,
    )  # fmt: skip
    _merge(*given, start, *none)
    start = np.cumsum(start)
    infector, fit, entry = np.zeros(start[-1], np.int32), np.zeros(start[-1]), np.zeros(start[-1], np.int64)
    _merge(*given, start, infector, fit, entry)
    return Pairs(start, infector, fit), entry


def positions(origin: Ints, size: int) -> Ints:
    """Return where each of the old cases is now, -1 where it is gone or changed."""
    position = np.full(size, -1, np.int64)
    held = np.flatnonzero(origin >= 0)
    position[origin[held]] = held
    return position


def _pairs(
    timing: Timing, parts: list[tuple[Ints, Ints]], groups: Ints, told: Always, every: Ints, share: float
) -> Pairs:
    infected, infecting = timing.infected, timing.infecting
    size, least = len(infected.first), _best(timing) * _LEAST_FIT
    counts, start = np.zeros(size, np.int64), np.zeros(size + 1, np.int64)

    def fill(infector: NDArray[np.int32], fit: Floats) -> None:
        for rows, among in parts:
            order = among[np.argsort(infecting.first[among], kind="stable")]
            _fill(
                rows, infected.first, infected.values, infecting.first, infecting.values, timing.window,
                timing.infectious, order, infecting.first[order], groups, told.start, told.other, least,
                every, counts, start, infector, fit,
            )  # fmt: skip

    fill(np.zeros(0, np.int32), np.zeros(0))
    start = np.concatenate([[0], np.cumsum(counts)])
    infector, fit = np.zeros(start[-1], np.int32), np.zeros(start[-1])
    fill(infector, fit)
    table = csr_array((fit, infector, start), shape=(size, size))
    table.sort_indices()
    return Pairs(start, table.indices.astype(np.int32), table.data, share)


def _strides(timing: Timing) -> tuple[Ints, float]:
    """Return of how many candidates of each case one is looked at, and the share that is.

    There are not too many then, and who has few keeps them all.
    """
    first = np.sort(timing.infecting.first)
    width, reach = timing.infected.values.shape[1], timing.infecting.values.shape[1]
    low = np.searchsorted(first, timing.infected.first - reach + 1)
    high = np.searchsorted(first, timing.infected.first + width)
    many = np.maximum(high - low, 1).astype(np.float64)
    if many.sum() <= MOST_PAIRS:
        return np.ones(len(many), np.int64), 1.0
    ordered = np.sort(many)
    # so many of each case: with those of cases that have fewer they are as many as there may be
    left = THINNED - np.concatenate([[0.0], np.cumsum(ordered)[:-1]])
    most = left / np.arange(len(many), 0, -1)
    limit = max(float(most[np.argmax(most <= ordered)]), 1.0)
    every = np.ceil(many / limit).astype(np.int64)
    return every, float((many / every).sum() / many.sum())


def _best(timing: Timing) -> float:
    """Return about the best fit that two cases can have."""
    return float(timing.infected.values.max(initial=0.0) * timing.infecting.values.max(initial=0.0))


@compiled
def _fill(  # noqa: PLR0912, PLR0913, PLR0917  a compiled loop takes arrays, not objects
    rows: Ints,
    infected_first: Ints,
    infected: Floats,
    infecting_first: Ints,
    infecting: Floats,
    window: Floats,
    infectious: Floats,
    order: Ints,
    sorted_first: Ints,
    groups: Ints,
    told_start: Ints,
    told: Ints,
    least: float,
    every: Ints,
    counts: Ints,
    start: Ints,
    infector: NDArray[np.int32],
    fit: Floats,
) -> None:
    """Count candidates, or write them where `infector` has room; of too many each `every`-th, weighted up.

    Those of the case's own groups, and those that are always looked at, are all there.
    """
    is_told = np.zeros(infected_first.size, np.bool_)
    width, reach = infected.shape[1], infecting.shape[1]
    writing = infector.size > 0
    for i in rows:
        low = np.searchsorted(sorted_first, infected_first[i] - reach + 1)
        high = np.searchsorted(sorted_first, infected_first[i] + width)
        found = 0
        for at in range(told_start[i], told_start[i + 1]):
            is_told[told[at]] = True
        for k in range(low, high):
            j = order[k]
            if j == i:
                continue
            stands_for = 1 if is_told[j] else every[i]
            if stands_for > 1:
                for column in range(groups.shape[0]):
                    if groups[column, i] >= 0 and groups[column, i] == groups[column, j]:
                        stands_for = 1
                if stands_for > 1 and (i + k) % stands_for:
                    continue
            shift = infecting_first[j] - infected_first[i]
            total = 0.0
            for day in range(max(0, shift), min(width, shift + reach)):
                total += infected[i, day] * infecting[j, day - shift]
            if infectious[0, j] > window[1, i] or infectious[1, j] < window[0, i]:
                total *= DOUBT
            if total <= least:
                continue
            if writing:
                infector[start[i] + found] = j
                fit[start[i] + found] = total * stands_for
            found += 1
        counts[i] = found
        for at in range(told_start[i], told_start[i + 1]):
            is_told[told[at]] = False


@compiled
def _merge(  # noqa: PLR0913, PLR0917
    origin: Ints,
    position: Ints,
    old_start: Ints,
    old_infector: NDArray[np.int32],
    old_fit: Floats,
    new_start: Ints,
    new_infector: NDArray[np.int32],
    new_fit: Floats,
    start: Ints,
    infector: NDArray[np.int32],
    fit: Floats,
    entry: Ints,
) -> None:
    """Count the entries of each case into `start`, or write them in order where there is room."""
    writing = infector.size > 0
    for i in range(origin.size):
        at, last = (old_start[origin[i]], old_start[origin[i] + 1]) if origin[i] >= 0 else (0, 0)
        other, end = new_start[i], new_start[i + 1]
        found = start[i] if writing else 0
        while at < last or other < end:
            if at < last and position[old_infector[at]] < 0:
                at += 1
                continue
            if at < last and (other == end or position[old_infector[at]] < new_infector[other]):
                if writing:
                    infector[found], fit[found], entry[found] = position[old_infector[at]], old_fit[at], at
                at += 1
            else:
                if writing:
                    infector[found], fit[found], entry[found] = new_infector[other], new_fit[other], -1
                other += 1
            found += 1
        if not writing:
            start[i + 1] = found
