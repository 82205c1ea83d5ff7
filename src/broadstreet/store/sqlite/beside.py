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
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from broadstreet.store.index.building import Opening, Progress, build
from broadstreet.store.index.identity import identity_parts
from broadstreet.store.index.kinds import TOKEN
from broadstreet.store.protocol import NOTHING_ERASED, Erased, IndexGone, StoreError
from broadstreet.store.sqlite import index_rows
from broadstreet.store.sqlite.bulk import META, Aside, put_together
from broadstreet.store.sqlite.checkpoints import Checkpointer
from broadstreet.store.sqlite.connection import connect, sync
from broadstreet.store.sqlite.ddl import index_tables
from broadstreet.store.sqlite.lease import Lease

MARK = "index_beside"
"""The row of `meta`, in the log's file, that says that the index is beside it."""

INDEX_MISSING = "the search index is not there: the hub makes it (`broadstreet serve`), from the whole log"

_SCHEMA = "index"
ERASED = "erased"
"""The row of the index's `meta` that says that what was erased is still in free pages."""
AT_ONCE = 4_096
MOST_ROWS = 250_000
"""So many rows are written before a checkpoint begins: 100 to 300 MB of pages, most of them changed again and
again, and each copied once."""
LARGEST_LOG = 131_072
"""In pages: the writer itself copies the write-ahead log only where the thread that does it comes after. The
log keeps the room that it has: to cut it each time costs as much as to write it."""


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


def attach(connection: sqlite3.Connection, path: Path) -> os.stat_result | None:
    """Let a connection read the index together with the log; return which file that is, if there is one."""
    beside = place(path).absolute()
    if not beside.exists():
        return None
    file = os.stat(beside)
    connection.execute(f"ATTACH DATABASE '{_quoted(beside.as_uri())}?mode=ro' AS \"{_SCHEMA}\"")
    return file


def remove(path: Path) -> None:
    """Delete the index of a log's file; it is made again by whoever keeps it."""
    for rest in ("", "-wal", "-shm", ".lease"):
        place(path).with_name(place(path).name + rest).unlink(missing_ok=True)


def is_same(path: Path, file: os.stat_result | None) -> bool:
    """Say whether a file is the one that was there before."""
    try:
        return file is not None and os.path.samestat(os.stat(path), file)
    except FileNotFoundError:
        return file is None


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
        self.aside = Aside(self.path)
        try:
            self._open()
            self.aside.remove()  # of a build that broke off
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
        self._require_in_place()
        return int(self._meta("purged", 0))

    def prepare(self, index: index_rows.Index) -> index_rows.Prepared:
        """Return rows as `write` takes them: it holds Python's lock for that, and `write` hardly does."""
        return index_rows.prepare(index)

    def write(
        self,
        index: index_rows.Prepared,
        closing: Sequence[tuple[int, int]],
        reached: tuple[int, str],
        erased: Erased = NOTHING_ERASED,
    ) -> None:
        """Write the rows of versions, end those of their predecessors, remove those of what is `erased`,
        and move the cursor, at once.
        """
        self._require_in_place()
        with self._transaction():
            index_rows.insert(self._connection, index)
            index_rows.supersede(self._connection, closing)
            if any(erased):
                index_rows.erase(self._connection, erased)
                self._put(ERASED, 1)
            self._put("cursor", reached[0])
            self._put("cursor_id", reached[1])
        self._checkpoints.committed(sum(made[-1] for table in index for _, made in table))
        if self._checkpoints.nearly_done:
            self._checkpoints.finish(self._connection)

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

    def make_anew(
        self, log: Opening, progress: Progress = lambda *_: None, processes: int | None = None
    ) -> int:
        """Compute it from the whole log, in several processes, aside; return the position it has reached.

        The index that is there can be searched until the new one takes its place, at once and whole.
        """
        with closing(log()) as reader:
            head, purged = reader.head(), reader.oldest_position()
            last = reader.entries(head - 1, to=head) if head else []
        try:
            stages = build(log, self.aside.open_stage, head, purged, progress, processes)
            id = last[0].id if last else ""
            put_together(self.aside, stages, {"cursor": head, "cursor_id": id, "purged": purged})
            sync(self.aside.whole)
            self._close()
            self._take_place()
        finally:
            self.aside.remove()
        self._open()
        return head

    def identities(self) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of identifiers, in the order of their key, some at a time."""
        parts = identity_parts()
        marks = ", ".join("?" * len(parts))
        order = ", ".join(TOKEN.key)
        sql = f"SELECT * FROM {TOKEN.table} WHERE part IN ({marks}) AND code <> 0 ORDER BY {order}"
        cursor = self._connection.execute(sql, parts)
        while rows := cursor.fetchmany(AT_ONCE):
            yield rows

    def close(self) -> None:
        """Close the file and give its lease back."""
        self._close()
        self._lease.release()

    def _close(self) -> None:
        self._checkpoints.close()
        self._connection.close()

    def _open(self) -> None:
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._connection = connect(self.path, read_only=False)
        # What a power failure takes from it is indexed again; the log itself is what must not be lost.
        self._connection.execute("PRAGMA synchronous = normal")
        self._connection.execute(f"PRAGMA wal_autocheckpoint = {LARGEST_LOG}")
        self._connection.execute("PRAGMA journal_size_limit = -1")
        self._make()
        self._checkpoints = Checkpointer(self.path, MOST_ROWS)
        self._file = os.stat(self.path)

    def _take_place(self) -> None:
        """Put the new file in the place of the old one, whose write-ahead log must not be taken for its."""
        _forget_old(self.path)
        self.aside.whole.rename(self.path)
        _forget_old(self.path)  # of a reader that opened the old file in between
        sync(self.path.parent)

    def _make(self) -> None:
        with self._transaction():
            made = self._connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        if made is None:
            self._connection.executescript(
                f"BEGIN IMMEDIATE;\n{index_tables()}\nCREATE TABLE {META};\nCOMMIT;"
            )

    def _require_in_place(self) -> None:
        if not is_same(self.path, self._file):
            raise IndexGone(f"the search index {self.path.name} was deleted or replaced: it is made again")

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


def _forget_old(path: Path) -> None:
    for rest in ("-wal", "-shm"):
        path.with_name(path.name + rest).unlink(missing_ok=True)


def _quoted(text: str) -> str:
    return text.replace("'", "''")
