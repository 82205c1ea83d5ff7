from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.store.committer import Committer
from broadstreet.store.protocol import StoreError, StoreLocked
from broadstreet.store.sqlite import SqliteStore
from broadstreet.store.sqlite.connection import connect, require_durable
from broadstreet.store.sqlite.migrate import migrate, migrations, newest_schema
from broadstreet.store.sqlite.store import restore, verify

from .conftest import START, Do, draft, identified

NOBODY = 65534


def fill(path: Path, number: int, seed: int = 1) -> None:
    """Make a store with so many more entries."""
    store, clock = SqliteStore(path), DrivenClock(START)
    committer = Committer(store, clock, SeededIds(clock, seed))
    for n in range(number):
        committer.commit(
            Do(
                lambda tx, n=n: tx.put(
                    draft(id=f"{seed}-{n}", key=f"{seed}-{n}", rows=identified(tx, "s", str(n)))
                )
            )
        )
    committer.close()
    store.close()


def keys(path: Path) -> list[str]:
    store = SqliteStore(path, create=False)
    try:
        return [entry.key for entry in store.entries(0, limit=10**6)]
    finally:
        store.close()


# -- settings ------------------------------------------------------------------------------------


def test_a_writer_commits_through_a_write_ahead_log_and_waits_for_the_disk(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "log.db", read_only=False)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("PRAGMA journal_mode = delete", "needs journal_mode wal .is delete."),
        ("PRAGMA journal_mode = wal; PRAGMA synchronous = off", "needs synchronous FULL .is 0."),
        ("PRAGMA journal_mode = wal; PRAGMA synchronous = normal", "needs synchronous FULL .is 1."),
    ],
)
def test_settings_that_could_lose_a_commit_are_refused(tmp_path: Path, settings: str, reason: str) -> None:
    with closing(sqlite3.connect(tmp_path / "log.db", isolation_level=None)) as connection:
        connection.executescript(settings)
        with pytest.raises(StoreError, match=reason):
            require_durable(connection)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    fill(tmp_path / "log.db", 1)
    with (
        closing(connect(tmp_path / "log.db", read_only=True)) as connection,
        pytest.raises(sqlite3.OperationalError),
    ):
        connection.execute("DELETE FROM entry")


# -- opening -------------------------------------------------------------------------------------


def test_a_file_that_is_not_a_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Dr Snow's notes, " * 500)
    for create in (True, False):
        with pytest.raises(StoreError, match="not a database"):
            SqliteStore(path, create=create)
    assert path.read_text() == "Dr Snow's notes, " * 500


@pytest.mark.parametrize("version", [0, 1, 99])
def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path, version: int) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.executescript(f"CREATE TABLE song (title TEXT); PRAGMA user_version = {version};")
    before = path.read_bytes()
    for create in (True, False):
        with pytest.raises(StoreError, match="another program"):
            SqliteStore(path, create=create)
    with pytest.raises(StoreError, match="another program"):
        verify(path)
    assert path.read_bytes() == before


def test_a_store_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    fill(path, 1)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {newest_schema() + 1}")
    for create in (True, False):
        with pytest.raises(StoreError, match="use the newer release"):
            SqliteStore(path, create=create)


def test_a_store_that_was_never_made_is_not_opened_for_reading(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="start the hub once"):
        SqliteStore(tmp_path / "log.db", create=False)
    (tmp_path / "log.db").touch()
    with pytest.raises(StoreError, match="start the hub once"):
        SqliteStore(tmp_path / "log.db", create=False)
    assert not [each for each in tmp_path.iterdir() if each.stat().st_size]


def test_a_store_whose_making_was_interrupted_is_made_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with closing(connect(path, read_only=False)) as connection:
        assert migrate(connection) == newest_schema()
    with pytest.raises(StoreError, match="never made to its end"):
        SqliteStore(path, create=False)
    fill(path, 2)
    assert len(keys(path)) == 2


