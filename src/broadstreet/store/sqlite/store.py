"""The store on one SQLite file: reader, writer, backup."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

from broadstreet.store.index import Indexer
from broadstreet.store.index.identity import IdentityIndexer
from broadstreet.store.protocol import IndexSide, StoreError
from broadstreet.store.sqlite import upkeep
from broadstreet.store.sqlite.beside import IndexFile, is_beside, place, put_beside, remove
from broadstreet.store.sqlite.connection import connect, sync
from broadstreet.store.sqlite.lease import Lease
from broadstreet.store.sqlite.migrate import migrate, newest_schema, schema_of
from broadstreet.store.sqlite.reader import SqliteReader
from broadstreet.store.sqlite.writer import SqliteWriter
from broadstreet.store.tables import Row, Table, Value
from broadstreet.store.upkeep import Volume


class SqliteStore(SqliteReader):
    """A store in one file; its folder must be on a local disk.

    Parameters
    ----------
    path
        The file; made, with its folder, unless `create` is false.
    index_beside
        Keep the search index in a file beside it, which another process writes (see `beside`); a store for
        which this was said once remains so. Otherwise each commit writes the index too.

    Raises
    ------
    StoreError
        If the file cannot be opened, is not a store, or cannot be made durable.
    """

    def __init__(self, path: Path, *, create: bool = True, index_beside: bool = False) -> None:
        key = _prepare(path) if create else _index_key(path)
        beside = _is_beside(path)
        if (index_beside and not beside) or (beside and create and not place(path).exists()):
            _put_beside(path)
            beside = True
        super().__init__(path, IdentityIndexer(key) if beside else Indexer(key), beside=beside)
        self._writer: SqliteWriter | None = None

    def writer(self) -> SqliteWriter:
        """Take the writer's lease and return the write side."""
        if self._writer is None:
            self._writer = SqliteWriter(self.path)
        return self._writer

    def index_side(self) -> IndexSide | None:
        """Open the write side of a search index that is kept beside; None where each commit writes it."""
        return IndexFile(self.path) if self.index_is_beside else None

    def volume(self) -> Volume:
        """Return how much room the store takes, and how much is left."""
        return upkeep.volume_of(self.path)

    def files(self) -> tuple[Path, ...]:
        """Return the files that hold the store: log and index, each with its write-ahead log."""
        wholes = (self.path, place(self.path)) if self.index_is_beside else (self.path,)
        files = [whole.with_name(whole.name + rest) for whole in wholes for rest in ("", "-wal")]
        return tuple(file for file in files if file.exists())

    def index_tables(self) -> tuple[Table, ...]:
        """Return the tables of the search index."""
        return upkeep.index_tables(self.connection)

    def has(self, table: Table) -> bool:
        """Say whether the table is there."""
        return upkeep.has_table(self.connection, table.name)

    def tally(self, table: Table, column: str) -> dict[Value, int]:
        """Return how many rows have each value of a column."""
        return upkeep.tally(self.connection, table, column)

    def count(self, table: Table) -> int:
        """Return how many rows a table has."""
        return int(self._all(f'SELECT count(*) FROM "{table.name}"')[0][0])

    def rows(self, table: Table) -> Iterator[Row]:
        """Yield every row in the order of the key, without holding them all."""
        return upkeep.rows_of(self.connection, table)

    def snapshot(self) -> AbstractContextManager[None]:
        """Let all that this thread reads inside be as it was at one position, while writing goes on."""
        return upkeep.snapshot_of(self.connection)

    def backup(self, target: Path) -> int:
        """Write a copy that can be opened as a store, while writing goes on; return its head.

        The copy is one file, and appears under its name only when it is whole and on the disk.

        Raises
        ------
        StoreError
            If there is a file already, or no room for the copy.
        """
        if target.exists():
            raise StoreError(f"{target} exists already, and a backup never overwrites: name another file")
        return _copy(self.path, target)

    def close(self) -> None:
        """Give back every connection and the lease."""
        super().close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def restore(backup: Path, path: Path, prepare: Callable[[Path], None] = lambda _: None) -> int:
    """Put a backup in the place of a store that no hub uses; return its head.

    The store that was there, damaged or not, is kept beside it as `<name>.before-restore`.

    Parameters
    ----------
    backup, path
        What is restored, and where.
    prepare
        Given the copy before it takes its place; what it raises leaves the store as it was.

    Raises
    ------
    StoreError
        If the backup is damaged or not a store, or there is no room for the copy.
    StoreLocked
        If a hub uses the store.
    """
    head = verify(backup)
    path.parent.mkdir(parents=True, exist_ok=True)
    with Lease(path):
        restored = path.with_name(path.name + ".restored")
        _copy(backup, restored)
        try:
            prepare(restored)
        except BaseException:
            restored.unlink()
            raise
        finally:
            restored.with_name(restored.name + ".lease").unlink(missing_ok=True)
            remove(restored)
        _set_aside(path)
        remove(path)  # it is another log's now; the hub makes it again
        restored.rename(path)
        sync(path.parent)
    return head


