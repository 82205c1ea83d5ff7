"""The search index beside the log: tables of the same schema, which a process of its own writes.

A commit writes log and identifiers alone, and whoever waits for an acknowledgement does not wait for the
index. It follows the log under a lock of its own, with its own cursor, and searches read it at that position.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import psycopg

from broadstreet.store.index.building import Opening, Progress, build
from broadstreet.store.index.identity import identity_parts
from broadstreet.store.index.kinds import KINDS, TOKEN
from broadstreet.store.postgres import index_rows, upkeep
from broadstreet.store.postgres.address import Address
from broadstreet.store.postgres.connection import Connection, connect, lost, told
from broadstreet.store.postgres.ddl import index_table, since_index
from broadstreet.store.postgres.migrate import meta, set_meta
from broadstreet.store.protocol import NOTHING_ERASED, Erased, StoreError, StoreLocked, StoreUnavailable

MARK = "index_beside"
"""The row of `meta` that says that another process keeps the index."""
ERASED = "erased"
"""The row of the index's `meta` that says that what was erased is still where removed rows are."""
AT_ONCE = 4_096
BUILDING = "building_"
"""How the names of tables begin that are not whole yet."""
SORTING = "256MB"


def is_beside(connection: Connection) -> bool:
    """Say whether another process keeps the index."""
    return meta(connection, MARK) is not None


