"""Days: everybody is in one place at a time, and contacts are mutual."""

from __future__ import annotations

import numpy as np
import pytest

from broadstreet.simulation.days import Mode, contacts, stream_visits, visits
from broadstreet.simulation.population import Kind, Role


@pytest.mark.parametrize("day", [0, 5, 6])
def test_nobody_is_in_two_places_at_once(town, day):
    rows = visits(town, day)
    assert (rows.start < rows.end).all()
    assert rows.end.max() <= 1440
    same = rows.person[1:] == rows.person[:-1]
    assert (rows.start[1:].astype(int) - rows.end[:-1])[same].min() >= 0
    assert np.array_equal(np.unique(rows.person), np.arange(len(town.people)))


def test_people_come_to_places_that_are_theirs(town):
    rows = visits(town, 1)
    for at in range(0, len(rows), 53):
        assert rows.person[at] in town.places.members_of(int(rows.place[at]))


def test_children_are_at_school_on_a_weekday_in_term_and_not_on_sunday_or_in_holidays(town):
    def at_school(day):
        rows = visits(town, day)
        return len(np.unique(rows.person[town.places.kind[rows.place] == Kind.CLASS]))

    pupils = int((town.people.role == Role.PUPIL).sum())
    assert at_school(0) > 0.9 * pupils
    assert at_school(6) == 0
    assert town.date_of(43).isoformat() == "2026-02-17"
    assert at_school(43) == 0


def test_some_work_at_night(town):
    rows = visits(town, 1)
    early = (town.places.kind[rows.place] == Kind.TEAM) & (rows.start == 0)
    assert early.any()


def test_visits_of_some_people_are_those_of_the_whole_city(town):
    some = np.arange(0, len(town.people), 7)
    all_rows, rows = visits(town, 2), visits(town, 2, some)
    chosen = np.isin(all_rows.person, some)
    for name in ("person", "place", "start", "end"):
        assert np.array_equal(getattr(all_rows, name)[chosen], getattr(rows, name))


def test_a_streamed_day_is_the_day(town):
    whole, parts = visits(town, 3), list(stream_visits(town, 3, people_at_once=777))
    assert np.array_equal(whole.place, np.concatenate([part.place for part in parts]))
    assert len(parts) > 1


def test_contacts_are_mutual_and_last_while_both_are_there(town):
    everybody = np.arange(len(town.people))
    found = contacts(town, 2, everybody)
    key = found.person.astype(np.uint64) << np.uint64(32) | found.other.astype(np.uint64)
    back = found.other.astype(np.uint64) << np.uint64(32) | found.person.astype(np.uint64)
    assert (found.person != found.other).all()
    assert np.isin(back, key).mean() > 0.999
    rows = visits(town, 2)
    for at in range(0, len(found), max(1, len(found) // 200)):
        hers = rows.person == found.person[at]
        inside = hers & (rows.start <= found.start[at]) & (found.start[at] < rows.end)
        assert inside.sum() == 1


def test_who_is_ill_at_home_meets_the_household_alone_and_the_dead_nobody(town):
    modes = np.full(len(town.people), Mode.HOME, np.uint8)
    rows = visits(town, 2, modes=modes)
    assert np.array_equal(rows.place, town.people.home[rows.person])
    modes[:] = Mode.DEAD
    assert len(visits(town, 2, modes=modes)) == 0
    assert len(contacts(town, 2, np.arange(100), modes=modes)) == 0


def test_nobody_comes_to_a_closed_place(town):
    closed = np.zeros(len(town.places), np.bool_)
    closed[np.isin(town.places.kind, (Kind.CLASS, Kind.SCHOOL, Kind.VENUE))] = True
    rows = visits(town, 2, closed=closed)
    assert not closed[rows.place].any()
