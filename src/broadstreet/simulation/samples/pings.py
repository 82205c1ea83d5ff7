"""Positions that a phone reports, with error and gaps."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from broadstreet.simulation.draws import compiled, unit
from broadstreet.simulation.samples.visits import (
    ACCURACY,
    HAS_PHONE,
    LOST,
    PHASE,
    POSITION,
    SILENCE,
    Floats,
    Numbers,
    Seconds,
    Visits,
    require_seconds,
    require_shares,
)

# Merry and Bettinger 2019, PLoS ONE 14:e0219890: mean error of a phone 7 to 13 m in a town. Median and
# spread of the accuracy that a phone tells are chosen so that the mean error agrees; inside buildings
# errors of 50 m occur.
_MEDIAN_ACCURACY, _SPREAD = 11.0, 0.75
_LEAST_ACCURACY = 3.0
# Android, Location.getAccuracy: the radius within which the true place is with a chance of 68 %. For errors
# that are normal in x and y it is sqrt(-2 ln 0.32) = 1.51 standard deviations.
_RADII_OF_SIGMA = 1.5096
_METRE = 1e-3  # kilometres
_HOUR = 3600


class _Habits(NamedTuple):
    seed: int
    every: int
    phones: float
    silent: float
    lost: float


class Pings(NamedTuple):
    """Positions, one value a ping in each column.

    `time` is in seconds since the first midnight of the run, `x` and `y` are kilometres, `accuracy` is the
    radius in metres that holds the true place with a chance of 68 %.
    """

    person: Numbers
    time: Seconds
    x: Floats
    y: Floats
    accuracy: Floats


def pings(
    visits: Visits,
    x: Floats,
    y: Floats,
    seed: int,
    *,
    every: int = 600,
    phones: float = 0.85,
    silent: float = 0.20,
    lost: float = 0.05,
) -> Pings:
    """Return the positions that phones report during visits.

    A phone reports at moments of its own, `every` seconds apart. In a share of hours it is silent
    altogether (off, saving its battery, in a cellar), and single reports are lost.

    Parameters
    ----------
    visits
        The visit rows, n of them.
    x, y
        Place of each place in kilometres, shape (places,).
    seed
        Of the run.
    every
        Seconds between reports.
    phones
        Share of people whose phone reports.
    silent
        Share of hours without reports, person by person.
    lost
        Share of the other reports that are lost.

    Returns
    -------
    Pings
        In the order of the visits.

    Raises
    ------
    ValueError
        If a share is none, or `every` is below 1.
    """  # fmt: skip
    require_shares(phones=phones, silent=silent, lost=lost)
    require_seconds(every=every)
    room = int(((visits.end - visits.start) // every + 1).sum())
    made = Pings(
        np.empty(room, np.uint32), np.empty(room, np.int64),
        np.empty(room, np.float32), np.empty(room, np.float32), np.empty(room, np.float32),
    )  # fmt: skip
    count = _fill(visits, x, y, _Habits(seed, every, phones, silent, lost), made)
    return _first(count, made)


def _first(count: int, made: Pings) -> Pings:
    return Pings._make(column[:count] for column in made)


@compiled
def _fill(visits: Visits, x: Floats, y: Floats, habits: _Habits, made: Pings) -> int:
    seed, every = habits.seed, habits.every
    count = 0
    for row in range(len(visits.person)):
        person, place = visits.person[row], visits.place[row]
        if unit(seed, HAS_PHONE, person) >= habits.phones:
            continue
        phase = int(unit(seed, PHASE, person) * every)
        first = phase + -(-(visits.start[row] - phase) // every) * every
        hour, talks = -1, False
        for time in range(first, visits.end[row], every):
            if time // _HOUR != hour:
                hour = time // _HOUR
                talks = unit(seed, SILENCE, person, hour) >= habits.silent
            if not talks or unit(seed, LOST, person, time) < habits.lost:
                continue
            accuracy = _accuracy(seed, person, time)
            across, along = _error(seed, person, time, accuracy)
            made.person[count], made.time[count] = person, time
            made.x[count], made.y[count] = x[place] + across, y[place] + along
            made.accuracy[count] = accuracy
            count += 1
    return count


@compiled
def _accuracy(seed: int, person: int, time: int) -> float:
    # A sum of three uniforms is near enough to a normal number for a spread (sd 0.5), and needs no logarithm.
    sum_of_three = 0.0
    for number in range(3):
        sum_of_three += unit(seed, ACCURACY, person, time, number)
    return max(_LEAST_ACCURACY, _MEDIAN_ACCURACY * math.exp(_SPREAD * 2.0 * (sum_of_three - 1.5)))


@compiled
def _error(seed: int, person: int, time: int, accuracy: float) -> tuple[float, float]:
    sigma = accuracy / _RADII_OF_SIGMA * _METRE
    distance = sigma * math.sqrt(-2.0 * math.log(1.0 - unit(seed, POSITION, person, time, 0)))
    angle = 2.0 * math.pi * unit(seed, POSITION, person, time, 1)
    return distance * math.cos(angle), distance * math.sin(angle)
