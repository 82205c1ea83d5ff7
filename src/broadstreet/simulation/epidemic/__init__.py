"""Epidemics in a synthetic city, with the truth about each infection."""

from broadstreet.simulation.epidemic.interventions import Intervention
from broadstreet.simulation.epidemic.outcome import IMPORTED, POINT_SOURCE, Outcome, Stays, Truth
from broadstreet.simulation.epidemic.run import run
from broadstreet.simulation.epidemic.scenario import Contamination, Import, Scenario

__all__ = [
    "IMPORTED", "POINT_SOURCE", "Contamination", "Import", "Intervention", "Outcome", "Scenario", "Stays",
    "Truth", "run",
]  # fmt: skip
