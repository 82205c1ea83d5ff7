"""A person's day: which places, from when to when; a function of seed, person, day and mode."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.days.dealing import BACK, CELLS, COMING, position_of
from broadstreet.simulation.days.ground import Ground, Mode, Today
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
_DAY = 1440
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
_UNTIL_BACK = 585

_SCHOOL, _TRANSPORT, _CLINIC, _HOSPITAL = (
    int(Habit.SCHOOL), int(Habit.TRANSPORT), int(Habit.CLINIC), int(Habit.HOSPITAL),
)  # fmt: skip
_VENUE_NEAR_WORK = int(Habit.VENUE_NEAR_WORK)
# Who is not free for all goes by this order.
_OUTINGS = (
    _HOSPITAL, _CLINIC, int(Habit.WORSHIP), int(Habit.VENUE), int(Habit.SHOP), _VENUE_NEAR_WORK,
    int(Habit.SHOP_TOO),
)  # fmt: skip
_PUPIL, _TEACHER, _WORKER, _SHIFT, _RESIDENT = (
    int(Role.PUPIL), int(Role.TEACHER), int(Role.WORKER), int(Role.SHIFT), int(Role.RESIDENT),
)  # fmt: skip
_CARE_HOME, _AT_HOSPITAL = int(Kind.CARE_HOME), int(Kind.HOSPITAL)
_HOME_MODE, _CARE_MODE, _WARD_MODE, _DEAD_MODE = Mode.HOME, Mode.CARE, Mode.WARD, Mode.DEAD


@compiled
def plan(g: Ground, t: Today, person: int, mode: int, rows: NDArray[np.int64]) -> int:
    """Write a person's visits of a day in order of time; return how many.

    Parameters
    ----------
    g : Ground
    t : Today
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
        return 0
    if mode == _WARD_MODE:
        hospital = whole(g.habits[person, _HOSPITAL])
        bed = below(word(g.seed, BED, person, 0, 0), max(1, t.deals[hospital, CELLS]))
        return _put(rows, 0, hospital, bed, 0, _DAY)
    visits = whole(0)
    if mode == _CARE_MODE:
        visits = _seek_care(g, t, person, rows)
    elif mode != _HOME_MODE and g.role[person] != _RESIDENT:
        visits = _occupation(g, t, person, rows)
        for habit in _OUTINGS:
            visits = _go_out(g, t, person, habit, rows, visits)
    return _at_home(whole(g.home[person]), rows, visits)


@compiled
def _occupation(g: Ground, t: Today, person: int, rows: NDArray[np.int64]) -> int:  # noqa: PLR0911
    role, main = g.role[person], whole(g.main[person])
    if main == _NOWHERE or t.closed[main]:
        return whole(0)
    if role == _SHIFT:
        return _on_shift(g, t, person, main, rows)
    if t.sort != 0:
        return whole(0)
    present = unit(g.seed, ATTENDS, person, t.day, 0)
    bits = word(g.seed, STARTS, person, t.day, 0)
    if role in (_PUPIL, _TEACHER):
        return _at_school(g, t, person, main, bits, rows) if t.term and present < _AT_SCHOOL else whole(0)
    if present >= _AT_WORK:
        return whole(0)
    line = whole(g.habits[person, _TRANSPORT])
    if line == _NOWHERE or t.closed[line]:
        start = 480 + below(bits, 90)
        return _put(rows, 0, main, 0, start, start + 480 + start % 50)
    out, start = _ride(g, t, person, line, 0)
    back, end = _ride(g, t, person, line, BACK)
    visits = _put(rows, 0, line, out, start, start + _RIDE)
    visits = _put(rows, visits, main, 0, start + _RIDE + _ON_THE_WAY, end - _ON_THE_WAY)
    return _put(rows, visits, line, back + HOMEWARD, end, end + _RIDE)


@compiled
def _ride(g: Ground, t: Today, person: int, line: int, way: int) -> tuple[int, int]:
    """Return the carriage and when it leaves; carriages leave one after the other over the peak."""
    deal = t.deals[line]
    cell = position_of(deal, g.ranks[person, _TRANSPORT], way) * deal[CELLS] // deal[COMING]
    kind = g.kind[line]
    start = g.opens[kind] + (cell * (g.closes[kind] - g.opens[kind])) // deal[CELLS]
    return cell, start + (_UNTIL_BACK if way else 0)


