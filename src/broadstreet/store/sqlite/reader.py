"""The read side on SQLite: one connection a thread, only committed rows."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from broadstreet.store.entry import Entry, Labels
from broadstreet.store.index import Indexer
from broadstreet.store.protocol import INDEX_INCOMPLETE, Cursor, PositionGone, StoreError
from broadstreet.store.query import ENTRY, SQLITE, Searching
from broadstreet.store.sqlite.beside import ERASED, INDEX_MISSING, attach, is_same, place
from broadstreet.store.sqlite.connection import connect
from broadstreet.store.tables import Between, Condition, OneOf, Row, Table

LOOKED_EVERY = 0.02
"""In seconds: a file does not tell that it has grown."""


class SqliteReader(Searching):
    """Reads one file from any thread."""

    dialect = SQLITE

    def __init__(self, path: Path, indexer: Indexer, *, beside: bool = False) -> None:
        self.path, self.indexer, self.index_is_beside = path, indexer, beside
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    def head(self) -> int:
        """Return the newest seq; 0 for an empty log."""
        return int(self._all("SELECT coalesce(max(seq), 0) FROM entry")[0][0])

    def entries(
        self, after: int, *, to: int | None = None, types: Iterable[str] | None = None, limit: int = 1000
    ) -> list[Entry]:
        """Return entries with `after < seq <= to`, oldest first."""
        clauses, values = ["e.seq > ?"], [after]
        if to is not None:
            clauses.append("e.seq <= ?")
            values.append(to)
        wanted = list(types) if types is not None else []
        if types is not None:
            clauses.append(f"e.type IN ({','.join('?' * len(wanted))})")
        sql = f"SELECT {ENTRY} FROM entry e WHERE {' AND '.join(clauses)} ORDER BY e.seq LIMIT ?"
        return [Entry(*row) for row in self._all(sql, (*values, *wanted, limit))]

    def keyed(self, source: str, key: str) -> Entry | None:
        """Return the entry with this source and key."""
        return self._one(f"SELECT {ENTRY} FROM entry e WHERE e.source = ? AND e.key = ?", (source, key))

    def current(self, type: str, id: str, *, at: int | None = None) -> Entry | None:
        """Return the resource's newest version, or the one it had at position `at`; None if there is none."""
        if at is None:
            sql = f"SELECT {ENTRY} FROM current c JOIN entry e ON e.seq = c.seq WHERE c.type = ? AND c.id = ?"
            found = self._one(sql, (type, id))
        else:
            sql = (
                f"SELECT {ENTRY} FROM entry e WHERE e.id = ? AND e.seq <= ? AND e.type = ?"
                " ORDER BY e.seq DESC LIMIT 1"
            )
            found = self._one(sql, (id, at, type))
        return None if found is None or found.body is None else found

    def currents(self, type: str, *, after: str = "", limit: int = 1000) -> list[Entry]:
        """Return the newest versions of all resources of a type by id, deleted ones left out."""
        sql = (
            f"SELECT {ENTRY} FROM current c JOIN entry e ON e.seq = c.seq"
            " WHERE c.type = ? AND c.id > ? AND e.body IS NOT NULL ORDER BY c.id LIMIT ?"
        )
        return [Entry(*row) for row in self._all(sql, (type, after, limit))]

    def history(self, type: str, id: str) -> list[Entry]:
        """Return all versions of a resource, oldest first."""
        sql = f"SELECT {ENTRY} FROM entry e WHERE e.id = ? AND e.type = ? ORDER BY e.seq"
        return [Entry(*row) for row in self._all(sql, (id, type))]

    def about(self, subject: str) -> list[Entry]:
        """Return every entry that is about this resident alone, oldest first; goes through the whole log."""
        sql = f"SELECT {ENTRY} FROM entry e WHERE e.subject = ? ORDER BY e.seq"
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
        clauses, values = [], []
        for column, condition in (where or {}).items():
            sql, bound = _where(_column(table, column), condition)
            clauses.append(sql)
            values += bound
        text = f"SELECT {', '.join(map(_quoted, table.columns))} FROM {_quoted(table.name)}"
        if clauses:
            text += f" WHERE {' AND '.join(clauses)}"
        if order:
            text += f" ORDER BY {', '.join(_order(table, column) for column in order)}"
        if limit is not None:
            text += " LIMIT ?"
            values.append(limit)
        return self._all(text, values)

    def indexed(self) -> bool:
        """Return whether the search index is whole: not so while it is being rebuilt."""
        return not self._all("SELECT 1 FROM meta WHERE name = 'reindexing'")

    def successors(self, after: int, to: int) -> dict[int, int]:
        """Return the seq of the version that follows each one in `after < seq <= to`, where there is one."""
        sql = (
            "SELECT e.seq, min(n.seq) FROM entry e CROSS JOIN entry n"
            " ON n.id = e.id AND n.seq > e.seq AND n.type = e.type"
            " WHERE e.seq > ? AND e.seq <= ? GROUP BY e.seq"
        )
        return dict(self._all(sql, (after, to)))

    def labels(self, after: int, to: int) -> dict[int, Labels]:
        """Return the labels of the versions in `after < seq <= to` that have any."""
        sql = (
            "SELECT seq, organisation, district, category, sensitivity FROM entry_label"
            " WHERE seq > ? AND seq <= ?"
        )
        return {seq: Labels(0, *columns) for seq, *columns in self._all(sql, (after, to))}

    def predecessors(self, after: int, to: int) -> dict[int, int]:
        """Return the seq of the version before each one in `after < seq <= to`, where there is one."""
        sql = (
            "SELECT e.seq, max(p.seq) FROM entry e CROSS JOIN entry p"
            " ON p.id = e.id AND p.seq < e.seq AND p.type = e.type"
            " WHERE e.seq > ? AND e.seq <= ? AND e.version > 1 GROUP BY e.seq"
        )
        return dict(self._all(sql, (after, to)))

    def searchable(self) -> int:
        """Return the position up to which the log can be searched: how far its index has come."""
        if not self.index_is_beside:
            return self.head()
        if self.connection and self._local.index is None:
            return 0
        rows = self._all("SELECT value FROM index_meta WHERE name = 'cursor'")
        return int(rows[0][0]) if rows else 0

    def has_remains(self) -> bool:
        """Return whether the index still has, in free pages, what was erased, until it is written anew."""
        if not self.index_is_beside or not place(self.path).exists():
            return False
        return bool(self._all("SELECT 1 FROM index_meta WHERE name = ?", (ERASED,)))

    def oldest_position(self) -> int:
        """Return the oldest position that searches may still be read at."""
        rows = self._all("SELECT value FROM meta WHERE name = 'purged'")
        return int(rows[0][0]) if rows else 0

    def wait(self, beyond: int, timeout: float) -> int:
        """Wait until the log is beyond a seq, at most so many seconds; return the newest seq."""
        end = time.monotonic() + timeout
        while (head := self.head()) <= beyond and (left := end - time.monotonic()) > 0:
            time.sleep(min(LOOKED_EVERY, left))
        return head

    def seq_at(self, at: int) -> int:
        """Return the newest seq that was committed at or before an instant in microseconds, or 0."""
        low, high = 0, self.head()
        while low < high:  # the log is ordered by seq, and by time but for clocks that were set back
            middle = (low + high + 1) // 2
            row = self._all("SELECT at FROM entry WHERE seq = ?", (middle,))
            low, high = (middle, high) if row and row[0][0] <= at else (low, middle - 1)
        return low

    def run(self, sql: str, values: Sequence[Any]) -> list[Any]:
        """Run a statement of a search."""
        return self._all(sql, values)

    def require_readable(self, at: int | None) -> None:
        """Refuse a position whose superseded rows are purged, and an index that is not whole."""
        marks = dict(self._all("SELECT name, value FROM meta WHERE name IN ('purged', 'reindexing')"))
        if "reindexing" in marks:
            raise StoreError(INDEX_INCOMPLETE)
        oldest = int(marks.get("purged", 0))
        if at is not None and at < oldest:
            raise PositionGone(at, oldest)

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()
            self._local = threading.local()

    def _one(self, sql: str, values: Sequence[object]) -> Entry | None:
        rows = self._all(sql, values)
        return Entry(*rows[0]) if rows else None

    def _all(self, sql: str, values: Sequence[object] = ()) -> list[Any]:
        try:
            return self.connection.execute(sql, tuple(values)).fetchall()
        except sqlite3.Error as error:
            missing = self.index_is_beside and not place(self.path).exists()
            raise StoreError(INDEX_MISSING if missing else f"cannot read the store: {error}") from error

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection, with the index that is at its place now."""
        held: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if held is not None and self.index_is_beside and not held.in_transaction:
            held = self._with_index_in_place(held)
        return self._connected() if held is None else held

    def _with_index_in_place(self, held: sqlite3.Connection) -> sqlite3.Connection | None:
        """Return None for a connection whose index was made anew, or deleted, since it was opened."""
        if is_same(place(self.path), self._local.index):
            return held
        with self._lock:
            self._open.remove(held)
        held.close()
        return None

    def _connected(self) -> sqlite3.Connection:
        made = connect(self.path, read_only=True)
        self._local.index = attach(made, self.path) if self.index_is_beside else None
        self._local.connection = made
        with self._lock:
            self._open.append(made)
        return made


def _where(column: str, condition: Condition) -> tuple[str, list[object]]:
    if isinstance(condition, Between):
        return f"{column} BETWEEN ? AND ?", [condition.low, condition.high]
    if isinstance(condition, OneOf):
        return f"{column} IN ({','.join('?' * len(condition.values))})", list(condition.values)
    return f"{column} = ?", [condition]


def _column(table: Table, name: str) -> str:
    if name not in table.columns:
        raise ValueError(f"table {table.name} has no column {name} (has {', '.join(table.columns)})")
    return _quoted(name)


def _order(table: Table, column: str) -> str:
    return f"{_column(table, column[1:])} DESC" if column.startswith("-") else _column(table, column)


def _quoted(name: str) -> str:
    return f'"{name}"'
