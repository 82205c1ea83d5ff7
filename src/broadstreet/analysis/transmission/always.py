"""Pairs that are always looked at, however many there are: declared, at one place, or near each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from broadstreet.analysis.compiled import compiled
from broadstreet.analysis.transmission.declared import Declared
from broadstreet.analysis.transmission.stays import Stays

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# So many pairs at one place on one day are told at most: beyond, a place says little of any of them.
_MOST_MEETINGS = 4_000_000
_NEAREST = 30


@dataclass(frozen=True)
class Always:
    """Candidates of case i that are always looked at: `other[start[i]:start[i + 1]]`."""

    start: Ints
    other: Ints


def none_always(size: int) -> Always:
    """Return none, for so many cases."""
    return Always(np.zeros(size + 1, np.int64), np.zeros(0, np.int64))


def always(size: int, contacts: Declared, stays: Stays, points: Floats) -> Always:
    """Return the pairs of cases that a contact, a place or nearness may speak for, in both directions."""
    one, other = _met(stays)
    near, neighbour = _nearest(points)
    case = np.concatenate([contacts.target, contacts.source, one, near, neighbour])
    by = np.concatenate([contacts.source, contacts.target, other, neighbour, near])
    keys = np.unique(case.astype(np.int64) * size + by)
    return Always(np.searchsorted(keys, np.arange(size + 1, dtype=np.int64) * size), keys % max(size, 1))


def _met(stays: Stays) -> tuple[Ints, Ints]:
    """Return both directions of pairs that were at one place on one day; none where these are too many."""
    if not len(stays.case):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    edges = np.flatnonzero(np.r_[True, (np.diff(stays.place) != 0) | (np.diff(stays.day) != 0), True])
    there = np.diff(edges)
    if int((there.astype(np.float64) ** 2).sum()) > _MOST_MEETINGS:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return _pairs_within(edges, stays.case)


def _nearest(points: Floats) -> tuple[Ints, Ints]:
    """Return each located case with those nearest to it."""
    located = np.flatnonzero(np.isfinite(points).all(axis=1))
    if len(located) < 2:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    many = min(_NEAREST + 1, len(located))
    _, found = KDTree(points[located]).query(points[located], k=many)
    return np.repeat(located, many), located[found.ravel()]


@compiled
def _pairs_within(edges: Ints, case: Ints) -> tuple[Ints, Ints]:
    total = 0
    for place in range(edges.size - 1):
        total += (edges[place + 1] - edges[place]) ** 2
    one, other = np.zeros(total, np.int64), np.zeros(total, np.int64)
    at = 0
    for place in range(edges.size - 1):
        for a in range(edges[place], edges[place + 1]):
            for b in range(edges[place], edges[place + 1]):
                one[at], other[at] = case[a], case[b]
                at += 1
    return one, other
