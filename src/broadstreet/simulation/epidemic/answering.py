"""Answer what would follow from actions: paired runs that differ by the actions alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from broadstreet.model.what_if import Action, Answer, Difference
from broadstreet.simulation.epidemic.outcome import Outcome
from broadstreet.simulation.epidemic.run import run
from broadstreet.simulation.epidemic.scenario import Scenario
from broadstreet.simulation.population.city import City

NUMBERS = ("infections", "symptomatic", "reported", "admitted", "deaths", "highest_day", "days_at_home")


def what_if(
    city: City, scenario: Scenario, actions: tuple[Action, ...], *, runs: int = 10, level: float = 0.95
) -> Answer:
    """Return what would follow from actions, beside the scenario without them.

    Each pair of runs has one seed: every person has the same day, the same contacts and the same course in
    both, unless the actions change it. What differs is due to the actions (common random numbers), so few
    pairs suffice.

    Parameters
    ----------
    city : City
        Its people and places serve all runs.
    scenario : Scenario
        Its own interventions are in both runs of a pair.
    actions : tuple of Action
        What is asked about.
    runs : int
        Pairs, 2 or more.
    level : float
        Of the interval of the mean difference: Student's t over pairs.

    Returns
    -------
    Answer
        For each of `NUMBERS`.

    Source: Law, Simulation Modeling and Analysis, 5th ed., section 11.2 (common random numbers) and 10.2.1
    (paired t).
    """
    if not 2 <= runs <= 10_000:
        raise ValueError(f"runs must be from 2 to 10,000 (it is {runs})")
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must lie between 0 and 1 (it is {level})")
    acted = replace(scenario, interventions=(*scenario.interventions, *actions))
    seeds = [int(np.random.SeedSequence([city.seed, pair]).generate_state(1)[0]) for pair in range(runs)]
    pairs = [(city.with_seed(seed), seed) for seed in seeds]
    without = np.array([_numbers(run(one, scenario)) for one, _ in pairs])
    with_actions = np.array([_numbers(run(one, acted)) for one, _ in pairs])
    found = {name: _difference(without[:, at], with_actions[:, at], level) for at, name in enumerate(NUMBERS)}
    return Answer(numbers=found, runs=runs, level=level)


@dataclass(frozen=True, eq=False, slots=True)
class CityWhatIf:
    """Answers from a city and a scenario: the `WhatIf` of the model."""

    city: City
    scenario: Scenario
    runs: int = 10
    level: float = 0.95

    def ask(self, actions: tuple[Action, ...]) -> Answer:
        """Return what would follow from actions."""
        return what_if(self.city, self.scenario, actions, runs=self.runs, level=self.level)


def _numbers(outcome: Outcome) -> list[float]:
    truth, stays, end = outcome.truth, outcome.stays, outcome.scenario.days
    curve = np.bincount(truth.day, minlength=end)
    at_home = stays.mode == 1
    spent = np.minimum(stays.after[at_home], end) - np.minimum(stays.first[at_home], end)
    return [
        float(len(truth)),
        float(np.isfinite(truth.onset).sum()),
        float((truth.reported < end).sum()),
        float((truth.admitted < end).sum()),
        float((truth.died < end).sum()),
        float(curve.max()),
        float(np.maximum(spent, 0).sum()),
    ]


def _difference(without: NDArray[np.float64], acted: NDArray[np.float64], level: float) -> Difference:
    change = acted - without
    t = special.stdtrit(len(change) - 1, 0.5 + level / 2)  # scipy.stats takes half a second to import
    half = float(t * change.std(ddof=1) / np.sqrt(len(change)))
    mean = float(change.mean())
    return Difference(
        without=float(without.mean()),
        with_actions=float(acted.mean()),
        difference=mean,
        low=mean - half,
        high=mean + half,
    )
