"""Bring a store to an earlier position: cut the log, and let everything that follows it fit again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from broadstreet.model.clock import instant
from broadstreet.store.advance import Advance
from broadstreet.store.committer import Committer
from broadstreet.store.entry import Entry
from broadstreet.store.follower import Follower, Projection, Reactor, source_of
from broadstreet.store.index.following import RowsOf
from broadstreet.store.protocol import Cursor, Reader, Store
from broadstreet.store.reindex import reindex
from broadstreet.store.tables import Clear

AT_ONCE = 1_000


@dataclass
class Lost:
    """What comes after a position: entries by type, and when the first and the last were committed."""

    entries: int = 0
    types: Counter[str] = field(default_factory=Counter)
    senders: Counter[str] = field(default_factory=Counter)
    first: int | None = None
    last: int | None = None

    def add(self, entry: Entry) -> None:
        """Count an entry."""
        self.entries += 1
        self.types[entry.type] += 1
        if not entry.type.startswith(("fhir/", "bs/")):  # a message as it came
            self.senders[entry.source] += 1
        self.first = entry.at if self.first is None else self.first
        self.last = entry.at

    def sentences(self) -> list[str]:
        """Return what is lost, in plain words."""
        if not self.entries or self.first is None or self.last is None:
            return []
        first, last = (instant(at).isoformat(timespec="seconds") for at in (self.first, self.last))
        kinds = ", ".join(f"{n:,} {type}" for type, n in self.types.most_common())
        told = [f"{self.entries:,} entries of {first} to {last}: {kinds}."]
        if self.senders:
            senders = ", ".join(f"{source} ({n:,})" for source, n in self.senders.most_common(20))
            told.append(
                f"Ask these senders to send again what they sent since {first}: {senders}. What is known is"
                " not taken twice."
            )
        return told


def lost_after(reader: Reader, position: int) -> Lost:
    """Return what a log has after a position."""
    lost = Lost()
    while entries := reader.entries(position, limit=AT_ONCE):
        for entry in entries:
            lost.add(entry)
        position = entries[-1].seq
    return lost


def rewind(
    store: Store,
    committer: Committer,
    followers: Sequence[Follower],
    to: int,
    rows_of: RowsOf | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Lost:
    """Cut the log after a position and bring index and followers to it; return what is lost.

    Projections are emptied and begin at the first entry when the hub starts. What a reactor emitted because
    of entries that stay, but that was cut, it emits again: it begins before the first such cause, and meets
    the tables as they were then. What is known is not emitted twice.

    Parameters
    ----------
    store, committer
        A store that no hub uses.
    followers
        Those that the hub runs.
    to
        The last position that stays.
    rows_of
        As in `reindex`.
    progress
        Is told `(done, all)` while the index is computed again.

    Raises
    ------
    ValueError
        If the log does not reach to the position.
    """
    head = store.head()
    if not 0 <= to <= head:
        raise ValueError(f"expected a position from 0 to {head:,}, where the log ends, got {to:,}")
    lost = lost_after(store, to)
    if not lost.entries:
        return lost
    begins = _beginnings(store, followers, to)
    committer.between(lambda writer: writer.cut(to))
    for follower in followers:
        held = store.cursors().get(follower.name)
        if held is None:
            continue
        projected = isinstance(follower, Projection)
        changes = [Clear(table) for table in follower.tables] if isinstance(follower, Projection) else []
        seq = 0 if projected else begins[follower.name]
        reached = Cursor(follower.name, held.version, min(seq, held.seq), held.mode)
        committer.commit(Advance(reached, held.seq, changes=changes))
    reindex(store, committer, rows_of, progress=progress)
    return lost


def _beginnings(store: Store, followers: Sequence[Follower], to: int) -> dict[str, int]:
    """Return where each reactor begins again: before the first cause of what it emitted after `to`."""
    reactors = {source_of(f): f.name for f in followers if isinstance(f, Reactor)}
    begins = dict.fromkeys(reactors.values(), to)
    position = to
    while entries := store.entries(position, limit=AT_ONCE):
        for entry in entries:
            name = reactors.get(entry.source)
            if name is not None and entry.cause is not None:
                begins[name] = min(begins[name], entry.cause - 1)
        position = entries[-1].seq
    return begins
