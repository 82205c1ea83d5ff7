"""Bring a schema to the newest form: numbered SQL, each step in a transaction of its own."""

from __future__ import annotations

from importlib import resources

from broadstreet.store.postgres.address import Address
from broadstreet.store.postgres.connection import Connection
from broadstreet.store.protocol import StoreError

_TABLES = "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace(%s) AND relkind = 'r'"
_META = "SELECT 1 FROM pg_class WHERE relnamespace = to_regnamespace(%s) AND relname = 'lease'"


def migrations() -> list[tuple[int, str]]:
    """Return `(number, SQL)` of every migration, in order."""
    folder = resources.files("broadstreet.store.postgres") / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [(int(f.name.partition("_")[0]), f.read_text(encoding="utf-8")) for f in files]


def newest_schema() -> int:
    """Return the schema's number that this release writes and reads."""
    return migrations()[-1][0]


def schema_of(connection: Connection, address: Address) -> int:
    """Return the number of the schema that the store has; 0 where there is none.

    Raises
    ------
    StoreError
        If the schema holds another program's tables, or was written by a newer release.
    """
    if connection.execute(_TABLES, (address.schema,)).fetchone() == (0,):
        return 0
    if connection.execute(_META, (address.schema,)).fetchone() is None:
        raise StoreError(f"schema {address.name} holds the tables of another program: name another schema")
    held = meta(connection, "schema")
    reached = int(held) if held else 0
    if reached > newest_schema():
        raise StoreError(
            f"the store has schema {reached}, this release knows {newest_schema()}: use the newer release"
        )
    return reached


def migrate(connection: Connection, address: Address) -> int:
    """Run the migrations that the store has not seen; return its schema's number.

    Raises
    ------
    StoreError
        If the schema holds another program's tables, or was written by a newer release.
    """
    reached = schema_of(connection, address)
    connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{address.schema}"')
    for number, sql in migrations():
        if number > reached:
            with connection.transaction():
                connection.execute(sql)
                set_meta(connection, "schema", str(number).encode())
            reached = number
    return reached


def meta(connection: Connection, name: str) -> bytes | None:
    """Return a value that the store keeps about itself."""
    row = connection.execute("SELECT value FROM meta WHERE name = %s", (name,), binary=True).fetchone()
    return None if row is None else bytes(row[0])  # type: ignore[call-overload]


def set_meta(connection: Connection, name: str, value: bytes) -> None:
    """Keep a value about the store itself, instead of the one it had."""
    sql = "INSERT INTO meta VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    connection.execute(sql, (name, value))
