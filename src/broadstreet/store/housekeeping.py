"""Clearing what is needed no longer, when a timer in the log says so.

The timer "index-purge" is due once an hour. Index rows that were superseded longer ago than they are kept are
then removed, and the next timer is set. A hub that dies in between finds the timer due when it starts.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from broadstreet.model import records
from broadstreet.model.clock import Clock, microseconds
from broadstreet.model.records import Timer
from broadstreet.store.committer import Committer
from broadstreet.store.entry import Draft
from broadstreet.store.protocol import Store
from broadstreet.store.transaction import Transaction, Wants

PURGE = "index-purge"
PURGE_EVERY = timedelta(hours=1)
STEP = 20_000
"""Rows of so many positions are removed at once; messages are committed in between."""

_TYPE = records.entry_type(Timer)
_log = logging.getLogger(__name__)


class Housekeeper:
    """Purges the search index by the timer in the log.

    Parameters
    ----------
    kept
        How long superseded index rows are kept, for reads at a position.
    """

    def __init__(self, store: Store, committer: Committer, clock: Clock, kept: timedelta) -> None:
        self._store, self._committer, self._clock, self._kept = store, committer, clock, kept

    def run(self) -> bool:
        """Purge if the timer is due or not there yet, and set the next one; return whether that was so."""
        entry = self._store.current(_TYPE, PURGE)
        held = records.decode(entry.body) if entry is not None and entry.body else None
        if isinstance(held, Timer) and held.status == "waiting":
            return False
        self.purge()
        due = self._clock.now() + PURGE_EVERY
        timer = Timer(id=PURGE, name=PURGE, due=due, status="waiting")
        self._committer.commit(SetTimer(timer, entry.seq if entry is not None else 0))
        return True

    def purge(self) -> int:
        """Remove index rows that were superseded too long ago; return how many."""
        before = self._store.seq_at(microseconds(self._clock.now() - self._kept))
        reached, purged = self._store.oldest_position(), 0
        while reached < before:
            reached = min(reached + STEP, before)
            purged += self._committer.between(lambda writer, to=reached: writer.purge(to))  # type: ignore[misc]
        if purged:
            _log.info("purged %d superseded index rows up to position %d", purged, before)
        return purged


@dataclass(frozen=True)
class SetTimer:
    """The work of setting a timer again, if it is still as it was seen (in entry `seen`, 0: not there)."""

    timer: Timer
    seen: int
    weight: int = 1
    size: int = 300

    def wants(self) -> Wants:
        """Say what it will read."""
        return Wants(resources=((_TYPE, self.timer.id),))

    def apply(self, tx: Transaction) -> None:
        """Set it."""
        held = tx.current(_TYPE, self.timer.id)
        if (held.seq if held else 0) != self.seen:
            return
        tx.put(
            Draft(
                type=_TYPE,
                id=self.timer.id,
                body=records.encode(self.timer),
                source="housekeeping@1",
                key=f"{self.timer.id}:{self.seen}",
                cause=self.seen or None,
            )
        )
