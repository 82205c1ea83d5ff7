"""The write side on SQLite: whole batches, each one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from broadstreet.store.entry import ABSENT, Entry, Opened, as_it_is
from broadstreet.store.index import TokenKey
from broadstreet.store.index.kinds import FOREVER
from broadstreet.store.protocol import (
    INDEX_INCOMPLETE,
    MOST_PREFIXED,
    Batch,
    Current,
    Cursor,
    Erased,
    ResourceKey,
    StoreError,
    StoreFull,
)
from broadstreet.store.query import ENTRY
from broadstreet.store.sqlite import index_rows
from broadstreet.store.sqlite.beside import is_beside
from broadstreet.store.sqlite.checkpoints import Checkpointer
from broadstreet.store.sqlite.connection import connect
from broadstreet.store.sqlite.cutting import cut_log
from broadstreet.store.sqlite.lease import Lease
from broadstreet.store.sqlite.rows import look_up, write_rows
from broadstreet.store.tables import Change, Clear, Delete, Increment, Table, Upsert, merged

_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)
_EMPTY = (
    "UPDATE entry SET body = NULL WHERE seq = ?",
    f"UPDATE current SET digest = {ABSENT} WHERE seq = ?",
    "DELETE FROM shadow WHERE CAST(key AS INTEGER) = ?",  # a key is cause:ordinal
)
LAST_CHARACTER = "\U0010ffff"


class SqliteWriter:
    """Writes one file from one thread, under the lease."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lease = Lease(path)
        try:
            self._connection = connect(path, read_only=False)
            self._checkpoints = Checkpointer(path)
        except BaseException:
            self._lease.release()
            raise
        self._tables = (index_rows.IDENTITY,) if is_beside(self._connection) else index_rows.WHOLE
        self._indexed = not self._connection.execute(
            "SELECT 1 FROM meta WHERE name = 'reindexing'"
        ).fetchone()

    def head(self) -> int:
        """Return the newest seq."""
        return int(self._look_up(("one",), "SELECT coalesce(max(seq), 0) FROM entry", [(1,)])[0][0])

    def known(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return the seq of each `(source, key)` that the log has."""
        sql = (
            "SELECT e.source, e.key, e.seq FROM wanted w CROSS JOIN entry e"
            " ON e.source = w.source AND e.key = w.key"
        )
        return {(source, key): seq for source, key, seq in self._look_up(("source", "key"), sql, keys)}

    def prefixed(self, prefixes: Sequence[tuple[str, str]]) -> list[Entry]:
        """Return the first entries, without bodies, of each source whose keys begin with a prefix."""
        columns = ENTRY.replace("e.body", "NULL")
        sql = (
            f"SELECT {columns} FROM wanted w CROSS JOIN entry e WHERE e.seq IN (SELECT seq FROM entry"
            " WHERE source = w.source AND key >= w.low AND key < w.high"
            f" ORDER BY key LIMIT {MOST_PREFIXED})"
        )
        ranges = [(source, prefix, prefix + LAST_CHARACTER) for source, prefix in prefixes]
        return [Entry(*row) for row in self._look_up(("source", "low", "high"), sql, ranges)]

    def load(self, keys: Sequence[ResourceKey]) -> dict[ResourceKey, Current]:
        """Return the newest versions of these resources."""
        sql = (
            f"SELECT c.digest, {ENTRY} FROM wanted w CROSS JOIN current c"
            " ON c.type = w.type AND c.id = w.id CROSS JOIN entry e ON e.seq = c.seq"
        )
        rows = self._look_up(("type", "id"), sql, keys)
        return {(row[3], row[4]): Current(Entry(*row[1:]), row[0]) for row in rows}

    def holders(self, tokens: Sequence[TokenKey]) -> list[tuple[TokenKey, Current]]:
        """Return each current resource that has one of these `(part, code, system)`."""
        if not self._indexed:
            raise StoreError(INDEX_INCOMPLETE)
        sql = (
            f"SELECT t.part, t.code, t.system, c.digest, {ENTRY} FROM wanted w CROSS JOIN {self._tables[0]} t"
            " ON t.part = w.part AND t.code = w.code"
            " CROSS JOIN entry e ON e.seq = t.since CROSS JOIN current c ON c.type = e.type AND c.id = e.id"
            f" WHERE t.system = w.system AND t.until = {FOREVER}"
        )
        rows = self._look_up(("part", "code", "system"), sql, tokens)
        return [((row[0], row[1], row[2]), Current(Entry(*row[4:]), row[3])) for row in rows]

    def cursor(self, follower: str) -> Cursor | None:
        """Return how far a follower has come."""
        sql = (
            "SELECT c.follower, c.version, c.seq, c.mode FROM wanted w CROSS JOIN cursor c"
            " ON c.follower = w.follower"
        )
        rows = self._look_up(("follower",), sql, [(follower,)])
        return Cursor(*rows[0]) if rows else None

    def leased(self) -> bool:
        """Say whether the writer's lease is still held: not so once someone removed its file."""
        return self._lease.held()

    def write(self, batch: Batch) -> None:
        """Write and commit the batch, all of it or nothing; durable when this returns."""
        with self._transaction():
            self._write_log(batch)
            index_rows.insert(self._connection, index_rows.prepare(batch.index, self._tables), self._tables)
            index_rows.supersede(self._connection, batch.closing, self._tables)
            for change in merged(batch.changes):
                self._change(change)
            self._write_cursors(batch)
        self._checkpoints.committed(batch.rows())
        if self._checkpoints.nearly_done:
            self._checkpoints.finish(self._connection)

    def define(self, tables: Sequence[Table]) -> None:
        """Make the tables that do not exist yet.

        Raises
        ------
        StoreError
            If one of them exists with other columns or another key.
        """
        with self._transaction() as connection:
            for table in tables:
                create(connection, table)
                _require_layout(connection, table)

    def purge(self, before: int) -> int:
        """Remove index rows superseded at or before a position; return how many."""
        with self._transaction() as connection:
            (head,) = connection.execute("SELECT coalesce(max(seq), 0) FROM entry").fetchone()
            held = connection.execute("SELECT value FROM meta WHERE name = 'purged'").fetchone()
            before = max(min(before, head), int(held[0]) if held else 0)
            purged = index_rows.purge(connection, before, self._tables)
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('purged', ?)", (str(before).encode(),))
        return purged

    def reindex(self, index: Sequence[Sequence[tuple[Any, ...]]]) -> None:
        """Write index rows anew, in the order of `KINDS`; commit."""
        with self._transaction() as connection:
            index_rows.insert(connection, index_rows.prepare(index, self._tables), self._tables)

    def drop_index(self) -> None:
        """Empty the search index and commit; it cannot be searched before `finish_index`."""
        with self._transaction() as connection:
            index_rows.clear(connection, self._tables)
            connection.execute("DELETE FROM meta WHERE name = 'purged'")
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('reindexing', x'01')")
        self._indexed = False

    def finish_index(self) -> None:
        """State that the search index is whole again, and commit."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM meta WHERE name = 'reindexing'")
        self._indexed = True

    def compact(self) -> None:
        """Write the file anew without what was removed."""
        try:
            folder = str(self._path.absolute().parent).replace("'", "''")
            self._connection.execute(f"PRAGMA temp_store_directory = '{folder}'")  # not among other's files
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            self._recover()
            raise _told(error) from error

    def erase(self, seqs: Sequence[int], subjects: Sequence[int]) -> int:
        """Empty bodies of entries, and remove the index rows of these and of subjects; return how many."""
        with self._transaction() as connection:
            for sql in _EMPTY:
                connection.executemany(sql, [(seq,) for seq in seqs])
            return index_rows.erase(connection, Erased(subjects, seqs), self._tables)

    def cut(self, to: int, opened: Opened = as_it_is) -> None:
        """Remove every entry after a position, and set the newest versions back to it, in one commit."""
        with self._transaction() as connection:
            cut_log(connection, to, opened)

    def close(self) -> None:
        """Close the connection and give the lease back."""
        self._checkpoints.close()
        self._connection.close()
        self._lease.release()

    def _write_log(self, batch: Batch) -> None:
        rows, connection = write_rows, self._connection
        rows(connection, "INSERT INTO entry", 12, "", [msgspec.structs.astuple(e) for e in batch.entries])
        rows(connection, "INSERT INTO entry_subject", 2, "", batch.subjects)
        rows(connection, "INSERT INTO entry_label", 5, "", batch.labels)
        currents = [(*key, *value) for key, value in batch.currents.items()]
        update = (
            "ON CONFLICT DO UPDATE SET seq = excluded.seq,"
            " version = excluded.version, digest = excluded.digest"
        )
        rows(connection, "INSERT INTO current", 5, update, currents)

    def _write_cursors(self, batch: Batch) -> None:
        cursors = {c.follower: (c.follower, c.version, c.seq, c.mode) for c in batch.cursors}
        update = (
            "ON CONFLICT DO UPDATE SET version = excluded.version, seq = excluded.seq, mode = excluded.mode"
        )
        write_rows(self._connection, "INSERT INTO cursor", 4, update, list(cursors.values()))
        write_rows(self._connection, "INSERT OR IGNORE INTO shadow", 5, "", batch.shadows)

    def _change(self, change: Change) -> None:
        table, connection = change.table, self._connection
        if isinstance(change, Clear):
            connection.execute(f'DROP TABLE IF EXISTS "{table.name}"')
            create(connection, table)
        elif isinstance(change, Delete):
            key = " AND ".join(f'"{name}" = ?' for name in table.key)
            connection.executemany(f'DELETE FROM "{table.name}" WHERE {key}', change.keys)
        else:
            into = f'INSERT INTO "{table.name}"'
            write_rows(connection, into, len(table.columns), _on_conflict(change), change.rows)

    def _look_up(self, names: Sequence[str], sql: str, rows: Sequence[Iterable[object]]) -> list[Any]:
        try:
            return look_up(self._connection, names, sql, rows)
        except sqlite3.Error as error:
            self._recover()
            raise StoreError(f"cannot read the store: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._recover()
            raise _told(error) from error
        except BaseException:
            self._recover()
            raise

    def _recover(self) -> None:
        """Leave no transaction open; where that fails begin with a new connection."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._connection.close()
            self._connection = connect(self._path, read_only=False)


def create(connection: sqlite3.Connection, table: Table) -> None:
    """Make a table that does not exist yet."""
    columns = ", ".join(f'"{name}" {kind.upper()}' for name, kind in table.columns.items())
    key = ", ".join(f'"{name}"' for name in table.key)
    connection.execute(
        f'CREATE TABLE IF NOT EXISTS "{table.name}" ({columns}, PRIMARY KEY ({key})) STRICT, WITHOUT ROWID'
    )
    for index in table.indexes:
        name, indexed = "_".join((table.name, *index)), ", ".join(f'"{column}"' for column in index)
        connection.execute(f'CREATE INDEX IF NOT EXISTS "{name}" ON "{table.name}" ({indexed})')


def _require_layout(connection: sqlite3.Connection, table: Table) -> None:
    sql = "SELECT name, lower(type), pk FROM pragma_table_info(?) ORDER BY cid"
    held = connection.execute(sql, (table.name,)).fetchall()
    wanted = [
        (name, kind, table.key.index(name) + 1 if name in table.key else 0)
        for name, kind in table.columns.items()
    ]
    if held != wanted:
        raise StoreError(
            f"table {table.name} has the columns {', '.join(name for name, *_ in held)} in the store, and"
            f" {', '.join(table.columns)} in this release: raise the version of the projection that owns it"
        )


def _on_conflict(change: Upsert | Increment) -> str:
    table = change.table
    others = [name for name in table.columns if name not in table.key]
    if not others:
        return "ON CONFLICT DO NOTHING"
    added = isinstance(change, Increment)
    kept = change.replace if isinstance(change, Increment) else ()
    sets = [
        f'"{n}" = "{table.name}"."{n}" + excluded."{n}"'
        if added and n not in kept
        else f'"{n}" = excluded."{n}"'
        for n in others
    ]
    return f"ON CONFLICT DO UPDATE SET {', '.join(sets)}"


def _told(error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    if code in _NO_ROOM or "full" in str(error):
        return StoreFull(f"no room in the store ({error}); nothing of the batch was kept")
    return StoreError(f"the store refused a batch: {error}")
