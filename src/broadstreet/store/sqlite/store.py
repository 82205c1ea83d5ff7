"""The store on one SQLite file: reader, writer, backup."""

from __future__ import annotations

import os
import secrets
import sqlite3
from pathlib import Path

from broadstreet.store.index import Indexer
from broadstreet.store.protocol import StoreError
from broadstreet.store.sqlite.connection import connect
from broadstreet.store.sqlite.migrate import migrate
from broadstreet.store.sqlite.reader import SqliteReader
from broadstreet.store.sqlite.writer import SqliteWriter


class SqliteStore(SqliteReader):
    """A store in one file; its folder must be on a local disk.

    Parameters
    ----------
    path
        The file; made, with its folder, unless `create` is false.

    Raises
    ------
    StoreError
        If the file cannot be opened, is not a store, or cannot be made durable.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        if not create and not path.exists():
            raise StoreError(
                f"there is no store at {path.name}: start the hub once (`broadstreet serve`) to make it"
            )
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(path, Indexer(_prepare(path) if create else _index_key(path)))
        self._writer: SqliteWriter | None = None

    def writer(self) -> SqliteWriter:
        """Take the writer's lease and return the write side."""
        if self._writer is None:
            self._writer = SqliteWriter(self.path)
        return self._writer

    def backup(self, target: Path) -> int:
        """Write a copy that can be opened as a store, while writing goes on; return its head.

        The copy appears under its name only when it is whole and on the disk.
        """
        if target.exists():
            raise StoreError(f"{target} exists already: a backup never overwrites")
        part = target.with_name(target.name + ".part")
        part.unlink(missing_ok=True)
        source = connect(self.path, read_only=True)
        copy = sqlite3.connect(part)
        try:
            source.backup(copy)
            head = int(copy.execute("SELECT coalesce(max(seq), 0) FROM entry").fetchone()[0])
        finally:
            copy.close()
            source.close()
        _sync(part)
        part.rename(target)
        _sync(target.parent)
        return head

    def close(self) -> None:
        """Give back every connection and the lease."""
        super().close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def restore(backup: Path, path: Path) -> int:
    """Put a backup in the place of a store that no hub uses; return its head.

    The store that was there is kept beside it as `<name>.before-restore`.

    Raises
    ------
    StoreError
        If the backup is damaged or not a store.
    StoreLocked
        If a hub uses the store.
    """
    head = verify(backup)
    if path.exists():
        SqliteStore(path).writer().close()  # refuses while a hub holds the lease; folds the WAL in
        path.rename(path.with_name(path.name + ".before-restore"))
    for rest in ("-wal", "-shm"):
        path.with_name(path.name + rest).unlink(missing_ok=True)
    copied = SqliteStore(backup, create=False)
    try:
        copied.backup(path)
    finally:
        copied.close()
    return head


def verify(path: Path) -> int:
    """Check a store's file from the first page to the last, and that its log has no gap; return its head.

    Raises
    ------
    StoreError
        If the file is damaged or not a store; the text says what was found.
    """
    if not path.exists():
        raise StoreError(f"there is no file {path}")
    connection = connect(path, read_only=True)
    try:
        found = connection.execute("PRAGMA integrity_check(5)").fetchall()
        if found != [("ok",)]:
            raise StoreError(f"{path.name} is damaged: {'; '.join(row[0] for row in found)}")
        entries, head = connection.execute("SELECT count(*), coalesce(max(seq), 0) FROM entry").fetchone()
    except sqlite3.Error as error:
        raise StoreError(f"{path.name} is not a store: {error}") from error
    finally:
        connection.close()
    if entries != head:
        raise StoreError(f"the log in {path.name} has gaps: {entries} entries, but the newest is {head}")
    return int(head)


def _prepare(path: Path) -> bytes:
    connection = connect(path, read_only=False)
    try:
        migrate(connection)
        connection.execute("INSERT OR IGNORE INTO meta VALUES ('index_key', ?)", (secrets.token_bytes(32),))
    finally:
        connection.close()
    return _index_key(path)


def _index_key(path: Path) -> bytes:
    connection = connect(path, read_only=True)
    try:
        rows = connection.execute("SELECT value FROM meta WHERE name = 'index_key'").fetchall()
        return bytes(rows[0][0])
    except (sqlite3.Error, IndexError) as error:
        raise StoreError(f"{path.name} is not a store of Broad Street") from error
    finally:
        connection.close()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
