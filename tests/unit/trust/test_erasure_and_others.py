"""An erasure takes nothing of those who only resemble the resident, and says who they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from broadstreet.app.replay.files import parcels
from broadstreet.connectors.hl7v2.writer import Raw
from broadstreet.model import fhir
from broadstreet.store.entry import Entry
from broadstreet.store.query import Text
from tests.backends import Backend
from tests.unit.app.conftest import START
from tests.unit.trust.erased_city import HER, HIM, City

ALIKE = HER | {"3": Raw("MRN55550000^^^CLINIC^MR~MRN99887766^^^OTHER^SS"), "5": Raw("QUACKENBUSH^Ottilie")}
"""A number of hers from elsewhere, her family's name and her day of birth, under a number of its own."""


@pytest.fixture
def city(backend: Backend, tmp_path: Path) -> Iterator[City]:
    city = City(backend, tmp_path)
    yield city
    city.close()


@pytest.fixture
def both(city: City) -> tuple[str, str]:
    """Return the ids of her, and of who is like her."""
    city.visit(HER, "V1", "fever since Lisbon")
    city.visit(ALIKE, "V2", "cough")
    city.index()
    return named(city, "Philomena"), named(city, "Ottilie")


def named(city: City, given: str) -> str:
    found = city.core.store.search("Patient", [Text("given", given)]).entries
    assert len(found) == 1
    return found[0].id


def of_others(city: City, residents: set[str], to: int) -> list[Entry]:
    """Return entries that are about others, and the messages that only such were made from."""
    entries = city.core.store.entries(0, to=to, limit=10_000)
    about = [entry for entry in entries if entry.subject is not None and entry.subject not in residents]
    theirs = {entry.cause for entry in about} - {e.cause for e in entries if e.subject in residents}
    return [*about, *(entry for entry in entries if entry.seq in theirs)]


def test_who_has_the_same_number_and_name_keeps_everything_and_is_named(
    city: City, both: tuple[str, str]
) -> None:
    she, other = both
    head = city.core.store.head()
    before = of_others(city, {she}, head)
    answer = city.erase(she)
    assert (answer["others"], answer["erasure"].readable) == ([other], 0)
    assert of_others(city, {she}, head) == before
    assert named(city, "Ottilie") == other
    assert city.visit(ALIKE, "V3", "rash").state == "accepted", "the key of who stays still seals"
    assert [entry for entry in city.core.store.about(she) if entry.body] == []
    city.verify()


def test_who_is_named_can_be_erased_as_well(city: City, both: tuple[str, str]) -> None:
    she, other = both
    city.erase(she)
    again = city.erase(other)
    assert (again["others"], again["erasure"].readable, again["erasure"].traces) == ([], 0, 0)
    assert b"quackenbush" not in city.bytes()
    city.verify()


def test_who_had_a_visit_of_hers_in_their_record_by_mistake_keeps_their_key(city: City) -> None:
    city.visit(HER, "V1", "fever since Lisbon")
    city.visit(HIM, "V2", "cough")
    visit = {"2": "E", "3": Raw("ER^1"), "19": Raw("V2^^^CLINIC^VN")}
    said = city.send("ADT^A45", ("PID", HER), ("MRG", {"1": HIM["3"]}), ("PV1", visit))
    assert said.state == "accepted"
    city.index()
    she, he = named(city, "Philomena"), named(city, "Jun")
    answer = city.erase(she)
    assert (answer["others"], answer["erasure"].readable) == ([], 0)
    assert named(city, "Jun") == he
    kept = city.core.store.current("fhir/Patient", he)
    assert kept is not None
    assert fhir.decode(kept.body or b"", fhir.Patient).birthDate == "1970-01-01"
    assert city.visit(HIM, "V3", "rash").state == "accepted"
    city.verify()


def test_after_an_erasure_of_who_came_late_the_store_is_as_its_log_says(city: City) -> None:
    for day in (1, 2):
        city.core.advance(START + timedelta(days=day))
    city.visit(HER, "V1", "fever since Lisbon")
    city.core.settle()
    city.core.advance(START + timedelta(days=3))
    city.index()
    city.erase(named(city, "Philomena"))
    city.verify()


def test_a_second_erasure_says_that_there_was_nothing_left(city: City, both: tuple[str, str]) -> None:
    she, _ = both
    first, second = city.erase(she)["erasure"], city.erase(she)["erasure"]
    assert min(first.keys, first.entries, first.messages) > 0
    assert (second.keys, second.entries, second.messages, second.rows) == (0, 0, 0, 0)


def test_of_the_sample_messages_each_resident_is_erased_alone(city: City, shared: Path) -> None:
    for parcel in parcels(shared / "data" / "hl7v2", ZoneInfo("UTC")):
        city.core.committer.commit(city.door.receive(parcel.message, None)[1])
    patients, gone, named = city.core.store.currents("fhir/Patient"), set[str](), set[str]()
    assert len(patients) > 5
    for patient in patients:
        if patient.id not in gone:
            head = city.core.store.head()
            before = city.core.store.entries(0, to=head, limit=10_000)
            answer = city.erase(patient.id)
            erased = {patient.id, *answer["erasure"].also}
            after = of_others(city, erased, head)
            assert after == [before[entry.seq - 1] for entry in after]
            assert answer["erasure"].readable == 0
            gone |= erased
            named |= set(answer["others"])
        if len(gone) == 1:
            city.verify()
    assert named
    city.verify()
