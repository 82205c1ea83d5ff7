from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest

from broadstreet.model import records
from broadstreet.model.records import Evidence, Signal, Verdict
from broadstreet.store.follower import Reactor
from broadstreet.store.followers import Followers
from broadstreet.workflows import surveillance
from broadstreet.workflows.surveillance.detection import signal_id

from .conftest import FIRST, ZONE, Town, encounter, patient

QUIET_WEEK = (2, 3, 1, 2, 3, 2, 1)
WEEKLY_C1 = surveillance.Rule(method="C1", alpha=0.001, baseline=7)
TESTED = FIRST + timedelta(days=7)


def with_tests(counts: surveillance.Counts) -> list[Reactor]:
    return [surveillance.Tests(counts, WEEKLY_C1)]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path / "log.db", with_tests)
    town.put("Patient", "p1", patient("D1"))
    yield town
    town.close()


def live(town: Town, numbers: Sequence[int], first: date = FIRST, *, why: str = "fever") -> date:
    """Let so many come each day, and each day be closed; return the day after the last."""
    for past, number in enumerate(numbers):
        day = first + timedelta(days=past)
        town.put_all([("Encounter", f"{why[0]}{day}-{n}", encounter(day, why=why)) for n in range(number)])
        town.close_day(day)
        town.follow()
    return first + timedelta(days=len(numbers))


def found(town: Town) -> list[Signal]:
    """Return the signals of illness that did not become part of another."""
    town.follow()
    return [s for s in surveillance.signals(town.store) if s.kind == "rise" and not s.joined]


def those_of(signal: Signal, place: str = "city") -> list[Evidence]:
    return [each for each in signal.evidence if each.where.place == place]


def status(town: Town) -> list[str]:
    return [signal.status for signal in found(town)]


def judged(town: Town, signal: Signal, finding: str = "verified", at: date = TESTED) -> Signal:
    verdict = Verdict(
        finding=finding, by="kim", reason="seen at the clinic",  # type: ignore[arg-type]
        at=datetime.combine(at, time(12), ZONE),
    )  # fmt: skip
    judged = msgspec.structs.replace(signal, verdict=verdict)
    town.put_record(judged)
    return judged


def test_a_day_far_above_the_week_before_it_is_a_signal_with_its_evidence(town: Town) -> None:
    live(town, [*QUIET_WEEK, 9])
    [signal] = found(town)
    assert (signal.status, signal.since, signal.until, signal.observed) == ("opened", TESTED, TESTED, 9)
    [evidence] = those_of(signal)
    baseline = np.array(QUIET_WEEK)
    assert evidence.expected == pytest.approx(baseline.mean())
    assert evidence.upper == pytest.approx(baseline.mean() + 3.0902323 * baseline.std(ddof=1))
    assert evidence.score == pytest.approx((9 - baseline.mean()) / baseline.std(ddof=1))
    assert (evidence.day, evidence.observed, evidence.method) == (TESTED, 9, "EARS C1, baseline of 7 days")
    assert evidence.visits == tuple(f"f{TESTED}-{n}" for n in range(9))


def test_one_signal_has_all_tests_that_speak_for_the_same_visits(town: Town) -> None:
    live(town, [*QUIET_WEEK, 9], why="fever and cough")
    [signal] = found(town)
    assert {(e.where.stream, e.where.place) for e in signal.evidence} == {
        (stream, place) for stream in ("fever", "ili") for place in ("city", "district:D1")
    }
    assert signal.where.place == "district:D1"


def test_other_visits_at_the_same_time_are_another_signal(town: Town) -> None:
    town.put("Patient", "p2", patient("D2"))
    for past, number in enumerate([*QUIET_WEEK, 9]):
        day = FIRST + timedelta(days=past)
        town.put_all([("Encounter", f"a{day}-{n}", encounter(day)) for n in range(number)])
        rash = [encounter(day, who="p2", why="rash") for _ in range(number)]
        town.put_all([("Encounter", f"b{day}-{n}", each) for n, each in enumerate(rash)])
        town.close_day(day)
        town.follow()
    assert {signal.where.stream for signal in found(town)} == {"fever", "rash"}


