"""The card of a signal: what it says, and what it admits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from datetime import time as moment
from pathlib import Path

import msgspec
import pytest

from broadstreet.app.card.page import page
from broadstreet.app.card.text import text_of
from broadstreet.model.records import Verdict
from broadstreet.workflows import surveillance
from broadstreet.workflows.surveillance.card import Card
from broadstreet.workflows.surveillance.card.telling import outcome

from .conftest import FIRST, ZONE, Town, encounter, patient
from .risen import USUAL, card, one, town_with_a_rise, town_with_an_area


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = town_with_a_rise(tmp_path / "log.db")
    yield town
    town.close()


def test_the_first_lines_say_what_where_how_many_and_how_sure(town: Town) -> None:
    told = card(town)
    assert told.title == "Fever: more visits than expected in Riverside (D1)"
    assert told.lead.startswith("On 2 February 2026: 14 visits, 2.0 expected.")
    assert told.lead.endswith(f"It has just opened. The evidence is {told.sureness}.")


def test_each_number_leads_back_to_entries(town: Town) -> None:
    told = card(town)
    log = {entry.seq: entry for entry in town.store.entries(0, limit=1_000)}
    assert [log[seq].type for seq in told.origin.signal] == ["bs/Signal"] * len(told.origin.signal)
    assert {log[seq].type for seq in told.origin.causes} <= {"bs/Timer", "fhir/Encounter"}
    assert told.origin.counts == "fever / district:D1 / all"


def test_what_is_observed_stands_beside_what_was_expected_each_day(town: Town) -> None:
    told = card(town)
    newest = told.series[-1]
    assert (newest.observed, newest.alarm) == (14, True)
    assert newest.expected is not None
    assert newest.expected < 4
    assert [point.observed for point in told.series[:7]] == list(USUAL)


def test_clinics_ages_and_districts_are_told_with_their_usual_numbers(town: Town) -> None:
    told = card(town)
    [source] = told.sources
    assert (source.name, source.observed) == ("<b>Harbour</b> Clinic", 14)
    assert source.usual == pytest.approx(2.0, abs=0.1)
    assert [(band.name, band.observed) for band in told.ages if band.observed] == [("ages 18-64", 14)]
    assert [(spot.name, spot.observed, spot.inside) for spot in told.spots] == [("Riverside", 14, True)]


def test_what_the_data_cannot_show_is_said(town: Town) -> None:
    words = {limit.partition(":")[0] for limit in card(town).limits}
    assert {"Delay", "Denominators", "Coding", "Small counts", "Short history", "Place"} <= words


def test_without_an_earlier_signal_the_answer_is_none_yet(town: Town) -> None:
    assert card(town).past == ()
    assert "none yet" in text_of(card(town))
    assert "None yet." in page(card(town))


def test_an_earlier_signal_tells_what_it_turned_out_to_be(town: Town) -> None:
    signal = one(town)
    at = datetime.combine(signal.until, moment(12), ZONE)
    said = Verdict(finding="dismissed", by="kim", at=at, reason="a school's excursion")
    town.put_record(msgspec.structs.replace(signal, verdict=said))
    for number, visits in enumerate((*USUAL, *USUAL, 19), start=29):
        day = FIRST + timedelta(days=number)
        town.put_all([("Encounter", f"e{number}-{n}", encounter(day)) for n in range(visits)])
        town.close_day(day)
        town.follow()
    [past] = card(town).past
    assert past.outcome == "dismissed by kim: a school's excursion"


def test_a_verdict_is_dated_by_the_clocks_of_the_city(town: Town) -> None:
    signal = one(town)
    said = Verdict(finding="verified", by="kim", at=datetime(2026, 2, 2, 15, tzinfo=UTC), reason="called")
    town.put_record(msgspec.structs.replace(signal, verdict=said))
    town.follow()
    told = "verified by kim on 2026-02-03 00:00: called"
    assert told in text_of(card(town))
    assert told in page(card(town))


def test_a_signal_that_corrections_ended_keeps_the_numbers_it_was_told_with(town: Town) -> None:
    day = one(town).until
    cancelled = [("Encounter", f"e28-{n}", encounter(day, status="cancelled")) for n in range(14)]
    town.put_all(cancelled)
    town.follow()
    told = card(town)
    assert told.status == "withdrawn"
    assert told.lead == (
        "On 2 February 2026: 14 visits, 2.0 expected when it was last told. Visits that were corrected, or"
        " came later, have taken its evidence away."
    )
    assert told.reasons == ("Nothing speaks for it any more.",)
    assert "Which tests agree: none any more." in text_of(told)
    assert "<p>None any more.</p>" in page(told)


def test_a_signal_that_became_part_of_another_names_that_one(town: Town) -> None:
    into = one(town)
    gone = msgspec.structs.replace(into, id="0" * 36, status="withdrawn", evidence=(), joined=into.id)
    town.put_record(gone)
    town.follow()
    told = card(town, gone)
    short = into.id[-12:]
    assert f"It became part of signal {short} (Fever: more visits than expected in Riverside" in told.lead
    assert "orrect" not in told.lead
    assert f"Officers: judge the signal that it became part of, {short}." in text_of(told)
    assert f"broadstreet card {short}" in page(told)
    assert "signals dismiss" not in page(told)


def test_a_source_whose_visits_came_later_is_told_with_what_was_missing_then(tmp_path: Path) -> None:
    town = Town(tmp_path / "log.db", lambda counts: [surveillance.Tests(counts)])
    town.put("Patient", "p1", patient("D1"))
    for number in range(29):
        day = FIRST + timedelta(days=number)
        busy = 0 if number == 28 else 10 + number % 3
        town.put_all([("Encounter", f"s{number}-{n}", encounter(day, where="small")) for n in range(4)])
        town.put_all([("Encounter", f"b{number}-{n}", encounter(day, where="busy")) for n in range(busy)])
        town.close_day(day)
        town.follow()
    town.put_all([("Encounter", f"late-{n}", encounter(day, where="busy")) for n in range(11)])
    town.follow()
    [signal] = surveillance.signals(town.store)
    told = card(town, signal)
    assert (told.status, told.observed, round(told.expected)) == ("withdrawn", 0, 11)
    assert told.lead == (
        "On 2 February 2026: 0 visits, 11 expected when it was last told. With what has come since, it"
        " is not silent any more."
    )
    assert outcome(signal) == "reported later"
    town.close()


def test_an_area_is_charted_by_its_own_districts_together_and_names_them(tmp_path: Path) -> None:
    town, signal = town_with_an_area(tmp_path / "log.db")
    told = card(town, signal)
    assert told.districts == ("Riverside (D1)", "Old Town (D2)")
    assert "The area is 2 districts together: Riverside (D1) and Old Town (D2)." in told.lead
    assert told.origin.counts == "fever / district:D1 + district:D2 / all"
    assert [point.observed for point in told.series[-4:]] == [6, 10, 12, 10]
    assert [point.alarm for point in told.series[-4:]] == [False, True, True, True]
    assert "fever, the area around Riverside (D1) (Riverside (D1) and Old Town (D2) together)" in page(told)
    assert "the area around Riverside (D1): Riverside (D1) and Old Town (D2), everybody" in text_of(told)
    town.close()


def test_an_area_of_one_district_is_called_by_its_name(tmp_path: Path) -> None:
    town, signal = town_with_an_area(tmp_path / "log.db")
    [found] = signal.evidence
    alone = msgspec.structs.replace(found, places=("D1",))
    told = card(town, msgspec.structs.replace(signal, evidence=(alone,)))
    assert told.where == "Riverside (D1)"
    assert told.title == "Fever: more visits than expected in Riverside (D1)"
    town.close()


def test_every_number_of_a_card_adds_up_to_the_one_at_the_top(tmp_path: Path) -> None:
    town, signal = town_with_an_area(tmp_path / "log.db")
    told = card(town, signal)
    assert told.observed == 32
    assert [day.day for day in told.days] == [2, 3, 4]
    assert sum(source.observed for source in told.sources) == 32
    assert sum(spot.observed for spot in told.spots if spot.inside) == 32
    assert sum(point.observed for point in told.series if point.alarm) == 32
    assert [each.observed for each in told.agreements] == [32]
    assert [(spot.code, spot.inside) for spot in told.spots] == [("D1", True), ("D2", True), ("D3", False)]
    text = page(told)
    assert (
        "Both tables count the same 32 visits: fever, the area around Riverside (D1), 2 to 4 February" in text
    )
    assert "Solid ring: what the numbers at the top count, together 32." in text
    assert "on the red days; the 20 at the top are by the scan" in text
    town.close()


def test_what_came_since_the_tests_is_said(tmp_path: Path) -> None:
    town, signal = town_with_an_area(tmp_path / "log.db")
    town.put("Encounter", "late", encounter(signal.until, who="p2"))
    town.follow()
    told = card(town, signal)
    assert sum(source.observed for source in told.sources) == 33
    assert any(limit.startswith("Changes: the tests counted 32 visits.") for limit in told.limits)
    assert "same place and days have 33" in text_of(told)
    town.close()


def test_a_card_is_data_that_comes_back_as_it_was(town: Town) -> None:
    told = card(town)
    assert msgspec.json.decode(msgspec.json.encode(told), type=Card) == told


def test_the_page_shows_names_as_text_and_loads_nothing(town: Town) -> None:
    text = page(card(town))
    assert "&lt;b&gt;Harbour&lt;/b&gt; Clinic" in text
    assert "<b>Harbour" not in text
    assert "http://" not in text
    assert "https://" not in text
    assert "<script" not in text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "got nothing"),
        ("name,x\n", "expected a header"),
        ("code,x,y\nD1,1,far\n", "line 2, y: expected a number, got 'far'"),
        ("code,x,y\nD1,1,2\nD1,1,2\n", "line 3: the code 'D1' came before"),
        ("code,lat,lon\nD1,99,2\n", "a latitude and a longitude"),
        ("code,x,y\n,1,2\n", "expected a code, got none"),
        ("code,x,y\nD1,nan,2\n", "expected a number"),
    ],
)
def test_a_table_of_places_that_cannot_be_used_says_where_and_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r"places\.csv") as raised:
        surveillance.read_places(text, "places.csv")
    assert why in str(raised.value)