@compiled
def _at_school(g: Ground, t: Today, person: int, main: int, bits: int, rows: NDArray[np.int64]) -> int:
    start = 510 + below(bits, 15)
    school = whole(g.habits[person, _SCHOOL])
    if school == _NOWHERE or t.closed[school]:
        return _put(rows, 0, main, 0, start, start + 390)
    deal = t.deals[school]
    table = position_of(deal, g.ranks[person, _SCHOOL], 0) * deal[CELLS] // deal[COMING]
    kind = g.kind[school]
    visits = _put(rows, 0, main, 0, start, g.opens[kind])
    visits = _put(rows, visits, school, table, g.opens[kind], g.closes[kind])
    return _put(rows, visits, main, 0, g.closes[kind], start + 390)


@compiled
def _on_shift(g: Ground, t: Today, person: int, main: int, rows: NDArray[np.int64]) -> int:
    nights = g.kind[main] == _CARE_HOME or (
        g.parent[main] != _NOWHERE and g.kind[g.parent[main]] == _AT_HOSPITAL
    )
    shift, before = _shift(g, person, t.day, nights), _shift(g, person, t.day - 1, nights)
    visits = whole(0)
    if before == _NIGHT:
        visits = _put(rows, visits, main, 0, 0, 420)
    if shift == _NIGHT:
        return _put(rows, visits, main, 0, 1380, _DAY)
    if shift < 0 or before == _NIGHT:
        return visits
    start = (420 if shift == _EARLY else 840) + (0 if nights else 60)
    return _put(rows, visits, main, 0, start, start + 480)


@compiled
def _shift(g: Ground, person: int, day: int, nights: bool) -> int:
    """Return the shift that begins on a day: early, late, night, or -1."""
    if unit(g.seed, ON_SHIFT, person, day + 1, 0) >= _ON_SHIFT:
        return -1
    which = unit(g.seed, WHICH_SHIFT, person, (day + 7) // 7, 0)
    if nights and which < _NIGHT_SHIFTS:
        return _NIGHT
    return _EARLY if which < 0.6 else _LATE


@compiled
def _go_out(g: Ground, t: Today, person: int, habit: int, rows: NDArray[np.int64], visits: int) -> int:
    place = whole(g.habits[person, habit])
    if place == _NOWHERE or t.closed[place] or t.deals[place, COMING] == 0:
        return visits
    deal = t.deals[place]
    position = position_of(deal, g.ranks[person, habit], 0)
    if position >= deal[COMING]:
        return visits
    cell = position * deal[CELLS] // deal[COMING]
    start, end = _hours(g, t, person, habit, place, cell, deal[CELLS])
    if g.age[person] < _CHILD and start > _CHILD_OUT_UNTIL:
        return visits
    if habit == _VENUE_NEAR_WORK and start >= _LUNCH_FROM and start < _LUNCH_TO:
        return _lunch(whole(g.main[person]), place, cell, start, rows, visits)
    return _squeeze(rows, visits, place, cell, start, end)


@compiled
def _hours(
    g: Ground, t: Today, person: int, habit: int, place: int, cell: int, cells: int
) -> tuple[int, int]:
    """Return from when to when: cells come one after the other over the opening hours."""
    kind = g.kind[place]
    bits = word(g.seed, STAYS, person, t.day, habit)
    least, most = g.stay[kind, 0], g.stay[kind, 1]
    stay = least + below(bits, most - least + 1)
    start = g.opens[kind] + int(bits & np.uint64(7))
    if g.late[kind] > 0.0:
        through = ((cell + 0.5) / cells) ** (1.0 / g.late[kind])
        start += int(through * (g.closes[kind] - g.opens[kind] - most))
    return start, min(start + stay, _DAY)


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
def _seek_care(g: Ground, t: Today, person: int, rows: NDArray[np.int64]) -> int:
    place = whole(g.habits[person, _CLINIC])
    if t.closed[place] or t.deals[place, COMING] == 0:
        return whole(0)
    cells = t.deals[place, CELLS]
    cell = below(word(g.seed, SEEKS_CARE, person, t.day, 0), cells)
    start, end = _hours(g, t, person, _CLINIC, place, cell, cells)
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
    if _DAY - free >= _SHORTEST_AT_HOME:
        visits = _put(rows, visits, home, 0, free, _DAY)
    return visits
