"""Backups: the log alone, and what no projection can make again."""

from __future__ import annotations

from pathlib import Path

from broadstreet.app.followers import projections_of
from broadstreet.app.settings import Settings
from broadstreet.store.protocol import Store, StoreError
from broadstreet.store.sqlite.connection import sync
from broadstreet.store.sqlite.stripping import strip


def backed_up(store: Store, settings: Settings, target: Path) -> int:
    """Write a backup, of either back end, to a file that appears when it is whole; return its head.

    It holds no name of a resident in plain: search index and projections are left out, and made again after a
    restore.

    Raises
    ------
    StoreError
        If there is a file already, or no room.
    """
    if target.exists():
        raise StoreError(f"{target} exists already, and a backup never overwrites: name another file")
    whole = target.with_name(target.name + ".whole")
    whole.unlink(missing_ok=True)
    try:
        head = store.backup(whole)
        strip(whole, projections_of(settings).values())
        sync(whole)
        whole.rename(target)
        sync(target.parent)
    finally:
        for rest in ("", "-journal"):
            whole.with_name(whole.name + rest).unlink(missing_ok=True)
    return head
