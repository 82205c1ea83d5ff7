"""Bring a file to the newest schema: numbered SQL, each step in a transaction of its own."""

from __future__ import annotations

import sqlite3
from importlib import resources

from broadstreet.store.protocol import StoreError

APPLICATION = 0x42525354
"""What `PRAGMA application_id` says in a file of ours: "BRST"."""


def migrations() -> list[tuple[int, str]]:
    """Return `(number, SQL)` of every migration, in order."""
    folder = resources.files("broadstreet.store.sqlite") / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [(int(f.name.partition("_")[0]), f.read_text(encoding="utf-8")) for f in files]


def newest_schema() -> int:
    """Return the schema's number that this release writes and reads."""
    return migrations()[-1][0]


def schema_of(connection: sqlite3.Connection) -> int:
    """Return the number of the schema that the file has; 0 for an empty file.

    Raises
    ------
    StoreError
        If the file is a database of another program, or was written by a newer release.
    """
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and application != APPLICATION:
        raise StoreError("the file is a database of another program")
    reached: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if reached > newest_schema():
        raise StoreError(
            f"the store has schema {reached}, this release knows {newest_schema()}: use the newer release"
        )
    return reached


def migrate(connection: sqlite3.Connection) -> int:
    """Run the migrations that the file has not seen; return its schema's number.

    Raises
    ------
    StoreError
        If the file is a database of another program, or was written by a newer release.
    """
    reached = schema_of(connection)
    for number, sql in migrations():
        if number > reached:
            connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")
            reached = number
    return reached
