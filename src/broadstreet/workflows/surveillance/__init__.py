"""Surveillance: visits are counted, each closed day is tested, and what stands out becomes a signal."""

from broadstreet.workflows.surveillance.counts import Counts
from broadstreet.workflows.surveillance.detection import Tests
from broadstreet.workflows.surveillance.reading import (
    History,
    days_with_visits,
    facilities,
    history,
    series,
    signals,
)
from broadstreet.workflows.surveillance.rule import Rule

__all__ = [
    "Counts",
    "History",
    "Rule",
    "Tests",
    "days_with_visits",
    "facilities",
    "history",
    "series",
    "signals",
]
