"""The core: the store under its lease, with committer, followers and scheduler.

The hub opens doors on it; a command that has to write while no hub runs opens it alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

from broadstreet.app.followers import followers_of
from broadstreet.app.following.beside import FollowersBeside
from broadstreet.app.indexing import IndexProcess, catch_up_index
from broadstreet.app.keykeeping import KeyKeeper
from broadstreet.app.settings import Settings
from broadstreet.app.stores import keyring_of, opened, place_of
from broadstreet.app.upkeep import Upkeep
from broadstreet.model.clock import Clock, DrivenClock, SystemClock, instant
from broadstreet.model.ids import RandomIds
from broadstreet.model.records import Timer
from broadstreet.store import inbox
from broadstreet.store.committer import Committer
from broadstreet.store.follower import Follower
from broadstreet.store.followers import Followers, Following, settle
from broadstreet.store.housekeeping import PURGE, Housekeeper
from broadstreet.store.protocol import Reader, StoreError
from broadstreet.store.timers import Scheduler

SETTLE_SECONDS = 300.0
"""So long followers may need until they have seen everything; then something is wrong."""


class Core:
    """The store, open for writing.

    Parameters
    ----------
    settings
        Where the store is, which clock and which followers it has.
    followers
        Instead of those that the settings name: a command may need none.
    beside
        Whether the followers run in a process of their own, where doors are busy.

    Raises
    ------
    StoreLocked
        If another process writes to the store.
    StoreError
        If the store cannot be opened.
    """

    def __init__(
        self, settings: Settings, followers: Sequence[Follower] | None = None, *, beside: bool = False
    ) -> None:
        self.settings = settings
        self.zone = ZoneInfo(settings.zone)
        self.store = opened(settings)
        self.indexing: IndexProcess | None = None
        self.upkeep = Upkeep()
        try:
            self.clock = clock_of(settings, self.store)
            self.committer = Committer(self.store, self.clock, RandomIds(self.clock))
        except BaseException:
            self.store.close()
            raise
        try:
            self.committer.between(lambda writer: writer.define(inbox.TABLES))
            self.followers = self._followers(followers, beside=beside)
        except BaseException:
            self._close_store()
            raise
        self.scheduler = Scheduler(self.store, self.committer, self.clock, self.zone)
        kept = timedelta(hours=settings.purge_hours)
        self.housekeeper = Housekeeper(self.store, self.committer, self.clock, kept)
        self.keykeeper = KeyKeeper(keyring_of(self.store), self.clock, settings.keys_days)
        self._census: dict[str, int] = {}
        self._driving = threading.Lock()

    def start(self) -> None:
        """Let the followers follow."""
        self.followers.start()

    def settle(self, seconds: float = SETTLE_SECONDS) -> None:
        """Wait until the followers have seen all that was committed, their own output included.

        Raises
        ------
        StoreError
            If they do not come that far, or one of them has stopped.
        """
        done = settle(self.followers, self.committer, seconds)
        if self.followers.faults:
            stopped = "; ".join(f"{name}: {fault}" for name, fault in self.followers.faults.items())
            raise StoreError(f"a follower has stopped ({stopped}); see `broadstreet status`")
        if not done:
            raise StoreError(f"the followers have not seen everything after {seconds:g} seconds")

    def settle_index(self, seconds: float = SETTLE_SECONDS) -> None:
        """Wait until all that was committed can be searched; where no process keeps the index, do it here.

        Raises
        ------
        StoreError
            If that does not come about.
        """
        if self.indexing is None and self.store.index_is_beside:
            catch_up_index(self.store, place_of(self.settings))
        head, deadline = self.committer.head, time.monotonic() + seconds
        while (reached := self.store.searchable()) < head or self.store.has_remains():
            if time.monotonic() > deadline:
                raise StoreError(f"the search index stands at {reached} of {head} after {seconds:g} seconds")
            time.sleep(0.01)

    def advance(self, to: datetime) -> list[Timer]:
        """Drive the clock to an instant; append the timers that are due, and return them.

        What came before is seen by every follower before time moves on.

        Raises
        ------
        ValueError
            If the clock is not a driven one, or would go back.
        """
        if not isinstance(self.clock, DrivenClock):
            raise ValueError(
                'only a hub with clock = "driven" can be told the time; this one has the system\'s'
            )
        with self._driving:
            before = self.keep_time()
            self.settle()
            self.clock.advance(to)
            return before + self.keep_time()

    def keep_time(self) -> list[Timer]:
        """Append the timers that are due, do the housekeeping that is due; return the timers of others."""
        due = self.scheduler.run()
        if isinstance(self.clock, SystemClock):  # time that is driven says nothing about copies in the world
            self.keykeeper.run()
        if self.housekeeper.run():
            self._census = {}
        return [timer for timer in due if timer.name != PURGE]

    def census(self) -> dict[str, int]:
        """Return how many rows each table of the search index has, counted after the last purge."""
        if not self._census:
            self._census = {table.name: self.store.count(table) for table in self.store.index_tables()}
        return dict(self._census)

    def close(self) -> None:
        """Stop the followers, commit what waits, give the lease back."""
        self.followers.stop()
        self._close_store()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _followers(self, followers: Sequence[Follower] | None, *, beside: bool) -> Following:
        all_of = followers_of(self.settings) if followers is None else followers
        if beside:
            return FollowersBeside(self.settings, self.store, self.committer, all_of)
        return Followers.begun(self.store, self.committer, all_of)

    def _close_store(self) -> None:
        self.committer.close()
        self.store.close()


def clock_of(settings: Settings, reader: Reader) -> Clock:
    """Return the clock that the settings name; a driven one never begins before what the log holds."""
    if settings.clock == "system":
        return SystemClock()
    newest = reader.entries(reader.head() - 1, limit=1)
    began = [instant(entry.at) for entry in newest]
    began += [settings.clock_start] if settings.clock_start else []
    if not began:
        raise ValueError("clock_start: expected the instant at which the driven clock begins, got none")
    return DrivenClock(max(began))
