from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from broadstreet.app.keykeeping import KeyKeeper
from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.store.committer import Committer
from broadstreet.store.entry import digest
from broadstreet.store.protocol import Store, StoreError
from broadstreet.store.seal import Keyring, SealedStore, keyring
from broadstreet.store.seal.masters import LIMIT
from broadstreet.store.sqlite import SqliteStore
from broadstreet.store.transaction import Transaction
from tests.unit.store.conftest import START, Do, draft

NAME = b'{"name":"Mina Kim"}'


class City:
    """A sealed store in a folder, that can be opened again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, DrivenClock(START)
        self.open()

    def open(self) -> None:
        self.keyring = Keyring(self.folder / "keys")
        self.store: Store = SealedStore(SqliteStore(self.folder / "log.db"), self.keyring)
        self.committer = Committer(self.store, self.clock, SeededIds(self.clock, 1))

    def close(self) -> None:
        self.committer.close()
        self.store.close()

    def put(self, id: str = "p1", body: bytes = NAME, subject: str = "", **more: object) -> None:
        made = draft(id=id, body=body, key=f"{id}:{digest(body)}", subjects=(subject or id,), **more)
        self.committer.commit(Do(lambda tx: tx.put(made)))

    def message(self, *subjects: str) -> None:
        """Take a message in and put a resource about each subject because of it."""

        def apply(tx: Transaction) -> None:
            id = tx.new_id()
            seq = tx.append(draft(id=id, type="hl7v2/Message", body=b"PID|" + NAME, key=id))
            for subject in subjects:
                about = draft(id=subject, body=NAME, key=f"{seq}:{subject}", cause=seq, subjects=(subject,))
                tx.put(about)

        self.committer.commit(Do(apply))

    def files(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    city = City(tmp_path)
    yield city
    city.close()


def test_what_is_told_about_a_resident_is_not_in_any_file_and_reads_as_it_was_put(city: City) -> None:
    city.put()
    assert b"Mina" not in city.files()
    found = city.store.current("fhir/Patient", "p1")
    assert found is not None
    assert found.body == NAME
    assert [entry.body for entry in city.store.entries(0)] == [NAME]
    assert [entry.body for entry in city.store.history("fhir/Patient", "p1")] == [NAME]
    assert [entry.body for entry in city.store.currents("fhir/Patient")] == [NAME]


def test_a_work_sees_the_plain_body_of_what_is_there(city: City) -> None:
    city.put()
    seen = city.committer.commit(Do(lambda tx: tx.current("fhir/Patient", "p1")))
    assert seen.body == NAME


def test_the_same_body_again_makes_no_version(city: City) -> None:
    city.put()
    city.committer.commit(Do(lambda tx: tx.put(draft(id="p1", body=NAME, key="again", subjects=("p1",)))))
    assert city.store.head() == 1


def test_entries_about_nobody_and_about_several_are_plain(city: City) -> None:
    for subjects in ((), ("p1", "p2")):
        made = draft(id=f"x{len(subjects)}", body=b"ids only", key=f"x{len(subjects)}", subjects=subjects)
        city.committer.commit(Do(lambda tx, made=made: tx.put(made)))
    assert [entry.seal for entry in city.store.entries(0)] == [0, 0]


def test_each_resident_has_a_key_of_their_own_and_keeps_it_after_a_restart(city: City) -> None:
    city.put("p1")
    city.put("p2")
    city.close()
    city.open()
    city.put("p1", b'{"name":"Mina Kim-Lee"}')
    first, second, third = (entry.seal for entry in city.store.entries(0))
    assert first != second
    assert first == third


def test_keys_whose_owner_was_not_written_down_are_known_again_from_the_log(city: City) -> None:
    city.put("p1")
    city.committer.close()
    city.store._store.close()  # type: ignore[attr-defined] # the keyring is not closed: as if it was killed
    city.open()
    city.put("p1", b'{"name":"Mina Kim-Lee"}')
    assert len({entry.seal for entry in city.store.entries(0)}) == 1
    city.put("p2")
    assert len({entry.seal for entry in city.store.entries(0)}) == 2


def test_with_the_key_what_it_sealed_is_gone_and_the_rest_is_there(city: City) -> None:
    city.message("p1")
    city.put("p2")
    assert city.keyring.destroy(["p1"]) == 1
    assert city.store.current("fhir/Patient", "p1") is None
    assert [entry.body for entry in city.store.entries(0)] == [None, None, NAME]
    assert city.store.current("fhir/Patient", "p2") is not None
    city.close()
    city.open()
    assert city.store.current("fhir/Patient", "p1") is None


def test_who_lost_a_key_that_was_named_by_its_number_gets_a_new_one(city: City) -> None:
    city.put("p1")
    [number] = {entry.seal for entry in city.store.entries(0)}
    assert city.keyring.destroy([], [number]) == 1
    city.put("p1", b'{"name":"Mina Kim-Lee"}')
    assert city.store.entries(0)[-1].body == b'{"name":"Mina Kim-Lee"}'


def test_a_message_about_several_residents_has_a_key_of_its_own(city: City) -> None:
    city.message("p1", "p2")
    raw, first, second = (entry.seal for entry in city.store.entries(0))
    assert len({raw, first, second}) == 3
    assert b"Mina" not in city.files()


def test_a_message_that_nothing_was_made_from_is_sealed_too(city: City) -> None:
    city.message()
    assert b"Mina" not in city.files()
    assert city.store.entries(0)[0].body == b"PID|" + NAME


def test_another_process_sees_that_a_key_is_destroyed_when_it_looks_again(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "SEEN_WITHIN", 0.0)
    city.put()
    other = SealedStore(
        SqliteStore(city.folder / "log.db", create=False), Keyring(city.folder / "keys", create=False)
    )
    assert other.current("fhir/Patient", "p1") is not None
    city.keyring.destroy(["p1"])
    assert other.current("fhir/Patient", "p1") is None
    other.close()


def test_bodies_cannot_be_put_in_the_place_of_others(city: City) -> None:
    city.put("p1", b'{"n":1}')
    city.put("p1", b'{"n":2}')
    city.close()
    with sqlite3.connect(city.folder / "log.db") as connection:
        connection.execute("UPDATE entry SET body = (SELECT body FROM entry WHERE seq = 1) WHERE seq = 2")
    connection.close()
    city.open()
    with pytest.raises(StoreError, match="entry 2 cannot be opened"):
        city.store.current("fhir/Patient", "p1")


def test_a_rotation_changes_the_master_key_and_nothing_that_is_read(city: City) -> None:
    city.put()
    before = city.store.entries(0)
    assert city.keyring.rotate(1) > 0
    assert city.store.entries(0) == before


def test_another_process_opens_bodies_whose_master_key_was_rotated_a_moment_ago(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "SEEN_WITHIN", 3_600.0)  # it has just looked, and will not for long
    city.put("p1")
    city.put("p2")
    with closing(Keyring(city.folder / "keys", create=False)) as beside:
        first, second = (entry.seal for entry in city.store.entries(0))
        assert beside.cipher(first) is not None
        city.keyring.rotate(1)
        assert beside.cipher(second) is not None


def test_a_copy_of_the_keys_is_of_no_use_once_its_master_key_is_past_its_limit(
    city: City, tmp_path: Path
) -> None:
    city.put()
    copy = tmp_path / "copy"
    copy.mkdir()
    city.keyring.backup(copy / "keys.db")
    city.keyring.destroy(["p1"])
    city.keyring.rotate(1)
    (copy / "master.key").write_bytes((city.folder / "keys" / "master.key").read_bytes())
    (copy / "master.key").chmod(0o600)
    brought_back = Keyring(copy)
    assert brought_back.cipher(city.store.entries(0)[0].seal) is not None  # within the limit it is
    brought_back.close()
    city.keyring.rotate(LIMIT + 2)
    (copy / "master.key").write_bytes((city.folder / "keys" / "master.key").read_bytes())
    gone = Keyring(copy)
    with pytest.raises(StoreError, match="needs the master key 1"):
        gone.cipher(city.store.entries(0)[0].seal)
    gone.close()


def test_a_destroyed_key_is_not_in_the_bytes_of_its_file(city: City) -> None:
    city.put()
    number = city.store.entries(0)[0].seal
    with sqlite3.connect(city.folder / "keys" / "keys.db") as connection:
        (wrapped,) = connection.execute("SELECT wrapped FROM key WHERE number = ?", (number,)).fetchone()
    connection.close()
    assert wrapped in city.files()
    city.keyring.destroy(["p1"])
    assert wrapped not in city.files()


@pytest.mark.parametrize("name", ["keys.db", "master.key"])
def test_keys_that_others_may_read_are_refused(city: City, name: str) -> None:
    city.put()
    (city.folder / "keys" / name).chmod(0o644)
    with pytest.raises(StoreError, match="may be read by others"):
        Keyring(city.folder / "keys")


def test_a_work_that_fails_takes_no_one_elses_key_along(city: City) -> None:
    def fail(tx: Transaction) -> None:
        tx.put(draft(id="p9", body=NAME, key="p9", subjects=("p9",)))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        city.committer.commit(Do(fail))
    city.put("p1")
    assert city.store.head() == 1


def test_the_hub_keeps_the_limit_of_copies_of_the_keys(city: City, tmp_path: Path) -> None:
    city.put()
    number, days = city.store.entries(0)[0].seal, 14
    keeper = KeyKeeper(city.keyring, city.clock, days)
    copy = tmp_path / "copy"
    copy.mkdir()
    city.keyring.backup(copy / "keys.db")

    def opens() -> bool:
        (copy / "master.key").write_bytes((city.folder / "keys" / "master.key").read_bytes())
        (copy / "master.key").chmod(0o600)
        with closing(Keyring(copy)) as old:
            try:
                return old.cipher(number) is not None
            except StoreError:
                return False

    for day in range(days + 1):
        city.clock.advance(START + timedelta(days=day))
        assert keeper.run() == (day in (7, 14)), "a new master key every half of the limit"
        assert opens(), "within the limit a copy is good"
    city.clock.advance(START + timedelta(days=days, hours=1))
    keeper.run()
    assert not opens(), "after it, it is of no use"
    assert city.store.entries(0)[0].body == NAME


def test_a_master_key_that_still_wraps_something_is_not_forgotten(city: City) -> None:
    city.put()
    city.keyring._masters.add(1)  # a rotation that broke off before it wrapped anything
    assert city.keyring.forget(10**18) == []
    assert city.store.entries(0)[0].body == NAME
