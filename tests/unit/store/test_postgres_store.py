from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.store.committer import Committer
from broadstreet.store.postgres import PostgresStore
from broadstreet.store.postgres.address import Address
from broadstreet.store.postgres.migrate import migrations, newest_schema
from broadstreet.store.postgres.text import escaped, unescaped
from broadstreet.store.protocol import StoreError, StoreFull, StoreLocked
from tests.backends import NO_SERVER, Backend, has, rows_in
from tests.postgres import own_server, shared_server
from tests.proxy import Break, Proxy

from .conftest import START, Do, draft, identified

pytestmark = pytest.mark.skipif(not has("postgres"), reason=NO_SERVER)


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    backend = Backend("postgres", tmp_path)
    yield backend
    backend.close()


def put(committer: Committer, key: str) -> int | None:
    seq: int | None = committer.commit(
        Do(lambda tx: tx.put(draft(id=key, key=key, rows=identified(tx, "s", key))))
    )
    return seq


def new_committer(store: PostgresStore) -> Committer:
    clock = DrivenClock(START)
    return Committer(store, clock, SeededIds(clock, store.head() + 1))


# -- the lease -----------------------------------------------------------------------------------


def test_a_second_hub_is_told_which_process_holds_the_lease(address: str) -> None:
    first, second = PostgresStore(address), PostgresStore(address)
    first.writer()
    with pytest.raises(StoreLocked, match=rf"another hub \(process .*:{os.getpid()}\) writes to t_.*stop it"):
        second.writer()
    first.close()
    second.writer()
    second.close()


def test_a_hub_that_lost_its_session_takes_the_lease_again(address: str) -> None:
    store = PostgresStore(address)
    committer = new_committer(store)
    assert put(committer, "a") == 1
    end_session_of(store)
    assert put(committer, "b") == 2
    assert rows_in(address, "SELECT epoch FROM lease") == [(2,)]
    committer.close()
    store.close()


def test_a_hub_whose_lease_another_has_taken_writes_no_more(address: str) -> None:
    first, second = PostgresStore(address), PostgresStore(address)
    fenced = new_committer(first)
    assert put(fenced, "a") == 1
    end_session_of(first)
    heir = new_committer(second)
    for _ in range(2):
        with pytest.raises(StoreLocked, match="another hub"):
            put(fenced, "b")
    assert put(heir, "c") == 2
    heir.close()
    second.close()
    with pytest.raises(StoreLocked, match="has taken the lease"):
        put(fenced, "d")
    assert not fenced.leased()
    assert [entry.key for entry in first.entries(0)] == ["a", "c"]
    fenced.close()
    first.close()


def test_a_writer_without_the_lock_is_stopped_by_the_row_alone(address: str) -> None:
    first, second = PostgresStore(address), PostgresStore(address)
    fenced = new_committer(first)
    first.writer()._connection.execute("SELECT pg_advisory_unlock_all()")  # nobody does; its session lives
    heir = new_committer(second)
    with pytest.raises(StoreLocked, match="has taken the lease"):
        put(fenced, "lost")
    assert put(heir, "kept") == 1
    for each in (fenced, heir, first, second):
        each.close()


def end_session_of(store: PostgresStore) -> None:
    pid = store.writer()._connection.info.backend_pid
    shared_server().ask(f"SELECT pg_terminate_backend({pid}, 5000)")


# -- commits whose connection is lost --------------------------------------------------------------


@pytest.mark.parametrize("where", ["before", "after", "silent"])
def test_a_commit_whose_connection_is_lost_is_there_once(
    backend: Backend, tmp_path: Path, where: Break
) -> None:
    direct, server = backend.address(), shared_server()
    proxy = Proxy(tmp_path / "line", server.folder)
    store = PostgresStore(direct.replace(quote(str(server.folder)), quote(str(tmp_path / "line"))))
    committer = new_committer(store)
    assert put(committer, "first") == 1
    for number in range(3):
        proxy.next_break = where
        assert put(committer, f"broken {number}") == 2 * number + 2
        assert put(committer, f"whole {number}") == 2 * number + 3
    assert proxy.breaks == 3
    assert [entry.seq for entry in store.entries(0)] == list(range(1, 8))
    assert len({entry.key for entry in store.entries(0)}) == 7
    assert rows_in(direct, "SELECT epoch, commits FROM lease") == [(4, 7)]
    committer.close()
    store.close()
    proxy.close()


