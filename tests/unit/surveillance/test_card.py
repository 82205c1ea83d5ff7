"""The card of a signal: what it says, and what it admits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from datetime import time as moment
from pathlib import Path

import msgspec
import pytest

from broadstreet.app.card.page import page
from broadstreet.app.card.text import text_of
from broadstreet.model.records import Verdict
from broadstreet.workflows import surveillance
from broadstreet.workflows.surveillance.card import Card

from .conftest import FIRST, ZONE, Town, encounter
from .risen import USUAL, card, one, town_with_a_rise


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
