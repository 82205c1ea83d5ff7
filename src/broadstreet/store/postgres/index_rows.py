"""Write, supersede and purge rows of the search index, in whichever tables they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from broadstreet.store.index.kinds import FOREVER, KINDS, TOKEN
from broadstreet.store.postgres.connection import Connection
from broadstreet.store.postgres.copying import copy_in
from broadstreet.store.postgres.ddl import COPIED
from broadstreet.store.protocol import Erased

Index = Sequence[Sequence[tuple[Any, ...]]]
"""Whole rows, by kind in the order of `KINDS`."""

WHOLE = tuple(kind.table for kind in KINDS)
"""The tables of the whole index, in the order of `KINDS`."""

IDENTITY = "identity"
"""The identifiers alone: what commits write of an index that another process keeps."""

COLUMNS = [{column.name: COPIED[column.type] for column in kind.columns} for kind in KINDS]
assert KINDS[0] is TOKEN  # as those of `identity` are

_SUPERSEDED = """
    WITH old AS MATERIALIZED (SELECT o.seq FROM entry e CROSS JOIN LATERAL (SELECT seq FROM entry
        WHERE id = e.id AND type = e.type AND seq < e.seq ORDER BY seq DESC LIMIT 1) o
        WHERE e.seq > %s AND e.seq <= %s)
    DELETE FROM {} i USING old WHERE i.since = old.seq AND i.until <= %s"""


def insert(connection: Connection, index: Index, tables: Sequence[str] = WHOLE) -> None:
    """Write rows; those of kinds that have no table here are left out."""
    for table, columns, rows in zip(tables, COLUMNS, index, strict=False):
        if rows:
            copy_in(connection, table, columns, rows)


def supersede(
    connection: Connection, closing: Sequence[tuple[int, int]], tables: Sequence[str] = WHOLE
) -> None:
    """Let the rows of versions end where their successors begin: `(since, until)` each."""
    for table in tables if closing else ():
        connection.execute(
            f"UPDATE {table} i SET until = w.until FROM unnest(%s::int8[], %s::int8[]) w (since, until)"
            f" WHERE i.since = w.since AND i.until = {FOREVER}",
            by_column(closing, 2),
        )


def purge(connection: Connection, after: int, before: int, tables: Sequence[str] = WHOLE) -> int:
    """Remove rows that were superseded at `after < position <= before`; return how many.

    Which versions those are, the log tells: the ones before those that came in.
    """
    sql, bounds = _SUPERSEDED, (after, before, before)
    return sum(connection.execute(sql.format(table), bounds).rowcount for table in tables)


def erase(connection: Connection, erased: Erased, tables: Sequence[str] = WHOLE) -> int:
    """Remove every row about subjects and of versions, superseded or not; return how many."""
    sql = "DELETE FROM {} WHERE subject = ANY (%s::int8[]) OR since = ANY (%s::int8[])"
    values = (list(erased.subjects), list(erased.versions))
    return sum(connection.execute(sql.format(table), values).rowcount for table in tables)


def clear(connection: Connection, tables: Sequence[str] = WHOLE) -> None:
    """Remove every row."""
    connection.execute(f"TRUNCATE {', '.join(tables)}")


def by_column(rows: Sequence[Iterable[Any]], width: int) -> list[list[Any]]:
    """Return the columns of rows of a width, each a list."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
