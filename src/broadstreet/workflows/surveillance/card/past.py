"""The earlier signals that are most like one, and what they turned out to be."""

from __future__ import annotations

import math
from collections.abc import Sequence

from broadstreet.model.records import Signal
from broadstreet.workflows.surveillance.card import telling
from broadstreet.workflows.surveillance.card.data import Past
from broadstreet.workflows.surveillance.card.focus import focus_of
from broadstreet.workflows.surveillance.card.names import Names

MOST = 3
OTHER_STREAM = 4.0
OTHER_PLACE, CITY_AND_DISTRICT = 1.0, 0.5
OTHER_STRATUM = 0.5
"""How far signals are apart, beside the logarithm of the ratio of their sizes: another syndrome counts more
than a size that differs fifty-fold."""


def nearest(signal: Signal, known: Sequence[Signal], names: Names) -> tuple[Past, ...]:
    """Return at most three earlier signals of the same kind, the most similar first."""
    earlier = [each for each in known if each.kind == signal.kind and _is_before(each, signal)]
    near = sorted(earlier, key=lambda each: (apart(signal, each), -each.since.toordinal(), each.id))[:MOST]
    return tuple(
        Past(
            id=each.id, what=telling.what(each), where=names.where(focus_of(each)), since=each.since,
            observed=each.observed, expected=each.expected, outcome=telling.outcome(each),
        )
        for each in near
    )  # fmt: skip


def _is_before(one: Signal, signal: Signal) -> bool:
    """Return whether a signal began before, or was judged when the other had not begun."""
    if one.id == signal.id or one.joined:
        return False
    return one.since < signal.since or (one.verdict is not None and one.since <= signal.until)


def apart(one: Signal, other: Signal) -> float:
    """Return how different two signals are, by syndrome, place, stratum and size."""
    distance = abs(math.log((one.observed + 1) / (other.observed + 1)))
    if one.where.stream != other.where.stream:
        distance += OTHER_STREAM
    if one.where.place != other.where.place:
        distance += CITY_AND_DISTRICT if "city" in (one.where.place, other.where.place) else OTHER_PLACE
    if one.where.stratum != other.where.stratum:
        distance += OTHER_STRATUM
    return distance
