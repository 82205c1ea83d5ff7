"""Surveillance: visits are counted, each closed day is tested, and what stands out becomes a signal."""

from broadstreet.workflows.surveillance.attention import is_new, is_open
from broadstreet.workflows.surveillance.budget import Budget
from broadstreet.workflows.surveillance.counts import Counts
from broadstreet.workflows.surveillance.detection import Tests
from broadstreet.workflows.surveillance.holidays import (
    ORDINARY,
    Holidays,
    listed_holidays,
    read_holidays,
)
from broadstreet.workflows.surveillance.judging import Judge
from broadstreet.workflows.surveillance.lives import days_told
from broadstreet.workflows.surveillance.places import NOWHERE, Place, Places, read_places
from broadstreet.workflows.surveillance.reading import (
    History,
    closed_days,
    closing_of,
    days_with_visits,
    facilities,
    history,
    series,
    signals,
    tested_from,
)
from broadstreet.workflows.surveillance.rule import Rule
from broadstreet.workflows.surveillance.strata import Series, Strata

__all__ = [
    "NOWHERE",
    "ORDINARY",
    "Budget",
    "Counts",
    "History",
    "Holidays",
    "Judge",
    "Place",
    "Places",
    "Rule",
    "Series",
    "Strata",
    "Tests",
    "closed_days",
    "closing_of",
    "days_told",
    "days_with_visits",
    "facilities",
    "history",
    "is_new",
    "is_open",
    "listed_holidays",
    "read_holidays",
    "read_places",
    "series",
    "signals",
    "tested_from",
]
