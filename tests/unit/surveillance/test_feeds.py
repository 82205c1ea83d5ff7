"""Sources that fall silent: a signal of their own, and no harm to the others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from broadstreet.model.records import Signal
from broadstreet.workflows import surveillance
from broadstreet.workflows.surveillance.testing import compared

from .conftest import FIRST, Town, encounter, patient

BUSY, SMALL = (12, 10, 11, 13, 9, 12, 11), (6, 5, 7, 6, 5, 7, 6)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path / "log.db", lambda counts: [surveillance.Tests(counts)])
    town.put_all([("Patient", "p1", patient("D1")), ("Organization", "busy", {"name": "Harbour Clinic"})])
    yield town
    town.close()


def day_of(town: Town, number: int, *, busy: int, small: int) -> date:
    day = FIRST + timedelta(days=number)
    visits = [("Encounter", f"b{number}-{n}", encounter(day, where="busy")) for n in range(busy)]
    visits += [("Encounter", f"s{number}-{n}", encounter(day, where="small")) for n in range(small)]
    town.put_all(visits)
    town.close_day(day)
    town.follow()
    return day


def four_weeks(town: Town) -> int:
    for number in range(28):
        day_of(town, number, busy=BUSY[number % 7], small=SMALL[number % 7])
    return 28


def silent(town: Town) -> list[Signal]:
    town.follow()
    return [signal for signal in surveillance.signals(town.store) if signal.kind == "silence"]


def test_a_source_that_falls_silent_is_a_signal_of_its_own(town: Town) -> None:
    day = day_of(town, four_weeks(town), busy=0, small=6)
    [signal] = silent(town)
    assert (signal.where.stream, signal.where.place) == ("visits", "facility:busy")
    assert (signal.status, signal.since, signal.observed) == ("opened", day, 0)
    assert signal.expected == pytest.approx(11, abs=2)
    assert [s for s in surveillance.signals(town.store) if s.kind == "rise"] == []


def test_a_quiet_sunday_makes_no_silence_of_a_monday(town: Town) -> None:
    for number in range(42):
        day_of(town, number, busy=2 if number % 7 == 6 else 12, small=6)
    day_of(town, 42, busy=6, small=6)  # half a Monday: with the Sunday 8 of 14, not of 24
    assert [each.status for each in silent(town) if each.until >= FIRST + timedelta(days=40)] == []


def test_an_outbreak_is_seen_while_the_largest_source_is_silent(town: Town) -> None:
    number = four_weeks(town)
    day_of(town, number, busy=0, small=6)
    day_of(town, number + 1, busy=0, small=17)  # as many as both together have on a usual day
    [rise] = [s for s in surveillance.signals(town.store) if s.kind == "rise"]
    assert rise.observed == 17
    assert rise.expected == pytest.approx(6, abs=2)


def test_what_a_silent_source_sends_late_ends_its_signal(town: Town) -> None:
    number = four_weeks(town)
    day = day_of(town, number, busy=0, small=6)
    assert [s.status for s in silent(town)] == ["opened"]
    town.put_all([("Encounter", f"late-{n}", encounter(day, where="busy")) for n in range(12)])
    assert [s.status for s in silent(town)] == ["withdrawn"]


def test_counts_of_the_past_are_scaled_to_the_reports_of_the_last_day() -> None:
    counts = np.array([[10], [20], [30], [0], [5]])
    share = np.array([1.0, 1.0, 0.5, 0.0, 0.5])
    assert compared(counts, share)[:, 0].tolist()[:3] == [5, 10, 30]
    assert compared(counts, share)[-1, 0] == 5
