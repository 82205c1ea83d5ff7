"""Reach a store, and the hub that runs on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from broadstreet.app.control import ControlClient, NoHub
from broadstreet.app.load import FILE
from broadstreet.app.settings import Settings
from broadstreet.app.stores import opened
from broadstreet.store.opening import open_store
from broadstreet.store.protocol import NoStore, Store, StoreError
from broadstreet.store.sqlite.lease import LEASE


@contextmanager
def read(settings: Settings) -> Iterator[Store]:
    """Yield the store for reading, whether a hub runs or not.

    Raises
    ------
    StoreError
        If there is no store.
    """
    require_store(settings)
    store = opened(settings, create=False)
    try:
        yield store
    finally:
        store.close()


def hub_of(settings: Settings) -> ControlClient | None:
    """Return a connection to the hub that runs on the store; None if none does."""
    try:
        return ControlClient(settings.socket_path)
    except NoHub:
        return None


def has_store(settings: Settings) -> bool:
    """Say whether there is a store where the settings name one."""
    if not settings.database:
        return settings.file.exists()
    try:
        open_store(settings.address, create=False).close()
    except NoStore:
        return False
    return True


def is_fresh(settings: Settings) -> bool:
    """Say whether no hub has been where the settings point to: no store, no lease, no settings file."""
    lease = settings.file.with_name(settings.file.name + LEASE)
    left = (lease, settings.folder / FILE)
    return not any(file.exists() for file in left) and not has_store(settings)


def require_store(settings: Settings) -> None:
    """Refuse a data folder without a store.

    Raises
    ------
    StoreError
        If there is none; the text says what to do.
    """
    if not settings.database and not settings.file.exists():
        raise StoreError(
            f"expected a store in the folder {settings.folder}, found none: name another with --data,"
            " or make one with `broadstreet serve`"
        )
