"""Who may meet a person on a day: in a group, in a cell of a gathering, or across a counter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.days.dealing import (
    BACK,
    CELLS,
    COMING,
    PRIME,
    bounds,
    member_at,
    position_of,
)
from broadstreet.simulation.days.ground import (
    AFTER,
    DAY,
    FIRST,
    HABITS,
    KIND,
    NEAR,
    PARENT,
    RANKS,
    SEED,
    SERVE,
    STAFF,
    TEAMS,
)
from broadstreet.simulation.days.plan import CELL, END, HOMEWARD, PLACE, START
from broadstreet.simulation.days.purposes import IN_CONTACT
from broadstreet.simulation.draws import begun, compiled, ended, fold, whole
from broadstreet.simulation.population.kinds import Habit, Kind

MOST_MEETINGS = 1_024
# Columns of a meeting: the other person, where it is told to be, the place and cell in one's own plan,
# those in the other's plan.
# AT_MOST: for how many minutes oneself is there, the most that they can be together.
OTHER, WHERE, MY_PLACE, MY_CELL, THEIR_PLACE, THEIR_CELL, AT_MOST = 0, 1, 2, 3, 4, 5, 6
MEETING = 7  # columns

_NOWHERE = 0xFFFFFFFF
_TEAM = int(Kind.TEAM)
_HABITS = len(Habit)
_CERTAIN = 2**32 - 1


@compiled
def meet(
    facts: NDArray[np.int64],
    deals: NDArray[np.int64],
    people: NDArray[np.uint32],
    sites: NDArray[np.uint32],
    members: NDArray[np.uint32],
    person: int,
    rows: NDArray[np.int64],
    visits: int,
    meetings: NDArray[np.int64],
) -> int:
    """Write with whom a person is in contact if both are there at once; return how many.

    Whether two are in contact depends on the place, the day and the two alone, and not on who asks.
    `minutes_together` and `shared_minute` tell whether both are there.

    Parameters
    ----------
    facts, deals
        The day, see `Today`.
    people, sites, members
        The city, see `Ground`.
    person : int
    rows, visits
        The person's plan.
    meetings : ndarray of int64, shape (MOST_MEETINGS, MEETING)
        Written.
    """
    count = whole(0)
    for row in range(visits):
        place, cell = rows[row, PLACE], rows[row, CELL]
        if _seen(rows, row):
            continue
        before = count
        if deals[place, PRIME] == 0:
            count = _meet_group(facts, sites, members, person, place, meetings, count)
            parent = whole(sites[place, PARENT])
            if sites[place, KIND] == _TEAM and parent != _NOWHERE and deals[parent, PRIME] > 0:
                count = _serve(facts, deals, sites, members, person, place, parent, meetings, count)
        else:
            count = _meet_cell(facts, deals, people, sites, members, person, place, cell, meetings, count)
            if sites[place, STAFF] != _NOWHERE:
                count = _be_served(facts, sites, members, person, place, cell, meetings, count)
        minutes = _minutes(rows, visits, place, cell)
        for met in range(before, count):
            meetings[met, AT_MOST] = minutes
    return count


@compiled
def minutes_together(
    one: NDArray[np.int64], ones: int, other: NDArray[np.int64], others: int, meeting: NDArray[np.int64]
) -> tuple[int, int]:
    """Return how many minutes two plans share in a meeting, and the first of them (-1 for none)."""
    minutes, begin = whole(0), whole(-1)
    for row in range(ones):
        if one[row, PLACE] != meeting[MY_PLACE] or one[row, CELL] != meeting[MY_CELL]:
            continue
        for theirs in range(others):
            if other[theirs, PLACE] == meeting[THEIR_PLACE] and other[theirs, CELL] == meeting[THEIR_CELL]:
                first = max(one[row, START], other[theirs, START])
                last = min(one[row, END], other[theirs, END])
                if last > first:
                    minutes += last - first
                    if begin < 0:
                        begin = first
    return minutes, begin


@compiled
def shared_minute(
    one: NDArray[np.int64],
    ones: int,
    other: NDArray[np.int64],
    others: int,
    meeting: NDArray[np.int64],
    after: float,
) -> int:
    """Return the minute of the day at which two have been together for `after` minutes, or -1."""
    for row in range(ones):
        if one[row, PLACE] != meeting[MY_PLACE] or one[row, CELL] != meeting[MY_CELL]:
            continue
        for theirs in range(others):
            if other[theirs, PLACE] == meeting[THEIR_PLACE] and other[theirs, CELL] == meeting[THEIR_CELL]:
                first = max(one[row, START], other[theirs, START])
                last = min(one[row, END], other[theirs, END])
                if last > first:
                    if after < last - first:
                        return whole(first + whole(after))
                    after -= last - first
    return whole(-1)


@compiled
def _minutes(rows: NDArray[np.int64], visits: int, place: int, cell: int) -> int:
    minutes = whole(0)
    for row in range(visits):
        if rows[row, PLACE] == place and rows[row, CELL] == cell:
            minutes += rows[row, END] - rows[row, START]
    return minutes


@compiled
def _seen(rows: NDArray[np.int64], row: int) -> bool:
    for before in range(row):
        if rows[before, PLACE] == rows[row, PLACE] and rows[before, CELL] == rows[row, CELL]:
            return True
    return False


@compiled
def _of_place(facts: NDArray[np.int64], place: int) -> int:
    """Return what all draws of contacts at a place on a day begin with."""
    return fold(fold(begun(facts[SEED], IN_CONTACT), place), facts[DAY])


@compiled
def _in_contact(begins: int, one: int, other: int, chance: int) -> bool:
    if chance == _CERTAIN:
        return True
    pair = (max(one, other) << 32) | min(one, other)
    return whole(ended(begins, pair) >> np.uint64(32)) < chance


@compiled
def _note(
    meetings: NDArray[np.int64],
    count: int,
    other: int,
    where: int,
    my_place: int,
    my_cell: int,
    their_place: int,
    their_cell: int,
) -> int:
    if count < MOST_MEETINGS:
        meetings[count, OTHER], meetings[count, WHERE] = other, where
        meetings[count, MY_PLACE], meetings[count, MY_CELL] = my_place, my_cell
        meetings[count, THEIR_PLACE], meetings[count, THEIR_CELL] = their_place, their_cell
        count += 1
    return count


@compiled
def _meet_group(
    facts: NDArray[np.int64],
    sites: NDArray[np.uint32],
    members: NDArray[np.uint32],
    person: int,
    place: int,
    meetings: NDArray[np.int64],
    count: int,
) -> int:
    chance, begins = whole(sites[place, NEAR]), _of_place(facts, place)
    for at in range(sites[place, FIRST], sites[place, AFTER]):
        other = whole(members[at])
        if other != person and _in_contact(begins, person, other, chance):
            count = _note(meetings, count, other, place, place, 0, place, 0)
    return count


@compiled
def _meet_cell(
    facts: NDArray[np.int64],
    deals: NDArray[np.int64],
    people: NDArray[np.uint32],
    sites: NDArray[np.uint32],
    members: NDArray[np.uint32],
    person: int,
    place: int,
    cell: int,
    meetings: NDArray[np.int64],
    count: int,
) -> int:
    if deals[place, COMING] == 0:
        return count
    way, where = (0, cell) if cell < HOMEWARD else (BACK, cell - HOMEWARD)
    mine = _my_position(deals, people, person, place, way, where)
    first, last = bounds(deals[place, COMING], deals[place, CELLS], where)
    chance, begins = whole(sites[place, NEAR]), _of_place(facts, place)
    for position in range(first, last):
        if position != mine and _in_contact(begins, mine, position, chance):
            other = member_at(sites, members, deals, place, position, way)
            if other >= 0 and other != person:
                count = _note(meetings, count, other, place, place, cell, place, cell)
    return count


@compiled
def _my_position(
    deals: NDArray[np.int64], people: NDArray[np.uint32], person: int, place: int, way: int, cell: int
) -> int:
    """Return where a person stands; who comes by need and not by habit has a number of their own."""
    for habit in range(_HABITS):
        if people[person, HABITS + habit] == place:
            position = position_of(deals, place, people[person, RANKS + habit], way)
            comes = position < deals[place, COMING]
            if comes and position * deals[place, CELLS] // deals[place, COMING] == cell:
                return position
    return whole(deals[place, PRIME] + person)


@compiled
def _be_served(
    facts: NDArray[np.int64],
    sites: NDArray[np.uint32],
    members: NDArray[np.uint32],
    person: int,
    place: int,
    cell: int,
    meetings: NDArray[np.int64],
    count: int,
) -> int:
    chance, begins = whole(sites[place, SERVE]), _of_place(facts, place)
    team = whole(sites[place, STAFF]) + cell % max(whole(1), whole(sites[place, TEAMS]))
    for at in range(sites[team, FIRST], sites[team, AFTER]):
        other = whole(members[at])
        if other != person and _in_contact(begins, person, other, chance):
            count = _note(meetings, count, other, place, place, cell, team, 0)
    return count


@compiled
def _serve(
    facts: NDArray[np.int64],
    deals: NDArray[np.int64],
    sites: NDArray[np.uint32],
    members: NDArray[np.uint32],
    person: int,
    team: int,
    place: int,
    meetings: NDArray[np.int64],
    count: int,
) -> int:
    """Meet the visitors of the cells that a team serves."""
    if deals[place, COMING] == 0:
        return count
    teams = max(whole(1), whole(sites[place, TEAMS]))
    chance, begins = whole(sites[place, SERVE]), _of_place(facts, place)
    for cell in range(team - whole(sites[place, STAFF]), deals[place, CELLS], teams):
        first, last = bounds(deals[place, COMING], deals[place, CELLS], cell)
        for position in range(first, last):
            other = member_at(sites, members, deals, place, position, 0)
            if other >= 0 and other != person and _in_contact(begins, person, other, chance):
                count = _note(meetings, count, other, place, team, 0, place, cell)
    return count
