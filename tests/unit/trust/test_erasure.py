"""After an erasure no byte of the store, of its index or of an older backup tells who the resident was."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from broadstreet.app import requests
from broadstreet.app.backups import backed_up
from broadstreet.app.callers import OWNER
from broadstreet.app.restoring import restored_to
from broadstreet.connectors.hl7v2.writer import Raw
from broadstreet.model import records
from broadstreet.model.records import Access, Erasure, Quarantined
from broadstreet.store.protocol import StoreError
from broadstreet.store.query import Text
from broadstreet.trust.erasure import MayNotErase, require_may_erase
from broadstreet.trust.principals import Principal
from broadstreet.workflows.surveillance.tables import VISIT
from tests.backends import Backend
from tests.unit.store.conftest import Do
from tests.unit.trust.erased_city import HER, HIM, City

WORDS = (b"quackenbush", b"philomena", b"99887766", b"5551234", b"tulpenweg", b"19811209", b"1981-12-09")


@pytest.fixture
def city(backend: Backend, tmp_path: Path) -> Iterator[City]:
    city = City(backend, tmp_path)
    yield city
    city.close()


def found_in(held: bytes) -> set[bytes]:
    return {word for word in WORDS if word in held.lower()}


def hers(city: City) -> str:
    """Return the id of her record: that into which the other was merged."""
    found = [e.id for e in city.core.store.currents("fhir/Patient") if b"Philomena" in (e.body or b"")]
    assert len(found) == 1
    return found[0]


def live_a_little(city: City) -> None:
    """Let her come twice and change her number, be merged, and send what cannot be mapped."""
    city.visit(HER, "V1", "fever since Lisbon")
    city.visit(HER, "V1", "fever since Lisbon")  # changes nothing: only the message is kept
    city.visit(HER, "V2", "cough", **{"11": Raw("Tulpenweg 8^^Riverside^^D01")})
    city.visit(HIM, "V3", "fever")
    refused = city.visit(HER, "V4", "cough", **{"7": "QUACKENBUSH"})
    assert refused.state == "refused"
    other = {"3": Raw("MRN99887766B^^^CLINIC^MR"), "5": Raw("QUACKENBUSH^Philo"), "7": "19811209"}
    city.visit(other, "V5", "rash")
    merged = city.send("ADT^A40", ("EVN", {"2": "20260105090000"}), ("PID", HER), ("MRG", {"1": other["3"]}))
    assert merged.state == "accepted"


def test_after_an_erasure_no_byte_tells_who_she_was(city: City, tmp_path: Path) -> None:
    live_a_little(city)
    she = hers(city)
    city.index()
    backed_up(city.core.store, city.settings, tmp_path / "before.db")
    assert found_in(city.bytes()), "before the erasure the index has her name"
    answer = city.erase(she)
    erased = answer["erasure"]
    assert isinstance(erased, Erasure)
    assert (erased.state, erased.ordered_by, erased.basis) == ("done", OWNER.name, "her request of 3 May")
    assert len(erased.also) == 1, "the record that was merged into hers is hers"
    assert (erased.readable, erased.traces) == (0, 0)
    assert min(erased.keys, erased.rows, erased.entries) > 0
    assert erased.messages == 6
    assert erased.words > 3
    city.core.settle()
    assert found_in(city.bytes()) == set()
    assert found_in((tmp_path / "before.db").read_bytes()) == set()
    backed_up(city.core.store, city.settings, tmp_path / "after.db")
    assert found_in((tmp_path / "after.db").read_bytes()) == set()
    assert city.core.store.about(she)[0].body is None
    assert [e for e in city.core.store.entries(0, limit=1_000) if e.body and found_in(e.body)] == []


def test_what_she_shared_with_others_is_still_theirs(city: City) -> None:
    live_a_little(city)
    his = city.patient("PARK")
    city.erase(hers(city))
    assert city.patient("PARK") == his
    body = city.core.store.current("fhir/Patient", his)
    assert body is not None
    assert b"PARK" in (body.body or b"")
    again = city.visit(HIM, "V6", "cough")
    assert again.state == "accepted"
    assert city.patient("PARK") == his


def test_who_comes_again_after_an_erasure_is_somebody_new(city: City) -> None:
    city.visit(HER, "V1", "fever")
    before = city.patient("QUACKENBUSH")
    city.erase(before)
    assert city.visit(HER, "V9", "cough").state == "accepted"
    after = city.patient("QUACKENBUSH")
    assert after != before
    assert city.core.store.current("fhir/Patient", before) is None


def test_a_message_that_was_sent_again_after_the_erasure_brings_nothing_back(city: City) -> None:
    city.visit(HER, "V1", "fever")
    city.erase(city.patient("QUACKENBUSH"))
    city.sent = 0
    assert city.visit(HER, "V1", "fever").state == "duplicate"
    city.index()
    assert city.core.store.search("Patient", [Text("family", "QUACKENBUSH")]).entries == []


def test_the_store_is_still_as_its_log_says_and_its_counts_are_without_her(city: City) -> None:
    city.visit(HER, "V1", "fever since Lisbon")
    city.visit(HIM, "V3", "fever")
    city.erase(city.patient("QUACKENBUSH"))
    city.core.settle()
    assert len(city.core.store.select(VISIT, {})) == 1
    city.verify()


def test_an_erasure_that_broke_off_is_finished_when_it_is_ordered_again(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_a_little(city)
    she = hers(city)

    def broken(*_: object) -> int:
        raise StoreError("no room")

    keyring = city.core.store.keyring  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setattr(type(keyring), "destroy", broken)
        with pytest.raises(StoreError, match="no room"):
            city.erase(she)
    erased = city.erase(she)["erasure"]
    assert (erased.readable, erased.traces, erased.messages) == (0, 0, 6)
    assert found_in(city.bytes()) == set()


def test_a_message_that_may_be_about_another_is_told_of_and_not_destroyed(city: City) -> None:
    city.visit(HER, "V1", "fever")
    doubtful = city.visit(HIM, "V2", "fever", **{"3": Raw("MRN99887766^^^OTHER^MR"), "7": "soon"})
    assert doubtful.state == "refused"
    answer = city.erase(city.patient("QUACKENBUSH"))
    assert answer["doubtful"] == [doubtful.id]
    held = city.core.store.current(records.entry_type(Quarantined), doubtful.id)
    assert held is not None


def test_only_a_privacy_officer_erases_and_only_whom_there_is(city: City) -> None:
    with pytest.raises(ValueError, match="expected the id of a resident's Patient"):
        city.erase("nobody")
    operator = Principal("kim", "person", frozenset({"operator"}))
    with pytest.raises(MayNotErase, match="privacy-officer"):
        require_may_erase(operator)
    with pytest.raises(MayNotErase):
        require_may_erase(Principal("robot", "client", frozenset({"privacy-officer"})))


def test_an_erasure_leaves_an_access_and_two_versions_of_what_it_did(city: City) -> None:
    city.visit(HER, "V1", "fever")
    resident = city.patient("QUACKENBUSH")
    erased = city.erase(resident)["erasure"]
    versions = city.core.store.history(records.entry_type(Erasure), erased.id)
    told = [records.decode(entry.body or b"") for entry in versions]
    assert [each.state for each in told if isinstance(each, Erasure)] == ["begun", "done"]
    city.core.settle()
    looked = city.desk.answer(requests.Looked(of=resident))["looked"]
    assert [(each["who"], each["action"]) for each in looked] == [(OWNER.name, "erase")]
    access = records.decode(city.core.store.entries(city.core.store.head() - 2, limit=1)[0].body or b"")
    assert isinstance(access, Access)


def test_a_backup_holds_no_name_and_is_restored_to_the_same(city: City, tmp_path: Path) -> None:
    live_a_little(city)
    city.index()
    head = backed_up(city.core.store, city.settings, tmp_path / "copy.db")
    assert found_in((tmp_path / "copy.db").read_bytes()) == set()
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        names = [name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}
    assert rows["surveillance_visit"] == rows["quarantine"] == 0
    assert rows.get("string_index", 0) == 0
    assert not list(tmp_path.glob("copy.db?*"))
    city.close()
    assert restored_to(city.settings, tmp_path / "copy.db", None).head == head
    city.open()
    his = city.patient("PARK")
    assert city.visit(HIM, "V7", "cough").state == "accepted"
    assert city.patient("PARK") == his
    city.core.settle()
    assert city.desk.answer(requests.QuarantineList())["messages"], "projections are made again"


def test_a_store_refuses_an_erasure_that_names_no_right(city: City) -> None:
    with pytest.raises(ValueError, match="basis"):
        requests.decode(b'{"do": "erase", "resident": "x", "basis": ""}')
    assert city.core.committer.commit(Do(lambda tx: tx.at)) > 0


def test_what_a_restore_set_aside_is_searched_as_well(city: City) -> None:
    city.visit(HER, "V1", "fever")
    (city.settings.folder / "log.db.before-restore").write_bytes(b"..Tulpenweg 7..0105551234..")
    erased = city.erase(city.patient("QUACKENBUSH"))["erasure"]
    assert erased.traces == 2
    assert "log.db.before-restore" in erased.searched
