"""People and places: everybody has a home, children go to school, places know their members."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from broadstreet.simulation.population import DEMO, NOWHERE, AgeBand, Habit, Kind, Role, build, configuration


def test_the_same_seed_builds_the_same_city_and_another_seed_another(town):
    again, other = build(town.configuration, 1854), build(town.configuration, 7)
    for name in ("age", "female", "role", "home", "main", "habits", "ranks"):
        assert np.array_equal(getattr(again.people, name), getattr(town.people, name))
    assert not np.array_equal(other.people.age, town.people.age)


def test_ages_and_household_sizes_are_those_of_the_configuration(town):
    for band in town.configuration.ages:
        share = np.mean((town.people.age >= band.first) & (town.people.age <= band.last))
        assert share == pytest.approx(band.share, abs=1 / 1_000)
    sizes = np.bincount(np.bincount(town.people.home[town.people.role != Role.RESIDENT]))[1:]
    assert sizes / sizes.sum() == pytest.approx(town.configuration.household_sizes, abs=0.005)


def test_no_child_lives_without_an_adult(town):
    adult = np.zeros(len(town.places), np.bool_)
    adult[town.people.home[town.people.age >= 18]] = True
    assert adult[town.people.home[town.people.age < 18]].all()


def test_parents_are_a_generation_older_than_their_children(town):
    homes = town.people.home
    oldest = np.zeros(len(town.places))
    np.maximum.at(oldest, homes, town.people.age)
    children = town.people.age < 18
    gap = oldest[homes[children]] - town.people.age[children]
    assert np.mean((gap >= 18) & (gap <= 50)) > 0.9


def test_every_child_of_school_age_has_a_class_and_a_school_of_its_age(town):
    people, pupils = town.people, (town.people.age >= 5) & (town.people.age <= 17)
    assert (people.role[pupils] == Role.PUPIL).all()
    assert (town.places.kind[people.main[pupils]] == Kind.CLASS).all()
    assert (town.places.parent[people.main[pupils]] == people.habits[pupils, Habit.SCHOOL]).all()
    for room in town.places.of(Kind.CLASS):
        members = town.places.members_of(int(room))
        ages = people.age[members][people.role[members] == Role.PUPIL].astype(int)
        assert np.ptp(ages) <= 7


def test_places_and_people_point_at_each_other(town):
    people, places = town.people, town.places
    for person in range(0, len(people), 97):
        assert person in places.members_of(people.home[person])
        if people.main[person] != NOWHERE:
            assert person in places.members_of(people.main[person])
        for habit in Habit:
            place = people.habits[person, habit]
            if place != NOWHERE:
                assert places.members_of(place)[people.ranks[person, habit]] == person


def test_a_public_place_is_served_by_a_team_that_is_part_of_it(town):
    for kind in (Kind.SHOP, Kind.VENUE, Kind.CLINIC, Kind.HOSPITAL):
        for place in town.places.of(kind):
            assert town.places.parent[town.places.staff[place]] == place
            assert town.places.kind[town.places.staff[place]] == Kind.TEAM


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"population": 10}, "population"),
        ({"population": 50_000_000}, "population"),
        ({"population": 50_000.0}, "population"),
        ({"ages": ()}, "ages"),
        ({"ages": DEMO.ages[1:]}, "ages"),
        ({"ages": (DEMO.ages[0], *DEMO.ages[2:])}, "ages"),
        ({"ages": tuple(band._replace(share=band.share / 2) for band in DEMO.ages)}, "ages"),
        ({"ages": (AgeBand(0, 17, 0.9), AgeBand(18, 90, 0.1))}, "ages"),
        ({"household_sizes": ()}, "household_sizes"),
        ({"household_sizes": (0.5, 0.6)}, "household_sizes"),
        ({"household_sizes": (1.5, -0.5)}, "household_sizes"),
        ({"household_sizes": (1.0,)}, "household_sizes"),
        ({"districts": ()}, "districts"),
        ({"districts": (DEMO.districts[0], DEMO.districts[0])}, "districts"),
        ({"districts": (DEMO.districts[0]._replace(weight=0.0),)}, "districts"),
        ({"employed": 1.2}, "employed"),
        ({"commuters": float("nan")}, "commuters"),
        ({"class_size": 1}, "class_size"),
        ({"class_size": 500}, "class_size"),
        ({"people_per_shop": 0}, "people_per_shop"),
        ({"holidays": ((date(2026, 2, 2), date(2026, 2, 1)),)}, "holidays"),
    ],
)  # fmt: skip
def test_an_impossible_configuration_is_refused_by_the_name_of_its_field(change, field):
    with pytest.raises(ValueError, match=rf"^{field} must"):
        replace(DEMO, **change)


def test_an_unknown_configuration_is_refused_with_those_that_are_known():
    with pytest.raises(ValueError, match="demo, metropolis"):
        configuration("village")


def test_a_city_of_old_people_without_schools_is_built():
    old = (AgeBand(0, 64, 0.0), AgeBand(65, 99, 1.0))
    city = build(replace(DEMO, population=2_000, ages=old), 1)
    assert len(city.people) == 2_000
    assert not len(city.places.of(Kind.CLASS))
