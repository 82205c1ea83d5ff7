"""Phones that hear each other by Bluetooth, and how strongly."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.draws import compiled, unit
from broadstreet.simulation.samples.visits import (
    HAS_PHONE,
    HEARD,
    NEAR,
    STRENGTH,
    Numbers,
    Seconds,
    Visits,
    normal,
    require_seconds,
    require_shares,
)

# Leith and Farrell 2020, "Coronavirus contact tracing: evaluating the potential of using Bluetooth received
# signal strength for proximity detection", ACM SIGCOMM CCR 50(4): about -60 dBm at 1 m between two phones,
# and a spread by bodies, bags and walls that is as large as what distance does between 1 and 4 m.
_AT_ONE_METRE, _SPREAD = -60.0, 6.0
_EXPONENT = 2.0  # of the loss in free space
_FAINTEST = -95.0  # dBm, below it a phone hears nothing
_HEARD = 0.8  # share of the scans of a neighbour that succeed; assumed, phones sleep
_PEOPLE = 1 << 32  # so that a pair of numbers of people is one number
_MEDIAN_DISTANCE, _DISTANCE_SPREAD = (
    2.0,
    0.6,
)  # metres and sigma of the logarithm; assumed, people of one table or row


class Encounters(NamedTuple):
    """Meetings that a phone heard, one value for each pair and direction in each column.

    `observer` heard `other`, from `first` to `last` (seconds since the first midnight of the run), `times`
    times; `mean` and `strongest` are received signal strengths in dBm.
    """

    observer: Numbers
    other: Numbers
    place: Numbers
    first: Seconds
    last: Seconds
    times: NDArray[np.int32]
    mean: NDArray[np.float32]
    strongest: NDArray[np.float32]


def encounters(
    visits: Visits, seed: int, *, cell: Numbers | None = None, every: int = 300, phones: float = 0.5
) -> Encounters:
    """Return who heard whom.

    Two people are near each other while both are at one place, and in one cell of it where cells are given
    (a table, a row of pews). Each such phone listens every `every` seconds; what it hears follows from a
    distance that the two keep, and from chance.

    Parameters
    ----------
    visits
        The visit rows of a day or less: the work grows with the square of those who share a cell.
    seed
        Of the run.
    cell
        The cell of each visit inside its place; everyone at a place is near each other by default.
    every
        Seconds between scans.
    phones
        Share of people whose phone runs the app.

    Returns
    -------
    Encounters
        Both directions of each pair, by place.

    Raises
    ------
    ValueError
        If `phones` is no share, `every` is below 1 or `cell` has another length than the visits.
    """
    require_shares(phones=phones)
    require_seconds(every=every)
    cells = np.zeros(len(visits.person), np.uint32) if cell is None else cell
    if len(cells) != len(visits.person):
        raise ValueError(f"cell must have a value for each visit, {len(visits.person)} (it has {len(cells)})")
    running = _runs_app(visits.person, seed, phones)
    kept = Visits._make(column[running] for column in visits)
    order = np.lexsort((kept.person, kept.start, cells[running], kept.place))
    rows = Visits._make(column[order] for column in kept)
    group = _groups(rows.place, cells[running][order])
    room = 2 * _meetings(rows, group)
    made = Encounters(
        np.empty(room, np.uint32), np.empty(room, np.uint32), np.empty(room, np.uint32),
        np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int32),
        np.empty(room, np.float32), np.empty(room, np.float32),
    )  # fmt: skip
    count = _listen(rows, group, seed, every, made)
    return Encounters._make(column[:count] for column in made)


@compiled
def _runs_app(person: Numbers, seed: int, phones: float) -> NDArray[np.bool_]:
    runs = np.empty(len(person), np.bool_)
    for row in range(len(person)):
        runs[row] = unit(seed, HAS_PHONE, person[row], 1) < phones
    return runs


def _groups(place: Numbers, cell: Numbers) -> NDArray[np.int64]:
    """Return the number of the group of each row: rows of one place and cell follow each other."""
    changes = (np.diff(place) != 0) | (np.diff(cell) != 0)
    return np.concatenate([[0], np.cumsum(changes)]) if len(place) else np.zeros(0, np.int64)


@compiled
def _meetings(rows: Visits, group: NDArray[np.int64]) -> int:
    count = 0
    for one in range(len(group)):
        other = one + 1
        while other < len(group) and group[other] == group[one] and rows.start[other] < rows.end[one]:
            count += rows.person[other] != rows.person[one]
            other += 1
    return count


@compiled
def _listen(rows: Visits, group: NDArray[np.int64], seed: int, every: int, made: Encounters) -> int:
    count = 0
    for one in range(len(group)):
        other = one + 1
        while other < len(group) and group[other] == group[one] and rows.start[other] < rows.end[one]:
            if rows.person[other] != rows.person[one]:
                begin, end = rows.start[other], min(rows.end[one], rows.end[other])
                distance = _distance(seed, rows.person[one], rows.person[other], begin)
                for observer, heard in ((one, other), (other, one)):
                    count += _hear(rows, observer, heard, begin, end, distance, seed, every, made, count)
            other += 1
    return count


@compiled
def _distance(seed: int, one: int, other: int, begin: int) -> float:
    least, most = min(one, other), max(one, other)
    return _MEDIAN_DISTANCE * math.exp(_DISTANCE_SPREAD * normal(seed, NEAR, least, most, begin))


@compiled
def _hear(  # noqa: PLR0913, PLR0917  compiled: an object for them would cost more than the work
    rows: Visits, observer: int, heard: int, begin: int, end: int, distance: float,
    seed: int, every: int, made: Encounters, at: int,
) -> int:  # fmt: skip
    """Write one direction of a meeting to row `at`; return 1, or 0 if nothing was heard."""
    listener, speaker = rows.person[observer], rows.person[heard]
    expected = _AT_ONE_METRE - 10.0 * _EXPONENT * math.log10(max(distance, 0.3))
    times, total, strongest, first, last = 0, 0.0, -200.0, begin, begin
    offset = int(unit(seed, HEARD, listener) * every)
    for time in range(begin + (offset - begin) % every, end, every):
        pair = int(listener) * _PEOPLE + int(speaker)
        if unit(seed, HEARD, pair, time) >= _HEARD:
            continue
        strength = expected + _SPREAD * normal(seed, STRENGTH, pair, time)
        if strength < _FAINTEST:
            continue
        first = time if times == 0 else first
        times, total, last = times + 1, total + strength, time
        strongest = max(strongest, strength)
    if times:
        made.observer[at], made.other[at], made.place[at] = listener, speaker, rows.place[observer]
        made.first[at], made.last[at], made.times[at] = first, last, times
        made.mean[at], made.strongest[at] = total / times, strongest
    return 1 if times else 0
