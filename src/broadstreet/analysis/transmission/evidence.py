"""What speaks for a link beside dates: groups, distance, shared places, declared contacts, unseen cases."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.compiled import compiled
from broadstreet.analysis.transmission.always import always
from broadstreet.analysis.transmission.belief import gaps_of
from broadstreet.analysis.transmission.companions import beside, clustered, companion_fits, spared
from broadstreet.analysis.transmission.declared import Declared
from broadstreet.analysis.transmission.distances import Distances, between_any, sampled
from broadstreet.analysis.transmission.linelist import LineList
from broadstreet.analysis.transmission.meetings import meetings
from broadstreet.analysis.transmission.pairs import Pairs, find_pairs, renewed_pairs
from broadstreet.analysis.transmission.stays import Stays
from broadstreet.analysis.transmission.timing import Timing

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_UNSEEN = 3


@dataclass(frozen=True)
class Evidence:
    """Evidence of each pair, and what chance would bring: `exposure_...` add up over pairs in order of time.

    gaps : per pair, days from onset to onset, `belief.UNKNOWN` where one is missing
    entry : per pair, its entry in earlier evidence, -1 where it had none; None without earlier evidence
    groups : int, shape (columns of `same`, cases), -1 = missing
    distance : per pair, NaN where a point is missing; empty without points
    apart : a sample of those distances
    shared : per pair, shared presence while the one was infectious and the other infected, by rarity; or
    empty
    declared : per pair, 1 where a contact was declared; or empty
    unseen : shape (3, cases), the fit of dates summed over all cases, with 1 to 3 unseen cases between
    companions : shape (columns of `same`, cases), the fit of dates to unseen members of the case's group
    outside : per case, the chance per day of its dates when infected from outside
    """

    pairs: Pairs
    gaps: Ints
    timing: Timing
    entry: Ints | None
    groups: Ints
    levels: list[int]
    distance: Floats
    apart: Distances
    shared: Floats
    declared: NDArray[np.int8]
    declared_all: int
    unseen: Floats
    companions: Floats
    outside: Floats
    exposure_any: float
    exposure_groups: list[Floats]
    exposure_companions: list[Floats]
    exposure_shared: float


@dataclass(frozen=True)
class Earlier:
    """Evidence from before some cases changed; `origin` is the number of each case then, -1 where new."""

    evidence: Evidence
    origin: Ints


def gather(
    cases: LineList, timing: Timing, contacts: Declared, stays: Stays, earlier: Earlier | None = None
) -> Evidence:
    """Return the evidence of each pair of cases whose dates allow a link.

    With earlier evidence only pairs of cases that changed are looked at anew.
    """
    groups = np.array([codes for codes, _ in cases.groups.values()], np.int64).reshape(
        len(cases.groups), cases.size
    )
    if earlier is None:
        told = partial(always, cases.size, contacts, stays, cases.points)
        pairs, entry = find_pairs(timing, groups, told), None
    else:
        pairs, entry = renewed_pairs(earlier.evidence.pairs, timing, earlier.origin)
    cumulative = timing.serial.cumulative()
    apart = beside(timing.generation).then(timing.serial)
    onset = np.round(timing.onset).astype(np.int64)
    shared, exposure_shared = meetings(pairs, timing, stays, groups)
    gaps, distance = _by_pair(cases, timing, pairs, entry, earlier)
    return Evidence(
        pairs=pairs,
        gaps=gaps,
        timing=timing,
        entry=entry,
        groups=groups,
        levels=[len(labels) for _, labels in cases.groups.values()],
        distance=distance,
        apart=sampled(distance if pairs.thinned == 1.0 else between_any(cases.points)),
        shared=shared,
        declared=_declared(pairs, contacts),
        declared_all=len(contacts.source),
        unseen=_unseen(timing),
        companions=companion_fits(timing, groups),
        outside=timing.infected.total() / _span(timing),
        exposure_any=_exposure_any(onset, cumulative, timing.serial.first),
        exposure_groups=[
            _exposure_levels(onset, codes, np.argsort(codes), len(labels), cumulative, timing.serial.first)
            / spared(codes)
            for codes, labels in cases.groups.values()
        ],
        exposure_companions=[
            _exposure_levels(onset, codes, np.argsort(codes), len(labels), apart.cumulative(), apart.first)
            * clustered(codes)
            / spared(codes)
            for codes, labels in cases.groups.values()
        ],
        exposure_shared=exposure_shared,
    )


def _span(timing: Timing) -> float:
    return float(np.ptp(timing.onset) + timing.serial.mean) if len(timing.onset) else 1.0


def _by_pair(
    cases: LineList, timing: Timing, pairs: Pairs, entry: Ints | None, earlier: Earlier | None
) -> tuple[Ints, Floats]:
    """Return days from onset to onset, and distances (none without points); only of new pairs anew."""
    known, located = np.isfinite(cases.days["onset"]), bool(np.isfinite(cases.points).any())
    case = pairs.case()
    if earlier is None or entry is None or located != (earlier.evidence.distance.size > 0):
        gaps = gaps_of(timing, known, pairs.infector, case)
        return gaps, _distances(pairs.infector, case, cases.points) if located else np.zeros(0)
    new = np.flatnonzero(entry < 0)
    gaps = earlier.evidence.gaps[entry]
    gaps[new] = gaps_of(timing, known, pairs.infector[new], case[new])
    if not located:
        return gaps, np.zeros(0)
    distance = earlier.evidence.distance[entry]
    distance[new] = _distances(pairs.infector[new], case[new], cases.points)
    return gaps, distance


def _distances(infector: NDArray[np.int32], case: NDArray[np.int32], points: Floats) -> Floats:
    apart = points[case] - points[infector]
    return np.asarray(np.hypot(apart[:, 0], apart[:, 1]))


def _declared(pairs: Pairs, contacts: Declared) -> NDArray[np.int8]:
    if not len(contacts.source):
        return np.zeros(0, np.int8)
    flags = np.zeros(len(pairs.infector), np.int8)
    at = pairs.find(contacts.source, contacts.target)
    flags[at[at >= 0]] = 1
    return flags


def _unseen(timing: Timing) -> Floats:
    """Return the fit of dates to all other cases together, through 1 to 3 cases that no one saw."""
    infected, infecting = timing.infected, timing.infecting
    if not len(infected.first):
        return np.zeros((MOST_UNSEEN, 0))
    between = timing.generation
    low = int(min(infecting.first.min(), infected.first.min())) + MOST_UNSEEN * min(between.first, 0)
    high = int(
        max(
            infecting.first.max() + infecting.values.shape[1], infected.first.max() + infected.values.shape[1]
        )
    )
    reach = MOST_UNSEEN * (abs(between.first) + len(between.p))
    pressure = np.zeros(high - low + 1 + reach)
    days = infecting.first[:, np.newaxis] - low + np.arange(infecting.values.shape[1])
    np.add.at(pressure, days, infecting.values)
    fits = np.zeros((MOST_UNSEEN, len(infected.first)))
    at = infected.first[:, np.newaxis] - low + np.arange(infected.values.shape[1])
    for links in range(MOST_UNSEEN):
        whole = np.convolve(pressure, between.p)
        shifted = np.zeros_like(pressure)
        source = np.arange(len(pressure)) - between.first
        inside = (source >= 0) & (source < len(whole))
        shifted[inside] = whole[source[inside]]
        pressure = shifted
        fits[links] = (pressure[at] * infected.values).sum(axis=1)
    return fits


@compiled
def _exposure_any(onset: Ints, cumulative: Floats, first: int) -> float:
    """Return the sum, over ordered pairs, of the share of infectiousness before the other's onset."""
    if onset.size == 0:
        return 0.0
    low = onset.min()
    counts = np.zeros(onset.max() - low + 1)
    for day in onset:
        counts[day - low] += 1.0
    total = 0.0
    for early in range(counts.size):
        if counts[early] == 0.0:
            continue
        for late in range(max(0, early + first), counts.size):
            others = counts[late] - (1.0 if late == early else 0.0)
            passed = late - early - first
            total += counts[early] * others * (cumulative[passed] if passed < cumulative.size else 1.0)
    return total


@compiled
def _exposure_levels(
    onset: Ints, codes: Ints, order: Ints, levels: int, cumulative: Floats, first: int
) -> Floats:
    """Return the same sum over the pairs within each group."""
    totals = np.zeros(levels)
    start = 0
    while start < order.size:
        code = codes[order[start]]
        end = start
        while end < order.size and codes[order[end]] == code:
            end += 1
        if code >= 0:
            for a in range(start, end):
                for b in range(start, end):
                    passed = onset[order[b]] - onset[order[a]] - first
                    if a != b and passed >= 0:
                        totals[code] += cumulative[passed] if passed < cumulative.size else 1.0
        start = end
    return totals
