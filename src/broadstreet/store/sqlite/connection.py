"""Connections to one SQLite file, and the settings without which it would not be durable."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from broadstreet.store.protocol import StoreError

FULL, EXTRA = 2, 3
CACHE_KIB = 256 * 1024
CHECKPOINT_PAGES = 64_000
"""256 MB: the writer copies this much itself only where the thread that does it comes after, see
`checkpoints`."""
BUSY_MS = 10_000


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open the file in WAL mode with synchronous FULL.

    Raises
    ------
    StoreError
        If the file cannot be opened, is not a database, or cannot be made durable.
    """
    mode = "ro" if read_only else "rwc"
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
        )
    except sqlite3.Error as error:
        raise StoreError(f"cannot open the store {path.name}: {error}") from error
    try:
        _set_up(connection, read_only=read_only)
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(f"cannot open the store {path.name}: {error}") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up(connection: sqlite3.Connection, *, read_only: bool) -> None:
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB if not read_only else CACHE_KIB // 8}")
    if read_only:
        connection.execute("PRAGMA query_only = on")
        return
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("PRAGMA synchronous = full")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    require_durable(connection)


def require_durable(connection: sqlite3.Connection) -> None:
    """Refuse a connection whose commits could be lost.

    Raises
    ------
    StoreError
        If the journal is not a write-ahead log, or commits do not wait for the disk.
    """
    journal = connection.execute("PRAGMA journal_mode").fetchone()[0]
    if journal != "wal":
        raise StoreError(
            f"the store needs journal_mode wal (is {journal}); is the folder on a network file system?"
        )
    synchronous = connection.execute("PRAGMA synchronous").fetchone()[0]
    if synchronous not in (FULL, EXTRA):
        raise StoreError(
            f"the store needs synchronous FULL (is {synchronous}): a commit must wait for the disk"
        )


def sync(path: Path) -> None:
    """Wait until the disk has a file or folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
