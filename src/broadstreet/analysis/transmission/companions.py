"""Unseen members of a case's own groups: where a class has cases, some are not in the list."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.compiled import compiled
from broadstreet.analysis.transmission.intervals import Interval
from broadstreet.analysis.transmission.timing import Band, Timing, after

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Before the data unseen members of a group are believed to be in proportion to the seen: worth so many
# groups.
_IN_PROPORTION = 2.0


def beside(generation: Interval) -> Interval:
    """Return how many days after a member of a group an unseen member falls ill.

    As if the two had one infector: the unseen fall ill when the seen do.
    """
    return generation.then(generation.mirrored())


def spared(codes: Ints) -> float:
    """Return how many groups there are in all for each that has a case.

    From how many have one case and how many have two: at least so many have none. Any two people share a
    group the more seldom, and it says the more when two cases do.

    Source
    ------
    Chao 1984, Scand J Stat 11:265, the estimator corrected for bias.
    """
    sizes = np.bincount(codes[codes >= 0])
    once, twice, seen = ((sizes == 1).sum(), (sizes == 2).sum(), (sizes > 0).sum())
    return 1.0 + float(once * (once - 1.0) / (2.0 * (twice + 1.0)) / max(seen, 1))


def clustered(codes: Ints) -> float:
    """Return how far a seen member tells of unseen ones: from 0 (not at all) to 1 (in proportion).

    The numbers of other seen members, over cases, vary as a negative binomial distribution: the part of their
    variance above that of a Poisson distribution is of the groups themselves. In households of two whose
    other member was seen nobody else is left. In proportion is believed before, with the weight of two
    groups.
    """
    sizes = np.bincount(codes[codes >= 0])
    sizes = sizes[sizes > 0]
    others = np.repeat(sizes, sizes) - 1.0
    spread = float(others.var()) if others.size else 0.0
    found = float(np.clip(1.0 - others.mean() / spread, 0.0, 1.0)) if spread > 0.0 else 0.0
    return (_IN_PROPORTION + sizes.size * found) / (_IN_PROPORTION + sizes.size)


def companion_fits(timing: Timing, groups: Ints) -> Floats:
    """Return the fit of each case's dates to unseen members of its groups, one for each other seen member.

    Returns
    -------
    ndarray, shape (columns of `same`, cases)
    """
    found = np.zeros(groups.shape)
    if not groups.size:
        return found
    other = _ripe(after(timing.infecting, beside(timing.generation)), timing)
    for row, codes in zip(found, groups, strict=True):
        _fits(row, codes, np.argsort(codes, kind="stable"), timing.infected.first, timing.infected.values,
              other.first, other.values)  # fmt: skip
    return np.asarray(found * np.array([[clustered(codes)] for codes in groups]))


def _ripe(unseen: Band, timing: Timing) -> Band:
    """Return what the unseen bring on each day, as far as someone of the list can have infected them.

    Else the first case of all would have an unseen infector for each of its group who fell ill later.
    """
    first = int(np.round(timing.onset.min()))
    days = unseen.first[:, np.newaxis] + np.arange(unseen.values.shape[1]) - first
    passed = np.append(timing.generation.cumulative(), 0.0)
    at = days - timing.generation.first
    share = np.where(at >= 0, passed[np.clip(at, 0, len(passed) - 2)], 0.0)
    return Band(unseen.first, unseen.values * share)


@compiled
def _fits(
    found: Floats,
    codes: Ints,
    order: Ints,
    infected_first: Ints,
    infected: Floats,
    first: Ints,
    values: Floats,
) -> None:
    """Add up, group by group, what the others' companions bring on each day, and weigh each case by it."""
    start = 0
    while start < order.size:
        end = start
        while end < order.size and codes[order[end]] == codes[order[start]]:
            end += 1
        members = order[start:end]
        if codes[order[start]] >= 0 and members.size > 1:
            low = first[members].min()
            pressure = np.zeros(first[members].max() - low + values.shape[1])
            for j in members:
                for k in range(values.shape[1]):
                    pressure[first[j] - low + k] += values[j, k]
            for i in members:
                total = 0.0
                for k in range(infected.shape[1]):
                    day = infected_first[i] + k
                    own = day - first[i]
                    if 0 <= day - low < pressure.size:
                        others = pressure[day - low]
                        if 0 <= own < values.shape[1]:
                            others -= values[i, own]
                        total += infected[i, k] * others
                found[i] = max(total, 0.0)
        start = end
