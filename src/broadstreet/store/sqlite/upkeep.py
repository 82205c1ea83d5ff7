"""Looking after one SQLite file: its size, its tables row by row, a snapshot of it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from broadstreet.store.protocol import StoreError
from broadstreet.store.sqlite.index_rows import IDENTITY
from broadstreet.store.tables import Kind, Row, Table, Value
from broadstreet.store.upkeep import Volume

AT_ONCE = 2_000
"""Rows are taken from SQLite so many at a time."""


def volume_of(path: Path) -> Volume:
    """Return how much room a file and its write-ahead log take, and what is left on their disk."""
    parts = {"log": path, "wal": path.with_name(path.name + "-wal")}
    sizes = {part: file.stat().st_size if file.exists() else 0 for part, file in parts.items()}
    return Volume(sizes, shutil.disk_usage(path.parent).free)


def tables_of(connection: sqlite3.Connection) -> tuple[Table, ...]:
    """Return every table, as it is in the file."""
    sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*' ORDER BY name"
    return tuple(_table(connection, name) for (name,) in connection.execute(sql).fetchall())


def index_tables(connection: sqlite3.Connection) -> tuple[Table, ...]:
    """Return the tables of the search index, as they are in the file."""
    found: list[Table] = []
    for _, schema, _ in connection.execute("PRAGMA database_list").fetchall():
        sql = f"""SELECT name FROM "{schema}".sqlite_master WHERE type = 'table'
            AND (name GLOB '*_index' OR name = '{IDENTITY}') ORDER BY name"""
        found += [_table(connection, name) for (name,) in connection.execute(sql).fetchall()]
    return tuple(found)


def has_table(connection: sqlite3.Connection, name: str) -> bool:
    """Say whether a file has a table."""
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,))
    return found.fetchone() is not None


def tally(connection: sqlite3.Connection, table: Table, column: str) -> dict[Value, int]:
    """Return how many rows have each value of a column."""
    return dict(
        connection.execute(f'SELECT "{column}", count(*) FROM "{table.name}" GROUP BY "{column}"').fetchall()
    )


def rows_of(connection: sqlite3.Connection, table: Table) -> Iterator[Row]:
    """Yield every row in the order of the key."""
    columns, key = (", ".join(f'"{name}"' for name in names) for names in (table.columns, table.key))
    try:
        cursor = connection.execute(f'SELECT {columns} FROM "{table.name}" ORDER BY {key}')
        while rows := cursor.fetchmany(AT_ONCE):
            yield from rows
    except sqlite3.Error as error:
        raise StoreError(f"cannot read table {table.name}: {error}") from error


@contextmanager
def snapshot_of(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold a read transaction; the write-ahead log is not cleared beyond it meanwhile."""
    connection.execute("BEGIN")
    try:
        connection.execute("SELECT 1 FROM meta LIMIT 1").fetchone()  # a read transaction begins with a read
        yield
    finally:
        connection.execute("ROLLBACK")


def _table(connection: sqlite3.Connection, name: str) -> Table:
    info = connection.execute(
        "SELECT name, lower(type), pk FROM pragma_table_info(?) ORDER BY cid", (name,)
    ).fetchall()
    columns = {column: cast(Kind, kind) for column, kind, _ in info}
    key = sorted((place, column) for column, _, place in info if place)
    return Table(name, columns, tuple(column for _, column in key))
