"""The search index beside the log: it follows, and says the same as an index within the commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from broadstreet.model import fhir
from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.store.committer import Committer
from broadstreet.store.index import Indexer, following
from broadstreet.store.index.following import Indexing
from broadstreet.store.index.identity import IdentityIndexer
from broadstreet.store.opening import restore
from broadstreet.store.protocol import IndexSide, Store, StoreError, StoreLocked
from broadstreet.store.query import Token
from broadstreet.store.sqlite import SqliteStore
from broadstreet.store.sqlite.beside import place, remove
from broadstreet.store.sqlite.index_rows import WHOLE
from broadstreet.store.tables import Row
from tests.backends import Backend, rows_in

from .conftest import Do, draft

MRN = "urn:clinic:mrn"
KEY = bytes(32)


def patient(id: str, number: str, gender: str = "female", family: str = "Kim") -> fhir.Patient:
    return fhir.Patient(
        id=id,
        identifier=[fhir.Identifier(system=MRN, value=number)],
        gender=gender,
        birthDate="1990-01-01",
        name=[fhir.HumanName(family=family)],
    )


def put(committer: Committer, store: Store, resource: fhir.Patient) -> None:
    rows = store.indexer.rows(resource)
    body = fhir.encode(resource)
    committer.commit(
        Do(lambda tx: tx.put(draft(id=resource.id, body=body, key=tx.new_id(), rows=rows, subjects=("s",))))
    )


def delete(committer: Committer, id: str) -> None:
    committer.commit(Do(lambda tx: tx.put(draft(id=id, body=None, key=tx.new_id()))))


def side_of(store: Store) -> IndexSide:
    side = store.index_side()
    assert side is not None
    return side


def catch_up(store: Store) -> int:
    with closing(side_of(store)) as side:
        return Indexing(store, side, Indexer(store.indexer.keys.key)).catch_up()


def women(store: Store, at: int | None = None) -> list[str]:
    return sorted(e.id for e in store.search("Patient", [Token("gender", None, "female")], at=at).entries)


def rows(store: Store) -> dict[str, list[tuple[object, ...]]]:
    return {table.name: list(store.rows(table)) for table in store.index_tables() if table.name in WHOLE}


def identities(store: Store) -> list[Row]:
    (table,) = [table for table in store.index_tables() if table.name == "identity"]
    return list(store.rows(table))


@pytest.fixture
def store(backend: Backend) -> Iterator[Store]:
    store = backend.open(index_beside=True)
    yield store
    store.close()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "log.db", index_beside=True)
    yield store
    store.close()


def test_a_search_sees_what_the_index_has_come_to_and_never_what_it_has_not(
    committer: Committer, store: Store
) -> None:
    put(committer, store, patient("a", "1"))
    assert (store.searchable(), women(store)) == (0, [])
    assert catch_up(store) == 1
    put(committer, store, patient("b", "2"))
    assert (store.searchable(), women(store)) == (1, ["a"])
    assert catch_up(store) == 2
    assert women(store) == ["a", "b"]


def test_identifiers_are_found_inside_the_very_commit(committer: Committer, store: Store) -> None:
    put(committer, store, patient("a", "1"))
    found = committer.commit(Do(lambda tx: [e.id for e in tx.find("Patient", "identifier", MRN, "1")]))
    assert found == ["a"]
    with pytest.raises(ValueError, match="found by identifier only"):
        committer.commit(Do(lambda tx: tx.find("Patient", "gender", None, "female")))


def test_the_rows_are_those_of_an_index_within_the_commit(
    committer: Committer, store: Store, backend: Backend, clock: DrivenClock
) -> None:
    within = backend.open("within")
    store.indexer, within.indexer = IdentityIndexer(KEY), Indexer(KEY)
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


class Failing:
    """An index that cannot be written at some calls."""

    def __init__(self, side: IndexSide, *calls: int) -> None:
        self._side, self._calls, self._called = side, calls, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._side, name)

    def write(self, *slice: Any) -> None:
        self._called += 1
        if self._called in self._calls:
            raise StoreError("no room")
        self._side.write(*slice)


@pytest.mark.parametrize("failing", [(), (1,), (2, 3), (1, 4)])
def test_slices_that_are_written_while_the_next_is_computed_are_all_there_in_their_order(
    committer: Committer, store: Store, failing: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each fifth resource takes the place of one that a slice before has, also where that failed at first."""
    monkeypatch.setattr(following, "SLICE", 2)
    for number in range(11):
        put(
            committer,
            store,
            patient(f"p{number % 5}", str(number % 5), gender=("female", "male")[number % 2]),
        )
    with closing(side_of(store)) as side:
        indexing = Indexing(store, Failing(side, *failing), Indexer(store.indexer.keys.key))  # type: ignore[arg-type]
        failures = 0
        while indexing.position < committer.head or indexing.step():
            try:
                indexing.step()
            except StoreError:
                failures += 1
    assert failures == len(failing)
    assert store.searchable() == 11
    assert women(store) == ["p0", "p1", "p3"]
    assert women(store, at=5) == ["p0", "p2", "p4"]