def test_a_feed_or_all_visits_together_are_no_series_of_illness(town: Town) -> None:
    live(town, [*QUIET_WEEK, 9], why="headache")
    assert found(town) == []


def test_a_day_that_is_not_over_is_a_signal_once_its_visits_suffice(town: Town) -> None:
    day = live(town, QUIET_WEEK)
    town.put_all([("Encounter", f"x{n}", encounter(day)) for n in range(3)])
    assert found(town) == []
    town.put_all([("Encounter", f"x{n}", encounter(day)) for n in range(3, 9)])
    [signal] = found(town)
    assert (signal.status, signal.since, signal.observed) == ("opened", day, 9)
    [entry] = town.store.history("bs/Signal", signal.id)
    [cause] = town.store.entries((entry.cause or 0) - 1, limit=1)
    assert cause.id == "x8"
    town.put("Encounter", "x9", encounter(day))
    assert [s.observed for s in found(town)] == [9]  # told again when it has grown by a quarter, or by night
    town.close_day(day)
    assert [(s.id, s.observed) for s in found(town)] == [(signal.id, 10)]


def test_fewer_than_three_visits_are_no_signal(town: Town) -> None:
    live(town, [1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0])
    assert found(town) == []


def test_a_constant_baseline_gives_no_signal(town: Town) -> None:
    live(town, [4] * 7 + [9])
    for day in (TESTED + timedelta(days=1 + n) for n in range(7)):
        town.put_all([("Encounter", f"h{day}-{n}", encounter(day, why="headache")) for n in range(4)])
    live(town, [0] * 7 + [9], TESTED + timedelta(days=1))
    assert found(town) == []


def test_a_source_that_was_silent_makes_no_baseline_of_zeros(town: Town) -> None:
    live(town, [*QUIET_WEEK, *QUIET_WEEK, *[0] * 14, 2, 3, 1])
    assert found(town) == []


def test_a_baseline_begins_with_the_first_day_that_anybody_reported(town: Town) -> None:
    live(town, [1, 2, 1, 2, 1, 2, 9])
    assert found(town) == []


def test_days_without_cases_count_once_anybody_has_reported(town: Town) -> None:
    live(town, [1], why="headache")
    live(town, [0, 1, 0, 0, 1, 0, 9], FIRST + timedelta(days=1))
    assert [signal.since for signal in found(town)] == [TESTED]


def test_a_visit_dated_a_year_ago_makes_no_baseline_of_zeros(town: Town) -> None:
    town.put("Encounter", "typo", encounter(date(2025, 1, 5)))
    live(town, [1, 2, 1, 2, 1, 2, 9])
    assert found(town) == []


def test_alarm_days_close_together_are_one_signal_that_closes_after_three_quiet_days(town: Town) -> None:
    day = live(town, [*QUIET_WEEK, 9, 2, 30])
    [signal] = found(town)
    assert (signal.status, signal.since, signal.until) == ("growing", TESTED, TESTED + timedelta(days=2))
    assert (signal.observed, len(those_of(signal))) == (39, 2)
    day = live(town, [2, 2], day)
    assert status(town) == ["fading"]
    live(town, [2], day)
    assert status(town) == ["closed"]


def test_an_alarm_after_a_longer_pause_is_another_signal(town: Town) -> None:
    live(town, [*QUIET_WEEK, 9, 2, 2, 2, 60])
    assert status(town) == ["closed", "opened"]


def test_a_signal_is_emitted_once_and_again_only_when_it_changes(town: Town) -> None:
    live(town, [*QUIET_WEEK, 9, 2, 2, 2, 2, 2])
    [signal] = found(town)
    history = town.store.history("bs/Signal", signal.id)
    assert [records.decode(entry.body or b"").status for entry in history] == [
        "opened", "fading", "closed",
    ]  # type: ignore[union-attr]  # fmt: skip
    assert {entry.source for entry in history} == {"surveillance.tests@2"}


def test_an_emission_names_the_entry_that_it_was_made_from(town: Town) -> None:
    live(town, [*QUIET_WEEK, 9])
    [signal] = found(town)
    [entry] = town.store.history("bs/Signal", signal.id)
    cause = next(e for e in town.store.entries(0, types=["bs/Timer"]) if e.seq == entry.cause)
    assert cause.id == f"day-closed-{TESTED}"
    assert entry.key.startswith(f"{cause.seq}:")


