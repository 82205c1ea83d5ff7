"""Outbreaks for practice: tables that agree with the truth."""

from __future__ import annotations

import numpy as np

from broadstreet.simulation.epidemic.practice import (
    POINT_SOURCE,
    case_table,
    common_source,
    controls_for,
    outbreak,
    visit_table,
)
from broadstreet.simulation.population import Kind


def test_the_cases_of_an_outbreak_name_infectors_that_are_infected_before(town):
    found = outbreak(town, "influenza", imports=20, days=20)
    cases = case_table(found, symptomatic=False)
    when = dict(zip(cases["id"].tolist(), cases["infected"].tolist(), strict=True))
    for case, infector in zip(cases["id"].tolist(), cases["infector"].tolist(), strict=True):
        assert infector < 0 or when[infector] < when[case]
    assert len(case_table(found, first=10)["id"]) == 10
    assert not np.isnan(case_table(found)["onset"]).any()


def test_cases_of_a_common_source_were_there_and_controls_are_well_and_alike(town):
    found = common_source(town, attack=0.1)
    cases = case_table(found, symptomatic=False)
    assert len(cases["id"]) > 5
    assert (cases["infector"] == POINT_SOURCE).all()
    place = int(cases["place"][0])
    assert town.places.kind[place] == Kind.VENUE
    told = visit_table(found, cases["id"], range(7, 10), homes=False)
    assert np.isin(cases["id"], told["person"][told["place"] == place]).all()
    assert not np.isin(told["kind"], (Kind.HOME, Kind.CARE_HOME)).any()
    some = visit_table(found, cases["id"], range(7, 10), homes=False, recall=0.5)
    assert len(some["place"]) < len(told["place"])
    controls = controls_for(found, cases["id"], each=2)
    assert 1.5 * len(cases["id"]) < len(np.unique(controls)) == len(controls) <= 2 * len(cases["id"])
    assert not np.isin(controls, found.truth.infected).any()
    assert np.isin(town.home_district[controls], town.home_district[cases["id"]]).all()
