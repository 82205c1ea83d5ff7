from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from broadstreet.app.replay.parcel import NothingToSend
from broadstreet.app.replay.satscan import is_satscan, parcels
from broadstreet.connectors.hl7v2.message import Message

NEW_YORK = ZoneInfo("America/New_York")


def folder(path: Path, cases: str, places: str = "10001 40.7 -73.9\n10002 40.8 -74.0\n") -> Path:
    (path / "fever.cas").write_text(cases)
    (path / "fever.geo").write_text(places)
    return path


def test_each_case_becomes_one_registration_at_its_place_on_its_day(tmp_path: Path) -> None:
    found = parcels(folder(tmp_path, "10002\t1\t2001/11/22\n10001\t2\t2001/11/13\n"), NEW_YORK)
    assert [parcel.day for parcel in found] == [date(2001, 11, 13)] * 2 + [date(2001, 11, 22)]
    messages = [Message.parse(parcel.message) for parcel in found]
    assert [message.value("PID-11.5") for message in messages] == ["10001", "10001", "10002"]
    first = messages[0]
    assert first.kind == ("ADT", "A04")
    assert first.value("PV2-3.2") == "fever"
    assert first.value("PV1-44") == "20011113120000-0500"
    assert first.sender == ("SATSCAN REPLAY", "REPLAY OF fever")
    assert len({message.control_id for message in messages}) == 3
    assert len({message.value("PID-3.1") for message in messages}) == 3


def test_the_messages_of_the_same_files_are_the_same(tmp_path: Path) -> None:
    source = folder(tmp_path, "10002 1 2001/11/22\n10001 2 2001/11/13\n")
    assert parcels(source, NEW_YORK) == parcels(source, NEW_YORK)


def test_the_fever_visits_of_new_york_are_194(shared: Path) -> None:
    source = shared / "data" / "nyc_fever_2001"
    assert is_satscan(source)
    found = parcels(source, NEW_YORK)
    assert len(found) == 194
    assert (found[0].day, found[-1].day) == (date(2001, 11, 1), date(2001, 11, 24))


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        ("10001 1 2001/11/22\n10009 1 2001/11/22", "fever.cas, line 2: expected a location of the"),
        ("10001 x 2001/11/22", "fever.cas, line 1: expected a number of cases, got 'x'"),
        ("10001 -1 2001/11/22", "fever.cas, line 1: expected a number of cases, got '-1'"),
        ("10001 1 2001/13/22", "fever.cas, line 1: expected a date such as 2001/11/22, got '2001/13/22'"),
        ("10001 1", "fever.cas, line 1: expected location, number of cases and date, got '10001 1'"),
        ("", "expected cases in the *.cas files"),
        ("10001 999999999 2001/11/22", "expected at most 5,000,000 cases"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, cases: str, said: str) -> None:
    with pytest.raises(NothingToSend) as caught:
        parcels(folder(tmp_path, cases), NEW_YORK)
    assert said in str(caught.value)


def test_without_coordinates_every_place_is_taken(tmp_path: Path) -> None:
    assert len(parcels(folder(tmp_path, "anywhere 1 2001-11-02", places=""), NEW_YORK)) == 1
