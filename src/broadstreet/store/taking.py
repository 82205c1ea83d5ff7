"""What a follower takes next: the entries that it wants, up to a barrier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from broadstreet.store.entry import Entry
from broadstreet.store.follower import Follower, Projection
from broadstreet.store.protocol import Store

BATCH = 4_000
"""Entries that a follower takes at once: about what comes in while it rests."""


@dataclass(frozen=True)
class Taken:
    """The entries of certain types after a position, and the position that is reached with them."""

    after: int
    entries: Sequence[Entry]
    reached: int

    def pieces(self, most: int) -> Iterator[Taken]:
        """Yield it in pieces of so many entries at most."""
        after, entries = self.after, self.entries
        while len(entries) > most:
            piece, entries = entries[:most], entries[most:]
            yield Taken(after, piece, piece[-1].seq)
            after = piece[-1].seq
        yield Taken(after, entries, self.reached)


NONE = Taken(-1, (), -1)


class Taking:
    """Reads the log for one follower, each entry once.

    What lies behind a barrier is handed over when the follower comes there. A reactor is handed what the
    projection under it took, if it wants the same.

    Parameters
    ----------
    store
        Has the log.
    follower
        Takes entries.
    over
        How the projection takes entries whose tables the follower reads, if there is one.
    """

    def __init__(self, store: Store, follower: Follower, over: Taking | None = None) -> None:
        self._store, self.types = store, follower.types
        self._barriers = follower.barriers if isinstance(follower, Projection) else frozenset[str]()
        self.is_shared = False
        """Whether another is handed what this one took last."""
        self._ahead = self.last = NONE
        self._over = over if over is not None and over.types == follower.types else None
        if self._over is not None:
            self._over.is_shared = True

    def take(self, after: int, to: int) -> Taken:
        """Return the entries after a position that are next."""
        taken = self._up_to_barrier(self._read(after, to))
        self.last = taken if self.is_shared else NONE
        return taken

    def _up_to_barrier(self, read: Taken) -> Taken:
        for number, entry in enumerate(read.entries, 1):
            if entry.type in self._barriers:
                self._ahead = Taken(entry.seq, read.entries[number:], read.reached)
                return Taken(read.after, read.entries[:number], entry.seq)
        return read

    def _read(self, after: int, to: int) -> Taken:
        ahead, self._ahead = self._ahead, NONE
        if ahead.after == after and ahead.entries and ahead.reached <= to:
            return self._with_what_came(ahead, to)
        if self._over is not None and (self._over.last.after, self._over.last.reached) == (after, to):
            return self._over.last
        entries = self._store.entries(after, to=to, types=self.types, limit=BATCH)
        return Taken(after, entries, entries[-1].seq if len(entries) == BATCH else to)

    def _with_what_came(self, ahead: Taken, to: int) -> Taken:
        """Return what was read ahead with what has come since: one batch, which costs less than two."""
        room = BATCH - len(ahead.entries)
        if ahead.reached == to or room <= 0:
            return ahead
        came = self._store.entries(ahead.reached, to=to, types=self.types, limit=room)
        return Taken(ahead.after, [*ahead.entries, *came], came[-1].seq if len(came) == room else to)
