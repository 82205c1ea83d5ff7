"""In the well-mixed limit the engine agrees with theory, within Monte Carlo error.

Source: Diekmann, Heesterbeek, Britton 2013, Mathematical Tools for Understanding Infectious Disease Dynamics,
section 1.2 (final size, growth, generation); Lloyd-Smith 2005, Nature 438:355 (secondary cases).
"""

from __future__ import annotations

import numpy as np
import pytest

from broadstreet.simulation.epidemic import Import, Scenario, run
from tests.unit.city.well_mixed import Theory, hall, mild

PEOPLE, IMPORTED = 20_000, 400


def epidemic(seed, pathogen, days, imported=IMPORTED, people=PEOPLE):
    imports = (Import(pathogen="covid19", count=imported),)
    return run(hall(people, seed), Scenario(pathogens=(pathogen,), imports=imports, days=days)).truth


def within(found, expected, error):
    return found == pytest.approx(expected, abs=4 * error)


def test_the_final_size_is_that_of_the_equation():
    pathogen = mild(hazard=0.018, dispersion=1e4)
    theory = Theory(pathogen, PEOPLE)
    assert 1.5 < theory.reproduction < 2.5
    expected = theory.final_size(IMPORTED / PEOPLE)
    sizes = [len(epidemic(seed, pathogen, days=150)) / PEOPLE for seed in range(3)]
    # Variance of the final size of a stochastic epidemic with R near 2 is below 1 / people.
    assert within(np.mean(sizes), expected, 1 / np.sqrt(3 * PEOPLE))


def test_secondary_cases_have_the_mean_and_spread_of_the_negative_binomial():
    k = 0.4
    pathogen = mild(hazard=0.018, dispersion=k)
    truth = epidemic(5, pathogen, days=40)
    mean = Theory(mild(0.018, 1e4), PEOPLE).reproduction
    imported = truth.cause < 0
    secondary = np.bincount(truth.cause[~imported], minlength=len(truth))[imported]
    # Of those whom a case meets, some are infected already by others: few at this time.
    error = np.sqrt((mean + mean**2 / k) / IMPORTED)
    assert within(secondary.mean(), mean * 0.95, error)
    assert secondary.var() / secondary.mean() == pytest.approx(1 + secondary.mean() / k, rel=0.4)


def test_the_generation_time_has_the_mean_and_spread_of_the_curve():
    pathogen = mild(
        hazard=0.007, dispersion=1e4
    )  # it dies out, so that hardly anyone is met who is not susceptible
    theory = Theory(pathogen, PEOPLE)
    truths = [epidemic(seed, pathogen, days=90, imported=500) for seed in range(3)]
    days = []
    for truth in truths:
        linked = np.flatnonzero(truth.cause >= 0)
        by_those = linked[
            truth.infector[truth.cause[linked]] >= 0
        ]  # not by imported ones, who come at another hour
        days.append(truth.day[by_those] - truth.day[truth.cause[by_those]])
    found = np.concatenate(days).astype(float)
    assert len(found) > 1_000
    assert within(found.mean(), theory.generation, theory.spread / np.sqrt(len(found)))
    assert found.std() == pytest.approx(theory.spread, rel=0.1)


def test_an_epidemic_grows_at_the_rate_of_the_equation():
    pathogen, people = mild(hazard=0.018, dispersion=1e4), 10 * PEOPLE
    theory = Theory(pathogen, people)
    first, last = 20, 40
    rates = []
    for seed in range(3):
        truth = epidemic(seed, pathogen, days=last, imported=60, people=people)
        curve = np.bincount(truth.day, minlength=last)
        susceptible = 1 - np.cumsum(curve)[first - 1 : -1] / people
        log = np.log(curve[first:] / susceptible)
        rates.append(np.polyfit(np.arange(last - first), log, 1, w=np.sqrt(curve[first:]))[0])
    assert np.mean(rates) == pytest.approx(theory.growth(), abs=0.012)
