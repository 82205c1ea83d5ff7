"""The search index in a file beside the log: it follows, and says the same as an index within the commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from broadstreet.model import fhir
from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.store.committer import Committer
from broadstreet.store.index import Indexer
from broadstreet.store.index.following import Indexing
from broadstreet.store.index.kinds import KINDS
from broadstreet.store.protocol import StoreError, StoreLocked
from broadstreet.store.query import Token
from broadstreet.store.sqlite import SqliteStore
from broadstreet.store.sqlite.beside import IndexFile, place, remove
from broadstreet.store.sqlite.store import restore

from .conftest import Do, draft

MRN = "urn:clinic:mrn"


def patient(id: str, number: str, gender: str = "female", family: str = "Kim") -> fhir.Patient:
    return fhir.Patient(
        id=id,
        identifier=[fhir.Identifier(system=MRN, value=number)],
        gender=gender,
        birthDate="1990-01-01",
        name=[fhir.HumanName(family=family)],
    )


def put(committer: Committer, store: SqliteStore, resource: fhir.Patient) -> None:
    rows = store.indexer.rows(resource)
    body = fhir.encode(resource)
    committer.commit(
        Do(lambda tx: tx.put(draft(id=resource.id, body=body, key=tx.new_id(), rows=rows, subjects=("s",))))
    )


def delete(committer: Committer, id: str) -> None:
    committer.commit(Do(lambda tx: tx.put(draft(id=id, body=None, key=tx.new_id()))))


def catch_up(store: SqliteStore) -> int:
    with closing(IndexFile(store.path)) as side:
        return Indexing(store, side, Indexer(store.indexer.keys.key)).catch_up()


def women(store: SqliteStore, at: int | None = None) -> list[str]:
    return sorted(e.id for e in store.search("Patient", [Token("gender", None, "female")], at=at).entries)


def rows(store: SqliteStore) -> dict[str, list[tuple[object, ...]]]:
    tables = (kind.table for kind in KINDS)
    return {t: sorted(store.connection.execute(f"SELECT * FROM {t}").fetchall()) for t in tables}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "log.db", index_beside=True)
    yield store
    store.close()


def test_a_search_sees_what_the_index_has_come_to_and_never_what_it_has_not(
    committer: Committer, store: SqliteStore
) -> None:
    put(committer, store, patient("a", "1"))
    assert (store.searchable(), women(store)) == (0, [])
    assert catch_up(store) == 1
    put(committer, store, patient("b", "2"))
    assert (store.searchable(), women(store)) == (1, ["a"])
    assert catch_up(store) == 2
    assert women(store) == ["a", "b"]


def test_identifiers_are_found_inside_the_very_commit(committer: Committer, store: SqliteStore) -> None:
    put(committer, store, patient("a", "1"))
    found = committer.commit(Do(lambda tx: [e.id for e in tx.find("Patient", "identifier", MRN, "1")]))
    assert found == ["a"]
    with pytest.raises(ValueError, match="found by identifier only"):
        committer.commit(Do(lambda tx: tx.find("Patient", "gender", None, "female")))


def test_the_rows_are_those_of_an_index_within_the_commit(
    committer: Committer, store: SqliteStore, tmp_path: Path, clock: DrivenClock
) -> None:
    within = SqliteStore(tmp_path / "within.db")
    with closing(sqlite3.connect(within.path)) as other:  # hashed alike
        key = store.indexer.keys.key
        other.execute("UPDATE meta SET value = ? WHERE name = 'index_key'", (key,))
        other.commit()
    within.close()
    within = SqliteStore(tmp_path / "within.db")
    second = Committer(within, clock, SeededIds(clock, 1))
    for into, at in ((committer, store), (second, within)):
        put(into, at, patient("a", "1"))
        put(into, at, patient("b", "2", family="Park"))
        put(into, at, patient("a", "1", family="Lee"))
        delete(into, "b")
    catch_up(store)
    assert rows(store) == rows(within)
    second.close()
    within.close()


def test_the_index_can_be_read_at_an_earlier_position(committer: Committer, store: SqliteStore) -> None:
    put(committer, store, patient("a", "1"))
    put(committer, store, patient("a", "1", gender="male"))
    catch_up(store)
    assert (women(store, at=1), women(store)) == (["a"], [])


def test_a_purge_of_the_log_reaches_the_index(committer: Committer, store: SqliteStore) -> None:
    put(committer, store, patient("a", "1"))
    put(committer, store, patient("a", "1", gender="male"))
    catch_up(store)
    before = len(rows(store)["token_index"])
    committer.between(lambda writer: writer.purge(2))
    catch_up(store)
    assert len(rows(store)["token_index"]) < before


def test_an_index_of_a_log_that_was_set_back_is_made_anew(
    committer: Committer, store: SqliteStore, tmp_path: Path, clock: DrivenClock
) -> None:
    put(committer, store, patient("a", "1"))
    store.backup(tmp_path / "backup.db")
    put(committer, store, patient("b", "2"))
    catch_up(store)
    kept = place(store.path).read_bytes()
    committer.close()
    store.close()
    restore(tmp_path / "backup.db", store.path)
    remove(store.path)
    place(store.path).write_bytes(kept)  # by hand: the index of what is no longer there
    again = SqliteStore(store.path)
    second = Committer(again, clock, SeededIds(clock, 9))
    put(second, again, patient("c", "3"))
    catch_up(again)
    assert women(again) == ["a", "c"]
    second.close()
    again.close()


def test_an_index_that_was_deleted_is_made_again_by_the_next_start(
    committer: Committer, store: SqliteStore
) -> None:
    put(committer, store, patient("a", "1"))
    catch_up(store)
    committer.close()
    store.close()
    remove(store.path)
    again = SqliteStore(store.path)
    assert (again.searchable(), catch_up(again), women(again)) == (0, 1, ["a"])
    again.close()


def test_two_processes_cannot_keep_one_index(store: SqliteStore) -> None:
    with closing(IndexFile(store.path)), pytest.raises(StoreLocked):
        IndexFile(store.path)


def test_a_resource_that_cannot_be_read_stops_the_index_and_says_where(
    committer: Committer, store: SqliteStore
) -> None:
    committer.commit(Do(lambda tx: tx.put(draft(id="x", body=b"[]", key="x"))))
    with pytest.raises(StoreError, match=r"entry 1 \(fhir/Patient/x\) cannot be indexed"):
        catch_up(store)
    assert store.searchable() == 0
