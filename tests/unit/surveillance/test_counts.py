from __future__ import annotations

import logging
from datetime import date, timedelta

import msgspec
import pytest

from broadstreet.model import records
from broadstreet.model.records import Signal, Stratum, Timer, Verdict
from broadstreet.workflows.surveillance.days import city_day, date_of, number_of
from broadstreet.workflows.surveillance.tables import CHANGED, CLOSED, FACILITY, FINDING, SIGNAL

from .conftest import FIRST, ZONE, Town, diagnosis, encounter, patient, temperature

NEXT = FIRST + timedelta(days=1)


def under(counts: dict[tuple[str, str, date], int], stream: str = "visits") -> set[str]:
    return {place for (name, place, _), _ in counts.items() if name == stream}


def test_a_visit_counts_under_its_home_district_its_facility_and_the_city(town: Town) -> None:
    town.put("Patient", "p1", patient("D7"))
    town.put("Encounter", "e1", encounter(why="headache"))
    assert town.counts() == {("visits", place, FIRST): 1 for place in ("city", "district:D7", "facility:c1")}


def test_each_syndrome_is_a_stream_beside_all_visits(town: Town) -> None:
    town.put("Encounter", "e1", encounter(why="fever and cough"))
    assert {stream for stream, _, _ in town.counts()} == {"visits", "fever", "ili"}


def test_the_postal_code_is_home_where_no_district_is_known(town: Town) -> None:
    town.put("Patient", "p1", {"address": [{"postalCode": " 11229 "}]})
    town.put("Encounter", "e1", encounter())
    assert "district:11229" in under(town.counts())


def test_a_visit_without_a_known_home_counts_in_the_city_and_its_facility(town: Town) -> None:
    town.put("Encounter", "e1", encounter())
    assert under(town.counts()) == {"city", "facility:c1"}


def test_a_visit_counts_on_the_citys_day(town: Town) -> None:
    town.put("Encounter", "e1", encounter(period={"start": "2026-01-05T15:30:00Z"}))
    assert {day for _, _, day in town.counts()} == {date(2026, 1, 6)}


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_a_visit_that_is_cancelled_counts_nowhere(town: Town, status: str) -> None:
    town.put("Patient", "p1", patient())
    town.put("Encounter", "e1", encounter())
    assert town.counts()
    town.put("Encounter", "e1", encounter(status=status))
    assert town.counts() == {}


def test_a_deleted_visit_counts_nowhere(town: Town) -> None:
    town.put("Encounter", "e1", encounter())
    assert town.counts()
    town.put("Encounter", "e1", None)
    assert town.counts() == {}


def test_a_corrected_date_moves_a_visit_to_another_day(town: Town) -> None:
    town.put("Encounter", "e1", encounter(FIRST))
    town.counts()
    town.put("Encounter", "e1", encounter(NEXT))
    assert {day for _, _, day in town.counts()} == {NEXT}


def test_a_diagnosis_may_come_before_its_visit(town: Town) -> None:
    town.put("Condition", "d1", diagnosis("R50.9"))
    town.follow()
    town.put("Encounter", "e1", encounter(why="cough"))
    assert town.counts()["ili", "city", FIRST] == 1


def test_a_diagnosis_entered_in_error_says_nothing(town: Town) -> None:
    town.put("Encounter", "e1", encounter(why="headache"))
    town.put("Condition", "d1", diagnosis("R50.9"))
    assert town.counts()["fever", "city", FIRST] == 1
    wrong = {"coding": [{"code": "entered-in-error"}]}
    town.put("Condition", "d1", diagnosis("R50.9", verificationStatus=wrong))
    assert under(town.counts(), "fever") == set()


def test_a_diagnosis_that_was_sent_for_the_wrong_visit_moves(town: Town) -> None:
    town.put("Encounter", "e1", encounter(FIRST, why="headache"))
    town.put("Encounter", "e2", encounter(NEXT, why="headache"))
    town.put("Condition", "d1", diagnosis("R50.9", "e1"))
    town.counts()
    town.put("Condition", "d1", diagnosis("R50.9", "e2"))
    assert {day for stream, _, day in town.counts() if stream == "fever"} == {NEXT}


