"""Epidemics in a synthetic city, with the truth about each infection."""

from broadstreet.simulation.epidemic.answering import CityWhatIf, what_if
from broadstreet.simulation.epidemic.outcome import IMPORTED, POINT_SOURCE, Outcome, Stays, Truth
from broadstreet.simulation.epidemic.run import run
from broadstreet.simulation.epidemic.scenario import Contamination, Import, Scenario

__all__ = [
    "IMPORTED", "POINT_SOURCE", "CityWhatIf", "Contamination", "Import", "Outcome", "Scenario", "Stays",
    "Truth", "run", "what_if",
]  # fmt: skip
