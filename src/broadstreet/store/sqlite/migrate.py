"""Bring a file to the newest schema: numbered SQL, each step in a transaction of its own."""

from __future__ import annotations

import sqlite3
from importlib import resources

from broadstreet.store.protocol import StoreError


def migrations() -> list[tuple[int, str]]:
    """Return `(number, SQL)` of every migration, in order."""
    folder = resources.files("broadstreet.store.sqlite") / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [(int(f.name.partition("_")[0]), f.read_text(encoding="utf-8")) for f in files]


def migrate(connection: sqlite3.Connection) -> int:
    """Run the migrations that the file has not seen; return its schema's number.

    Raises
    ------
    StoreError
        If the file was written by a newer release.
    """
    steps = migrations()
    newest = steps[-1][0]
    reached: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if reached > newest:
        raise StoreError(
            f"the store has schema {reached}, this release knows {newest}: use the newer release"
        )
    for number, sql in steps:
        if number > reached:
            connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")
    return newest
