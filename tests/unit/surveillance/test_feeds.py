"""Sources that fall silent: a signal of their own, and no harm to the others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest

from broadstreet.model.records import Signal, Verdict
from broadstreet.workflows import surveillance
from broadstreet.workflows.surveillance.card import Making, card_of
from broadstreet.workflows.surveillance.testing import compared

from .conftest import FIRST, ZONE, Town, encounter, patient

# Longer than counts are looked back at.
LONG = 2_000
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


def weeks(town: Town, first: int, until: int, *, busy: float, small: float = 1.0) -> None:
    """Let days go by with so much of what is usual."""
    for number in range(first, until):
        some = round(busy * BUSY[number % 7])
        day_of(town, number, busy=some, small=round(small * SMALL[number % 7]))


def dismiss(town: Town, signal: Signal, number: int) -> None:
    at = datetime.combine(FIRST + timedelta(days=number), time(9), ZONE).astimezone(UTC)
    verdict = Verdict(finding="dismissed", by="kim", at=at, reason="closed for good")
    town.put_record(msgspec.structs.replace(signal, verdict=verdict))
    town.follow()


def told_of(town: Town, signal: Signal) -> str:
    [tests] = town.reactors
    assert isinstance(tests, surveillance.Tests)
    making = Making(town.projection, tests, town.store)
    return card_of(making, signal, town.store.history("bs/Signal", signal.id)).lead


def test_a_dead_source_is_one_open_signal_for_as_long_as_nothing_comes(town: Town) -> None:
    weeks(town, 0, 42, busy=1)
    weeks(town, 42, 84, busy=0)
    [signal] = silent(town)
    assert (signal.status, signal.since, signal.until) == (
        "growing", FIRST + timedelta(days=42), FIRST + timedelta(days=83),
    )  # fmt: skip
    assert signal.expected == pytest.approx(42 * 78 / 7, rel=0.15)


def test_a_small_source_that_is_dead_stays_silent_as_well(town: Town) -> None:
    weeks(town, 0, 42, busy=1, small=0.5)
    weeks(town, 42, 70, busy=1, small=0)
    assert [each.status for each in silent(town)] == ["growing"]


def test_an_outbreak_is_seen_while_the_largest_source_is_dead_for_weeks(town: Town) -> None:
    weeks(town, 0, 42, busy=1)
    weeks(town, 42, 76, busy=0)
    day_of(town, 76, busy=0, small=17)
    [rise] = [s for s in surveillance.signals(town.store) if s.kind == "rise"]
    assert (rise.since, rise.observed) == (FIRST + timedelta(days=76), 17)
    assert rise.expected == pytest.approx(6, abs=2)


def test_a_source_that_comes_back_is_over_after_three_days_and_the_card_says_that_it_reports(
    town: Town,
) -> None:
    weeks(town, 0, 42, busy=1)
    weeks(town, 42, 63, busy=0)
    assert "may be cut off" in told_of(town, silent(town)[0])
    weeks(town, 63, 67, busy=1)
    [signal] = silent(town)
    assert (signal.status, signal.until) == ("closed", FIRST + timedelta(days=62))
    assert "It reports again: " in told_of(town, signal)
    assert [s for s in surveillance.signals(town.store) if s.kind == "rise"] == []


def test_a_source_that_comes_back_with_half_is_still_silent_until_an_officer_says_that_this_is_usual(
    town: Town,
) -> None:
    weeks(town, 0, 42, busy=1)
    weeks(town, 42, 56, busy=0)
    weeks(town, 56, 84, busy=0.5)
    [signal] = silent(town)
    assert signal.status == "growing"
    dismiss(town, signal, 84)
    weeks(town, 84, 126, busy=0.5)
    [signal] = silent(town)
    assert (signal.state, signal.status) == ("dismissed", "closed")


def test_a_source_that_was_closed_for_good_is_one_dismissed_signal_and_no_other(town: Town) -> None:
    weeks(town, 0, 42, busy=1)
    weeks(town, 42, 49, busy=0)
    dismiss(town, silent(town)[0], 49)
    weeks(town, 49, 91, busy=0)
    [signal] = silent(town)
    assert (signal.state, signal.status) == ("dismissed", "closed")
    assert "It reports again" not in told_of(town, signal)
    assert "Nothing has come since" in told_of(town, signal)


def test_a_source_that_was_said_to_send_less_and_then_sends_nothing_is_silent_anew(town: Town) -> None:
    weeks(town, 0, 42, busy=1)
    weeks(town, 42, 49, busy=0.5)
    dismiss(town, silent(town)[0], 49)
    weeks(town, 49, 56, busy=0.5)
    weeks(town, 56, 59, busy=0)
    said, new = silent(town)
    assert (said.state, new.state, new.since) == ("dismissed", "growing", FIRST + timedelta(days=56))


def test_a_silence_that_was_dismissed_keeps_the_days_that_were_dismissed(town: Town) -> None:
    weeks(town, 0, 42, busy=1)
    weeks(town, 42, 70, busy=0)
    [before] = silent(town)
    dismiss(town, before, 70)
    [after] = silent(town)
    assert (after.state, after.since, after.until, after.observed, after.evidence) == (
        "dismissed", before.since, before.until, before.observed, before.evidence,
    )  # fmt: skip


def test_a_late_report_of_a_day_before_history_began_anew_stops_nothing(town: Town) -> None:
    for number in (*range(9), *range(LONG, LONG + 10)):
        day_of(town, number, busy=9, small=6)
    town.put("Encounter", "late", encounter(FIRST + timedelta(days=3), where="busy"))
    town.follow()
    day = day_of(town, LONG + 10, busy=0, small=6)
    assert [each.since for each in silent(town) if each.until == day] == [day]
