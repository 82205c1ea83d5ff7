"""Pathogens are compared with published ranges, and one that spreads too well fails."""

from __future__ import annotations

from dataclasses import replace

from broadstreet.model.pathogens import pathogen_named
from broadstreet.simulation.epidemic import Import, Scenario, run
from broadstreet.simulation.epidemic.comparing import compare_pathogen, generations


def test_a_pathogen_is_compared_with_its_published_ranges(town):
    influenza = pathogen_named("influenza")
    usual = {check.what: check for check in compare_pathogen(town, influenza)}
    assert {"reproduction number", "serial interval, days", "household attack rate"} < set(usual)
    assert any(what.startswith("attack rate") for what in usual)
    assert all(check.source for check in usual.values())
    wild = compare_pathogen(town, replace(influenza, hazard=5 * influenza.hazard))[0]
    assert wild.city > 1.5 * usual["reproduction number"].city
    assert not wild.passed


def test_generations_are_counted_from_imports(town):
    imports = (Import(pathogen="influenza", count=20),)
    truth = run(town, Scenario(pathogens=(pathogen_named("influenza"),), imports=imports, days=15)).truth
    generation = generations(truth)
    assert (generation[truth.cause < 0] == 0).all()
    linked = truth.cause >= 0
    assert (generation[linked] == generation[truth.cause[linked]] + 1).all()