def test_a_cancellation_after_the_fact_withdraws_a_signal(town: Town) -> None:
    live(town, [*QUIET_WEEK, 6])
    assert status(town) == ["opened"]
    town.put("Encounter", f"f{TESTED}-0", encounter(TESTED, status="cancelled"))
    town.put("Encounter", f"f{TESTED}-1", encounter(TESTED, status="entered-in-error"))
    [signal] = found(town)
    assert (signal.status, signal.observed, signal.evidence) == ("withdrawn", 6, ())  # as last told
    assert (signal.since, signal.until) == (TESTED, TESTED)


def test_a_signal_that_was_withdrawn_comes_back_as_itself(town: Town) -> None:
    live(town, [*QUIET_WEEK, 5])
    [signal] = found(town)
    town.put("Encounter", f"f{TESTED}-0", None)
    assert status(town) == ["withdrawn"]
    town.put("Encounter", "late", encounter(TESTED))
    assert [(s.id, s.status) for s in found(town)] == [(signal.id, "opened")]


def test_visits_that_come_after_their_day_was_closed_raise_a_signal_at_once(town: Town) -> None:
    live(town, [*QUIET_WEEK, 4, 2])
    assert found(town) == []
    town.put_all([("Encounter", f"late{n}", encounter(TESTED)) for n in range(5)])
    [signal] = found(town)
    assert (signal.since, signal.observed) == (TESTED, 9)


def test_a_correction_of_the_baseline_moves_what_was_above_it(town: Town) -> None:
    live(town, [*QUIET_WEEK, 6])
    assert status(town) == ["opened"]
    town.put_all([("Encounter", f"late{n}", encounter(FIRST)) for n in range(9)])
    assert status(town) == ["withdrawn"]


def test_a_corrected_date_moves_a_signal_to_another_day(town: Town) -> None:
    live(town, [*QUIET_WEEK, 9, 1])
    [signal] = found(town)
    moved = TESTED + timedelta(days=1)
    town.put_all([("Encounter", f"f{TESTED}-{n}", encounter(moved)) for n in range(9)])
    assert [(s.id, s.since, s.until) for s in found(town)] == [(signal.id, moved, moved)]


def test_a_merge_moves_the_tests_of_a_signal_to_the_survivors_district(town: Town) -> None:
    live(town, [*QUIET_WEEK, 9])
    town.put("Patient", "p2", patient("D2"))
    town.put("Patient", "p1", patient("D1", into="p2"))
    [signal] = found(town)
    assert (signal.status, signal.observed) == ("opened", 9)
    assert not those_of(signal, "district:D1")
    assert [len(e.visits) for place in ("city", "district:D2") for e in those_of(signal, place)] == [9, 9]


def test_another_visit_in_place_of_one_changes_the_evidence(town: Town) -> None:
    live(town, [*QUIET_WEEK, 9])
    gone, new = ("Encounter", f"f{TESTED}-0", None), ("Encounter", "other", encounter(TESTED))
    town.put_all([gone, new])
    [signal] = found(town)
    assert signal.observed == 9
    assert "other" in signal.evidence[0].visits
    assert f"f{TESTED}-0" not in signal.evidence[0].visits


def test_evidence_names_at_most_500_visits_and_says_how_many_there_were(town: Town) -> None:
    live(town, [*QUIET_WEEK, 510])
    [signal] = found(town)
    assert (signal.evidence[0].observed, len(signal.evidence[0].visits)) == (510, 500)


def test_what_an_officer_has_verified_stays_while_the_evidence_grows(town: Town) -> None:
    day = live(town, [*QUIET_WEEK, 9])
    [signal] = found(town)
    said = judged(town, signal, at=day).verdict
    live(town, [40, 2, 2, 2, 2], day)
    [signal] = found(town)
    assert (signal.state, signal.verdict, len(those_of(signal))) == ("verified", said, 2)
    town.put_all([("Encounter", f"f{day}-{n}", None) for n in range(40)])
    town.put_all([("Encounter", f"f{TESTED}-{n}", None) for n in range(9)])
    [signal] = found(town)
    assert (signal.state, signal.status, signal.evidence) == ("verified", "withdrawn", ())