def test_a_server_that_was_put_back_to_an_earlier_state_is_not_written_to(address: str) -> None:
    store = PostgresStore(address)
    committer = new_committer(store)
    put(committer, "a")
    put(committer, "b")
    rows_in(address, "UPDATE lease SET commits = commits - 1 RETURNING 1")
    end_session_of(store)
    with pytest.raises(StoreError, match="put back to an earlier state"):
        put(committer, "c")
    committer.close()
    store.close()


def test_a_full_disk_is_told_as_such_and_nothing_is_kept(address: str) -> None:
    store = PostgresStore(address)
    committer = new_committer(store)
    put(committer, "a")
    rows_in(
        address,
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'no space' USING ERRCODE = 'disk_full'; END $$;"
        " CREATE TRIGGER full_disk BEFORE INSERT ON token_index EXECUTE FUNCTION full_disk()",
    )
    with pytest.raises(StoreFull, match="nothing of the batch was kept"):
        put(committer, "b")
    rows_in(address, "DROP TRIGGER full_disk ON token_index")
    assert put(committer, "c") == 2
    committer.close()
    store.close()


# -- opening -------------------------------------------------------------------------------------


def test_a_store_that_was_never_made_is_not_opened_for_reading(address: str) -> None:
    with pytest.raises(StoreError, match="start the hub once"):
        PostgresStore(address, create=False)


def test_a_schema_of_another_program_is_refused_and_left_alone(address: str) -> None:
    schema = Address.parse(address).schema
    shared_server().ask(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.song (title text)")
    for create in (True, False):
        with pytest.raises(StoreError, match="another program"):
            PostgresStore(address, create=create)
    assert shared_server().ask(
        f"SELECT relname::text FROM pg_class WHERE relnamespace = '{schema}'::regnamespace"
    ) == [("song",)]


def test_a_store_of_a_newer_release_is_refused(address: str) -> None:
    PostgresStore(address).close()
    rows_in(address, f"UPDATE meta SET value = '{newest_schema() + 1}' WHERE name = 'schema' RETURNING 1")
    for create in (True, False):
        with pytest.raises(StoreError, match="use the newer release"):
            PostgresStore(address, create=create)


def test_migrations_are_numbered_without_gaps() -> None:
    assert [number for number, _ in migrations()] == list(range(1, newest_schema() + 1))


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("postgresql://hub@/none?host=/nowhere", "cannot connect"),
        ("postgresql://hub@/city?schema=Big", "expected lower-case letters"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused(address: str, reason: str) -> None:
    with pytest.raises(StoreError, match=reason):
        PostgresStore(address)


def test_a_server_that_does_not_wait_for_its_disk_is_refused() -> None:
    with own_server("fsync = off\n") as server, pytest.raises(StoreError, match="needs fsync = on"):
        PostgresStore(server.address("city"))


# -- texts ---------------------------------------------------------------------------------------


def test_texts_are_escaped_without_changing_their_order_or_what_they_begin_with() -> None:
    texts = sorted(
        ["", "\0", "\0\0", "\0\1", "\1", "\1\0", "\1\1", "\1\2", "\2", "a", "a\0", "a\0b", "ab", "á"]
    )
    assert [unescaped(escaped(text)) for text in texts] == texts
    assert sorted(map(escaped, texts)) == [escaped(text) for text in texts]
    for text in texts:
        for prefix in texts:
            assert escaped(text).startswith(escaped(prefix)) == text.startswith(prefix)
            assert b"\0" not in escaped(text)
