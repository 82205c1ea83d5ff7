"""A town whose last day has far more visits than the four weeks before it, and the card of its signal."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from broadstreet.model.records import Signal
from broadstreet.workflows import surveillance
from broadstreet.workflows.surveillance.card import Card, Making, card_of

from .conftest import FIRST, Town, encounter, patient

USUAL = (2, 3, 1, 2, 3, 2, 1)
PLACES = surveillance.read_places(
    "code,name,x,y\nD1,Riverside,0,0\nD2,Old Town,2,0\nD3,Harbour,4,1\n", "test"
)


def town_with_a_rise(file: Path) -> Town:
    """Return a town that has one signal, on its last day."""
    town = Town(file, lambda counts: [surveillance.Tests(counts, places=PLACES)])
    town.put_all([("Patient", "p1", patient("D1") | {"birthDate": "1990-01-01"})])
    town.put("Organization", "c1", {"name": "<b>Harbour</b> Clinic"})
    for number, visits in enumerate((*USUAL * 4, 14)):
        day = FIRST + timedelta(days=number)
        town.put_all([("Encounter", f"e{number}-{n}", encounter(day)) for n in range(visits)])
        town.close_day(day)
        town.follow()
    return town


def one(town: Town) -> Signal:
    """Return the only signal that nobody has dismissed."""
    town.follow()
    [signal] = [s for s in surveillance.signals(town.store) if s.kind == "rise" and s.state != "dismissed"]
    return signal


def card(town: Town, signal: Signal | None = None) -> Card:
    """Return the card of a signal; by default of the only one."""
    signal = signal or one(town)
    [tests] = town.reactors
    assert isinstance(tests, surveillance.Tests)
    making = Making(town.projection, tests, town.store)
    return card_of(making, signal, town.store.history("bs/Signal", signal.id))
