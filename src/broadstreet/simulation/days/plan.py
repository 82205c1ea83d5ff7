"""A person's day: which places, from when to when; a function of seed, person, day and mode."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.days.dealing import BACK, CELLS, COMING, position_of
from broadstreet.simulation.days.ground import (
    AGE,
    CLOSES,
    DAY,
    HABITS,
    HOME,
    KIND,
    LATE,
    LEAST_STAY,
    MAIN,
    MOST_STAY,
    OPENS,
    PARENT,
    RANKS,
    ROLE,
    SEED,
    SORT,
    TERM,
    Mode,
)
from broadstreet.simulation.days.purposes import (
    ATTENDS,
    BED,
    ON_SHIFT,
    SEEKS_CARE,
    STARTS,
    STAYS,
    WHICH_SHIFT,
)
from broadstreet.simulation.draws import below, compiled, unit, whole, word
from broadstreet.simulation.population.kinds import Habit, Kind, Role

MOST_VISITS = 32  # rows of a plan: place, cell, start, end in minutes
PLACE, CELL, START, END = 0, 1, 2, 3
HOMEWARD = 1 << 14  # added to the cell of the way back
_MIDNIGHT = 1440
_ON_THE_WAY = 10  # minutes between two places
_SHORTEST_AT_HOME = 30
_NOWHERE = 0xFFFFFFFF

# Shares of the days on which those who should are at school and at work: absence in schools of England
# 2018/19, 4.7 % (Department for Education); work: part of the week at home or part time, sickness and
# leave, an assumption.
_AT_SCHOOL, _AT_WORK, _ON_SHIFT = 0.95, 0.84, 0.66
_NIGHT_SHIFTS = 0.18  # of the weeks of those who work in hospitals and care homes; an assumption
_EARLY, _LATE, _NIGHT = 0, 1, 2
_LUNCH_FROM, _LUNCH_TO, _LUNCH = 690, 840, 40
_CHILD, _CHILD_OUT_UNTIL = 14, 1200
_RIDE = 30
_UNTIL_BACK = 585  # minutes between the way out and the way back

_SCHOOL, _TRANSPORT, _CLINIC, _HOSPITAL = (
    int(Habit.SCHOOL), int(Habit.TRANSPORT), int(Habit.CLINIC), int(Habit.HOSPITAL),
)  # fmt: skip
_VENUE_NEAR_WORK = int(Habit.VENUE_NEAR_WORK)
# Who is not free for all goes by this order.
_OUTINGS = (
    _HOSPITAL, _CLINIC, int(Habit.WORSHIP), int(Habit.VENUE), int(Habit.SHOP), _VENUE_NEAR_WORK,
    int(Habit.SHOP_TOO),
)  # fmt: skip
_PUPIL, _TEACHER, _SHIFT, _RESIDENT = int(Role.PUPIL), int(Role.TEACHER), int(Role.SHIFT), int(Role.RESIDENT)
_CARE_HOME, _AT_HOSPITAL = int(Kind.CARE_HOME), int(Kind.HOSPITAL)
_HOME_MODE, _CARE_MODE, _WARD_MODE, _DEAD_MODE = Mode.HOME, Mode.CARE, Mode.WARD, Mode.DEAD


@compiled
def plan(
    facts: NDArray[np.int64],
    closed: NDArray[np.bool_],
    deals: NDArray[np.int64],
    people: NDArray[np.uint32],
    sites: NDArray[np.uint32],
    customs: NDArray[np.float64],
    person: int,
    mode: int,
    rows: NDArray[np.int64],
) -> int:
    """Write a person's visits of a day in order of time; return how many.

    Parameters
    ----------
    facts, closed, deals
        The day, see `Today`.
    people, sites, customs
        The city, see `Ground`.
    person : int
    mode : int
        One of `Mode`.
    rows : ndarray of int64, shape (MOST_VISITS, 4)
        Written: place, cell, start, end; minutes of the day. What is between two visits is the way.

    Returns
    -------
    int
    """
    if mode == _DEAD_MODE:
        return whole(0)
    if mode == _WARD_MODE:
        hospital = whole(people[person, HABITS + _HOSPITAL])
        bed = below(word(facts[SEED], BED, person, 0, 0), max(1, deals[hospital, CELLS]))
        return _put(rows, 0, hospital, bed, 0, _MIDNIGHT)
    visits = whole(0)
    if mode == _CARE_MODE:
        visits = _seek_care(facts, deals, people, sites, customs, person, rows)
    elif mode != _HOME_MODE and people[person, ROLE] != _RESIDENT:
        main = whole(people[person, MAIN])
        if main != _NOWHERE and not closed[main]:
            visits = _occupation(facts, deals, people, sites, customs, person, main, rows)
        for habit in _OUTINGS:
            place = whole(people[person, HABITS + habit])
            if place == _NOWHERE or deals[place, COMING] == 0:
                continue
            position = position_of(deals, place, people[person, RANKS + habit], 0)
            if position < deals[place, COMING]:
                cell = position * deals[place, CELLS] // deals[place, COMING]
                visits = _go_out(
                    facts, deals, people, sites, customs, person, habit, place, cell, rows, visits
                )
    return _at_home(whole(people[person, HOME]), rows, visits)


@compiled
def _occupation(
    facts: NDArray[np.int64],
    deals: NDArray[np.int64],
    people: NDArray[np.uint32],
    sites: NDArray[np.uint32],
    customs: NDArray[np.float64],
    person: int,
    main: int,
    rows: NDArray[np.int64],
) -> int:
    role = people[person, ROLE]
    if role == _SHIFT:
        return _on_shift(facts, sites, person, main, rows)
    if facts[SORT] != 0:
        return whole(0)
    present = unit(facts[SEED], ATTENDS, person, facts[DAY], 0)
    bits = word(facts[SEED], STARTS, person, facts[DAY], 0)
    if role in (_PUPIL, _TEACHER):
        if not facts[TERM] or present >= _AT_SCHOOL:
            return whole(0)
        return _at_school(deals, people, sites, customs, person, main, 510 + below(bits, 15), rows)
    if present >= _AT_WORK:
        return whole(0)
    return _at_work(deals, people, sites, customs, person, main, 480 + below(bits, 90), rows)


@compiled
def _at_work(
    deals: NDArray[np.int64],
    people: NDArray[np.uint32],
    sites: NDArray[np.uint32],
    customs: NDArray[np.float64],
    person: int,
    main: int,
    start: int,
    rows: NDArray[np.int64],
) -> int:
    """Work for eight hours and more; who goes by public transport keeps to its times."""
    line = whole(people[person, HABITS + _TRANSPORT])
    if line == _NOWHERE or deals[line, COMING] == 0:
        return _put(rows, 0, main, 0, start, start + 480 + start % 50)
    cells, coming, rank = deals[line, CELLS], deals[line, COMING], people[person, RANKS + _TRANSPORT]
    out = position_of(deals, line, rank, 0) * cells // coming
    back = position_of(deals, line, rank, BACK) * cells // coming
    opens = whole(customs[sites[line, KIND], OPENS])
    peak = (
        whole(customs[sites[line, KIND], CLOSES]) - opens
    )  # carriages leave one after the other over the peak
    start = opens + out * peak // cells
    end = opens + back * peak // cells + _UNTIL_BACK
    visits = _put(rows, 0, line, out, start, start + _RIDE)
    visits = _put(rows, visits, main, 0, start + _RIDE + _ON_THE_WAY, end - _ON_THE_WAY)
    return _put(rows, visits, line, back + HOMEWARD, end, end + _RIDE)


@compiled
def _at_school(
    deals: NDArray[np.int64],
    people: NDArray[np.uint32],
    sites: NDArray[np.uint32],
    customs: NDArray[np.float64],
    person: int,
    main: int,
    start: int,
    rows: NDArray[np.int64],
) -> int:
    school = whole(people[person, HABITS + _SCHOOL])
    if school == _NOWHERE or deals[school, COMING] == 0:
        return _put(rows, 0, main, 0, start, start + 390)
    position = position_of(deals, school, people[person, RANKS + _SCHOOL], 0)
    table = position * deals[school, CELLS] // deals[school, COMING]
    kind = sites[school, KIND]
    lunch, after = whole(customs[kind, OPENS]), whole(customs[kind, CLOSES])
    visits = _put(rows, 0, main, 0, start, lunch)
    visits = _put(rows, visits, school, table, lunch, after)
    return _put(rows, visits, main, 0, after, start + 390)


@compiled
def _on_shift(
    facts: NDArray[np.int64], sites: NDArray[np.uint32], person: int, main: int, rows: NDArray[np.int64]
) -> int:
    parent = whole(sites[main, PARENT])
    nights = sites[main, KIND] == _CARE_HOME or (parent != _NOWHERE and sites[parent, KIND] == _AT_HOSPITAL)
    shift, before = _shift(facts, person, 0, nights), _shift(facts, person, -1, nights)
    visits = whole(0)
    if before == _NIGHT:
        visits = _put(rows, visits, main, 0, 0, 420)
    if shift == _NIGHT:
        return _put(rows, visits, main, 0, 1380, _MIDNIGHT)
    if shift < 0 or before == _NIGHT:
        return visits
    start = (420 if shift == _EARLY else 840) + (0 if nights else 60)
    return _put(rows, visits, main, 0, start, start + 480)


@compiled
def _shift(facts: NDArray[np.int64], person: int, after: int, nights: bool) -> int:
    """Return the shift that begins today (`after` 0) or yesterday (-1): early, late, night, or -1."""
    day = facts[DAY] + after + 1
    if unit(facts[SEED], ON_SHIFT, person, day, 0) >= _ON_SHIFT:
        return -1
    which = unit(facts[SEED], WHICH_SHIFT, person, (day + 6) // 7, 0)
    if nights and which < _NIGHT_SHIFTS:
        return _NIGHT
    return _EARLY if which < 0.6 else _LATE


@compiled
def _go_out(
    facts: NDArray[np.int64],
    deals: NDArray[np.int64],
    people: NDArray[np.uint32],
    sites: NDArray[np.uint32],
    customs: NDArray[np.float64],
    person: int,
    habit: int,
    place: int,
    cell: int,
    rows: NDArray[np.int64],
    visits: int,
) -> int:
    start, end = _hours(facts, deals, sites, customs, person, habit, place, cell)
    if people[person, AGE] < _CHILD and start > _CHILD_OUT_UNTIL:
        return visits
    if habit == _VENUE_NEAR_WORK and start >= _LUNCH_FROM and start < _LUNCH_TO:
        return _lunch(whole(people[person, MAIN]), place, cell, start, rows, visits)
    return _squeeze(rows, visits, place, cell, start, end)


@compiled
def _hours(
    facts: NDArray[np.int64],
    deals: NDArray[np.int64],
    sites: NDArray[np.uint32],
    customs: NDArray[np.float64],
    person: int,
    habit: int,
    place: int,
    cell: int,
) -> tuple[int, int]:
    """Return from when to when: cells come one after the other over the opening hours."""
    kind = sites[place, KIND]
    bits = word(facts[SEED], STAYS, person, facts[DAY], habit)
    least, most = whole(customs[kind, LEAST_STAY]), whole(customs[kind, MOST_STAY])
    stay = least + below(bits, most - least + 1)
    start = whole(customs[kind, OPENS]) + whole(bits & np.uint64(7))
    if customs[kind, LATE] > 0.0:
        through = ((cell + 0.5) / deals[place, CELLS]) ** (1.0 / customs[kind, LATE])
        start += whole(through * (customs[kind, CLOSES] - customs[kind, OPENS] - most))
    return start, min(start + stay, _MIDNIGHT)


@compiled
def _lunch(main: int, place: int, cell: int, start: int, rows: NDArray[np.int64], visits: int) -> int:
    """Go out of work, and back; not at all where work is elsewhere then."""
    end = start + _LUNCH
    for row in range(visits):
        if rows[row, PLACE] == main and rows[row, START] + 60 <= start and end + 60 <= rows[row, END]:
            close = rows[row, END]
            rows[row, END] = start
            visits = _put(rows, visits, place, cell, start, end)
            return _put(rows, visits, main, 0, end, close)
    return _squeeze(rows, visits, place, cell, start, end)


@compiled
def _seek_care(
    facts: NDArray[np.int64],
    deals: NDArray[np.int64],
    people: NDArray[np.uint32],
    sites: NDArray[np.uint32],
    customs: NDArray[np.float64],
    person: int,
    rows: NDArray[np.int64],
) -> int:
    place = whole(people[person, HABITS + _CLINIC])
    if deals[place, COMING] == 0:
        return whole(0)
    cell = below(word(facts[SEED], SEEKS_CARE, person, facts[DAY], 0), deals[place, CELLS])
    start, end = _hours(facts, deals, sites, customs, person, _CLINIC, place, cell)
    return _put(rows, 0, place, cell, start, end)


@compiled
def _squeeze(rows: NDArray[np.int64], visits: int, place: int, cell: int, start: int, end: int) -> int:
    """Add a visit unless it, with the way, overlaps another."""
    for row in range(visits):
        if start < rows[row, END] + _ON_THE_WAY and rows[row, START] < end + _ON_THE_WAY:
            return visits
    return _put(rows, visits, place, cell, start, end)


@compiled
def _put(rows: NDArray[np.int64], visits: int, place: int, cell: int, start: int, end: int) -> int:
    """Insert a row in order of time."""
    at = visits
    while at > 0 and rows[at - 1, START] > start:
        for column in range(4):
            rows[at, column] = rows[at - 1, column]
        at -= 1
    rows[at, PLACE], rows[at, CELL], rows[at, START], rows[at, END] = place, cell, start, end
    return visits + 1


@compiled
def _at_home(home: int, rows: NDArray[np.int64], visits: int) -> int:
    """Fill what is left of the day with home."""
    free = row = 0
    while row < visits:
        until, after = rows[row, START] - _ON_THE_WAY, rows[row, END] + _ON_THE_WAY
        if until - free >= _SHORTEST_AT_HOME:
            visits = _put(rows, visits, home, 0, free, until)
            row += 1
        free = after
        row += 1
    if _MIDNIGHT - free >= _SHORTEST_AT_HOME:
        visits = _put(rows, visits, home, 0, free, _MIDNIGHT)
    return visits