def verify(path: Path) -> int:
    """Check a store's file from the first page to the last, and that its log has no gap; return its head.

    Raises
    ------
    StoreError
        If the file is damaged or not a store; the text says what was found.
    """
    if not path.exists():
        raise StoreError(f"there is no file {path}: name one that `broadstreet backup` wrote")
    connection = connect(path, read_only=True)
    try:
        schema_of(connection)
        found = connection.execute("PRAGMA integrity_check(5)").fetchall()
        if found != [("ok",)]:
            raise StoreError(
                f"{path.name} is damaged: {'; '.join(row[0] for row in found)}; restore a backup"
                " (`broadstreet restore`)"
            )
        entries, first, head = connection.execute(
            "SELECT count(*), coalesce(min(seq), 1), coalesce(max(seq), 0) FROM entry"
        ).fetchone()
    except sqlite3.Error as error:
        raise StoreError(
            f"{path.name} is damaged or not a store ({error}): restore a backup (`broadstreet restore`)"
        ) from error
    finally:
        connection.close()
    if first != 1 or entries != head:
        raise StoreError(
            f"the log in {path.name} has gaps: {entries} entries, the oldest is {first}, the newest {head};"
            " restore a backup (`broadstreet restore`)"
        )
    return int(head)


def _prepare(path: Path) -> bytes:
    """Make the file or bring it to the newest schema where that is needed; return the index's key."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(f"cannot make the folder of {path.name} ({error.strerror}): name another") from error
    if not path.exists() or _schema(path) < newest_schema() or _held_key(path) is None:
        with Lease(path):
            _make(path)
    return _index_key(path)


def _make(path: Path) -> None:
    try:
        _make_private(path)
    except OSError as error:
        raise StoreError(f"cannot make {path.name} ({error.strerror}): name another folder") from error
    connection = connect(path, read_only=False)
    try:
        migrate(connection)
        connection.execute("INSERT OR IGNORE INTO meta VALUES ('index_key', ?)", (secrets.token_bytes(32),))
    except sqlite3.Error as error:
        raise StoreError(f"cannot make the store {path.name}: {error}") from error
    finally:
        connection.close()


def _is_beside(path: Path) -> bool:
    with closing(connect(path, read_only=True)) as connection:
        return is_beside(connection)


def _put_beside(path: Path) -> None:
    with Lease(path), closing(connect(path, read_only=False)) as connection:
        put_beside(connection, path)


def _make_private(path: Path) -> None:
    """Make the file if there is none, and let only its owner open it; what SQLite lays beside it follows."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)


def _schema(path: Path) -> int:
    connection = connect(path, read_only=True)
    try:
        return schema_of(connection)
    except sqlite3.Error as error:
        raise StoreError(f"{path.name} is not a store: {error}") from error
    finally:
        connection.close()


def _index_key(path: Path) -> bytes:
    if not path.exists():
        raise StoreError(
            f"there is no store at {path.name}: start the hub once (`broadstreet serve`) to make it"
        )
    if (schema := _schema(path)) < newest_schema():
        raise StoreError(
            f"the store has schema {schema}, this release needs {newest_schema()}: start the hub once"
        )
    key = _held_key(path)
    if key is None:
        raise StoreError(f"{path.name} has no key for its search index: it was never made to its end")
    return key


def _held_key(path: Path) -> bytes | None:
    connection = connect(path, read_only=True)
    try:
        row = connection.execute("SELECT value FROM meta WHERE name = 'index_key'").fetchone()
    except sqlite3.Error as error:
        raise StoreError(f"{path.name} is not a store: {error}") from error
    finally:
        connection.close()
    return bytes(row[0]) if row else None


def _copy(path: Path, target: Path) -> int:
    """Write a copy that appears under its name only when it is whole and on the disk; return its head."""
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    source = connect(path, read_only=True)
    try:
        _make_private(part)
        with closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = delete")  # one file, which nothing beside it belongs to
            head = int(copy.execute("SELECT coalesce(max(seq), 0) FROM entry").fetchone()[0])
        sync(part)
        part.rename(target)
        sync(target.parent)
    except (sqlite3.Error, OSError) as error:
        part.unlink(missing_ok=True)
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise StoreError(
            f"cannot copy {path.name} to {target} ({reason}): name a file in a folder that can be written to"
            " and has room for it"
        ) from error
    finally:
        source.close()
    return head


def _set_aside(path: Path) -> None:
    kept = path.with_name(path.name + ".before-restore")
    number = 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.before-restore-{number}")
    for rest in ("", "-wal", "-shm"):  # what is in the WAL belongs to it
        part = path.with_name(path.name + rest)
        if part.exists():
            part.rename(kept.with_name(kept.name + rest))