def test_codes_of_other_systems_are_no_diagnoses(town: Town) -> None:
    town.put("Encounter", "e1", encounter(why="headache"))
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "R50.9"}]}
    town.put("Condition", "d1", {**diagnosis(""), "code": code})
    assert under(town.counts(), "fever") == set()


def test_the_words_of_a_diagnosis_count_where_it_has_no_code(town: Town) -> None:
    town.put("Encounter", "e1", encounter(why="headache"))
    town.put("Condition", "d1", {**diagnosis(""), "code": {"text": "fever of unknown origin"}})
    assert town.counts()["fever", "city", FIRST] == 1


@pytest.mark.parametrize(
    ("value", "unit", "fever"),
    [
        (38.0, "Cel", True), (37.9, "Cel", False), (100.4, "[degF]", True), (100.3, "[degF]", False),
        (101.0, "Cel", False), (39.0, "K", False),
    ],
)  # fmt: skip
def test_a_body_temperature_of_38_degrees_is_a_fever(
    town: Town, value: float, unit: str, fever: bool
) -> None:
    town.put("Encounter", "e1", encounter(why="cough"))
    town.put("Observation", "t1", temperature(value, unit))
    assert (("fever", "city", FIRST) in town.counts()) is fever


def test_a_temperature_that_is_corrected_downwards_takes_the_fever_back(town: Town) -> None:
    town.put("Encounter", "e1", encounter(why="cough"))
    town.put("Observation", "t1", temperature(39.5))
    assert town.counts()["ili", "city", FIRST] == 1
    town.put("Observation", "t1", temperature(36.5))
    assert under(town.counts(), "ili") == set()
    assert town.store.select(FINDING) == []


def test_a_new_address_moves_all_visits_of_the_patient(town: Town) -> None:
    town.put("Patient", "p1", patient("D1"))
    town.put_all([("Encounter", f"e{n}", encounter(FIRST + timedelta(days=n))) for n in range(3)])
    town.counts()
    town.put("Patient", "p1", patient("D2"))
    assert under(town.counts()) == {"city", "district:D2", "facility:c1"}


def test_after_a_merge_the_losers_visits_take_the_survivors_home(town: Town) -> None:
    town.put_all([("Patient", "p1", patient("D1")), ("Patient", "p2", patient("D2"))])
    town.put("Encounter", "e1", encounter(who="p1"))
    assert "district:D1" in under(town.counts())
    town.put("Patient", "p1", patient("D1", into="p2"))
    assert under(town.counts()) == {"city", "district:D2", "facility:c1"}
    town.put("Patient", "p2", patient("D3"))
    assert under(town.counts()) == {"city", "district:D3", "facility:c1"}


def test_a_chain_of_merges_ends_at_its_last_record_and_a_ring_does_not_hang(town: Town) -> None:
    homes = {"p1": ("D1", "p2"), "p2": ("D2", "p3"), "p3": ("D3", None)}
    town.put_all([("Patient", id, patient(*home)) for id, home in homes.items()])
    town.put("Encounter", "e1", encounter())
    assert "district:D3" in under(town.counts())
    town.put("Patient", "p3", patient("D4"))
    assert "district:D4" in under(town.counts())
    town.put("Patient", "p3", patient("D4", into="p1"))
    assert len(under(town.counts())) == 3


def test_a_facility_is_counted_by_its_id_and_known_by_its_name(town: Town) -> None:
    town.put("Organization", "c1", {"name": "Harbour Clinic"})
    town.follow()
    assert town.store.select(FACILITY) == [("c1", "Harbour Clinic")]


