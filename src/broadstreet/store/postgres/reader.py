"""The read side on PostgreSQL: a few connections for all threads, only committed rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

import psycopg

from broadstreet.store.entry import Entry, Labels
from broadstreet.store.index import Indexer
from broadstreet.store.postgres import index_rows, tables, upkeep
from broadstreet.store.postgres.address import Address
from broadstreet.store.postgres.connection import Connection, Connections, lost, told
from broadstreet.store.protocol import INDEX_INCOMPLETE, Cursor, PositionGone, StoreError, StoreUnavailable
from broadstreet.store.query import ENTRY, POSTGRES, Searching
from broadstreet.store.tables import Condition, Row, Table, Value
from broadstreet.store.upkeep import Volume

HEAD = "SELECT coalesce(max(seq), 0) FROM entry"

Result = TypeVar("Result")


class PostgresReader(Searching):
    """Reads one schema from any thread."""

    dialect = POSTGRES

    def __init__(self, address: Address, indexer: Indexer, *, beside: bool = False) -> None:
        self.address, self.indexer, self.index_is_beside = address, indexer, beside
        self._connections = Connections(address)

    def head(self) -> int:
        """Return the newest seq; 0 for an empty log."""
        return int(self._all(HEAD)[0][0])

    def entries(
        self, after: int, *, to: int | None = None, types: Iterable[str] | None = None, limit: int = 1000
    ) -> list[Entry]:
        """Return entries with `after < seq <= to`, oldest first."""
        clauses: list[str] = ["e.seq > %s"]
        values: list[object] = [after]
        if to is not None:
            clauses.append("e.seq <= %s")
            values.append(to)
        if types is not None:
            clauses.append("e.type = ANY (%s::text[])")
            values.append(list(types))
        sql = f"SELECT {ENTRY} FROM entry e WHERE {' AND '.join(clauses)} ORDER BY e.seq LIMIT %s"
        return [Entry(*row) for row in self._all(sql, (*values, limit))]

    def keyed(self, source: str, key: str) -> Entry | None:
        """Return the entry with this source and key."""
        return self._one(f"SELECT {ENTRY} FROM entry e WHERE e.source = %s AND e.key = %s", (source, key))

    def current(self, type: str, id: str, *, at: int | None = None) -> Entry | None:
        """Return the resource's newest version, or the one it had at position `at`; None if there is none."""
        if at is None:
            sql = (
                f"SELECT {ENTRY} FROM current c JOIN entry e ON e.seq = c.seq WHERE c.type = %s AND c.id = %s"
            )
            found = self._one(sql, (type, id))
        else:
            sql = (
                f"SELECT {ENTRY} FROM entry e WHERE e.id = %s AND e.seq <= %s AND e.type = %s"
                " ORDER BY e.seq DESC LIMIT 1"
            )
            found = self._one(sql, (id, at, type))
        return None if found is None or found.body is None else found

    def currents(self, type: str, *, after: str = "", limit: int = 1000) -> list[Entry]:
        """Return the newest versions of all resources of a type by id, deleted ones left out."""
        sql = (
            f"SELECT {ENTRY} FROM current c JOIN entry e ON e.seq = c.seq"
            " WHERE c.type = %s AND c.id > %s AND e.body IS NOT NULL ORDER BY c.id LIMIT %s"
        )
        return [Entry(*row) for row in self._all(sql, (type, after, limit))]

    def history(self, type: str, id: str) -> list[Entry]:
        """Return all versions of a resource, oldest first."""
        sql = f"SELECT {ENTRY} FROM entry e WHERE e.id = %s AND e.type = %s ORDER BY e.seq"
        return [Entry(*row) for row in self._all(sql, (id, type))]

    def about(self, subject: str) -> list[Entry]:
        """Return every entry that is about this resident alone, oldest first; goes through the whole log."""
        sql = f"SELECT {ENTRY} FROM entry e WHERE e.subject = %s ORDER BY e.seq"
        return [Entry(*row) for row in self._all(sql, (subject,))]

    def cursors(self) -> dict[str, Cursor]:
        """Return how far each follower has come."""
        rows = self._all("SELECT follower, version, seq, mode FROM cursor ORDER BY follower")
        return {row[0]: Cursor(*row) for row in rows}

    def select(
        self,
        table: Table,
        where: Mapping[str, Condition] | None = None,
        order: Sequence[str] = (),
        limit: int | None = None,
    ) -> list[Row]:
        """Return the rows of a follower's table that meet every condition."""
        sql, values = tables.selection(table, where or {}, order, limit)
        return self._all(sql, values, prepare=False)  # the table may be made anew with other columns

    def indexed(self) -> bool:
        """Return whether the search index is whole: not so while it is being rebuilt."""
        return not self._all("SELECT 1 FROM meta WHERE name = 'reindexing'")

    def labels(self, after: int, to: int) -> dict[int, Labels]:
        """Return the labels of the versions in `after < seq <= to` that have any."""
        sql = (
            "SELECT seq, organisation, district, category, sensitivity FROM entry_label"
            " WHERE seq > %s AND seq <= %s"
        )
        return {seq: Labels(0, *columns) for seq, *columns in self._all(sql, (after, to))}

    def predecessors(self, after: int, to: int) -> dict[int, int]:
        """Return the seq of the version before each one in `after < seq <= to`, where there is one."""
        sql = (
            "SELECT e.seq, p.seq FROM entry e CROSS JOIN LATERAL"
            " (SELECT seq FROM entry WHERE id = e.id AND seq < e.seq AND type = e.type"
            " ORDER BY seq DESC LIMIT 1) p WHERE e.seq > %s AND e.seq <= %s AND e.version > 1"
        )
        return dict(self._all(sql, (after, to)))

    def searchable(self) -> int:
        """Return the position up to which the log can be searched: how far its index has come."""
        if not self.index_is_beside:
            return self.head()
        rows = self._all("SELECT value FROM index_meta WHERE name = 'cursor'")
        return int(rows[0][0]) if rows else 0

    def successors(self, after: int, to: int) -> dict[int, int]:
        """Return the seq of the version that follows each one in `after < seq <= to`, where there is one."""
        sql = (
            "SELECT e.seq, n.seq FROM entry e CROSS JOIN LATERAL"
            " (SELECT seq FROM entry WHERE id = e.id AND seq > e.seq AND type = e.type"
            " ORDER BY seq LIMIT 1) n WHERE e.seq > %s AND e.seq <= %s"
        )
        return dict(self._all(sql, (after, to)))

    def has_remains(self) -> bool:
        """Return whether the index still has, in removed rows, what was erased, until it is written anew."""
        return bool(self._all("SELECT 1 FROM index_meta WHERE name = 'erased'"))

    def oldest_position(self) -> int:
        """Return the oldest position that searches may still be read at."""
        rows = self._all("SELECT value FROM meta WHERE name = 'purged'")
        return int(rows[0][0]) if rows else 0

    def wait(self, beyond: int, timeout: float) -> int:
        """Wait until the log is beyond a seq, at most so many seconds; return the newest seq."""

        def told(connection: Connection) -> None:
            connection.execute(f'LISTEN "{self.address.channel}"')
            try:  # what is committed from here on is told; what was before, is there
                if connection.execute(HEAD, binary=True).fetchone() <= (beyond,):  # type: ignore[operator]
                    for _ in connection.notifies(timeout=timeout, stop_after=1):
                        pass
            finally:
                connection.execute("UNLISTEN *")

        self._do(told)
        return self.head()

    def seq_at(self, at: int) -> int:
        """Return the newest seq that was committed at or before an instant in microseconds, or 0."""
        low, high = 0, self.head()
        while low < high:  # the log is ordered by seq, and by time but for clocks that were set back
            middle = (low + high + 1) // 2
            row = self._all("SELECT at FROM entry WHERE seq = %s", (middle,))
            low, high = (middle, high) if row and row[0][0] <= at else (low, middle - 1)
        return low

    def run(self, sql: str, values: Sequence[Any]) -> list[Any]:
        """Run a statement of a search."""
        return self._do(
            lambda connection: (
                psycopg.RawCursor(connection).execute(sql, values, binary=True, prepare=True).fetchall()
            )
        )

    def require_readable(self, at: int | None) -> None:
        """Refuse a position whose superseded rows are purged, and an index that is not whole."""
        marks = dict(self._all("SELECT name, value FROM meta WHERE name IN ('purged', 'reindexing')"))
        if "reindexing" in marks:
            raise StoreError(INDEX_INCOMPLETE)
        oldest = int(marks.get("purged", 0))
        if at is not None and at < oldest:
            raise PositionGone(at, oldest)

    def files(self) -> tuple[Path, ...]:
        """Return none: the server's files cannot be read from here."""
        return ()

    def volume(self) -> Volume:
        """Return how much room the store takes; what is left is the server's to tell."""
        return self._do(upkeep.volume_of)

    def tables(self) -> tuple[Table, ...]:
        """Return all tables, as they are in the schema."""
        return self._do(upkeep.tables_of)

    def index_tables(self) -> tuple[Table, ...]:
        """Return the tables of the search index."""
        names = {*index_rows.WHOLE, *([index_rows.IDENTITY] if self.index_is_beside else [])}
        return tuple(table for table in self.tables() if table.name in names)

    def has(self, table: Table) -> bool:
        """Say whether the table is there."""
        return self._all("SELECT to_regclass(%s)", (tables.quoted(table.name),)) != [(None,)]

    def tally(self, table: Table, column: str) -> dict[Value, int]:
        """Return how many rows have each value of a column."""
        name = tables.quoted(column)
        return dict(self._all(f"SELECT {name}, count(*) FROM {tables.quoted(table.name)} GROUP BY {name}"))

    def count(self, table: Table) -> int:
        """Return how many rows a table has; of a large one, about how many."""
        return self._do(lambda connection: upkeep.count_of(connection, table))

    def rows(self, table: Table) -> Iterator[Row]:
        """Yield every row in the order of the key, without holding them all."""
        with self._connections.lent() as connection:
            yield from upkeep.rows_of(connection, table)

    def snapshot(self) -> AbstractContextManager[None]:
        """Let all that this thread reads inside be as it was at one position, while writing goes on."""
        return self._connections.snapshot()

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    def _one(self, sql: str, values: Sequence[object]) -> Entry | None:
        rows = self._all(sql, values)
        return Entry(*rows[0]) if rows else None

    def _all(self, sql: str, values: Sequence[object] = (), *, prepare: bool | None = None) -> list[Any]:
        return self._do(
            lambda connection: connection.execute(sql, values, binary=True, prepare=prepare).fetchall()
        )

    def _do(self, read: Callable[[Connection], Result]) -> Result:
        try:
            return self._try(read)
        except StoreUnavailable:
            return self._try(read)  # once more: the server may have been started again since

    def _try(self, read: Callable[[Connection], Result]) -> Result:
        with self._connections.lent() as connection:
            try:
                return read(connection)
            except psycopg.Error as error:
                if lost(connection, error):
                    raise StoreUnavailable("the connection to the store was lost while reading") from error
                raise told(error) from error
