"""Open the store at an address: a file for SQLite, a URL for PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from broadstreet.store.protocol import Store, StoreError
from broadstreet.store.sqlite import SqliteStore

SCHEMES = ("postgresql://", "postgres://")


def is_server(address: str | Path) -> bool:
    """Say whether an address names a PostgreSQL server."""
    return str(address).startswith(SCHEMES)


def open_store(address: str | Path, *, create: bool = True) -> Store:
    """Open a store; make it first, unless `create` is false.

    Parameters
    ----------
    address
        A path, or a URL such as `postgresql://hub@db.example/city?schema=broadstreet`.

    Raises
    ------
    StoreError
        If it cannot be opened, is not a store, or what it needs is not installed.
    """
    if not is_server(address):
        return SqliteStore(Path(address), create=create)
    try:
        from broadstreet.store.postgres import PostgresStore  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise StoreError(
            "a store on PostgreSQL needs the extra of that name: pip install 'broadstreet[postgres]'"
        ) from error
    return PostgresStore(str(address), create=create)
