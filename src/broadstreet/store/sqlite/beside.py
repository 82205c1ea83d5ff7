"""The search index in a file of its own, beside that of the log.

A commit then writes the log, the identifiers and what followers hand in, a quarter of the pages that it would
change with every search parameter; who acknowledges a message waits for no more. The index is a projection
like any other: it follows the log in a process of its own, remembers how far it has come in its own file, and
can be deleted and made again. It is never ahead of the log, and searches read it at its own position.

Of a log that was set back (restored from a backup), the index finds another entry where it stood, and
begins anew.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from broadstreet.store.protocol import StoreError
from broadstreet.store.sqlite import index_rows
from broadstreet.store.sqlite.connection import connect
from broadstreet.store.sqlite.ddl import index_tables
from broadstreet.store.sqlite.lease import Lease

MARK = "index_beside"
"""The row of `meta`, in the log's file, that says that the index is beside it."""

INDEX_MISSING = "the search index is not there: the hub makes it (`broadstreet serve`), from the whole log"

_META = "CREATE TABLE IF NOT EXISTS index_meta (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID"
_SCHEMA = "index"
ERASED = "erased"
"""The row of the index's `meta` that says that what was erased is still in free pages."""


def place(path: Path) -> Path:
    """Return the file of the index that belongs to a log's file."""
    return path.with_name(path.name.removesuffix(".db") + ".index")


def is_beside(connection: sqlite3.Connection) -> bool:
    """Say whether the log's file keeps its index beside it."""
    return connection.execute("SELECT 1 FROM meta WHERE name = ?", (MARK,)).fetchone() is not None


def put_beside(connection: sqlite3.Connection, path: Path) -> None:
    """Keep the index beside the log's file from now on: the lease must be held."""
    if not is_beside(connection):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"ALTER TABLE {index_rows.WHOLE[0]} RENAME TO {index_rows.IDENTITY}")
        for table in index_rows.WHOLE[1:]:
            connection.execute(f"DROP TABLE {table}")
        connection.execute("INSERT INTO meta VALUES (?, x'01')", (MARK,))
        connection.execute("COMMIT")
    IndexFile(path).close()


def attach(connection: sqlite3.Connection, path: Path) -> None:
    """Let a connection read the index together with the log."""
    beside = place(path).absolute()
    if beside.exists():
        connection.execute(f"ATTACH DATABASE '{_quoted(beside.as_uri())}?mode=ro' AS \"{_SCHEMA}\"")


def remove(path: Path) -> None:
    """Delete the index of a log's file; it is made again by whoever keeps it."""
    for rest in ("", "-wal", "-shm", ".lease"):
        place(path).with_name(place(path).name + rest).unlink(missing_ok=True)


class IndexFile:
    """The write side of the index, under a lease of its own.

    Parameters
    ----------
    path
        The log's file.
    """

    def __init__(self, path: Path) -> None:
        self.path = place(path)
        self._lease = Lease(self.path)
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._connection = connect(self.path, read_only=False)
            # What a power failure takes from it is indexed again; the log itself is what must not be lost.
            self._connection.execute("PRAGMA synchronous = normal")
            self._make()
        except (OSError, sqlite3.Error) as error:
            self._lease.release()
            raise StoreError(
                f"cannot open the search index {self.path.name} ({error}): delete it, and it is made again"
            ) from error
        except BaseException:
            self._lease.release()
            raise

    @property
    def cursor(self) -> tuple[int, str]:
        """The seq up to which the log is indexed, and the id of that entry."""
        return int(self._meta("cursor", 0)), str(self._meta("cursor_id", ""))

    @property
    def purged(self) -> int:
        """The position up to which superseded rows are removed."""
        return int(self._meta("purged", 0))

    def write(
        self,
        index: index_rows.Index,
        closing: Sequence[tuple[int, int]],
        reached: tuple[int, str],
        erased: Sequence[int] = (),
    ) -> None:
        """Write the rows of versions, end those of their predecessors, remove those of the subjects `erased`,
        and move the cursor, at once.
        """
        with self._transaction():
            index_rows.insert(self._connection, index)
            index_rows.supersede(self._connection, closing)
            if erased:
                index_rows.erase(self._connection, erased)
                self._put(ERASED, 1)
            self._put("cursor", reached[0])
            self._put("cursor_id", reached[1])

    def purge(self, before: int) -> int:
        """Remove rows superseded at or before a position; return how many."""
        with self._transaction():
            self._put("purged", before)
            return index_rows.purge(self._connection, before)

    def compact(self) -> None:
        """Write the file anew without what was removed, if subjects were erased since it was last done."""
        if not self._meta(ERASED, 0):
            return
        try:
            self._connection.execute("VACUUM")
            with self._transaction():
                self._connection.execute("DELETE FROM index_meta WHERE name = ?", (ERASED,))
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise StoreError(f"the search index {self.path.name} cannot be written anew ({error})") from error

    def clear(self) -> None:
        """Begin anew, without any row."""
        with self._transaction():
            index_rows.clear(self._connection)
            self._connection.execute("DELETE FROM index_meta")

    def close(self) -> None:
        """Close the file and give its lease back."""
        self._connection.close()
        self._lease.release()

    def _make(self) -> None:
        with self._transaction():
            made = self._connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        if made is None:
            self._connection.executescript(f"BEGIN IMMEDIATE;\n{index_tables()}\n{_META};\nCOMMIT;")

    def _meta(self, name: str, otherwise: int | str) -> int | str:
        row = self._connection.execute("SELECT value FROM index_meta WHERE name = ?", (name,)).fetchone()
        return otherwise if row is None else row[0]

    def _put(self, name: str, value: int | str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO index_meta VALUES (?, ?)", (name, value))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise StoreError(f"the search index {self.path.name} cannot be written ({error})") from error


def _quoted(text: str) -> str:
    return text.replace("'", "''")