def test_a_body_that_cannot_be_read_counts_nowhere_and_stops_nothing(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        town.put("Encounter", "bad", {"period": 7})
        town.put("Encounter", "e1", encounter())
        assert town.counts()["visits", "city", FIRST] == 1
    assert "cannot be counted" in caplog.text


def test_what_is_to_be_tested_again_is_marked_with_the_entry_that_changed_it(town: Town) -> None:
    town.put("Encounter", "e0", encounter(FIRST + timedelta(days=1)))
    town.follow()
    assert town.store.select(CHANGED) == []
    town.close_day(FIRST)
    town.put("Encounter", "e1", encounter(FIRST + timedelta(days=9)))
    town.follow()
    assert town.store.select(CHANGED) == []
    town.put_all([("Encounter", "e2", encounter(FIRST)), ("Encounter", "e3", encounter(FIRST))])
    town.follow()
    changed = {row[:2]: row[4] for row in town.store.select(CHANGED)}
    assert changed == {  # the city's first visit of a day, once; of the source each
        ("fever", "city"): 5, ("visits", "city"): 4, ("visits", "facility:c1"): 5,
    }  # fmt: skip


def test_each_stratum_of_a_day_begins_by_itself(town: Town) -> None:
    """The day has a visit of somebody whose age is not known: it begins for a band of ages, not for all."""
    town.put("Encounter", "e1", encounter(FIRST, why="headache"))
    town.close_day(FIRST)
    town.put("Patient", "p2", {"birthDate": "1990-01-01"})
    town.put("Encounter", "e2", encounter(FIRST, who="p2", why="headache"))
    town.follow()
    changed = {row[:3] for row in town.store.select(CHANGED)}
    assert changed == {("visits", "city", "age:18-64"), ("visits", "facility:c1", "all")}


def test_what_was_marked_is_forgotten_after_the_second_closing(town: Town) -> None:
    town.close_day(FIRST)
    town.put("Encounter", "e1", encounter(FIRST))
    town.close_day(NEXT)
    town.follow()
    assert town.store.select(CHANGED) != []
    town.close_day(NEXT + timedelta(days=1))
    town.follow()
    assert town.store.select(CHANGED) == []


def test_other_timers_close_no_day(town: Town) -> None:
    due = town.clock.now()
    town.put_record(Timer(id="t1", name="review", due=due, status="due", day=FIRST))
    town.put_record(Timer(id="t2", name="day-closed", due=due, status="waiting", day=FIRST))
    town.follow()
    assert town.store.select(CLOSED) == []


def test_signals_of_others_are_known_with_their_verdict(town: Town) -> None:
    verdict = Verdict(finding="verified", by="kim", at=town.clock.now(), reason="seen at the clinic")
    signal = Signal(
        id="s1", status="growing", where=Stratum(stream="fever", place="city"),
        since=FIRST, until=NEXT, observed=9, expected=2.5, verdict=verdict,
    )  # fmt: skip
    town.put_record(signal)
    town.follow()
    [row] = town.store.select(SIGNAL)
    assert row[1:8] == ("fever", "city", "all", number_of(FIRST), number_of(NEXT), "growing", "verified")
    assert msgspec.json.decode(str(row[8]), type=Verdict) == verdict
    assert row[9] == "officer"
    assert records.decode(row[10]) == signal  # type: ignore[arg-type]


def test_a_rebuild_gives_the_tables_that_were_there(town: Town) -> None:
    town.put_all([("Patient", "p1", patient("D1")), ("Patient", "p2", patient("D2"))])
    for number in range(6):
        day = FIRST + timedelta(days=number)
        town.put_all([("Encounter", f"e{number}", encounter(day, who=f"p{number % 2 + 1}"))])
        town.close_day(day)
        town.put("Encounter", f"late{number}", encounter(FIRST))
        town.follow()
    before = town.tables()
    assert before[CHANGED.name]
    town.rebuild()
    assert town.tables() == before


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-01-05", "2026-01-05"),
        ("2026-01-05T23:59:60+09:00", "2026-01-05"),
        ("2026-01-05T23:59:59.999+09:00", "2026-01-05"),
        ("2026-01-05T10:00:00", "2026-01-05"),
        ("2026-01-05T20:00:00-05:00", "2026-01-06"),
        ("2026-01", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("2026-13-45", None),
        ("2026-01-05Tnoon", None),
        (None, None),
    ],
)
def test_the_citys_day_of_a_moment(moment: str | None, day: str | None) -> None:
    found = city_day(moment, ZONE)
    assert (None if found is None else date_of(found).isoformat()) == day
