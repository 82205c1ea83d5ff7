"""Pathogens are compared with published ranges, and one that spreads too well fails."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from broadstreet.model.pathogens import NAMES, pathogen_named
from broadstreet.simulation.epidemic import Import, Scenario, run
from broadstreet.simulation.epidemic.comparing import (
    attack_rates,
    compare_pathogen,
    doubling_time,
    generations,
)
from broadstreet.simulation.epidemic.infectiousness import by_company


def test_a_pathogen_is_compared_with_its_published_ranges(town):
    influenza = pathogen_named("influenza")
    usual = {check.what: check for check in compare_pathogen(town, influenza, runs=2)}
    assert {"reproduction number", "serial interval, days", "household attack rate"} < set(usual)
    assert any(what.startswith("attack rate") for what in usual)
    assert all(check.source for check in usual.values())
    wild = compare_pathogen(town, replace(influenza, hazard=5 * influenza.hazard), runs=2)[0]
    assert wild.city > 1.5 * usual["reproduction number"].city
    assert not wild.passed


def test_generations_are_counted_from_imports(town):
    imports = (Import(pathogen="influenza", count=20),)
    truth = run(town, Scenario(pathogens=(pathogen_named("influenza"),), imports=imports, days=15)).truth
    generation = generations(truth)
    assert (generation[truth.cause < 0] == 0).all()
    linked = truth.cause >= 0
    assert (generation[linked] == generation[truth.cause[linked]] + 1).all()


def test_days_of_doubling_are_those_of_the_curve():
    day = np.repeat(np.arange(40, dtype=np.int32), np.rint(2 ** (np.arange(40) / 4)).astype(int))
    assert doubling_time(day, 20, 4_000) == pytest.approx(4.0, rel=0.02)
    assert math.isnan(doubling_time(day, 10**9, 10**9))


@pytest.mark.parametrize("name", NAMES)
def test_two_of_a_large_household_pass_on_less_than_two_who_live_alone_together(name):
    factors = by_company(pathogen_named(name))
    assert factors[2] == 1.0
    assert (np.diff(factors[2:]) < 0).all()


def test_more_people_in_a_household_lower_the_risk_of_each(town):
    covid = replace(pathogen_named("covid19"), stays_home=0.0)
    imports = (Import(pathogen="covid19", count=1_000),)
    infected, lived_with = np.zeros(2), np.zeros(2)
    size = np.bincount(town.people.home, minlength=len(town.places))[town.people.home]
    for seed in range(2):
        truth = run(town.with_seed(seed), Scenario(pathogens=(covid,), imports=imports, days=15)).truth
        home = town.people.home[truth.infected]
        by_index = np.flatnonzero(truth.cause >= 0)
        by_index = by_index[truth.cause[truth.cause[by_index]] < 0]
        there = by_index[home[by_index] == home[truth.cause[by_index]]]
        imported = truth.infected[truth.cause < 0]
        for at, (least, most) in enumerate(((2, 2), (4, 8))):
            here = (size[imported] >= least) & (size[imported] <= most)
            lived_with[at] += (size[imported[here]] - 1).sum()
            infected[at] += (
                (size[truth.infected[there]] >= least) & (size[truth.infected[there]] <= most)
            ).sum()
    assert infected[0] / lived_with[0] > 1.2 * infected[1] / lived_with[1]


def test_attack_rates_are_told_by_age_and_children_catch_influenza_more_often(town):
    rates = attack_rates(town, pathogen_named("influenza"))
    assert list(rates) == ["0-4 years", "5-17 years", "18-64 years", "65 years and more"]
    assert 1 > rates["5-17 years"] > rates["65 years and more"] > 0
