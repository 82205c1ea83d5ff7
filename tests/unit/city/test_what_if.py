"""Actions: they reach whom they should, and the answer to "what if" is due to them alone."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from broadstreet.model.pathogens import pathogen_named
from broadstreet.model.what_if import (
    Action,
    Close,
    Isolate,
    QuarantineContacts,
    TestDistrict,
    Vaccinate,
    WhatIf,
)
from broadstreet.simulation.days import Mode, visits
from broadstreet.simulation.epidemic import CityWhatIf, Import, Scenario, run, what_if
from broadstreet.simulation.population import Kind

FLU = replace(pathogen_named("influenza"), tested=1.0, hazard=0.06)


@pytest.fixture(scope="module")
def scenario():
    return Scenario(pathogens=(FLU,), imports=(Import(pathogen="influenza", count=20),), days=20)


@pytest.fixture(scope="module")
def plain(town, scenario):
    return run(town, scenario)


def test_reported_cases_stay_at_home_from_the_day_after_the_report(town, scenario):
    acted = run(town, replace(scenario, interventions=(Isolate(adherence=1.0, days=7),)))
    told = np.flatnonzero(acted.truth.reported < 15)
    assert len(told) > 10
    for row in told:
        day = int(acted.truth.reported[row]) + 1
        assert acted.modes(day)[acted.truth.infected[row]] >= Mode.HOME


def test_contacts_of_a_case_are_kept_at_home_and_others_are_not(town, scenario, plain):
    quarantine = QuarantineContacts(traced=1.0, adherence=1.0, delay=0)
    acted = run(town, replace(scenario, interventions=(quarantine,)))
    first = int(np.nanmin(acted.truth.reported)) + 1
    case = acted.truth.infected[np.nanargmin(acted.truth.reported)]
    kept = acted.modes(first) > plain.modes(first)
    household = town.places.members_of(int(town.people.home[case]))
    assert kept.sum() > 3
    assert (acted.modes(first)[household[household != case]] >= Mode.HOME).all()
    assert kept.mean() < 0.2


def test_a_closed_kind_of_place_is_empty_while_it_is_closed(town, scenario):
    closed = run(town, replace(scenario, interventions=(Close(first_day=2, last_day=4, kind="class"),)))

    def pupils(day):
        rows = visits(town, day, modes=closed.modes(day), closed=closed.closed(day))
        return int((town.places.kind[rows.place] == Kind.CLASS).sum())

    assert pupils(1) > 0
    assert pupils(2) == pupils(3) == pupils(4) == 0
    assert len(closed.truth) > 20


def test_a_test_of_a_district_finds_cases_that_nobody_asked_for(town, scenario, plain):
    action = TestDistrict(first_day=10, last_day=10, district="D01", coverage=1.0)
    acted = run(town, replace(scenario, interventions=(action,)))
    more = np.isfinite(acted.truth.reported) & ~np.isfinite(plain.truth.reported)
    assert more.any()
    found = acted.truth.infected[more]
    assert {town.districts[code].code for code in town.home_district[found]} == {"D01"}
    assert (acted.truth.tested[more] == 10.5).all()


def test_the_vaccinated_are_not_infected_after_it_protects(town, scenario):
    all_of_them = Vaccinate(pathogen="influenza", doses=10_000, efficacy=1.0, after=3)
    truth = run(town, replace(scenario, interventions=(all_of_them,))).truth
    assert truth.time.max() < 3


def test_runs_that_differ_in_nothing_agree_person_by_person(town, scenario, plain):
    idle = run(town, replace(scenario, interventions=(Isolate(adherence=0.0), Isolate(first_day=90))))
    assert np.array_equal(idle.truth.infected, plain.truth.infected)
    assert np.array_equal(idle.truth.onset, plain.truth.onset, equal_nan=True)


def test_what_if_tells_the_difference_with_its_interval(town, scenario):
    asks: WhatIf = CityWhatIf(town, scenario, runs=4)
    answer = asks.ask((Isolate(adherence=1.0), Close(kind="class")))
    infections = answer.numbers["infections"]
    assert infections.high < 0
    assert infections.low < infections.difference < infections.high
    assert infections.difference == pytest.approx(infections.with_actions - infections.without)
    nothing = what_if(town, scenario, (), runs=2).numbers["infections"]
    assert nothing.low == nothing.high == 0.0


def test_pairs_with_common_numbers_tell_more_than_runs_of_their_own(town, scenario):
    act = replace(scenario, interventions=(Isolate(adherence=0.3),))
    cities = [town.with_seed(seed) for seed in range(8)]
    without = np.array([len(run(city, scenario).truth) for city in cities])
    acted = np.array([len(run(city, act).truth) for city in cities])
    assert (acted - without).std() < (acted - np.roll(without, 1)).std()


def test_actions_travel_as_json():
    actions = (Isolate(), Close(kind="venue", first_day=3), Vaccinate(pathogen="influenza", doses=5))
    told = msgspec.json.encode(actions)
    assert msgspec.json.decode(told, type=tuple[Action, ...]) == actions
    with pytest.raises(msgspec.ValidationError, match="adherence"):
        msgspec.json.decode(b'[{"action":"isolate","adherence":1.5}]', type=tuple[Action, ...])


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (Close(kind="palace"), "kind must"),
        (Close(places=(10**8,)), "places must"),
        (Close(kind="venue", district="D99"), "district must"),
        (TestDistrict(district="D99"), "district must"),
        (Vaccinate(pathogen="measles", doses=1), "pathogen must"),
    ],
)
def test_an_action_that_does_not_fit_the_city_is_refused(town, scenario, action, message):
    with pytest.raises(ValueError, match=message):
        run(town, replace(scenario, interventions=(action,)))


def test_too_few_runs_are_refused(town, scenario):
    with pytest.raises(ValueError, match="runs must"):
        what_if(town, scenario, (), runs=1)
