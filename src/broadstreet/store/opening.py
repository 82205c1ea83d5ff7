"""Open the store at an address: a file for SQLite, a URL for PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from broadstreet.store.protocol import Store, StoreError
from broadstreet.store.sqlite import SqliteStore
from broadstreet.store.sqlite.store import restore as restore_file

SCHEMES = ("postgresql://", "postgres://")


def is_server(address: str | Path) -> bool:
    """Say whether an address names a PostgreSQL server."""
    return str(address).startswith(SCHEMES)


def restore(backup: Path, address: str | Path, prepare: Callable[[Path], None] = lambda _: None) -> int:
    """Put a backup, of either back end, in the place of a store that no hub uses; return its head.

    What was there is kept beside it. `prepare` is given a copy before it takes its place.

    Raises
    ------
    StoreError
        If the backup is damaged or not a store, or there is no room.
    StoreLocked
        If a hub uses the store.
    """
    if not is_server(address):
        return restore_file(backup, Path(address), prepare)
    require_extra()
    from broadstreet.store.postgres.portable import restore as restore_schema  # noqa: PLC0415

    return restore_schema(backup, str(address), prepare)


def open_store(address: str | Path, *, create: bool = True, index_beside: bool = False) -> Store:
    """Open a store; make it first, unless `create` is false.

    Parameters
    ----------
    address
        A path, or a URL such as `postgresql://hub@db.example/city?schema=broadstreet`.
    index_beside
        Let a process of its own keep the search index, beside the log: in another file, or in tables that no
        commit writes to.

    Raises
    ------
    StoreError
        If it cannot be opened, is not a store, or what it needs is not installed.
    """
    if not is_server(address):
        return SqliteStore(Path(address), create=create, index_beside=index_beside)
    require_extra()
    from broadstreet.store.postgres import PostgresStore  # noqa: PLC0415

    return PostgresStore(str(address), create=create, index_beside=index_beside)


def require_extra() -> None:
    """Refuse to go on without the driver, which is an extra.

    Raises
    ------
    StoreError
        If it is not installed.
    """
    if find_spec("psycopg") is None:
        raise StoreError(
            "a store on PostgreSQL needs the extra of that name: pip install 'broadstreet[postgres]'"
        )
