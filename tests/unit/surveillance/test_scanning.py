"""Clusters of neighbouring districts: found at night, and again when what they rest on comes late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from broadstreet.model import records
from broadstreet.model.records import Signal
from broadstreet.store.entry import Draft
from broadstreet.workflows import surveillance
from broadstreet.workflows.surveillance.scanning import METHOD

from .conftest import FIRST, Put, Town, encounter, patient

PLACES = "code,x,y\n" + "\n".join(f"D{n},{n % 4},{n // 4}" for n in range(12))
ONLY_SCANS = surveillance.Rule(minimum=1_000)
NEIGHBOURS = ("D0", "D1", "D4")
LAST = FIRST + timedelta(days=27)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    places = surveillance.read_places(PLACES, "places")
    town = Town(tmp_path / "log.db", lambda counts: [surveillance.Tests(counts, ONLY_SCANS, places)])
    town.put_all([("Patient", f"D{n}", patient(f"D{n}")) for n in range(12)])
    for past in range(28):
        quiet(town, FIRST + timedelta(days=past))
    yield town
    town.close()


def quiet(town: Town, day: date) -> None:
    """Let somebody from every third district come, and close the day."""
    homes = [f"D{n}" for n in range(12) if (n + day.toordinal()) % 3 == 0]
    town.put_all([("Encounter", f"q-{day}-{home}", encounter(day, who=home)) for home in homes])
    town.close_day(day)
    town.follow()


def rise(town: Town, day: date, **more: object) -> None:
    town.put_all(
        [
            ("Encounter", f"r-{day}-{home}-{n}", encounter(day, who=home, **more))
            for home in NEIGHBOURS
            for n in range(6)
        ]
    )
    town.follow()


def clusters(town: Town) -> list[Signal]:
    town.follow()
    return surveillance.signals(town.store)


def test_neighbours_that_rise_together_are_a_signal_at_night(town: Town) -> None:
    day = LAST + timedelta(days=1)
    rise(town, day)
    assert clusters(town) == []
    quiet(town, day)
    [signal] = clusters(town)
    [evidence] = signal.evidence
    assert (signal.status, evidence.method, evidence.day) == ("opened", METHOD, day)
    assert set(NEIGHBOURS) <= set(evidence.places)
    assert evidence.observed >= 18
    assert len(evidence.visits) == evidence.observed


def test_a_cluster_that_is_over_fades_and_is_not_taken_back(town: Town) -> None:
    rise(town, LAST + timedelta(days=1))
    statuses = []
    for past in range(1, 15):
        quiet(town, LAST + timedelta(days=past))
        statuses.append(clusters(town)[0].status)
    assert statuses[0] == "opened"
    assert statuses[-1] == "closed"
    assert "withdrawn" not in statuses
    [signal] = clusters(town)
    assert signal.observed in {each.observed for each in signal.evidence}


def test_a_cluster_of_yesterday_is_found_when_its_visits_come_today(town: Town) -> None:
    rise(town, LAST)
    assert clusters(town) == []
    quiet(town, LAST + timedelta(days=1))
    [signal] = clusters(town)
    assert LAST in {evidence.day for evidence in signal.evidence}


def test_a_cluster_whose_visits_are_cancelled_is_withdrawn_at_the_next_closing(town: Town) -> None:
    rise(town, LAST + timedelta(days=1))
    quiet(town, LAST + timedelta(days=1))
    rise(town, LAST + timedelta(days=1), status="cancelled")
    assert [signal.status for signal in clusters(town)] == ["opened"]
    quiet(town, LAST + timedelta(days=2))
    assert [signal.status for signal in clusters(town)] == ["withdrawn"]


def test_a_version_that_did_not_know_the_one_before_takes_none_of_its_areas_away(town: Town) -> None:
    for past in (1, 2):
        rise(town, LAST + timedelta(days=past))
        quiet(town, LAST + timedelta(days=past))
    [signal] = clusters(town)
    days = [each.day for each in signal.evidence]
    assert len(days) == 2
    known = town.store.entries(0, types=[records.entry_type(signal)], limit=100)[0]
    body = records.encode(msgspec.structs.replace(signal, evidence=signal.evidence[1:]))
    blind = Draft(
        type=known.type, id=signal.id, body=body, source=known.source, key="blind", cause=known.cause
    )  # fmt: skip
    town.committer.commit(Put([blind]))
    [signal] = clusters(town)
    assert [each.day for each in signal.evidence] == days