def test_what_comes_after_a_dismissal_is_another_signal(town: Town) -> None:
    day = live(town, [*QUIET_WEEK, 9])
    [signal] = found(town)
    judged(town, signal, "dismissed", at=TESTED)
    live(town, [40], day)
    assert [(s.id == signal.id, s.state, s.since) for s in found(town)] == [
        (True, "dismissed", TESTED), (False, "opened", day),
    ]  # fmt: skip


def test_a_verdict_that_crossed_an_emission_is_restored(town: Town) -> None:
    live(town, [*QUIET_WEEK, 9])
    [signal] = found(town)
    said = judged(town, signal)
    town.put_record(msgspec.structs.replace(signal, observed=10), source="surveillance.tests@2")
    assert found(town) == [said]
    newest = town.store.current("bs/Signal", signal.id)
    assert newest is not None
    assert records.decode(newest.body or b"") == said


def test_an_officer_may_take_a_verdict_back(town: Town) -> None:
    live(town, [*QUIET_WEEK, 9])
    [signal] = found(town)
    judged(town, signal, "dismissed")
    assert [s.state for s in found(town)] == ["dismissed"]
    town.put_record(signal)
    assert [s.state for s in found(town)] == ["opened"]


def test_signals_of_other_methods_are_left_alone(town: Town) -> None:
    live(town, [*QUIET_WEEK, 2])
    other = Signal(
        id="theirs", status="opened", since=TESTED, until=TESTED, observed=2, expected=1.0,
        where=records.Stratum(stream="fever", place="city"),
    )  # fmt: skip
    town.put_record(other, source="scan@1")
    live(town, [2, 2, 2, 2, 2], TESTED + timedelta(days=1))
    assert found(town) == [other]


def test_a_rebuild_of_the_counts_emits_nothing_and_leaves_the_tables_as_they_were(town: Town) -> None:
    live(town, [*QUIET_WEEK, 9, 2, 30, 1, 1])
    town.put("Encounter", "late", encounter(TESTED))
    town.follow()
    before, head = town.tables(), town.store.head()
    town.rebuild()
    town.follow()
    assert (town.tables(), town.store.head()) == (before, head)


def test_a_hub_that_stopped_between_the_counts_and_the_tests_emits_what_was_missing_once(town: Town) -> None:
    day = live(town, QUIET_WEEK)
    town.put_all([("Encounter", f"x{n}", encounter(day)) for n in range(9)])
    town.close_day(day)
    only_counts = Followers.begun(town.store, town.committer, [town.projection])
    while only_counts.step():
        pass
    assert surveillance.signals(town.store) == []
    town.open()
    assert status(town) == ["opened"]
    head = town.store.head()
    town.open()
    town.follow()
    assert town.store.head() == head


def test_the_same_entries_and_tables_give_the_same_emissions(town: Town) -> None:
    day = live(town, QUIET_WEEK)
    town.put_all([("Encounter", f"x{n}", encounter(day)) for n in range(9)])
    town.close_day(day)
    only_counts = Followers.begun(town.store, town.committer, [town.projection])
    while only_counts.step():
        pass
    entries = town.store.entries(town.store.cursors()["surveillance.tests"].seq)
    reactor = surveillance.Tests(town.projection, WEEKLY_C1)
    first, second = reactor.react(entries, town.store), reactor.react(entries, town.store)
    assert first == second
    assert len(first) == 1


def test_a_whole_history_that_comes_before_the_first_closing_is_tested_with_it(town: Town) -> None:
    for past, number in enumerate([*QUIET_WEEK, 9]):
        day = FIRST + timedelta(days=past)
        town.put_all([("Encounter", f"{day}-{n}", encounter(day)) for n in range(number)])
    town.close_day(date(2026, 3, 1))
    assert [(s.status, s.since) for s in found(town)] == [("closed", TESTED)]


