"""Followers' tables on PostgreSQL: making them, changing them, selecting from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from broadstreet.store.postgres.connection import Connection
from broadstreet.store.protocol import StoreError
from broadstreet.store.tables import (
    Between,
    Change,
    Clear,
    Condition,
    Delete,
    Increment,
    OneOf,
    Row,
    Table,
    Upsert,
)

TYPES = {"integer": "bigint", "real": "double precision", "text": "text", "blob": "bytea"}
_COLLATED = TYPES | {"text": 'text COLLATE "C"'}

_LAYOUT = """
    SELECT a.attname::text, format_type(a.atttypid, a.atttypmod),
           coalesce(array_position(k.indkey::int2[], a.attnum), -1)
    FROM pg_attribute a LEFT JOIN pg_index k ON k.indrelid = a.attrelid AND k.indisprimary
    WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""


def create(connection: Connection, table: Table) -> None:
    """Make a table that does not exist yet."""
    columns = ", ".join(f"{quoted(name)} {_COLLATED[kind]}" for name, kind in table.columns.items())
    key = ", ".join(map(quoted, table.key))
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {quoted(table.name)} ({columns}, PRIMARY KEY ({key}))"
        " WITH (fillfactor = 80)"
    )
    for index in table.indexes:
        name, indexed = quoted("_".join((table.name, *index))), ", ".join(map(quoted, index))
        connection.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {quoted(table.name)} ({indexed})")


def require_layout(connection: Connection, table: Table) -> None:
    """Refuse a table that exists with other columns or another key.

    Raises
    ------
    StoreError
        If it does; the text says what to do.
    """
    held = _layout(connection, table)
    if held != _wanted(table):
        names = ", ".join(str(name) for name, *_ in held)
        raise StoreError(
            f"table {table.name} has the columns {names} in the store, and"
            f" {', '.join(table.columns)} in this release: raise the version of the projection that owns it"
        )


def change(connection: Connection, change: Change) -> None:
    """Make one change."""
    if isinstance(change, Clear):
        _clear(connection, change.table)
    elif isinstance(change, Delete):
        _delete(connection, change)
    else:
        _insert(connection, change)


def selection(
    table: Table, where: Mapping[str, Condition], order: Sequence[str], limit: int | None
) -> tuple[str, list[object]]:
    """Return the SQL, and the values bound in it, that selects rows of a table.

    Raises
    ------
    ValueError
        If the table has no such column.
    """
    clauses, values = [], []
    for column, condition in where.items():
        sql, bound = _where(table, column, condition)
        clauses.append(sql)
        values += bound
    text = f"SELECT {', '.join(map(quoted, table.columns))} FROM {quoted(table.name)}"
    if clauses:
        text += f" WHERE {' AND '.join(clauses)}"
    if order:
        text += f" ORDER BY {', '.join(_order(table, column) for column in order)}"
    if limit is not None:
        text += " LIMIT %s"
        values.append(limit)
    return text, values


def quoted(name: str) -> str:
    """Return a name of the code's own as SQL has it."""
    return f'"{name}"'


def _layout(connection: Connection, table: Table) -> list[tuple[object, ...]]:
    return connection.execute(_LAYOUT, (quoted(table.name),)).fetchall()


def _wanted(table: Table) -> list[tuple[object, ...]]:
    """Columns as `_LAYOUT` tells them; `indkey` counts from 0, and -1 is none."""
    return [
        (name, TYPES[kind], table.key.index(name) if name in table.key else -1)
        for name, kind in table.columns.items()
    ]


def _clear(connection: Connection, table: Table) -> None:
    """Empty the table, or make it anew where its columns have changed.

    Rows are deleted one by one: dropping or truncating would wait for whoever reads, a backup too.
    """
    if _layout(connection, table) == _wanted(table):
        connection.execute(f"DELETE FROM {quoted(table.name)}")
    else:
        connection.execute(f"DROP TABLE IF EXISTS {quoted(table.name)}")
    create(connection, table)


def _delete(connection: Connection, change: Delete) -> None:
    table = change.table
    met = " AND ".join(f"t.{quoted(name)} = w.{quoted(name)}" for name in table.key)
    sql, values = _unnested(table, table.key, change.keys)
    connection.execute(f"DELETE FROM {quoted(table.name)} t USING {sql} WHERE {met}", values)


def _insert(connection: Connection, change: Upsert | Increment) -> None:
    names = tuple(change.table.columns)
    if change.rows:
        sql, values = _unnested(change.table, names, change.rows)
        into = f"INSERT INTO {quoted(change.table.name)} AS t"
        connection.execute(f"{into} SELECT * FROM {sql} {_on_conflict(change)}", values)


def _unnested(table: Table, names: Sequence[str], rows: Sequence[Row]) -> tuple[str, list[list[Any]]]:
    """Return rows as a table `w` of these columns: one array for each."""
    kinds = [table.columns[name] for name in names]
    arrays = ", ".join(f"%s::{TYPES[kind]}[]" for kind in kinds)
    columns = [
        _reals(column) if kind == "real" else list(column)
        for kind, column in zip(kinds, zip(*rows, strict=True), strict=True)
    ]
    return f"unnest({arrays}) AS w ({', '.join(map(quoted, names))})", columns or [[] for _ in names]


def _reals(column: Sequence[Any]) -> list[Any]:
    """An array has one type, and a whole number is another."""
    return [float(value) if isinstance(value, int) else value for value in column]


def _on_conflict(change: Upsert | Increment) -> str:
    table = change.table
    key, others = ", ".join(map(quoted, table.key)), [name for name in table.columns if name not in table.key]
    if not others:
        return f"ON CONFLICT ({key}) DO NOTHING"
    added: Callable[[str], bool] = lambda name: isinstance(change, Increment) and name not in change.replace  # noqa: E731
    sets = [
        f"{quoted(n)} = t.{quoted(n)} + excluded.{quoted(n)}"
        if added(n)
        else f"{quoted(n)} = excluded.{quoted(n)}"
        for n in others
    ]
    return f"ON CONFLICT ({key}) DO UPDATE SET {', '.join(sets)}"


def _where(table: Table, name: str, condition: Condition) -> tuple[str, list[object]]:
    column, type = _column(table, name), TYPES[table.columns[name]]
    if isinstance(condition, Between):
        return f"{column} BETWEEN %s AND %s", [condition.low, condition.high]
    if isinstance(condition, OneOf):
        return f"{column} = ANY (%s::{type}[])", [list(condition.values)]
    return f"{column} = %s", [condition]


def _order(table: Table, name: str) -> str:
    """A column that may be null (those of the key may not) has its nulls first, as on every back end."""
    bare = name.removeprefix("-")
    if name.startswith("-"):
        return f"{_column(table, bare)} DESC{'' if bare in table.key else ' NULLS LAST'}"
    return f"{_column(table, bare)}{'' if bare in table.key else ' NULLS FIRST'}"


def _column(table: Table, name: str) -> str:
    if name not in table.columns:
        raise ValueError(f"table {table.name} has no column {name} (has {', '.join(table.columns)})")
    return quoted(name)
