"""The write side on SQLite: whole batches, each one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec

from broadstreet.store.entry import Entry, IndexRows
from broadstreet.store.protocol import FOREVER, Batch, Current, Cursor, ResourceKey, StoreError, StoreFull
from broadstreet.store.sqlite.connection import connect
from broadstreet.store.sqlite.lease import Lease
from broadstreet.store.sqlite.reader import ENTRY
from broadstreet.store.sqlite.rows import write_rows
from broadstreet.store.tables import Change, Delete, Increment, Table, Upsert, merged

_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)
INDEXES = ("token_index", "date_index", "reference_index")
_json = msgspec.json.Encoder().encode


class SqliteWriter:
    """Writes one file from one thread, under the lease."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lease = Lease(path)
        try:
            self._connection = connect(path, read_only=False)
        except BaseException:
            self._lease.release()
            raise

    def known(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return the seq of each `(source, key)` that the log has."""
        sql = (
            "SELECT e.source, e.key, e.seq FROM json_each(?) k CROSS JOIN entry e"
            " ON e.source = k.value ->> 0 AND e.key = k.value ->> 1"
        )
        return {(source, key): seq for source, key, seq in self._connection.execute(sql, (_text(keys),))}

    def prefixed(self, prefixes: Sequence[tuple[str, str]]) -> list[Entry]:
        """Return the entries, without bodies, of each source whose keys begin with a prefix."""
        columns = ENTRY.replace("e.body", "NULL")
        sql = (
            f"SELECT {columns} FROM json_each(?) k CROSS JOIN entry e"
            " ON e.source = k.value ->> 0 AND e.key >= k.value ->> 1 AND e.key < k.value ->> 2"
        )
        ranges = [(source, prefix, prefix + "\U0010ffff") for source, prefix in prefixes]
        return [Entry(*row) for row in self._connection.execute(sql, (_text(ranges),))]

    def load(self, keys: Sequence[ResourceKey]) -> dict[ResourceKey, Current]:
        """Return the newest versions of these resources."""
        sql = (
            f"SELECT c.digest, {ENTRY} FROM json_each(?) k CROSS JOIN current c"
            " ON c.type = k.value ->> 0 AND c.id = k.value ->> 1 CROSS JOIN entry e ON e.seq = c.seq"
        )
        rows = self._connection.execute(sql, (_text(keys),)).fetchall()
        return {(row[3], row[4]): Current(Entry(*row[1:]), row[0]) for row in rows}

    def holders(self, tokens: Sequence[tuple[int, int]]) -> list[tuple[tuple[int, int], Current]]:
        """Return each current resource that has one of these `(parameter, hash)`."""
        # Hashes travel as text: JSON readers may round a large integer.
        sql = (
            f"SELECT t.parameter, t.value, c.digest, {ENTRY} FROM json_each(?) k CROSS JOIN token_index t"
            " ON t.parameter = k.value ->> 0 AND t.value = CAST(k.value ->> 1 AS INTEGER)"
            " CROSS JOIN entry e ON e.seq = t.since CROSS JOIN current c ON c.type = e.type AND c.id = e.id"
            " WHERE t.until = ?"
        )
        wanted = _text([(number, str(value)) for number, value in tokens])
        rows = self._connection.execute(sql, (wanted, FOREVER)).fetchall()
        return [((row[0], row[1]), Current(Entry(*row[3:]), row[2])) for row in rows]

    def cursor(self, follower: str) -> Cursor | None:
        """Return how far a follower has come."""
        sql = "SELECT follower, version, seq, mode FROM cursor WHERE follower = ?"
        row = self._connection.execute(sql, (follower,)).fetchone()
        return Cursor(*row) if row else None

    def write(self, batch: Batch) -> None:
        """Write and commit the batch, all of it or nothing; durable when this returns."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._write_log(batch)
            self._write_index(batch)
            for change in merged(batch.changes):
                self._change(change)
            self._write_cursors(batch)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._recover()
            raise _told(error) from error
        except BaseException:
            self._recover()
            raise

    def drop_rows(self, tables: Sequence[Table]) -> None:
        """Empty a follower's tables and commit."""
        self._connection.execute("BEGIN IMMEDIATE")
        for table in tables:
            self._connection.execute(f'DELETE FROM "{table.name}"')
        self._connection.execute("COMMIT")

    def purge(self, before: int) -> int:
        """Remove index rows superseded at or before a position; return how many."""
        purged = 0
        self._connection.execute("BEGIN IMMEDIATE")
        for index in INDEXES:
            purged += self._connection.execute(f"DELETE FROM {index} WHERE until <= ?", (before,)).rowcount
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('purged', ?)", (str(before).encode(),))
        self._connection.execute("COMMIT")
        return purged

    def define(self, tables: Sequence[Table]) -> None:
        """Make the tables that do not exist yet."""
        for table in tables:
            columns = ", ".join(f'"{name}" {kind.upper()}' for name, kind in table.columns.items())
            key = ", ".join(f'"{name}"' for name in table.key)
            self._connection.execute(
                f'CREATE TABLE IF NOT EXISTS "{table.name}" ({columns}, PRIMARY KEY ({key}))'
                " STRICT, WITHOUT ROWID"
            )
            for index in table.indexes:
                name, indexed = "_".join((table.name, *index)), ", ".join(f'"{column}"' for column in index)
                self._connection.execute(f'CREATE INDEX IF NOT EXISTS "{name}" ON "{table.name}" ({indexed})')

    def reindex(self, entries: Sequence[tuple[int, int, IndexRows]]) -> None:
        """Write the index rows of versions anew: `(since, until, rows)` each; commit."""
        tokens = [(*token, since, until) for since, until, rows in entries for token in rows.tokens]
        dates = [(*date, since, until) for since, until, rows in entries for date in rows.dates]
        references = [(*ref, since, until) for since, until, rows in entries for ref in rows.references]
        self._connection.execute("BEGIN IMMEDIATE")
        write_rows(self._connection, "INSERT INTO token_index", 4, "", tokens)
        write_rows(self._connection, "INSERT INTO date_index", 5, "", dates)
        write_rows(self._connection, "INSERT INTO reference_index", 4, "", references)
        self._connection.execute("COMMIT")

    def drop_index(self) -> None:
        """Empty the search index and commit."""
        self._connection.execute("BEGIN IMMEDIATE")
        for index in INDEXES:
            self._connection.execute(f"DELETE FROM {index}")
        self._connection.execute("DELETE FROM meta WHERE name = 'purged'")
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the connection and give the lease back."""
        self._connection.close()
        self._lease.release()

    def _write_log(self, batch: Batch) -> None:
        rows, connection = write_rows, self._connection
        rows(connection, "INSERT INTO entry", 12, "", [msgspec.structs.astuple(e) for e in batch.entries])
        rows(connection, "INSERT INTO entry_subject", 2, "", batch.subjects)
        currents = [(*key, *value) for key, value in batch.currents.items()]
        update = (
            "ON CONFLICT DO UPDATE SET seq = excluded.seq,"
            " version = excluded.version, digest = excluded.digest"
        )
        rows(connection, "INSERT INTO current", 5, update, currents)

    def _write_index(self, batch: Batch) -> None:
        rows, connection = write_rows, self._connection
        rows(connection, "INSERT INTO token_index", 4, "", [(*row, FOREVER) for row in batch.tokens])
        rows(connection, "INSERT INTO date_index", 5, "", [(*row, FOREVER) for row in batch.dates])
        rows(connection, "INSERT INTO reference_index", 4, "", [(*row, FOREVER) for row in batch.references])
        for index in INDEXES:
            after = (
                f") UPDATE {index} SET until = closing.until FROM closing"
                f" WHERE {index}.since = closing.since AND {index}.until = {FOREVER}"
            )
            rows(connection, "WITH closing (since, until) AS (", 2, after, batch.closing)

    def _write_cursors(self, batch: Batch) -> None:
        cursors = {c.follower: (c.follower, c.version, c.seq, c.mode) for c in batch.cursors}
        update = (
            "ON CONFLICT DO UPDATE SET version = excluded.version, seq = excluded.seq, mode = excluded.mode"
        )
        write_rows(self._connection, "INSERT INTO cursor", 4, update, list(cursors.values()))
        write_rows(self._connection, "INSERT OR IGNORE INTO shadow", 5, "", batch.shadows)

    def _change(self, change: Change) -> None:
        table = change.table
        if isinstance(change, Delete):
            key = " AND ".join(f'"{name}" = ?' for name in table.key)
            self._connection.executemany(f'DELETE FROM "{table.name}" WHERE {key}', change.keys)
            return
        write_rows(
            self._connection,
            f'INSERT INTO "{table.name}"',
            len(table.columns),
            _on_conflict(change),
            change.rows,
        )

    def _recover(self) -> None:
        """Leave no transaction open; after an input or output error begin with a new connection."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._connection.close()
            self._connection = connect(self._path, read_only=False)


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


def _text(value: object) -> str:
    return _json(value).decode()
