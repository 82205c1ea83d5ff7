"""Restore a backup, to its end or to a position, and tell what is lost by it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from broadstreet.app.followers import followers_of
from broadstreet.app.indexing import rebuild_index
from broadstreet.app.reach import has_store
from broadstreet.app.settings import Settings
from broadstreet.app.stores import opened, place_of
from broadstreet.model.clock import SystemClock, instant, microseconds
from broadstreet.model.ids import RandomIds
from broadstreet.store.committer import Committer
from broadstreet.store.opening import restore
from broadstreet.store.protocol import Reader, Store, StoreError
from broadstreet.store.rewinding import lost_after, rewind

CUT = "Cut from the backup"
INDEX = "The search index could not be made again"
REPLACED = "Not in the backup, but in the store that was there"


@dataclass
class Restored:
    """What came of it: entries that are there, and sentences about what is not, by where it was."""

    head: int = 0
    rewound: bool = False
    lost: dict[str, list[str]] = field(default_factory=dict)


def restored_to(settings: Settings, backup: Path, to: str | None) -> Restored:
    """Put a backup in the place of the store, cut after a position or an instant.

    Parameters
    ----------
    settings
        Where the store is, and which followers it has.
    backup
        The file.
    to
        A position, or an instant in ISO 8601 (without an offset: the city's time); None keeps everything.

    Raises
    ------
    ValueError
        If `to` is neither, or not within the backup.
    StoreError
        If the backup is damaged, or there is no room; the store is left as it was.
    """
    outcome = Restored()

    def prepare(copy: Path) -> None:
        with closing(opened(settings, copy)) as store:
            if to is not None:
                _rewind(settings, store, to, outcome)
            outcome.head = store.head()
            outcome.lost[REPLACED] = _lost_with(settings, store)

    restore(backup, settings.address, prepare)
    try:
        _make_index(settings)
    except StoreError as error:
        outcome.lost[INDEX] = [f"{error}; then `broadstreet rebuild --index`"]
    return outcome


def _make_index(settings: Settings) -> None:
    """Make the search index again, where the backup says that it is to be done before the store is used."""
    with closing(opened(settings)) as store:
        if store.indexed():
            return
        clock = SystemClock()
        with closing(Committer(store, clock, RandomIds(clock))) as committer:
            rebuild_index(store, committer, place_of(settings))


def _rewind(settings: Settings, store: Store, to: str, outcome: Restored) -> None:
    clock = SystemClock()
    with closing(Committer(store, clock, RandomIds(clock))) as committer:
        lost = rewind(store, committer, followers_of(settings), _position(settings, store, to))
    outcome.rewound = bool(lost.entries)
    outcome.lost[CUT] = lost.sentences()


def _position(settings: Settings, store: Store, to: str) -> int:
    if to.isdecimal():
        return int(to)
    try:
        moment = datetime.fromisoformat(to)
    except ValueError:
        raise ValueError(
            f"--to: expected a position such as 4711, or an instant such as 2026-01-05T08:00, got {to!r}"
        ) from None
    zone = ZoneInfo(settings.zone)
    at = microseconds(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    head = store.head()
    first, last = (
        (entry.at for seq in (1, head) for entry in store.entries(seq - 1, limit=1)) if head else (0, 0)
    )
    if not first <= at <= last:
        span = " to ".join(instant(each).astimezone(zone).isoformat() for each in (first, last))
        raise ValueError(f"--to: expected an instant within the backup, which is of {span}, got {to!r}")
    return store.seq_at(at)


def _lost_with(settings: Settings, restored: Reader) -> list[str]:
    """Return what the store that is there has and the restored one has not."""
    if not has_store(settings):
        return []
    try:
        with closing(opened(settings, create=False)) as replaced:
            head = restored.head()
            mine, theirs = (side.entries(head - 1, limit=1) for side in (restored, replaced))
            if head and [e.key for e in mine] != [e.key for e in theirs]:
                return ["it has another history; nothing of it is in the restored store."]
            return lost_after(replaced, head).sentences()
    except StoreError as error:
        return [f"it cannot be read ({error})."]