def test_each_migration_is_applied_once_and_in_order(tmp_path: Path) -> None:
    numbers = [number for number, _ in migrations()]
    assert numbers == list(range(1, len(numbers) + 1))
    with closing(connect(tmp_path / "log.db", read_only=False)) as connection:
        assert migrate(connection) == migrate(connection) == numbers[-1]


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.db"
    fill(path, 3)
    broken = [
        *migrations(),
        (newest_schema() + 1, "CREATE TABLE half (id TEXT); INSERT INTO nowhere VALUES (1);"),
    ]
    with monkeypatch.context() as patched:
        patched.setattr("broadstreet.store.sqlite.migrate.migrations", lambda: broken)
        with pytest.raises(StoreError, match="nowhere"):
            SqliteStore(path)
    assert verify(path) == 3
    with closing(connect(path, read_only=True)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone() == (0,)


def test_a_store_is_not_migrated_under_a_running_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.db"
    running = SqliteStore(path)
    running.writer()
    newer = [*migrations(), (newest_schema() + 1, "CREATE TABLE more (id TEXT);")]
    monkeypatch.setattr("broadstreet.store.sqlite.migrate.migrations", lambda: newer)
    with pytest.raises(StoreLocked):
        SqliteStore(path)
    running.close()
    SqliteStore(path).close()


def test_a_folder_that_cannot_be_written_to_is_refused() -> None:
    with pytest.raises(StoreError, match="cannot"):
        SqliteStore(Path("/proc/self/log.db"))
    with pytest.raises(StoreError, match="cannot make the folder"):
        SqliteStore(Path("/proc/self/data/log.db"))


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    """Return a folder in which this process may only read, root's process too."""
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder / "log.db", 2)
        (folder / "log.db.lease").unlink()
        for each in folder.iterdir():
            each.chmod(0o444)
        folder.chmod(0o555)
        if user == 0:
            os.seteuid(NOBODY)
        yield folder
        os.seteuid(user)
        folder.chmod(0o700)


def test_a_read_only_folder_is_refused(read_only_folder: Path) -> None:
    with pytest.raises(StoreError, match="cannot take the lease"):
        SqliteStore(read_only_folder / "other.db")
    with pytest.raises(StoreError, match="cannot"):
        SqliteStore(read_only_folder / "log.db").writer()


# -- the lease -----------------------------------------------------------------------------------


