"""Compiled moves of the sampler: infectors one by one, and many cases at once from one infector to another.

The state is, per case, the entry of its infector among the candidates (-1 for nobody of the list), and
whether the link is a free one or came about within a group. Infectiousness, which multiplies the free links
of a case, is integrated out: what remains of it is how many free links an infector has.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@compiled
def descends(case: int, other: int, chosen: Ints, infector: NDArray[np.int32]) -> bool:
    """Tell whether a case has another among its ancestors, or is it."""
    at = case
    while at != other:
        if chosen[at] < 0:
            return False
        at = infector[chosen[at]]
    return True


@compiled
def sweep(  # noqa: PLR0913, PLR0917  a compiled loop takes arrays, not objects
    rows: Ints,
    start: Ints,
    infector: NDArray[np.int32],
    free: Floats,
    within: Floats,
    nobody: Floats,
    expected: Floats,
    shape: float,
    chosen: Ints,
    is_free: Ints,
    offspring: Ints,
    power: float,
    cyclic: bool,
    scratch: Floats,
    pair: Floats,
    alone: Floats,
    keep: float,
) -> None:
    """Draw the infector of each of `rows`, given those of others; add the chances to `pair` and `alone`."""
    for i in rows:
        if chosen[i] >= 0:
            offspring[infector[chosen[i]]] -= is_free[i]
            chosen[i] = -1
            is_free[i] = 0
        total = nobody[i]
        first = start[i]
        for entry in range(first, start[i + 1]):
            j = infector[entry]
            urge = (shape + offspring[j]) / (shape + expected[j])
            value = within[entry] + free[entry] * (urge if power == 1.0 else urge**power)
            if cyclic and value > 0.0 and descends(j, i, chosen, infector):
                value = 0.0
            scratch[entry - first] = value
            total += value
        if keep > 0.0:
            scale = keep / total
            for entry in range(first, start[i + 1]):
                pair[entry] += scratch[entry - first] * scale
            alone[i] += nobody[i] * scale
        draw = np.random.random() * total - nobody[i]
        if draw < 0.0:
            continue
        for entry in range(first, start[i + 1]):
            draw -= scratch[entry - first]
            if draw <= 0.0 and scratch[entry - first] > 0.0:
                chosen[i] = entry
                # what is left of the draw is uniform over this entry's value
                if -draw >= within[entry]:
                    is_free[i] = 1
                    offspring[infector[entry]] += 1
                break


@compiled
def wander(  # noqa: PLR0913, PLR0917
    rows: Ints,
    start: Ints,
    infector: NDArray[np.int32],
    free: Floats,
    within: Floats,
    cumulated: Floats,
    nobody: Floats,
    expected: Floats,
    shape: float,
    chosen: Ints,
    is_free: Ints,
    offspring: Ints,
    power: float,
    cyclic: bool,
) -> None:
    """Propose another infector for each case as if all were equally infectious; accept as they are not.

    It looks at one candidate a case where a sweep looks at all: many such rounds between two sweeps.
    `cumulated[entry]` are the weights of all entries before it.
    """
    for i in rows:
        first, last = start[i], start[i + 1]
        draw = np.random.random() * (cumulated[last] - cumulated[first] + nobody[i])
        entry, label = -1, 0
        if draw < cumulated[last] - cumulated[first]:
            entry = np.searchsorted(cumulated[first : last + 1], cumulated[first] + draw, "right") - 1 + first
            entry = min(entry, last - 1)
            label = 1 if np.random.random() * (free[entry] + within[entry]) >= within[entry] else 0
        if entry == chosen[i] and label == is_free[i]:
            continue
        if chosen[i] >= 0:
            offspring[infector[chosen[i]]] -= is_free[i]
        ratio = 1.0
        if label == 1:
            j = infector[entry]
            ratio = (shape + offspring[j]) / (shape + expected[j])
        if is_free[i] == 1:
            j = infector[chosen[i]]
            ratio /= (shape + offspring[j]) / (shape + expected[j])
        possible = np.random.random() < (ratio if power == 1.0 else ratio**power)
        if possible and cyclic and entry >= 0:
            kept = chosen[i]
            chosen[i] = -1
            possible = not descends(infector[entry], i, chosen, infector)
            chosen[i] = kept
        if possible:
            chosen[i], is_free[i] = entry, label
        if chosen[i] >= 0:
            offspring[infector[chosen[i]]] += is_free[i]


@compiled
def find(start: Ints, infector: NDArray[np.int32], case: int, other: int) -> int:
    """Return the entry of a candidate, -1 where it is none."""
    low, high = start[case], start[case + 1]
    while low < high:
        middle = (low + high) // 2
        if infector[middle] < other:
            low = middle + 1
        else:
            high = middle
    return low if low < start[case + 1] and infector[low] == other else -1


@compiled
def exchange(  # noqa: PLR0913, PLR0917
    start: Ints,
    infector: NDArray[np.int32],
    free: Floats,
    expected: Floats,
    shape: float,
    chosen: Ints,
    is_free: Ints,
    offspring: Ints,
    power: float,
    cyclic: bool,
    group: Ints,
    members_start: Ints,
    members: Ints,
    moves: int,
    touched: Ints,
    before: Ints,
) -> int:
    """Propose, again and again, that two candidates change the free links that they have in a group.

    `group[i]` is the group of case i, and `members[members_start[g]:members_start[g + 1]]` who is in it. The
    proposal is its own inverse, so it is accepted by the ratio of the probabilities.
    """
    accepted = 0
    size = start.size - 1
    for _ in range(moves):
        seed = np.random.randint(size)
        options = start[seed + 1] - start[seed]
        if options < 2 or group[seed] < 0:
            continue
        one = infector[start[seed] + np.random.randint(options)]
        other = infector[start[seed] + np.random.randint(options)]
        if one == other:
            continue
        among = members[members_start[group[seed]] : members_start[group[seed] + 1]]
        count, change, ratio = _swap(
            start, infector, free, chosen, is_free, among, one, other, touched, before
        )
        if count == 0:
            continue
        ratio += power * (
            _urn(shape, expected[one], offspring[one] + change)
            - _urn(shape, expected[one], offspring[one])
            + _urn(shape, expected[other], offspring[other] - change)
            - _urn(shape, expected[other], offspring[other])
        )
        possible = math.log(np.random.random()) < ratio
        if cyclic:
            for at in range(count):
                possible = possible and not _loops(touched[at], chosen, infector, size)
        if possible:
            offspring[one] += change
            offspring[other] -= change
            accepted += 1
        else:
            for at in range(count):
                chosen[touched[at]] = before[at]
    return accepted


@compiled
def _swap(  # noqa: PLR0913, PLR0917
    start: Ints,
    infector: NDArray[np.int32],
    free: Floats,
    chosen: Ints,
    is_free: Ints,
    among: Ints,
    one: int,
    other: int,
    touched: Ints,
    before: Ints,
) -> tuple[int, int, float]:
    """Change the free links from one to the other and back; note what was, for the case that it is refused.

    Return how many changed, how many more the one has now, and the logarithm of the ratio of the weights.
    """
    count, change, ratio = 0, 0, 0.0
    for i in among:
        if is_free[i] == 0:
            continue
        j = infector[chosen[i]]
        if j not in (one, other):
            continue
        entry = find(start, infector, i, other if j == one else one)
        if entry < 0 or free[entry] <= 0.0:
            continue
        ratio += math.log(free[entry] / free[chosen[i]])
        change += 1 if j == other else -1
        touched[count], before[count] = i, chosen[i]
        chosen[i] = entry
        count += 1
    return count, change, ratio


@compiled
def _urn(shape: float, expected: float, count: int) -> float:
    return math.lgamma(shape + count) - count * math.log(shape + expected)


@compiled
def _loops(case: int, chosen: Ints, infector: NDArray[np.int32], size: int) -> bool:
    at = case
    for _ in range(size + 1):
        if chosen[at] < 0:
            return False
        at = infector[chosen[at]]
        if at == case:
            return True
    return True


@compiled
def shape_score(shape: float, offspring: Ints, expected: Floats) -> float:
    """Return the log probability of numbers of free links, but for what does not depend on the shape."""
    total = 0.0
    for j in range(offspring.size):
        total += (
            math.lgamma(shape + offspring[j])
            - math.lgamma(shape)
            + shape * math.log(shape)
            - (shape + offspring[j]) * math.log(shape + expected[j])
        )
    return total


@compiled
def set_seed(seed: int) -> None:
    """Seed the random numbers of compiled code."""
    np.random.seed(seed)
