"""Who may meet a person on a day: in a group, in a cell of a gathering, or across a counter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.days.dealing import (
    BACK,
    CELLS,
    COMING,
    PRIME,
    STEP,
    bounds,
    inverse,
    member_at,
    position_of,
)
from broadstreet.simulation.days.ground import Ground, Today
from broadstreet.simulation.days.plan import CELL, END, HOMEWARD, PLACE, START
from broadstreet.simulation.days.purposes import IN_CONTACT
from broadstreet.simulation.draws import compiled, unit, whole
from broadstreet.simulation.population.kinds import Habit, Kind

MOST_MEETINGS = 1_024
# Columns of a meeting: the other person, where it is told to be, the place and cell in one's own plan,
# those in the other's plan (cell -1: any).
OTHER, WHERE, MY_PLACE, MY_CELL, THEIR_PLACE, THEIR_CELL = 0, 1, 2, 3, 4, 5

_NOWHERE = 0xFFFFFFFF
_TEAM = int(Kind.TEAM)
_HABITS = len(Habit)


@compiled
def meet(
    g: Ground, t: Today, person: int, rows: NDArray[np.int64], visits: int, meetings: NDArray[np.int64]
) -> int:
    """Write with whom a person is in contact if both are there at once; return how many.

    Whether two are in contact depends on the place, the day and the two alone, and not on who asks.
    `minutes_together` tells whether and how long both are there.

    Parameters
    ----------
    g, t : Ground, Today
    person : int
    rows, visits
        The person's plan.
    meetings : ndarray of int64, shape (MOST_MEETINGS, 6)
        Written.
    """
    count = 0
    for row in range(visits):
        place, cell = rows[row, PLACE], rows[row, CELL]
        if _seen(rows, row):
            continue
        if g.prime[place] == 0:
            count = _meet_group(g, t, person, place, meetings, count)
            if g.kind[place] == _TEAM and g.parent[place] != _NOWHERE and g.prime[g.parent[place]] > 0:
                count = _serve_visitors(g, t, person, place, meetings, count)
        else:
            count = _meet_cell(g, t, person, place, cell, meetings, count)
            if g.staff[place] != _NOWHERE:
                count = _be_served(g, t, person, place, cell, meetings, count)
    return count


@compiled
def minutes_together(
    one: NDArray[np.int64], ones: int, place: int, cell: int,
    other: NDArray[np.int64], others: int, their_place: int, their_cell: int,
) -> tuple[int, int]:  # fmt: skip
    """Return how many minutes two plans share, and the first of them."""
    minutes, begin = 0, -1
    for row in range(ones):
        if one[row, PLACE] != place or one[row, CELL] != cell:
            continue
        for theirs in range(others):
            if other[theirs, PLACE] != their_place or (their_cell >= 0 and other[theirs, CELL] != their_cell):
                continue
            first = max(one[row, START], other[theirs, START])
            last = min(one[row, END], other[theirs, END])
            if last > first:
                minutes += last - first
                if begin < 0:
                    begin = first
    return minutes, begin


@compiled
def _seen(rows: NDArray[np.int64], row: int) -> bool:
    for before in range(row):
        if rows[before, PLACE] == rows[row, PLACE] and rows[before, CELL] == rows[row, CELL]:
            return True
    return False


@compiled
def _in_contact(g: Ground, place: int, day: int, one: int, other: int, chance: float) -> bool:
    if chance >= 1.0:
        return True
    pair = (max(one, other) << 32) | min(one, other)
    return unit(g.seed, IN_CONTACT, place, day, pair) < chance


@compiled
def _note(
    meetings: NDArray[np.int64], count: int, other: int, where: int,
    my_place: int, my_cell: int, their_place: int, their_cell: int,
) -> int:  # fmt: skip
    if count < MOST_MEETINGS:
        meetings[count, OTHER], meetings[count, WHERE] = other, where
        meetings[count, MY_PLACE], meetings[count, MY_CELL] = my_place, my_cell
        meetings[count, THEIR_PLACE], meetings[count, THEIR_CELL] = their_place, their_cell
        count += 1
    return count


@compiled
def _meet_group(g: Ground, t: Today, person: int, place: int, meetings: NDArray[np.int64], count: int) -> int:
    chance = g.near[place]
    for at in range(g.first[place], g.first[place + 1]):
        other = whole(g.members[at])
        if other != person and _in_contact(g, place, t.day, person, other, chance):
            count = _note(meetings, count, other, place, place, 0, place, 0)
    return count


@compiled
def _meet_cell(
    g: Ground, t: Today, person: int, place: int, cell: int, meetings: NDArray[np.int64], count: int
) -> int:
    way, where = (0, cell) if cell < HOMEWARD else (BACK, cell - HOMEWARD)
    deal = t.deals[place]
    if deal[COMING] == 0:
        return count
    undo = inverse(deal[STEP + way], deal[PRIME])
    mine = _my_position(g, person, place, deal, way, where)
    first, last = bounds(deal, where)
    for position in range(first, last):
        if position != mine and _in_contact(g, place, t.day, mine, position, g.near[place]):
            other = member_at(g, place, deal, position, undo, way)
            if other >= 0 and other != person:
                count = _note(meetings, count, other, place, place, cell, place, cell)
    return count


@compiled
def _my_position(g: Ground, person: int, place: int, deal: NDArray[np.int64], way: int, cell: int) -> int:
    """Return where a person stands; who comes by need and not by habit has a number of their own."""
    for habit in range(_HABITS):
        if g.habits[person, habit] == place:
            position = position_of(deal, g.ranks[person, habit], way)
            if position < deal[COMING] and position * deal[CELLS] // deal[COMING] == cell:
                return whole(position)
    return whole(deal[PRIME]) + person


@compiled
def _be_served(
    g: Ground, t: Today, person: int, place: int, cell: int, meetings: NDArray[np.int64], count: int
) -> int:
    team = whole(g.staff[place]) + cell % max(whole(1), whole(g.teams[place]))
    for at in range(g.first[team], g.first[team + 1]):
        other = whole(g.members[at])
        if other != person and _in_contact(g, place, t.day, person, other, g.serve[place]):
            count = _note(meetings, count, other, place, place, cell, team, 0)
    return count


@compiled
def _serve_visitors(
    g: Ground, t: Today, person: int, team: int, meetings: NDArray[np.int64], count: int
) -> int:
    place = whole(g.parent[team])
    deal = t.deals[place]
    if deal[COMING] == 0:
        return count
    undo = inverse(deal[STEP], deal[PRIME])
    teams = max(whole(1), whole(g.teams[place]))
    chance = g.serve[place]
    for cell in range(team - whole(g.staff[place]), deal[CELLS], teams):
        first, last = bounds(deal, cell)
        for position in range(first, last):
            other = member_at(g, place, deal, position, undo, 0)
            if other >= 0 and other != person and _in_contact(g, place, t.day, person, other, chance):
                count = _note(meetings, count, other, place, team, 0, place, cell)
    return count


@compiled
def shared_minute(  # noqa: PLR0913, PLR0917
    one: NDArray[np.int64], ones: int, place: int, cell: int,
    other: NDArray[np.int64], others: int, their_place: int, their_cell: int, nth: int,
) -> int:  # fmt: skip
    """Return the minute of the day that is the nth (from 0) of those two plans share, or -1."""
    for row in range(ones):
        if one[row, PLACE] != place or one[row, CELL] != cell:
            continue
        for theirs in range(others):
            if other[theirs, PLACE] != their_place or (their_cell >= 0 and other[theirs, CELL] != their_cell):
                continue
            first = max(one[row, START], other[theirs, START])
            last = min(one[row, END], other[theirs, END])
            if last > first:
                if nth < last - first:
                    return whole(first + nth)
                nth -= last - first
    return whole(-1)
