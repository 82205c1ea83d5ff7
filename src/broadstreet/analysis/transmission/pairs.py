"""Pairs of cases whose dates allow a link: sparse, one row a case, one entry a candidate infector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from broadstreet.analysis.compiled import compiled
from broadstreet.analysis.transmission.timing import DOUBT, Timing

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# A link whose dates fit worse than the best by this factor is no candidate.
_LEAST_FIT = 1e-5
MOST_PAIRS = 25_000_000


@dataclass(frozen=True)
class Pairs:
    """Candidate infectors of case i: `infector[start[i]:start[i + 1]]`, ascending; `fit` is a density per
    day.

    `thinned` is the share of candidates that was kept where there were too many.
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


def find_pairs(timing: Timing) -> Pairs:
    """Return the pairs whose dates allow a link."""
    infected, infecting = timing.infected, timing.infecting
    size = len(infected.first)
    order = np.argsort(infecting.first, kind="stable")
    arrays = (
        infected.first, infected.values, infecting.first, infecting.values, timing.window, timing.infectious,
        order, infecting.first[order], _best(timing) * _LEAST_FIT,
    )  # fmt: skip
    counts = np.zeros(size, np.int64)
    none32, none64 = np.zeros(0, np.int32), np.zeros(0)
    _fill(*arrays, 1, counts, np.zeros(size + 1, np.int64), none32, none64)
    every = max(1, int(np.ceil(counts.sum() / MOST_PAIRS)))
    if every > 1:
        counts[:] = 0
        _fill(*arrays, every, counts, np.zeros(size + 1, np.int64), none32, none64)
    start = np.concatenate([[0], np.cumsum(counts)])
    infector, fit = np.zeros(start[-1], np.int32), np.zeros(start[-1])
    _fill(*arrays, every, counts, start, infector, fit)
    table = csr_array((fit, infector, start), shape=(size, size))
    table.sort_indices()
    return Pairs(start, table.indices.astype(np.int32), table.data, 1.0 / every)


def _best(timing: Timing) -> float:
    """Return about the best fit that two cases can have."""
    return float(timing.infected.values.max(initial=0.0) * timing.infecting.values.max(initial=0.0))


@compiled
def _fill(  # noqa: PLR0913, PLR0917  a compiled loop takes arrays, not objects
    infected_first: Ints,
    infected: Floats,
    infecting_first: Ints,
    infecting: Floats,
    window: Floats,
    infectious: Floats,
    order: Ints,
    sorted_first: Ints,
    least: float,
    every: int,
    counts: Ints,
    start: Ints,
    infector: NDArray[np.int32],
    fit: Floats,
) -> None:
    """Count candidates, or write them where `infector` has room; of too many each `every`-th, weighted up."""
    width, reach = infected.shape[1], infecting.shape[1]
    writing = infector.size > 0
    for i in range(infected_first.size):
        low = np.searchsorted(sorted_first, infected_first[i] - reach + 1)
        high = np.searchsorted(sorted_first, infected_first[i] + width)
        found = 0
        for k in range(low + (i % every if every > 1 else 0), high, every):
            j = order[k]
            if j == i:
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
                fit[start[i] + found] = total * every
            found += 1
        counts[i] = found
