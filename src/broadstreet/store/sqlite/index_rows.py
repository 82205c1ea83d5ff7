"""Write, supersede and purge rows of the search index, in whichever file they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from broadstreet.store.index.kinds import FOREVER, KINDS, TOKEN
from broadstreet.store.protocol import Erased
from broadstreet.store.sqlite.rows import Piece, look_up, pieces, write_pieces

Index = Sequence[Sequence[tuple[Any, ...]]]
"""Whole rows, by kind in the order of `KINDS`."""

Prepared = Sequence[Sequence[Piece]]
"""What is bound to statements, by table."""

WHOLE = tuple(kind.table for kind in KINDS)
"""The tables of the whole index, in the order of `KINDS`."""

IDENTITY = "identity"
"""The identifiers alone, as rows like those of `token_index`: what the log's file has of an index whose other
tables are in a file beside it."""

_COLUMNS = {**{kind.table: len(kind.columns) for kind in KINDS}, IDENTITY: len(TOKEN.columns)}


def prepare(index: Index, tables: Sequence[str] = WHOLE) -> Prepared:
    """Return rows as they are bound; those of kinds that have no table here are left out.

    Sorted, so that rows of one page follow each other.
    """
    return [list(pieces(sorted(rows), _COLUMNS[table])) for table, rows in zip(tables, index, strict=False)]


def insert(connection: sqlite3.Connection, prepared: Prepared, tables: Sequence[str] = WHOLE) -> None:
    """Write rows that were prepared for these tables."""
    for table, made in zip(tables, prepared, strict=True):
        write_pieces(connection, f"INSERT INTO {table}", _COLUMNS[table], "", made)


def supersede(
    connection: sqlite3.Connection, closing: Sequence[tuple[int, int]], tables: Sequence[str] = WHOLE
) -> None:
    """Let the rows of versions end where their successors begin: `(since, until)` each."""
    for table in tables if closing else ():
        update = (
            f"UPDATE {table} SET until = wanted.until FROM wanted"
            f" WHERE {table}.since = wanted.since AND {table}.until = {FOREVER}"
        )
        look_up(connection, ("since", "until"), update, closing)


def purge(connection: sqlite3.Connection, before: int, tables: Sequence[str] = WHOLE) -> int:
    """Remove rows superseded at or before a position; return how many."""
    sql = "DELETE FROM {} WHERE until <= ? AND until < {}"
    return sum(connection.execute(sql.format(table, FOREVER), (before,)).rowcount for table in tables)


def erase(connection: sqlite3.Connection, erased: Erased, tables: Sequence[str] = WHOLE) -> int:
    """Remove every row about subjects and of versions, superseded or not; return how many."""
    removed = 0
    for column, values in (("subject", erased.subjects), ("since", erased.versions)):
        sql, rows = f"DELETE FROM {{}} WHERE {column} = ?", [(value,) for value in values]
        removed += sum(connection.executemany(sql.format(table), rows).rowcount for table in tables if rows)
    return removed


def clear(connection: sqlite3.Connection, tables: Sequence[str] = WHOLE) -> None:
    """Remove every row."""
    for table in tables:
        connection.execute(f"DELETE FROM {table}")
