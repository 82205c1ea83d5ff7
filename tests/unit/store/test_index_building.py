"""The search index made anew as a whole: in several processes, aside, and put in place at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from bench.corpus import first
from bench.index import Puts
from broadstreet.app.indexing import rebuild_index
from broadstreet.model import fhir
from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.store.committer import Committer
from broadstreet.store.index import Indexer, building
from broadstreet.store.index.building import Opening
from broadstreet.store.index.following import Indexing
from broadstreet.store.opening import open_store
from broadstreet.store.protocol import IndexGone, IndexSide, Store, StoreError
from broadstreet.store.query import Dated, Refers, Token
from broadstreet.store.sqlite import SqliteStore
from broadstreet.store.sqlite.beside import place
from broadstreet.store.tables import Row
from tests.backends import NO_SERVER, Backend, has, rows_in

from .conftest import Do, draft


@pytest.fixture
def store(backend: Backend) -> Iterator[Store]:
    store = backend.open(index_beside=True)
    yield store
    store.close()


@pytest.fixture
def opening(store: Store, backend: Backend) -> Opening:  # noqa: ARG001 - it is there by now
    return partial(open_store, backend.address(), create=False)


def side_of(store: Store) -> IndexSide:
    side = store.index_side()
    assert side is not None
    return side


def index_of(store: Store) -> dict[str, list[Row]]:
    return {table.name: list(store.rows(table)) for table in store.index_tables()}


def fill(committer: Committer, number: int = 120) -> None:
    """Put resources, a second version of some, and delete others."""
    resources = [(each, fhir.encode(each)) for each in first(number)]
    committer.commit(Puts(0, resources))
    again = [fhir.decode(body.replace(b'{"', b'{"language":"ko","', 1)) for _, body in resources[::7]]
    committer.commit(Puts(0, [(each, fhir.encode(each)) for each in again], "again"))
    gone = [(f"fhir/{type(each).__name__}", str(each.id)) for each, _ in resources[3::11]]
    committer.commit(
        Do(lambda tx: [tx.put(draft(id=id, type=name, body=None, key=f"gone-{id}")) for name, id in gone])
    )


def unfinished(store: Store) -> list[str]:
    if isinstance(store, SqliteStore):
        files = store.path.parent.glob("log.index*")
        return [f.name for f in files if "stage" in f.name or "new" in f.name]
    return [table.name for table in store.tables() if table.name.startswith("building_")]  # type: ignore[attr-defined]


def follow(store: Store) -> None:
    with closing(side_of(store)) as side:
        Indexing(store, side, Indexer(store.indexer.keys.key)).catch_up()


@pytest.mark.parametrize("processes", [1, 2])
def test_an_index_made_anew_equals_the_one_that_followed(
    store: Store,
    committer: Committer,
    opening: Opening,
    monkeypatch: pytest.MonkeyPatch,
    processes: int,
) -> None:
    monkeypatch.setattr(building, "SLICE", 7)
    fill(committer)
    follow(store)
    followed, told = index_of(store), []
    with closing(side_of(store)) as side:
        side.clear()
        reached = side.make_anew(opening, lambda *done: told.append(done), processes)
        assert side.cursor == (reached, store.entries(reached - 1)[0].id)
    assert sum(map(len, followed.values())) > 1_000
    assert index_of(store) == followed
    assert (reached, store.searchable(), told[-1]) == (
        store.head(),
        store.head(),
        (store.head(), store.head()),
    )


def test_what_follows_goes_on_where_the_whole_ended(
    store: Store, committer: Committer, opening: Opening
) -> None:
    fill(committer)
    with closing(side_of(store)) as side:
        side.make_anew(opening)
    put_again = [(each, fhir.encode(each)) for each in first(20, seed=2)]
    committer.commit(Puts(0, put_again, "more"))
    follow(store)
    kept = index_of(store)
    with closing(side_of(store)) as side:
        side.make_anew(opening)
    assert index_of(store) == kept


def test_versions_that_were_purged_have_no_rows_again(
    store: Store, committer: Committer, opening: Opening
) -> None:
    fill(committer)
    follow(store)
    committer.between(lambda writer: writer.purge(store.head()))
    follow(store)
    purged = index_of(store)
    with closing(side_of(store)) as side:
        side.make_anew(opening)
        assert side.purged == store.oldest_position() == store.head()
    assert index_of(store) == purged


def test_a_reader_that_was_open_searches_the_new_index(
    store: Store, committer: Committer, opening: Opening
) -> None:
    fill(committer)
    assert (store.searchable(), store.search("Encounter", []).entries) == (0, [])
    with closing(side_of(store)) as side:
        side.make_anew(opening)
    assert store.searchable() == store.head()
    assert store.search("Encounter", [Token("status", None, "finished")]).entries


@pytest.mark.parametrize("processes", [1, 2])
def test_a_build_that_breaks_off_leaves_the_index_that_was_there(
    store: Store, committer: Committer, opening: Opening, processes: int
) -> None:
    fill(committer)
    follow(store)
    before = index_of(store)
    committer.commit(Do(lambda tx: tx.put(draft(body=b"{"))))
    told = pytest.raises(StoreError, match=r"\(fhir/Patient/p1\) cannot be indexed")
    with closing(side_of(store)) as side, told:
        side.make_anew(opening, processes=processes)
    assert index_of(store) == before
    assert unfinished(store) == []


def test_what_a_killed_build_left_is_removed_by_who_keeps_the_index_next(
    store: Store, backend: Backend
) -> None:
    if isinstance(store, SqliteStore):
        for rest in (".stage0", ".stage1", ".new"):
            store.path.with_name(f"log.index{rest}").touch()
    else:
        rows_in(backend.address(), "CREATE TABLE building_0815_token_index (part bigint)")
    assert unfinished(store)
    side_of(store).close()
    assert unfinished(store) == []


def _ends_elsewhere(parent: int, address: str) -> Store:
    if os.getpid() != parent:
        os._exit(1)
    return open_store(address, create=False)


def test_a_process_that_dies_is_told_of(store: Store, committer: Committer, backend: Backend) -> None:
    fill(committer)
    told = pytest.raises(StoreError, match="a process that computed index rows has ended")
    opening = partial(_ends_elsewhere, os.getpid(), backend.address())
    with closing(side_of(store)) as side, told:
        side.make_anew(opening, processes=2)
    assert (store.searchable(), unfinished(store)) == (0, [])


def test_an_index_file_that_is_deleted_by_hand_is_noticed_and_made_again(
    tmp_path: Path, clock: DrivenClock
) -> None:
    store = SqliteStore(tmp_path / "log.db", index_beside=True)
    committer = Committer(store, clock, SeededIds(clock, 1))
    fill(committer)
    with closing(side_of(store)) as side:
        indexing = Indexing(store, side, Indexer(store.indexer.keys.key))
        indexing.catch_up()
        kept = index_of(store)
        place(store.path).unlink()
        assert store.searchable() == 0
        with pytest.raises(StoreError, match="the search index is not there: the hub makes it"):
            store.search("Encounter", [])
        with pytest.raises(IndexGone, match=r"log\.index was deleted or replaced"):
            indexing.step()
    follow(store)
    assert (index_of(store), store.searchable()) == (kept, store.head())
    committer.close()
    store.close()


def test_an_index_table_that_is_dropped_by_hand_is_there_again_after_a_rebuild(clock: DrivenClock) -> None:
    if not has("postgres"):
        pytest.skip(NO_SERVER)
    server = Backend("postgres", Path())
    store = server.open(index_beside=True)
    committer = Committer(store, clock, SeededIds(clock, 1))
    fill(committer)
    follow(store)
    kept = index_of(store)
    rows_in(server.address(), "DROP TABLE date_index")
    fill(committer, 130)
    with pytest.raises(StoreError, match='relation "date_index" does not exist'):
        follow(store)
    with closing(side_of(store)) as side:
        side.make_anew(partial(open_store, server.address(), create=False))
    assert index_of(store).keys() == kept.keys()
    assert store.search("Encounter", [Dated.of("date", "ge2026")]).entries
    committer.close()
    store.close()
    server.close()


def test_a_rebuild_gives_the_log_its_identifiers_back(
    store: Store, committer: Committer, opening: Opening
) -> None:
    fill(committer)
    follow(store)
    kept = index_of(store)
    assert kept["identity"]
    committer.between(lambda writer: writer.drop_index())
    assert not store.indexed()
    rebuild_index(store, committer, opening)
    assert store.indexed()
    assert index_of(store) == kept


def test_a_target_that_is_told_with_several_types_is_one_row(
    store: Store, committer: Committer, opening: Opening
) -> None:
    urn = '{"reference":"urn:uuid:1"'
    performers = f'[{urn}}},{urn},"type":"Patient"}},{urn},"type":"Practitioner"}}]'
    text = '{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"performer":%s}'
    resource = fhir.decode((text % performers).encode())
    body = fhir.encode(resource)
    committer.commit(Do(lambda tx: tx.put(draft(id="o", type="fhir/Observation", body=body))))
    follow(store)
    for _ in range(2):
        (found,) = store.search("Observation", [Refers("performer", "urn:uuid:1")]).entries
        assert found.id == "o"
        with closing(side_of(store)) as side:
            side.make_anew(opening)