def test_a_second_hub_is_refused_by_whatever_name_it_opens_the_file(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    first = SqliteStore(tmp_path / "data" / "log.db")
    first.writer()
    second = SqliteStore(tmp_path / "link" / "log.db")
    with pytest.raises(StoreLocked, match=f"process {os.getpid()}"):
        second.writer()
    second.close()
    first.close()


def test_the_lease_of_a_hub_that_died_is_free(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    program = f"""
from pathlib import Path
from broadstreet.store.sqlite import SqliteStore
store = SqliteStore(Path({str(path)!r}))
store.writer()
print("held", flush=True)
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as hub:
        assert hub.stdout is not None
        assert hub.stdout.readline() == "held\n"
        store = SqliteStore(path)
        with pytest.raises(StoreLocked, match=f"process {hub.pid}"):
            store.writer()
        hub.kill()
        hub.wait()
        store.writer()
        store.close()


# -- backup, restore, verify ---------------------------------------------------------------------


def test_a_backup_is_taken_while_writing_goes_on_and_can_be_opened(tmp_path: Path) -> None:
    store, clock = SqliteStore(tmp_path / "log.db"), DrivenClock(START)
    committer = Committer(store, clock, SeededIds(clock, 1))
    enough = threading.Event()

    def write() -> None:
        number = 0
        while not enough.is_set():
            committer.commit(
                Do(
                    lambda tx, n=number: tx.put(
                        draft(id=str(n), key=str(n), rows=identified(tx, "s", str(n)))
                    )
                )
            )
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    heads = []
    for number in range(5):
        committer.wait(beyond=committer.head + 20)
        least = committer.head
        heads.append(store.backup(tmp_path / f"backup-{number}.db"))
        assert least <= heads[-1] <= committer.head
    enough.set()
    writer.join()
    committer.close()
    store.close()
    assert heads == sorted(set(heads))
    for number, head in enumerate(heads):
        copy = tmp_path / f"backup-{number}.db"
        assert verify(copy) == head
        assert len(keys(copy)) == head
        fill(copy, 1, seed=2)


def test_a_backup_is_one_file_and_reading_it_leaves_nothing_beside_it(tmp_path: Path) -> None:
    fill(tmp_path / "data" / "log.db", 5)
    (tmp_path / "backups").mkdir()
    store = SqliteStore(tmp_path / "data" / "log.db", create=False)
    store.backup(tmp_path / "backups" / "monday.db")
    store.close()
    verify(tmp_path / "backups" / "monday.db")
    keys(tmp_path / "backups" / "monday.db")
    assert [each.name for each in (tmp_path / "backups").iterdir()] == ["monday.db"]


def test_a_backup_never_overwrites(tmp_path: Path) -> None:
    fill(tmp_path / "log.db", 1)
    store = SqliteStore(tmp_path / "log.db", create=False)
    store.backup(tmp_path / "backup.db")
    with pytest.raises(StoreError, match="exists already"):
        store.backup(tmp_path / "backup.db")
    store.close()


def test_a_backup_that_fails_leaves_nothing(tmp_path: Path) -> None:
    fill(tmp_path / "log.db", 1)
    store = SqliteStore(tmp_path / "log.db", create=False)
    with pytest.raises(StoreError, match="cannot copy"):
        store.backup(tmp_path / "nowhere" / "backup.db")
    store.close()


def test_a_restore_puts_the_backup_in_place_and_keeps_what_was_there(tmp_path: Path) -> None:
    path, backup = tmp_path / "log.db", tmp_path / "backup.db"
    fill(path, 3)
    store = SqliteStore(path, create=False)
    store.backup(backup)
    store.close()
    for number, kept in enumerate(["log.db.before-restore", "log.db.before-restore-2"], start=2):
        fill(path, 4, seed=number)
        assert restore(backup, path) == 3
        assert len(keys(path)) == 3
        assert len(keys(tmp_path / kept)) == 7
    fill(path, 1, seed=9)
    assert verify(path) == 4


def test_what_only_the_wal_holds_is_kept_with_the_older_file(tmp_path: Path) -> None:
    path, backup = tmp_path / "log.db", tmp_path / "backup.db"
    fill(path, 3)
    reader = SqliteStore(path, create=False)
    reader.backup(backup)
    reader.head()  # the reader stays: the last one to leave would fold the WAL in
    fill(path, 4, seed=2)
    assert (tmp_path / "log.db-wal").stat().st_size
    restore(backup, path)
    reader.close()
    assert len(keys(tmp_path / "log.db.before-restore")) == 7
    assert len(keys(path)) == 3


def test_a_restore_is_refused_while_a_hub_holds_the_lease(tmp_path: Path) -> None:
    path, backup = tmp_path / "log.db", tmp_path / "backup.db"
    fill(path, 3)
    store = SqliteStore(path)
    store.backup(backup)
    store.writer()
    with pytest.raises(StoreLocked):
        restore(backup, path)
    store.close()
    assert restore(backup, path) == 3


@pytest.mark.parametrize("damage", ["gone", "garbage", "torn"])
def test_a_damaged_store_is_restored_and_kept(tmp_path: Path, damage: str) -> None:
    path, backup = tmp_path / "log.db", tmp_path / "backup.db"
    fill(path, 3)
    store = SqliteStore(path)
    store.backup(backup)
    store.close()
    content = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(b"garbage" * 1000 if damage == "garbage" else content[: len(content) // 2])
    assert restore(backup, path) == 3
    fill(path, 1, seed=2)
    assert (tmp_path / "log.db.before-restore").exists() == (damage != "gone")


def test_a_damaged_backup_is_not_restored(tmp_path: Path) -> None:
    path, backup = tmp_path / "log.db", tmp_path / "backup.db"
    fill(path, 3)
    backup.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(StoreError):
        restore(backup, path)
    with pytest.raises(StoreError, match="there is no file"):
        restore(tmp_path / "nowhere.db", path)
    assert len(keys(path)) == 3
    assert not (tmp_path / "log.db.before-restore").exists()


def test_verify_finds_a_flipped_byte_in_an_index(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    fill(path, 200)
    with closing(sqlite3.connect(path)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'entry_key'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    content = bytearray(path.read_bytes())
    content[(root - 1) * size + 3] ^= 0xFF  # the number of cells on the page
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"damaged|not a store"):
        verify(path)


@pytest.mark.parametrize("damage", ["DELETE FROM entry WHERE seq = 2", "UPDATE entry SET seq = seq - 1"])
def test_verify_finds_a_gap_in_the_log(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "log.db"
    fill(path, 3)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(damage)
    with pytest.raises(StoreError, match="has gaps"):
        verify(path)


def test_verify_takes_an_empty_log(tmp_path: Path) -> None:
    fill(tmp_path / "log.db", 0)
    assert verify(tmp_path / "log.db") == 0


def test_only_their_owner_may_open_the_store_and_its_backups(tmp_path: Path) -> None:
    before = os.umask(0o000)
    try:
        fill(tmp_path / "data" / "log.db", 1)
        store = SqliteStore(tmp_path / "data" / "log.db")
        store.backup(tmp_path / "data" / "copy.db")
        store.writer()
        files = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "data").iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert {"log.db", "log.db-wal", "copy.db", "log.db.lease"} <= files.keys()
    assert set(files.values()) == {0o600}
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
