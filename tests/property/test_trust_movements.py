"""Movements are seen inside an approved window alone, and not a moment after it is over."""

from __future__ import annotations

from datetime import timedelta

from broadstreet.model.clock import DrivenClock, microseconds
from broadstreet.store.query import Dated
from broadstreet.trust.principals import Principal, Purpose
from broadstreet.trust.reading import Trust, recording

from .trust_city import City
from .trust_oracle import (
    APPROVED,
    DAY,
    MOVING,
    START,
    WINDOW,
)


def test_movements_are_seen_within_the_approved_window_and_through_a_search_by_date_alone(city: City) -> None:
    investigator = Principal("ines", "person", frozenset({"investigator"}))
    reader = city.trust.reader(investigator, Purpose("investigation", "open"))
    moved = [
        t
        for t in city.things
        if t.is_newest and t.category == "movement" and t.resident in APPROVED and t.type in MOVING
    ]
    assert moved
    for thing in moved:
        low = microseconds(START) + DAY * thing.day
        found = reader.search(thing.type, [Dated("date", "eq", low, low + DAY)]).resources
        assert (thing.id in {each.id for each in found}) == (thing.day < WINDOW)
        since = reader.search(thing.type, [Dated("date", "ge", low, low + 1)], limit=1_000).resources
        assert thing.id not in {each.id for each in since}, "what has no end is not within the window"
        assert reader.read(thing.type, thing.id) is None


def test_movements_are_seen_no_more_once_the_approval_the_investigation_or_the_time_is_over(
    city: City,
) -> None:
    """Nothing is switched off: whoever reads asks each time."""
    whole = [Dated("date", "eq", microseconds(START), microseconds(START) + WINDOW * DAY)]
    moved = {
        t.id for t in city.things
        if t.is_newest and t.type in MOVING and t.category == "movement" and t.resident in APPROVED
        and t.day < WINDOW
    }  # fmt: skip

    def seen(trust: Trust, about: str) -> set[str]:
        investigator = Principal("ines", "person", frozenset({"investigator"}))
        reader = trust.reader(investigator, Purpose("investigation", about))
        found = [each for type in MOVING for each in reader.search(type, whole, limit=1_000).resources]
        return moved & {each.id for each in found}

    late = Trust(city.store, recording(city.committer), DrivenClock(START + timedelta(days=10)), b"k" * 32)
    assert moved
    assert seen(city.trust, "open") == moved
    assert seen(city.trust, "closed") == seen(city.trust, "unknown") == seen(late, "open") == set()
