"""The key of a test: its series and its day."""

from __future__ import annotations

from broadstreet.model.records import Evidence
from broadstreet.workflows.surveillance.days import number_of

Key = tuple[str, str, str, int]
"""Stream, place, stratum and day of a test."""


def key_of(evidence: Evidence) -> Key:
    """Return series and day."""
    where = evidence.where
    return where.stream, where.place, where.stratum, number_of(evidence.day)