class Mute(Failing):
    """An index that cannot tell, some times after a failed call, how far it has come."""

    def __init__(self, side: IndexSide, times: int, *calls: int) -> None:
        super().__init__(side, *calls)
        self._times, self._left = times, 0

    @property
    def cursor(self) -> tuple[int, str]:
        self._left -= 1
        if self._left >= 0:
            raise StoreError("no answer")
        return self._side.cursor

    def write(self, *slice: Any) -> None:
        try:
            super().write(*slice)
        except StoreError:
            self._left = self._times
            raise


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("failing", [(1,), (2,), (2, 3)])
def test_a_slice_that_failed_is_written_again_though_its_position_could_not_be_read(
    committer: Committer, store: Store, failing: tuple[int, ...], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "SLICE", 2)
    for number in range(8):
        put(committer, store, patient(f"p{number}", f"{number}"))
    with closing(side_of(store)) as side:
        indexing = Indexing(store, Mute(side, times, *failing), Indexer(store.indexer.keys.key))  # type: ignore[arg-type]
        steps = 0
        while steps < 30 and (indexing.position < committer.head or indexing.step()):
            steps += 1
            with suppress(StoreError):
                indexing.step()
    assert women(store) == [f"p{number}" for number in range(8)]


def test_a_store_whose_commits_wrote_the_index_goes_on_beside(backend: Backend, clock: DrivenClock) -> None:
    within = backend.open()
    committer = Committer(within, clock, SeededIds(clock, 1))
    put(committer, within, patient("a", "1"))
    committer.close()
    within.close()
    beside = backend.open(index_beside=True)
    committer = Committer(beside, clock, SeededIds(clock, 2))
    put(committer, beside, patient("b", "2"))
    found = committer.commit(Do(lambda tx: [e.id for e in tx.find("Patient", "identifier", MRN, "1")]))
    assert catch_up(beside) == 2
    assert (women(beside), found) == (["a", "b"], ["a"])
    committer.close()
    beside.close()


def test_a_backup_has_no_index_and_what_is_restored_from_it_makes_its_own(
    committer: Committer, store: Store, backend: Backend, tmp_path: Path
) -> None:
    put(committer, store, patient("a", "1"))
    put(committer, store, patient("a", "1", family="Lee"))
    catch_up(store)
    store.backup(tmp_path / "backup.db")
    tables = "SELECT name FROM sqlite_master WHERE name GLOB '*_index'"
    assert rows_in(str(tmp_path / "backup.db"), tables) == []
    restore(tmp_path / "backup.db", backend.address("restored"))
    restored = backend.open("restored", index_beside=True)
    assert (restored.index_is_beside, restored.searchable()) == (True, 0)
    catch_up(restored)
    assert rows(restored) == rows(store)
    assert identities(restored) == identities(store) != []
    restored.close()


def test_the_index_can_be_read_at_an_earlier_position(committer: Committer, store: Store) -> None:
    put(committer, store, patient("a", "1"))
    put(committer, store, patient("a", "1", gender="male"))
    catch_up(store)
    assert (women(store, at=1), women(store)) == (["a"], [])


def test_a_purge_of_the_log_reaches_the_index(committer: Committer, store: Store) -> None:
    put(committer, store, patient("a", "1"))
    put(committer, store, patient("a", "1", gender="male"))
    catch_up(store)
    before = len(rows(store)["token_index"])
    committer.between(lambda writer: writer.purge(2))
    catch_up(store)
    assert len(rows(store)["token_index"]) < before


def test_an_index_of_a_log_that_was_set_back_is_made_anew(
    file: SqliteStore, tmp_path: Path, clock: DrivenClock
) -> None:
    committer = Committer(file, clock, SeededIds(clock, 1))
    put(committer, file, patient("a", "1"))
    file.backup(tmp_path / "backup.db")
    put(committer, file, patient("b", "2"))
    catch_up(file)
    kept = place(file.path).read_bytes()
    committer.close()
    file.close()
    restore(tmp_path / "backup.db", file.path)
    remove(file.path)
    place(file.path).write_bytes(kept)  # by hand: the index of what is no longer there
    again = SqliteStore(file.path)
    second = Committer(again, clock, SeededIds(clock, 9))
    put(second, again, patient("c", "3"))
    catch_up(again)
    assert women(again) == ["a", "c"]
    second.close()
    again.close()


def test_an_index_that_was_deleted_is_made_again_by_the_next_start(
    file: SqliteStore, clock: DrivenClock
) -> None:
    committer = Committer(file, clock, SeededIds(clock, 1))
    put(committer, file, patient("a", "1"))
    catch_up(file)
    committer.close()
    file.close()
    remove(file.path)
    again = SqliteStore(file.path)
    assert (again.searchable(), catch_up(again), women(again)) == (0, 1, ["a"])
    again.close()


def test_two_processes_cannot_keep_one_index(store: Store) -> None:
    with closing(side_of(store)), pytest.raises(StoreLocked):
        side_of(store)


def test_a_resource_that_cannot_be_read_stops_the_index_and_says_where(
    committer: Committer, store: Store
) -> None:
    committer.commit(Do(lambda tx: tx.put(draft(id="x", body=b"[]", key="x"))))
    with pytest.raises(StoreError, match=r"entry 1 \(fhir/Patient/x\) cannot be indexed"):
        catch_up(store)
    assert store.searchable() == 0