def test_a_history_that_comes_long_after_is_tested_as_it_comes(town: Town) -> None:
    town.close_day(date(2026, 3, 1))
    for past, number in enumerate([*QUIET_WEEK, 9]):
        day = FIRST + timedelta(days=past)
        town.put_all([("Encounter", f"{day}-{n}", encounter(day)) for n in range(number)])
    assert [(s.status, s.since) for s in found(town)] == [("closed", TESTED)]


def test_a_first_report_that_comes_late_completes_baselines_with_the_next_closing(town: Town) -> None:
    today = live(town, [1, 2, 1, 2, 1, 2, 9], FIRST + timedelta(days=1))
    town.put("Encounter", "first", encounter(FIRST, why="headache"))
    assert found(town) == []
    town.close_day(today)
    assert [signal.since for signal in found(town)] == [TESTED]


@pytest.fixture
def by_ears(tmp_path: Path) -> Iterator[Town]:
    """Return a town that is tested by EARS C2 with its usual baselines."""
    rule = surveillance.Rule(method="C2")
    town = Town(tmp_path / "ears.db", lambda counts: [surveillance.Tests(counts, rule)])
    yield town
    town.close()


def test_the_two_days_before_a_day_are_not_in_the_baseline_of_c2(by_ears: Town) -> None:
    live(by_ears, [*QUIET_WEEK, 5, 5, 9])
    [signal] = found(by_ears)
    assert [(e.day, e.expected, e.method) for e in those_of(signal)] == [
        (FIRST + timedelta(days=9), 2.0, "EARS C2, baseline of 7 days")
    ]


def test_a_baseline_grows_from_one_week_to_four(by_ears: Town) -> None:
    bursts = [*QUIET_WEEK, 2, 2, 14, *QUIET_WEEK, *QUIET_WEEK, 40, *QUIET_WEEK, *QUIET_WEEK, 99]
    live(by_ears, bursts)
    methods = [signal.evidence[0].method for signal in found(by_ears)]
    assert methods == [f"EARS C2, baseline of {days} days" for days in (7, 14, 28)]


@pytest.mark.parametrize(
    "wrong", [{"method": "C4"}, {"minimum": 0}, {"baseline": 2}, {"alpha": 1.5}, {"history": 0}]
)
def test_a_setting_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must (be|lie)"):
        surveillance.Rule(**wrong)  # type: ignore[arg-type]


def test_an_id_is_a_uuid_that_follows_from_its_cause() -> None:
    ids = {signal_id(cause, ordinal) for cause in range(50) for ordinal in range(3)}
    assert len(ids) == 150
    assert {(uuid.UUID(id).version, uuid.UUID(id).variant) for id in ids} == {(8, uuid.RFC_4122)}
    assert signal_id(7, 1) == signal_id(7, 1)


@pytest.fixture
def unset(tmp_path: Path) -> Iterator[Town]:
    """Return a town that is tested by default: by detect, within a budget."""
    town = Town(tmp_path / "default.db", lambda counts: [surveillance.Tests(counts)])
    town.put("Patient", "p1", patient("D1"))
    yield town
    town.close()


def test_by_default_evidence_of_several_days_adds_up(unset: Town) -> None:
    live(unset, [*QUIET_WEEK * 4, 3, 6, 8, 9, 9, 9])
    [signal] = found(unset)
    assert signal.status == "growing"
    assert {each.method for each in signal.evidence} == {"evidence over the newest days (detect)"}
    newest = those_of(signal)[-1]
    assert newest.observed > newest.upper
    assert newest.chance is not None
    assert newest.chance < 0.01


def test_a_dismissal_makes_the_tests_of_its_syndrome_stricter(unset: Town) -> None:
    live(unset, [*QUIET_WEEK * 4, 15, 2, 2, 2, 2])
    [signal] = found(unset)
    for number in range(8):
        judged(unset, msgspec.structs.replace(signal, id=f"another-{number}"), "dismissed")
    unset.follow()
    budget, held = surveillance.Budget(1.0), surveillance.signals(unset.store)
    corrected = budget.corrections(held, 14, {"fever", "rash"})
    assert corrected["rash"] == 1.0
    assert corrected["fever"] > 4.0
    assert budget.corrections([], 14, {"fever"}) == {"fever": 1.0}
