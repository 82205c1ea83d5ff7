"""Base stations, and which of them sees a phone."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from broadstreet.simulation.draws import compiled, unit
from broadstreet.simulation.samples.visits import (
    HAS_PHONE,
    PHASE,
    SHADOW,
    SIGHTED,
    Floats,
    Numbers,
    Seconds,
    Visits,
    normal,
    require_seconds,
    require_shares,
)

HEARD_BY = 4
"""Stations that a phone chooses among: the nearest ones."""

# 3GPP TR 38.901 V16.1.0, table 7.4.1-1 (urban macro, no line of sight): loss grows by 39.08 dB a decade of
# distance, the shadowing has a standard deviation of 6 dB. Frequency and height are alike for all stations,
# so they fall out.
_LOSS, _SHADOWING = 39.08, 6.0
_LEAST_DISTANCE = 0.035  # km, the height of a mast


class Masts(NamedTuple):
    """Base stations at `x`, `y` (kilometres), and those that each place hears.

    `nearest` and `loss` (decibels, relative) have the shape (places, `HEARD_BY`).
    """

    x: Floats
    y: Floats
    nearest: Numbers
    loss: Floats


class Sightings(NamedTuple):
    """Phones seen by a base station; `time` in seconds since the first midnight of the run."""

    person: Numbers
    time: Seconds
    mast: Numbers


def masts_of(x: Floats, y: Floats, *, spacing: float = 0.8) -> Masts:
    """Set base stations on a hexagonal grid over a city.

    Parameters
    ----------
    x, y
        Place of each place in kilometres.
    spacing
        Kilometres between neighbours: 0.5 in a dense centre (3GPP TR 38.901), 1 and more outside.

    Raises
    ------
    ValueError
        If `spacing` is not above 0.
    """
    if not spacing > 0:
        raise ValueError(f"spacing must be above 0 kilometres (it is {spacing})")
    row_height = spacing * math.sqrt(3) / 2
    rows = np.arange(float(y.min()) - row_height, float(y.max()) + 2 * row_height, row_height)
    columns = np.arange(float(x.min()) - spacing, float(x.max()) + 2 * spacing, spacing)
    down, across = np.meshgrid(rows, columns, indexing="ij")
    across = across + (np.arange(len(rows)) % 2)[:, np.newaxis] * spacing / 2
    stations = np.column_stack([across.ravel(), down.ravel()])
    distance, nearest = cKDTree(stations).query(np.column_stack([x, y]), k=HEARD_BY)
    loss = _LOSS * np.log10(np.maximum(distance, _LEAST_DISTANCE))
    return Masts(
        stations[:, 0].astype(np.float32), stations[:, 1].astype(np.float32),
        nearest.astype(np.uint32), loss.astype(np.float32),
    )  # fmt: skip


def sightings(
    visits: Visits, masts: Masts, seed: int, *, every: int = 1800, phones: float = 0.95
) -> Sightings:
    """Return which base station saw each phone, and when.

    A phone is seen when it arrives (it registers in a new area), and at random moments, once in `every`
    seconds on average, by the station that it receives best at that moment.

    Parameters
    ----------
    visits
        The visit rows.
    masts
        The base stations, see `masts_of`.
    seed
        Of the run.
    every
        Mean seconds between sightings during a visit.
    phones
        Share of people with a phone.

    Raises
    ------
    ValueError
        If `phones` is no share or `every` is below 1.
    """
    require_shares(phones=phones)
    require_seconds(every=every)
    room = int(((visits.end - visits.start) // every + 2).sum())
    made = Sightings(np.empty(room, np.uint32), np.empty(room, np.int64), np.empty(room, np.uint32))
    count = _see(visits, masts.nearest, masts.loss, seed, every, phones, made)
    return Sightings._make(column[:count] for column in made)


@compiled
def _see(
    visits: Visits, nearest: Numbers, loss: Floats, seed: int, every: int, phones: float, made: Sightings
) -> int:
    count = 0
    for row in range(len(visits.person)):
        person, place, start = visits.person[row], visits.place[row], visits.start[row]
        if unit(seed, HAS_PHONE, person) >= phones:
            continue
        made.person[count], made.time[count] = person, start
        made.mast[count] = _best(nearest[place], loss[place], seed, person, start)
        count += 1
        # One sighting in each stretch of `every` seconds, at a random moment of it.
        phase = int(unit(seed, PHASE, person) * every)
        for stretch in range((start - phase) // every, (visits.end[row] - phase) // every + 1):
            time = phase + stretch * every + int(unit(seed, SIGHTED, person, stretch) * every)
            if start < time < visits.end[row]:
                made.person[count], made.time[count] = person, time
                made.mast[count] = _best(nearest[place], loss[place], seed, person, time)
                count += 1
    return count


@compiled
def _best(nearest: NDArray[np.uint32], loss: NDArray[np.float32], seed: int, person: int, time: int) -> int:
    best, least = 0, math.inf
    for number in range(len(nearest)):
        here = loss[number] + _SHADOWING * normal(seed, SHADOW, person, time, number)
        if here < least:
            best, least = number, here
    return nearest[best]  # type: ignore[no-any-return]
