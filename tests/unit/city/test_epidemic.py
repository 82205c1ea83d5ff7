"""Epidemics: the truth is consistent with the days, and the same on any number of threads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from broadstreet.model.pathogens import Bands, pathogen_named
from broadstreet.simulation.days import contacts, visits
from broadstreet.simulation.epidemic import IMPORTED, POINT_SOURCE, Contamination, Import, Scenario, run
from broadstreet.simulation.population import Kind
from broadstreet.simulation.threads import threads, use_threads


@pytest.fixture(scope="module")
def outcome(town):
    scenario = Scenario(
        pathogens=(pathogen_named("influenza"), pathogen_named("covid19")),
        imports=(Import(pathogen="influenza", count=15), Import(pathogen="covid19", count=15)),
        days=25,
    )
    return run(town, scenario)


def test_everybody_is_infected_once_by_someone_who_was_infected_before(outcome):
    truth = outcome.truth
    assert len(truth) > 60
    for strain in (0, 1):
        assert len(np.unique(truth.infected[truth.pathogen == strain])) == (truth.pathogen == strain).sum()
    linked = truth.cause >= 0
    assert (truth.infector[~linked] == IMPORTED).all()
    assert np.array_equal(truth.infected[truth.cause[linked]], truth.infector[linked])
    assert np.array_equal(truth.pathogen[truth.cause[linked]], truth.pathogen[linked])
    assert (truth.time[truth.cause[linked]] < truth.time[linked]).all()


def test_infector_and_infected_were_in_contact_there_and_then(town, outcome):
    truth = outcome.truth
    for row in np.flatnonzero(truth.cause >= 0)[::5]:
        day, minute = divmod(float(truth.time[row]) * 1440, 1440)
        modes = outcome.modes(int(day))
        met = contacts(town, int(day), truth.infector[row : row + 1], modes=modes)
        here = (met.other == truth.infected[row]) & (met.place == truth.place[row])
        assert here.any()
        rows = visits(town, int(day), truth.infected[row : row + 1], modes=modes)
        there = (rows.start <= minute + 0.5) & (minute - 0.5 <= rows.end)
        at = rows.place[there]
        assert (np.isin(at, truth.place[row]) | np.isin(town.places.parent[at], truth.place[row])).any()


def test_the_outcome_is_the_same_on_one_thread_and_on_three(town, outcome):
    usual = threads()
    for count in (1, 3):
        use_threads(count)
        try:
            again = run(town, outcome.scenario)
        finally:
            use_threads(usual)
        for name in outcome.truth.__dataclass_fields__:
            one, other = getattr(again.truth, name), getattr(outcome.truth, name)
            assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


def test_times_of_a_course_follow_each_other(outcome):
    truth = outcome.truth
    for earlier, later in (
        ("time", "onset"), ("onset", "sought_care"), ("sought_care", "tested"), ("tested", "resulted"),
        ("onset", "admitted"), ("admitted", "discharged"), ("onset", "died"),
    ):  # fmt: skip
        both = np.isfinite(getattr(truth, earlier)) & np.isfinite(getattr(truth, later))
        assert (getattr(truth, earlier)[both] <= getattr(truth, later)[both]).all()


def test_a_kitchen_infects_those_who_come_and_is_their_place(town):
    venue = int(town.places.of(Kind.VENUE)[0])
    source = Contamination(pathogen="influenza", attack=0.8, first_day=2, last_day=3, place=venue)
    truth = run(town, Scenario(pathogens=(pathogen_named("influenza"),), sources=(source,), days=5)).truth
    poisoned = truth.infector == POINT_SOURCE
    assert poisoned.sum() > 10
    assert (truth.place[poisoned] == venue).all()
    for day in (2, 3):
        rows = visits(town, day)
        came = rows.person[rows.place == venue]
        assert np.isin(truth.infected[poisoned & (truth.day == day)], came).all()


def test_a_pump_infects_those_who_live_near_it_and_fewer_with_distance(town):
    source = Contamination(
        pathogen="influenza", attack=0.5, first_day=0, last_day=1, district="D07", reach=0.3
    )
    immune_to_none = replace(pathogen_named("influenza"), hazard=0.0, immune=Bands((0,), (0.0,)))
    truth = run(town, Scenario(pathogens=(immune_to_none,), sources=(source,), days=3)).truth
    pump = next(district for district in town.districts if district.code == "D07")
    places, homes = town.places, town.people.home
    away = np.hypot(places.x[homes] - pump.x, places.y[homes] - pump.y)
    infected = np.zeros(len(homes), bool)
    infected[truth.infected] = True
    near, further, far = (
        infected[(away >= a) & (away < b)].mean() for a, b in ((0, 0.6), (0.6, 1.1), (3, 9))
    )
    assert near > 1.5 * further > 0
    assert far < 0.01
    with pytest.raises(ValueError, match="reach must be above 0"):
        Scenario(pathogens=(immune_to_none,), sources=(replace(source, reach=0.0),), days=3)


def test_water_infects_only_its_district(town):
    source = Contamination(pathogen="influenza", attack=0.1, first_day=0, last_day=1, district="D07")
    truth = run(town, Scenario(pathogens=(pathogen_named("influenza"),), sources=(source,), days=2)).truth
    infected = truth.infected[truth.infector == POINT_SOURCE]
    assert len(infected) > 10
    assert {town.districts[code].code for code in town.home_district[infected]} == {"D07"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pathogens": ()}, "pathogens must"),
        ({"days": 0}, "days must"),
        ({"imports": (Import(pathogen="plague"),)}, "pathogen must"),
        ({"imports": (Import(pathogen="influenza", count=0),)}, "count must"),
        ({"imports": (Import(pathogen="influenza", first_day=4, last_day=3),)}, "last_day must"),
        (
            {"sources": (Contamination(pathogen="influenza", attack=0.5, first_day=0, last_day=1),)},
            "place or district",
        ),
        (
            {"sources": (Contamination(pathogen="influenza", attack=2.0, first_day=0, last_day=1, place=3),)},
            "attack must",
        ),
    ],
)
def test_an_impossible_scenario_is_refused_by_the_name_of_its_field(change, message):
    with pytest.raises(ValueError, match=message):
        Scenario(**({"pathogens": (pathogen_named("influenza"),), "days": 5} | change))


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        ({"imports": (Import(pathogen="influenza", district="D99"),)}, "district must"),
        ({"imports": (Import(pathogen="influenza", count=1_000_000),)}, "count must"),
        (
            {
                "sources": (
                    Contamination(pathogen="influenza", attack=0.5, first_day=0, last_day=1, place=10**8),
                )
            },
            "place must",
        ),
    ],
)
def test_a_scenario_that_does_not_fit_the_city_is_refused(town, scenario, message):
    with pytest.raises(ValueError, match=message):
        run(town, Scenario(pathogens=(pathogen_named("influenza"),), days=3, **scenario))
