"""The outcome of a demonstration: the seed's truth beside what the store holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from broadstreet.app.demo.conductor import Plan
from broadstreet.app.demo.panels import panels_of
from broadstreet.app.demo.picture import Panel
from broadstreet.app.demo.verdict import Verdict, judge
from broadstreet.app.reach import read
from broadstreet.app.settings import Settings
from broadstreet.simulation import Exercise
from broadstreet.simulation.population.defaults import DISTRICTS
from broadstreet.workflows.surveillance import signals


@dataclass(frozen=True)
class Outcome:
    """What came out; `names` are those of districts by code."""

    verdict: Verdict
    panels: Sequence[Panel]
    names: Mapping[str, str]


def concluded(plan: Plan, settings: Settings) -> Outcome:
    """Compare what was injected with what the store's signals say, and take the counts for the picture."""
    truth = Exercise(plan.seed, plan.start, plan.days, plan.clinics, plan.zone).truth
    names = {district.code: district.name for district in DISTRICTS}
    with read(settings) as store:
        signalled = signals(store)
        verdict = judge(truth, signalled)
        return Outcome(verdict, panels_of(store, settings, verdict, signalled, names), names)
