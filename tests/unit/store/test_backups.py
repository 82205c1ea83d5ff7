"""What was backed up on one back end is restored on either."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.store.committer import Committer
from broadstreet.store.followers import Followers
from broadstreet.store.opening import open_store, restore
from broadstreet.store.protocol import Store, StoreError, StoreLocked
from broadstreet.store.sqlite.store import verify
from tests.backends import NAMES, NO_SERVER, Backend, has
from tests.unit.store.cities import DAY, TALLY, VISIT, Alarm, Tally
from tests.unit.store.conftest import START, Do, draft, identified, say


@pytest.fixture(params=NAMES)
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    if not has(request.param):
        pytest.skip(NO_SERVER)
    (tmp_path / "other").mkdir()
    other = Backend(request.param, tmp_path / "other")
    yield other
    other.close()


def fill(store: Store) -> None:
    clock = DrivenClock(START)
    committer = Committer(store, clock, SeededIds(clock, store.head()))
    tally = Tally()
    followers = Followers.begun(store, committer, [tally, Alarm(tally)])
    say(committer, VISIT, DAY, VISIT)
    for key, body in [("odd \0 key", b"\0\xff"), ("\1", b"x" * 5_000), ("gone", None), ("键", b"")]:
        for number, version in enumerate((b"1", body)):
            committer.commit(
                Do(
                    lambda tx, key=key, number=number, version=version: tx.put(
                        draft(id=key, key=f"{key}{number}", body=version, rows=identified(tx, "s", key))
                    )
                )
            )
    committer.commit(Do(lambda tx: tx.append(draft(key="2", subjects=("a", "b")))))
    while followers.step():
        pass
    committer.between(lambda writer: writer.purge(3))
    committer.close()


def told(store: Store) -> dict[str, Any]:
    """Return what a store holds, in whatever back end."""
    return {
        "entries": store.entries(0, limit=10_000),
        "newest": store.currents("fhir/Patient"),
        "index": {table.name: list(store.rows(table)) for table in store.index_tables()},
        "cursors": store.cursors(),
        "tally": store.select(TALLY, order=("type",)),
        "purged": store.oldest_position(),
        "key": store.indexer.tokens("Patient", "identifier", "urn:mrn", "7"),
    }


def test_a_backup_restored_on_either_back_end_is_the_store(
    backend: Backend, other: Backend, tmp_path: Path
) -> None:
    with closing(backend.open()) as store:
        fill(store)
        expected = told(store)
        head = store.backup(tmp_path / "copy.db")
    assert verify(tmp_path / "copy.db") == head == len(expected["entries"])
    assert restore(tmp_path / "copy.db", other.address()) == head
    with closing(other.open()) as store:
        assert told(store) == expected
        fill(store)
        assert store.head() > head
    with closing(backend.open()) as store:
        assert told(store) == expected, "what was backed up is as it was"


def test_a_store_that_was_replaced_is_kept(backend: Backend, tmp_path: Path) -> None:
    with closing(backend.open()) as store:
        fill(store)
        head = store.backup(tmp_path / "copy.db")
        fill(store)
        assert store.head() > head
    for _ in range(2):
        assert restore(tmp_path / "copy.db", backend.address()) == head
    address = backend.address()
    kept = (
        address.replace("log.db", "log.db.before-restore")
        if backend.name == "sqlite"
        else f"{address}_before_restore"
    )
    with closing(open_store(kept, create=False)) as store:
        assert store.head() > head
    with closing(open_store(f"{kept}{'-' if backend.name == 'sqlite' else '_'}2", create=False)) as store:
        assert store.head() == head


def test_a_restore_is_refused_while_a_hub_holds_the_lease(backend: Backend, tmp_path: Path) -> None:
    with closing(backend.open()) as store:
        fill(store)
        head = store.backup(tmp_path / "copy.db")
        store.writer()
        with pytest.raises(StoreLocked):
            restore(tmp_path / "copy.db", backend.address())
    assert restore(tmp_path / "copy.db", backend.address()) == head


def test_a_copy_that_cannot_be_prepared_leaves_the_store_as_it_was(backend: Backend, tmp_path: Path) -> None:
    with closing(backend.open()) as store:
        fill(store)
        store.backup(tmp_path / "copy.db")
        fill(store)
        before = told(store)

    def fail(_: Path) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        restore(tmp_path / "copy.db", backend.address(), fail)
    with closing(backend.open()) as store:
        assert told(store) == before


def test_a_backup_is_taken_while_writing_goes_on(backend: Backend, tmp_path: Path) -> None:
    with closing(backend.open()) as store:
        clock = DrivenClock(START)
        committer = Committer(store, clock, SeededIds(clock, 1))
        enough = threading.Event()

        def write() -> None:
            while not enough.is_set():
                say(committer, VISIT)

        writer = threading.Thread(target=write)
        writer.start()
        heads = []
        for number in range(3):
            committer.wait(beyond=committer.head + 5)
            least = committer.head
            heads.append(store.backup(tmp_path / f"{number}.db"))
            assert least <= heads[-1] <= committer.head
        enough.set()
        writer.join()
        committer.close()
    assert [verify(tmp_path / f"{number}.db") for number in range(3)] == heads


def test_a_backup_never_overwrites_and_leaves_nothing_where_it_fails(
    backend: Backend, tmp_path: Path
) -> None:
    with closing(backend.open()) as store:
        (tmp_path / "there").touch()
        with pytest.raises(StoreError, match="exists already"):
            store.backup(tmp_path / "there")
        with pytest.raises(StoreError, match="cannot"):
            store.backup(tmp_path / "nowhere" / "copy.db")
