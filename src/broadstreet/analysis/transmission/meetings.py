"""Shared places: who was where another was infectious, by day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.compiled import compiled
from broadstreet.analysis.transmission.companions import spared
from broadstreet.analysis.transmission.pairs import Pairs
from broadstreet.analysis.transmission.stays import Stays
from broadstreet.analysis.transmission.timing import DOUBT, Timing

# Two at a place for so long (days) count in full, and longer no more: who stays all day meets others as well.
_IN_FULL = 2.0 / 24.0

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def meetings(pairs: Pairs, timing: Timing, stays: Stays, groups: Ints) -> tuple[Floats, float]:
    """Return shared presence per pair, and the exposure that all presence makes.

    That of two in one group, who meet as a group, is left to the rate of the group.
    """
    if not len(stays.case):
        return np.zeros(0), 0.0
    starts = np.flatnonzero(np.r_[True, (np.diff(stays.place) != 0) | (np.diff(stays.day) != 0), True])
    found = np.zeros(len(pairs.infector))
    infected, infecting = timing.infected, timing.infecting
    # the chance that a case is not infected before a day: only until then was it exposed
    still = (
        np.cumsum(infected.values[:, ::-1], axis=1)[:, ::-1] / np.maximum(infected.total(), 1e-300)[:, None]
    )
    exposure = _meet(
        found, starts, stays.case, stays.day, stays.begin, stays.end, 1.0 / stays.visitors, pairs.start,
        pairs.infector, infected.first, infected.values, np.ascontiguousarray(still), infecting.first,
        infecting.values, timing.onset, timing.mechanistic, timing.infectious, timing.window, pairs.fit,
        groups,
    )  # fmt: skip
    place_and_day = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    return found, float(exposure) / spared(place_and_day)


@compiled
def _meet(  # noqa: PLR0912, PLR0913, PLR0917  a compiled loop
    found: Floats,
    starts: Ints,
    case: Ints,
    day: Ints,
    begin: Floats,
    end: Floats,
    rarity: Floats,
    row: Ints,
    infector: NDArray[np.int32],
    infected_first: Ints,
    infected: Floats,
    still: Floats,
    infecting_first: Ints,
    infecting: Floats,
    onset: Floats,
    mechanistic: bool,
    infectious: Floats,
    window: Floats,
    fit: Floats,
    groups: Ints,
) -> float:
    """Add up, per pair, the days on which both were at one place, each by its chance to be the right one."""
    exposure = 0.0
    for place in range(starts.size - 1):
        first, last = starts[place], starts[place + 1]
        today = day[first]
        for a in range(first, last):
            j = case[a]
            if mechanistic:
                at = today - infecting_first[j]
                if at < 0 or at >= infecting.shape[1]:
                    continue
                power = infecting[j, at]
            else:
                inside = infectious[0, j] <= today <= infectious[1, j] + 0.5
                power = 1.0 if inside else 0.0
            if power <= 0.0:
                continue
            for b in range(first, last):
                i = case[b]
                if i == j or today > onset[i] or _together(groups, i, j):
                    continue
                # times are remembered roughly: who was there on the day, but not at once, counts a little
                shorter = min((end[a] - begin[a]) / _IN_FULL, (end[b] - begin[b]) / _IN_FULL, 1.0)
                overlap = (min(end[a], end[b]) - max(begin[a], begin[b])) / _IN_FULL
                together = max(min(overlap, 1.0), DOUBT * shorter)
                back = today - infected_first[i]
                if mechanistic:
                    if back >= infected.shape[1]:
                        continue
                    exposure += power * together * rarity[a] * still[i, max(back, 0)]
                    if back < 0:
                        continue
                entry = row[i] + np.searchsorted(infector[row[i] : row[i + 1]], j)
                if entry >= row[i + 1] or infector[entry] != j:
                    continue
                if mechanistic:
                    found[entry] += power * together * infected[i, back] * rarity[a]
                else:
                    doubt = 1.0 if window[0, i] <= today <= window[1, i] else DOUBT
                    days = max(1.0, onset[i] - infectious[0, j])
                    found[entry] += doubt * together * fit[entry] * rarity[a] / days
                    exposure += together * rarity[a] / days
    return exposure


@compiled
def _together(groups: Ints, one: int, other: int) -> bool:
    for column in range(groups.shape[0]):
        if groups[column, one] >= 0 and groups[column, one] == groups[column, other]:
            return True
    return False
