"""The write side on PostgreSQL: whole batches, each one fenced transaction."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
import psycopg

from broadstreet.store.entry import ABSENT, Entry, Opened, as_it_is
from broadstreet.store.index import TokenKey
from broadstreet.store.index.kinds import FOREVER
from broadstreet.store.postgres import index_rows, tables, upkeep
from broadstreet.store.postgres.address import Address
from broadstreet.store.postgres.beside import is_beside
from broadstreet.store.postgres.connection import Connection, connect, lost, told
from broadstreet.store.postgres.copying import copy_in
from broadstreet.store.postgres.cutting import cut_log
from broadstreet.store.postgres.index_rows import by_column
from broadstreet.store.postgres.lease import Lease
from broadstreet.store.postgres.migrate import meta, set_meta
from broadstreet.store.protocol import (
    INDEX_INCOMPLETE,
    MOST_PREFIXED,
    Batch,
    Current,
    Cursor,
    Erased,
    ResourceKey,
    StoreError,
    StoreUnavailable,
)
from broadstreet.store.query import ENTRY
from broadstreet.store.tables import Table, merged

PATIENCE_SECONDS = 20.0
"""So long a server that went away may need until it is back; what waits is refused then."""
LONGEST_PAUSE = 1.0
MOST_ATTEMPTS = 5
"""So often a transaction is begun anew whose connection was lost: it may be what brings the server down."""

_ENTRY = {
    "seq": "int8", "at": "int8", "type": "text", "id": "text", "version": "int4", "subject": "text",
    "actor": "text", "source": "text", "key": "text", "cause": "int8", "seal": "int8", "body": "bytea",
}  # fmt: skip
_SUBJECT = {"seq": "int8", "subject": "text"}
_LABEL = dict.fromkeys(("seq", "organisation", "district", "category", "sensitivity"), "int8")
_EMPTY = (
    "UPDATE entry SET body = NULL WHERE seq = ANY(%s)",
    f"UPDATE current SET digest = {ABSENT} WHERE seq = ANY(%s)",
    "DELETE FROM shadow WHERE split_part(key, ':', 1)::bigint = ANY(%s)",  # a key is cause:ordinal
)
LAST_CHARACTER = "\U0010ffff"
_HEAD = "SELECT coalesce(max(seq), 0) FROM entry"

_log = logging.getLogger(__name__)

Result = TypeVar("Result")


class PostgresWriter:
    """Writes one schema from one thread, under the lease.

    Where the connection is lost, it is made again and the lease taken again, unless another hub has it.
    Whether a transaction took place that was being committed, the lease's row tells.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection = connect(address, read_only=False)
        try:
            _require_primary(self._connection)
            self._lease = Lease(address, self._connection)
            self._indexed = meta(self._connection, "reindexing") is None
            beside = is_beside(self._connection)
            self._tables = (index_rows.IDENTITY,) if beside else index_rows.WHOLE
        except psycopg.Error as error:
            self._connection.close()
            raise told(error) from error
        except BaseException:
            self._connection.close()
            raise

    def head(self) -> int:
        """Return the newest seq, once no transaction of ours is under way any more."""
        return int(self._look_up(_HEAD, ())[0][0])

    def known(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return the seq of each `(source, key)` that the log has."""
        sql = (
            "SELECT e.source, e.key, e.seq FROM unnest(%s::text[], %s::text[]) w (source, key)"
            " JOIN entry e ON e.source = w.source AND e.key = w.key"
        )
        return {(source, key): seq for source, key, seq in self._look_up(sql, by_column(keys, 2))}

    def prefixed(self, prefixes: Sequence[tuple[str, str]]) -> list[Entry]:
        """Return the first entries, without bodies, of each source whose keys begin with a prefix."""
        columns = ENTRY.replace("e.body", "NULL::bytea")
        sql = (
            f"SELECT {columns} FROM unnest(%s::text[], %s::text[], %s::text[]) w (source, low, high)"
            " CROSS JOIN LATERAL (SELECT * FROM entry e WHERE e.source = w.source AND e.key >= w.low"
            f" AND e.key < w.high ORDER BY e.key LIMIT {MOST_PREFIXED}) e"
        )
        ranges = [(source, prefix, prefix + LAST_CHARACTER) for source, prefix in prefixes]
        return [Entry(*row) for row in self._look_up(sql, by_column(ranges, 3))]

    def load(self, keys: Sequence[ResourceKey]) -> dict[ResourceKey, Current]:
        """Return the newest versions of these resources."""
        sql = (
            f"SELECT c.digest, {ENTRY} FROM unnest(%s::text[], %s::text[]) w (type, id)"
            " JOIN current c ON c.type = w.type AND c.id = w.id JOIN entry e ON e.seq = c.seq"
        )
        rows = self._look_up(sql, by_column(keys, 2))
        return {(row[3], row[4]): Current(Entry(*row[1:]), row[0]) for row in rows}

    def holders(self, tokens: Sequence[TokenKey]) -> list[tuple[TokenKey, Current]]:
        """Return each current resource that has one of these `(part, code, system)`."""
        if not self._indexed:
            raise StoreError(INDEX_INCOMPLETE)
        sql = (
            f"SELECT t.part, t.code, t.system, c.digest, {ENTRY}"
            " FROM unnest(%s::int8[], %s::int8[], %s::int8[]) w (part, code, system)"
            f" JOIN {self._tables[0]} t ON t.part = w.part AND t.code = w.code AND t.system = w.system"
            " JOIN entry e ON e.seq = t.since JOIN current c ON c.type = e.type AND c.id = e.id"
            f" WHERE t.until = {FOREVER}"
        )
        rows = self._look_up(sql, by_column(tokens, 3))
        return [((row[0], row[1], row[2]), Current(Entry(*row[4:]), row[3])) for row in rows]

    def cursor(self, follower: str) -> Cursor | None:
        """Return how far a follower has come."""
        rows = self._look_up(
            "SELECT follower, version, seq, mode FROM cursor WHERE follower = %s", (follower,)
        )
        return Cursor(*rows[0]) if rows else None

    def leased(self) -> bool:
        """Say whether the lease is still held; on another thread, so by what is known without asking."""
        return not self._lease.fenced

    def write(self, batch: Batch) -> None:
        """Write and commit the batch, all of it or nothing; durable when this returns."""
        changes = merged(batch.changes)

        def everything(connection: Connection) -> None:
            _write_log(connection, batch)
            index_rows.insert(connection, batch.index, self._tables)
            index_rows.supersede(connection, batch.closing, self._tables)
            for change in changes:
                tables.change(connection, change)
            _write_cursors(connection, batch)
            if batch.entries:
                _tell(connection, self._address, batch.entries[-1].seq)

        self._commit(everything)

    def define(self, new: Sequence[Table]) -> None:
        """Make the tables that do not exist yet.

        Raises
        ------
        StoreError
            If one of them exists with other columns or another key.
        """

        def each(connection: Connection) -> None:
            for table in new:
                tables.create(connection, table)
                tables.require_layout(connection, table)

        self._commit(each)

    def purge(self, before: int) -> int:
        """Remove index rows superseded at or before a position; return how many."""
        return self._commit(lambda connection: _purge(connection, before, self._tables))

    def reindex(self, index: Sequence[Sequence[tuple[Any, ...]]]) -> None:
        """Write index rows anew, in the order of `KINDS`; commit."""
        self._commit(lambda connection: index_rows.insert(connection, index, self._tables))

    def drop_index(self) -> None:
        """Empty the search index and commit; it cannot be searched before `finish_index`."""

        def everything(connection: Connection) -> None:
            index_rows.clear(connection, self._tables)
            connection.execute("DELETE FROM meta WHERE name = 'purged'")
            set_meta(connection, "reindexing", b"1")

        self._commit(everything)
        self._indexed = False

    def finish_index(self) -> None:
        """State that the search index is whole again, and commit."""
        self._commit(lambda connection: connection.execute("DELETE FROM meta WHERE name = 'reindexing'"))
        self._indexed = True

    def compact(self) -> None:
        """Write every table anew without what was removed; each is locked meanwhile."""
        try:
            self._alive().execute("SET lock_timeout = 0")
            upkeep.until_nobody_sees(self._connection)
            for table in upkeep.tables_of(self._connection):
                self._connection.execute(f"VACUUM (FULL, ANALYZE) {tables.quoted(table.name)}")
        except psycopg.Error as error:
            raise told(error) from error
        finally:
            self._connection.close()  # a new one has the usual settings

    def erase(self, seqs: Sequence[int], subjects: Sequence[int]) -> int:
        """Empty bodies of entries, and remove the index rows of these and of subjects; return how many."""

        def everything(connection: Connection) -> int:
            for sql in _EMPTY:
                connection.execute(sql, (list(seqs),))
            return index_rows.erase(connection, Erased(subjects, seqs), self._tables)

        return self._commit(everything)

    def cut(self, to: int, opened: Opened = as_it_is) -> None:
        """Remove every entry after a position, and set the newest versions back to it, in one commit."""
        self._commit(lambda connection: cut_log(connection, to, opened))

    def close(self) -> None:
        """Close the connection, which gives the lease back."""
        self._connection.close()

    def _look_up(self, sql: str, values: Sequence[object]) -> list[Any]:
        """Read on the writer's connection; where that is lost, on a new one: nothing was under way."""
        for last in (False, True):
            connection = self._alive()
            try:
                return connection.execute(sql, values, binary=True, prepare=True).fetchall()
            except psycopg.Error as error:
                if last or not lost(connection, error):
                    raise told(error) from error
                connection.close()
        raise AssertionError("not reached")

    def _commit(self, work: Callable[[Connection], Result]) -> Result:
        """Do a work in a transaction that counts; where the outcome is unknown, find it out.

        A work that did not take place is done again: since the lease is still ours nobody has written.
        """
        for _ in range(MOST_ATTEMPTS):
            connection, counted = self._alive(), self._lease.commits
            try:
                connection.execute("BEGIN")
                self._lease.count(connection)
                result = work(connection)
                connection.execute("COMMIT")
            except psycopg.Error as error:
                if not lost(connection, error):
                    _roll_back(connection)
                    raise told(error) from error
                connection.close()
                _log.warning(
                    "the connection to the store was lost in a transaction: %s", type(error).__name__
                )
            except BaseException:
                _roll_back(connection)
                raise
            else:
                self._lease.commits += 1
                return result
            if self._alive() and self._lease.commits > counted:
                return result  # the COMMIT had been sent, and took place
        raise StoreUnavailable(
            f"the connection to the store was lost {MOST_ATTEMPTS} times in one transaction"
        )

    def _alive(self) -> Connection:
        """Return the connection; where it is lost, a new one under the same lease."""
        if not self._connection.broken and not self._connection.closed:
            return self._connection
        end, pause = time.monotonic() + PATIENCE_SECONDS, 0.05
        while True:
            try:
                self._connect_again()
                return self._connection
            except StoreUnavailable:
                if time.monotonic() + pause > end:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _connect_again(self) -> None:
        connection = connect(self._address, read_only=False)
        try:
            _require_primary(connection)
            commits = self._lease.retake(connection)
            if commits not in (self._lease.commits, self._lease.commits + 1):
                raise StoreError(
                    f"the server has {commits} commits of this store and the hub made {self._lease.commits}:"
                    " it was put back to an earlier state; stop the hub and see what was lost"
                )
        except psycopg.Error as error:
            connection.close()
            raise StoreUnavailable(f"the server went away again: {type(error).__name__}") from error
        except BaseException:
            connection.close()
            raise
        self._lease.commits = commits
        self._connection = connection
        _log.warning("connected to the store again, epoch %d", self._lease.epoch)


def _write_log(connection: Connection, batch: Batch) -> None:
    _copy(connection, "entry", _ENTRY, [msgspec.structs.astuple(entry) for entry in batch.entries])
    _copy(connection, "entry_subject", _SUBJECT, batch.subjects)
    _copy(connection, "entry_label", _LABEL, batch.labels)
    if batch.currents:
        rows = [(*key, *value) for key, value in batch.currents.items()]
        connection.execute(
            "INSERT INTO current SELECT * FROM"
            " unnest(%s::text[], %s::text[], %s::int8[], %s::int4[], %s::int8[]) ON CONFLICT (type, id)"
            " DO UPDATE SET seq = excluded.seq, version = excluded.version, digest = excluded.digest",
            by_column(rows, 5),
        )


def _write_cursors(connection: Connection, batch: Batch) -> None:
    cursors = {c.follower: (c.follower, c.version, c.seq, c.mode) for c in batch.cursors}
    if cursors:
        connection.execute(
            "INSERT INTO cursor SELECT * FROM unnest(%s::text[], %s::int4[], %s::int8[], %s::text[])"
            " ON CONFLICT (follower) DO UPDATE"
            " SET version = excluded.version, seq = excluded.seq, mode = excluded.mode",
            by_column(list(cursors.values()), 4),
        )
    if batch.shadows:
        connection.execute(
            "INSERT INTO shadow SELECT * FROM"
            " unnest(%s::text[], %s::int4[], %s::text[], %s::text[], %s::bytea[])"
            " ON CONFLICT DO NOTHING",
            by_column(batch.shadows, 5),
        )


def _tell(connection: Connection, address: Address, head: int) -> None:
    """Wake whoever waits for the log to grow: told with the commit, and only if there is one."""
    connection.execute("SELECT pg_notify(%s, %s)", (address.channel, str(head)))


def _purge(connection: Connection, before: int, tables: Sequence[str]) -> int:
    head = connection.execute(_HEAD).fetchone()
    after = int(meta(connection, "purged") or 0)
    before = max(min(before, int(str(head[0] if head else 0))), after)
    purged = index_rows.purge(connection, after, before, tables)
    set_meta(connection, "purged", str(before).encode())
    return purged


def _copy(
    connection: Connection, table: str, columns: dict[str, str], rows: Sequence[Sequence[object]]
) -> None:
    if rows:
        copy_in(connection, table, columns, rows)


def _roll_back(connection: Connection) -> None:
    """Leave no transaction open; where that fails the connection is broken, and a new one is made."""
    try:
        connection.execute("ROLLBACK")
    except psycopg.Error:
        connection.close()


def _require_primary(connection: Connection) -> None:
    if connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
        raise StoreError("this server is a standby, on which nothing can be written: name the primary")
