"""A town whose last day has far more visits than the four weeks before it, and the card of its signal."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from broadstreet.model.records import Evidence, Signal, Stratum
from broadstreet.workflows import surveillance
from broadstreet.workflows.surveillance.card import Card, Making, card_of
from broadstreet.workflows.surveillance.scanning import METHOD

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


def town_with_an_area(file: Path) -> tuple[Town, Signal]:
    """Return a town with three districts, and a signal of two of them together on its last three days."""
    town = Town(file, lambda counts: [surveillance.Tests(counts, places=PLACES)])
    town.put_all([("Patient", f"p{n}", patient(f"D{n}")) for n in (1, 2, 3)])
    for number in range(31):
        day = FIRST + timedelta(days=number)
        for who, rise in (("p1", 3), ("p2", 3), ("p3", 0)):
            visits = 2 + number % 2 + (rise if number > 27 else 0)
            put = [("Encounter", f"{who}-{number}-{n}", encounter(day, who=who)) for n in range(visits)]
            town.put_all(put)
        town.close_day(day)
    town.follow()
    last, since = FIRST + timedelta(days=30), FIRST + timedelta(days=28)
    where = Stratum(stream="fever", place="area:D1", stratum="all")
    found = Evidence(
        where=where, day=last, since=since, observed=32, expected=20.0, upper=20.0, chance=1e-5,
        method=METHOD, places=("D1", "D2"),
    )  # fmt: skip
    signal = Signal(
        id="0" * 36, status="opened", where=where, since=since, until=last, observed=32, expected=20.0,
        evidence=(found,),
    )  # fmt: skip
    return town, signal


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
