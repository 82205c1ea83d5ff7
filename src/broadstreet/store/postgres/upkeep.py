"""Looking after one schema: its size, its tables row by row."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import psycopg

from broadstreet.store.postgres import tables
from broadstreet.store.postgres.connection import Connection, told
from broadstreet.store.tables import Kind, Row, Table
from broadstreet.store.upkeep import Volume

AT_ONCE = 2_000
"""Rows are taken from the server so many at a time."""

LARGE = 100_000
"""Tables with more rows than this are counted by what the server last estimated."""

_SIZES = """
    SELECT CASE WHEN relname LIKE '%\\_index' THEN 'index' ELSE 'log' END, sum(pg_total_relation_size(oid))
    FROM pg_class WHERE relnamespace = current_schema::regnamespace AND relkind = 'r' GROUP BY 1"""
_NAMES = """
    SELECT relname::text FROM pg_class WHERE relnamespace = current_schema::regnamespace AND relkind = 'r'
    ORDER BY relname COLLATE "C" """
_COLUMNS = """
    SELECT a.attname::text, format_type(a.atttypid, a.atttypmod),
           coalesce(array_position(k.indkey::int2[], a.attnum), -1)
    FROM pg_attribute a LEFT JOIN pg_index k ON k.indrelid = a.attrelid AND k.indisprimary
    WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""
_ESTIMATE = "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)"

_OLDER = """
    SELECT EXISTS (SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_xmin IS NOT NULL AND age(backend_xmin) > age(%s::xid))"""
_WAIT, _POLL = 10.0, 0.02

_KINDS: dict[str, Kind] = {
    "bigint": "integer", "integer": "integer", "smallint": "integer", "boolean": "integer",
    "double precision": "real", "text": "text", "bytea": "blob",
}  # fmt: skip
_numbers = count()


def until_nobody_sees(connection: Connection) -> None:
    """Wait until no other transaction of the database sees what was removed: it would stay in the tables.

    An open one, of whatever program, is waited for no longer than ten seconds.
    """
    row = connection.execute("SELECT pg_current_xact_id()::xid::text").fetchone()
    deadline = time.monotonic() + _WAIT
    while row is not None and time.monotonic() < deadline:
        older = connection.execute(_OLDER, (row[0],)).fetchone()
        if older is None or not older[0]:
            return
        time.sleep(_POLL)


def volume_of(connection: Connection) -> Volume:
    """Return how much room the tables take; what is left on the server's disk cannot be known from here."""
    found: Any = connection.execute(_SIZES).fetchall()
    return Volume({str(part): int(size) for part, size in found}, None)


def tables_of(connection: Connection) -> tuple[Table, ...]:
    """Return every table of the schema, as it is there."""
    return tuple(_table(connection, str(name)) for (name,) in connection.execute(_NAMES).fetchall())


def count_of(connection: Connection, table: Table) -> int:
    """Return how many rows a table has; of a large one, what the server last estimated."""
    name = tables.quoted(table.name)
    estimate: Any = connection.execute(_ESTIMATE, (name,)).fetchone()
    if estimate is not None and estimate[0] > LARGE:
        return int(estimate[0])
    counted: Any = connection.execute(f"SELECT count(*) FROM {name}").fetchone()
    return int(counted[0])


def rows_of(connection: Connection, table: Table) -> Iterator[Row]:
    """Yield every row in the order of the key, through a cursor of the server."""
    columns, key = (", ".join(map(tables.quoted, names)) for names in (table.columns, table.key))
    sql = f"SELECT {columns} FROM {tables.quoted(table.name)} ORDER BY {key}"
    try:
        with connection.transaction(), connection.cursor(f"rows{next(_numbers)}", binary=True) as cursor:
            cursor.execute(sql)
            while rows := cursor.fetchmany(AT_ONCE):
                yield from rows  # type: ignore[misc]
    except psycopg.Error as error:
        raise told(error) from error


def types_of(connection: Connection, table: str) -> dict[str, str]:
    """Return the columns of a table with the names of their types."""
    columns: Any = connection.execute(_COLUMNS, (tables.quoted(table),)).fetchall()
    return {name: type for name, type, _ in columns}


def _table(connection: Connection, name: str) -> Table:
    columns: Any = connection.execute(_COLUMNS, (tables.quoted(name),)).fetchall()
    key = sorted((place, column) for column, _, place in columns if place >= 0)
    kinds = {column: _KINDS[kind] for column, kind, _ in columns}
    return Table(name, kinds, tuple(column for _, column in key))
