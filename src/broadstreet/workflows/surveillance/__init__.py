"""Surveillance: visits are counted, each closed day is tested, and what stands out becomes a signal."""

from broadstreet.workflows.surveillance.counts import Counts

__all__ = ["Counts"]