def put_beside(connection: Connection) -> None:
    """Let another process keep the index from now on, where it stands: the lease must be held."""
    if is_beside(connection):
        return
    with connection.transaction():
        connection.execute(
            f"INSERT INTO {index_rows.IDENTITY} SELECT * FROM {TOKEN.table}"
            " WHERE part = ANY (%s::int8[]) AND code <> 0",
            (list(identity_parts()),),
        )
        newest: Any = connection.execute("SELECT seq, id FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
        if newest is not None and meta(connection, "reindexing") is None:
            purged = (meta(connection, "purged") or b"0").decode()
            _put(connection, {"cursor": newest[0], "cursor_id": newest[1], "purged": purged})
        set_meta(connection, MARK, b"\x01")


class IndexSchema:
    """The write side of the index, under a lock of its own.

    It ends with its connection: whoever keeps the index begins again from where its cursor stands.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection = connect(address, read_only=False)
        try:
            _lock(self._connection, address)
            _remove_unfinished(self._connection)
        except psycopg.Error as error:
            self._connection.close()
            raise told(error) from error
        except BaseException:
            self._connection.close()
            raise

    @property
    def cursor(self) -> tuple[int, str]:
        """The seq up to which the log is indexed, and the id of that entry."""
        held = self._meta()
        return int(held.get("cursor", "0")), held.get("cursor_id", "")

    @property
    def purged(self) -> int:
        """The position up to which superseded rows are removed."""
        return int(self._meta().get("purged", "0"))

    def prepare(self, index: index_rows.Index) -> index_rows.Index:
        """Return rows as `write` takes them: as they are."""
        return index

    def write(
        self,
        index: index_rows.Index,
        closing: Sequence[tuple[int, int]],
        reached: tuple[int, str],
        erased: Erased = NOTHING_ERASED,
    ) -> None:
        """Write the rows of versions, end those of their predecessors, remove those of what is `erased`,
        and move the cursor, at once.
        """
        with self._transaction() as connection:
            index_rows.insert(connection, index)
            index_rows.supersede(connection, closing)
            if any(erased):
                index_rows.erase(connection, erased)
                _put(connection, {ERASED: 1})
            _put(connection, {"cursor": reached[0], "cursor_id": reached[1]})

    def purge(self, before: int) -> int:
        """Remove rows superseded at or before a position; return how many."""
        after = self.purged
        with self._transaction() as connection:
            _put(connection, {"purged": before})
            return index_rows.purge(connection, after, before)

    def compact(self) -> None:
        """Write the tables anew without what was removed, if subjects were erased since it was last done."""
        if ERASED not in self._meta():
            return
        try:
            self._connection.execute("SET lock_timeout = 0")
            upkeep.until_nobody_sees(self._connection)
            for table in index_rows.WHOLE:
                self._connection.execute(f"VACUUM (FULL, ANALYZE) {table}")
            self._connection.execute("DELETE FROM index_meta WHERE name = %s", (ERASED,))
        except psycopg.Error as error:
            raise self._told(error) from error

    def clear(self) -> None:
        """Begin anew, without any row."""
        with self._transaction() as connection:
            index_rows.clear(connection)
            connection.execute("DELETE FROM index_meta")

    def make_anew(
        self, log: Opening, progress: Progress = lambda *_: None, processes: int | None = None
    ) -> int:
        """Compute it from the whole log, in several processes, aside; return the position it has reached.

        The index that is there can be searched until the new one takes its place, at once and whole.
        """
        with closing(log()) as reader:
            head, purged = reader.head(), reader.oldest_position()
            last = reader.entries(head - 1, to=head) if head else []
        tables = Building(self._address, f"{BUILDING}{secrets.token_hex(4)}_")
        try:
            with self._transaction() as connection:
                tables.create(connection)
            build(log, tables.open_stage, head, purged, progress, processes)
            id = last[0].id if last else ""
            with self._transaction() as connection:
                tables.finish(connection)
                connection.execute("DELETE FROM index_meta")
                _put(connection, {"cursor": head, "cursor_id": id, "purged": purged})
        except BaseException:
            with self._transaction() as connection:
                _remove_unfinished(connection)
            raise
        return head

    def identities(self) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of identifiers, in the order of their key, some at a time."""
        sql = (
            f"SELECT * FROM {TOKEN.table} WHERE part = ANY (%s::int8[]) AND code <> 0"
            f" ORDER BY {', '.join(TOKEN.key)}"
        )
        with self._transaction() as connection, connection.cursor("identities", binary=True) as cursor:
            cursor.execute(sql, (list(identity_parts()),))
            while rows := cursor.fetchmany(AT_ONCE):
                yield rows

    def close(self) -> None:
        """Close the connection, which gives the lock back."""
        self._connection.close()

    def _meta(self) -> dict[str, str]:
        try:
            rows: Any = self._connection.execute("SELECT name, value FROM index_meta").fetchall()
        except psycopg.Error as error:
            raise self._told(error) from error
        return dict(rows)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._connection.transaction():
                yield self._connection
        except psycopg.Error as error:
            raise self._told(error) from error

    def _told(self, error: psycopg.Error) -> StoreError:
        if lost(self._connection, error):
            return StoreUnavailable("the connection to the search index was lost: it is taken up again")
        return told(error)


@dataclass(frozen=True)
class Building:
    """Tables of an index that is being made: filled without any index, which is made last."""

    address: Address
    begins: str

    def create(self, connection: Connection) -> None:
        """Make the tables."""
        for kind in KINDS:
            connection.execute(index_table(kind, self.begins, keyed=False))

    def open_stage(self, number: int) -> PostgresStage:  # noqa: ARG002 - all fill the same tables
        """Begin to fill them, in whichever process."""
        return PostgresStage(self.address, self.begins)

    def finish(self, connection: Connection) -> None:
        """Make their indexes, and put them in the place of those that are there."""
        connection.execute(f"SET LOCAL maintenance_work_mem = '{SORTING}'")
        for kind in KINDS:
            made = f"{self.begins}{kind.table}"
            connection.execute(f"ALTER TABLE {made} ADD PRIMARY KEY ({', '.join(kind.key)})")
            connection.execute(since_index(kind, self.begins))
        for kind in KINDS:
            connection.execute(f"DROP TABLE IF EXISTS {kind.table}")  # it may have been dropped by hand
            for rest in ("", "_pkey", "_since"):
                what = "INDEX" if rest else "TABLE"
                name = f"{kind.table}{rest}"
                connection.execute(f"ALTER {what} {self.begins}{name} RENAME TO {name}")


class PostgresStage:
    """Lays down the rows of one process."""

    def __init__(self, address: Address, begins: str) -> None:
        self._connection = connect(address, read_only=False)
        self._tables = tuple(f"{begins}{table}" for table in index_rows.WHOLE)

    def write(self, index: Sequence[Sequence[tuple[Any, ...]]]) -> None:
        """Keep whole rows, by kind in the order of `KINDS`."""
        try:
            with self._connection.transaction():
                index_rows.insert(self._connection, index, self._tables)
        except psycopg.Error as error:
            raise told(error) from error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _put(connection: Connection, values: dict[str, int | str]) -> None:
    sql = "INSERT INTO index_meta VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    for name, value in values.items():
        connection.execute(sql, (name, str(value)))


def _lock(connection: Connection, address: Address) -> None:
    key = int.from_bytes(blake2b(b"index " + address.schema.encode(), digest_size=7).digest(), "big")
    if connection.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone() != (True,):
        raise StoreLocked(f"another process keeps the search index of {address.name}: stop it first")


def _remove_unfinished(connection: Connection) -> None:
    sql = (
        "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema::regnamespace"
        " AND relkind = 'r' AND starts_with(relname::text, %s)"
    )
    for (name,) in connection.execute(sql, (BUILDING,)).fetchall():
        connection.execute(f'DROP TABLE IF EXISTS "{name}"')
