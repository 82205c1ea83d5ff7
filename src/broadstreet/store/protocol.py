"""What a back end of the store must do. SQLite is one; the same tests run on each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from broadstreet.store.entry import Entry, Labels, Opened, as_it_is
from broadstreet.store.errors import IndexGone as IndexGone
from broadstreet.store.errors import NoStore as NoStore
from broadstreet.store.errors import PositionGone as PositionGone
from broadstreet.store.errors import StoreError as StoreError
from broadstreet.store.errors import StoreFull as StoreFull
from broadstreet.store.errors import StoreLocked as StoreLocked
from broadstreet.store.errors import StoreUnavailable as StoreUnavailable
from broadstreet.store.errors import told as told
from broadstreet.store.index import TokenKey
from broadstreet.store.index.kinds import KINDS
from broadstreet.store.query import Searching
from broadstreet.store.tables import Change, Table, TableReader
from broadstreet.store.upkeep import Upkeep

MOST_PREFIXED = 16
"""So many entries are returned for one prefix of keys, the first by key."""

INDEX_INCOMPLETE = "the search index is incomplete: its rebuild was begun and did not end; rebuild it again"

Mode = Literal["live", "shadow"]
ResourceKey = tuple[str, str]
"""`(type, id)`."""


@dataclass(frozen=True)
class Cursor:
    """How far a follower has come."""

    follower: str
    version: int
    seq: int
    mode: Mode = "live"


@dataclass(frozen=True)
class Current:
    """The newest version of a resource, as the log has it."""

    entry: Entry
    digest: int


@dataclass
class Batch:
    """Everything that one transaction writes, in the order in which it is to be written.

    `closing` are the seqs whose index rows end: `(since, until)`. `index` are whole rows of the index's
    tables, in the order of `KINDS`.
    """

    entries: list[Entry] = field(default_factory=list)
    subjects: list[tuple[int, str]] = field(default_factory=list)
    labels: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    currents: dict[ResourceKey, tuple[int, int, int]] = field(default_factory=dict)
    closing: list[tuple[int, int]] = field(default_factory=list)
    index: tuple[list[tuple[Any, ...]], ...] = field(default_factory=lambda: tuple([] for _ in KINDS))
    changes: list[Change] = field(default_factory=list)
    cursors: list[Cursor] = field(default_factory=list)
    shadows: list[tuple[str, int, str, str, bytes | None]] = field(default_factory=list)

    def lengths(self) -> tuple[int, ...]:
        """Return how much there is of each kind, to `cut` back to; `currents` are not counted."""
        return tuple([len(each) for each in self._lists()])

    def rows(self) -> int:
        """Return about how many rows of tables are written."""
        return sum(self.lengths()) + len(self.currents)

    def cut(self, lengths: tuple[int, ...]) -> None:
        """Leave out what was added after `lengths` were taken."""
        for each, length in zip(self._lists(), lengths, strict=True):
            del each[length:]

    def _lists(self) -> tuple[list[Any], ...]:
        return (
            self.entries, self.subjects, self.labels, self.closing, *self.index, self.changes, self.cursors,
            self.shadows,
        )  # fmt: skip


class Reader(TableReader, Searching, Protocol):
    """The read side: safe from any thread, sees only what is committed."""

    def head(self) -> int:
        """Return the newest seq; 0 for an empty log."""
        ...

    def entries(
        self, after: int, *, to: int | None = None, types: Iterable[str] | None = None, limit: int = 1000
    ) -> list[Entry]:
        """Return entries with `after < seq <= to`, oldest first."""
        ...

    def keyed(self, source: str, key: str) -> Entry | None:
        """Return the entry with this source and key."""
        ...

    def current(self, type: str, id: str, *, at: int | None = None) -> Entry | None:
        """Return the resource's newest version, or the one it had at position `at`; None if there is none."""
        ...

    def currents(self, type: str, *, after: str = "", limit: int = 1000) -> list[Entry]:
        """Return the newest versions of all resources of a type by id, deleted ones left out."""
        ...

    def history(self, type: str, id: str) -> list[Entry]:
        """Return all versions of a resource, oldest first."""
        ...

    def about(self, subject: str) -> list[Entry]:
        """Return every entry that is about this resident alone, oldest first; goes through the whole log."""
        ...

    def cursors(self) -> dict[str, Cursor]:
        """Return how far each follower has come."""
        ...

    def indexed(self) -> bool:
        """Return whether the search index is whole: not so while it is being rebuilt."""
        ...

    def predecessors(self, after: int, to: int) -> dict[int, int]:
        """Return the seq of the version before each one in `after < seq <= to`, where there is one."""
        ...

    def labels(self, after: int, to: int) -> dict[int, Labels]:
        """Return the labels of the versions in `after < seq <= to` that have any."""
        ...

    def successors(self, after: int, to: int) -> dict[int, int]:
        """Return the seq of the version that follows each one in `after < seq <= to`, where there is one."""
        ...

    def has_remains(self) -> bool:
        """Return whether the index still has, in free pages, what was erased, until it is written anew."""
        ...

    def oldest_position(self) -> int:
        """Return the oldest position that searches may still be read at."""
        ...

    def wait(self, beyond: int, timeout: float) -> int:
        """Wait until the log is beyond a seq, at most so many seconds; return the newest seq.

        For whoever reads in another process than the committer's: a server tells of each commit, a file is
        looked at again and again.
        """
        ...

    def seq_at(self, at: int) -> int:
        """Return the newest seq that was committed at or before an instant in microseconds, or 0."""
        ...


class Erased(NamedTuple):
    """What is taken out of the index: all about subjects (as labels have them), and versions by their seq."""

    subjects: Sequence[int] = ()
    versions: Sequence[int] = ()


NOTHING_ERASED = Erased()


class IndexSide(Protocol):
    """Where the index is written."""

    @property
    def cursor(self) -> tuple[int, str]:
        """The seq up to which the log is indexed, and the id of that entry."""
        ...

    @property
    def purged(self) -> int:
        """The position up to which superseded rows are removed."""
        ...

    def prepare(self, index: Sequence[Sequence[tuple[Any, ...]]]) -> Any:
        """Return rows as `write` takes them; this can be done while others are written."""
        ...

    def write(
        self,
        index: Any,
        closing: Sequence[tuple[int, int]],
        reached: tuple[int, str],
        erased: Erased = NOTHING_ERASED,
    ) -> None:
        """Write rows that were prepared, end those of predecessors, remove those of what is `erased`, and
        move the cursor, at once.
        """
        ...

    def compact(self) -> None:
        """Write the index anew without what was removed, if subjects were erased since it was last done."""
        ...

    def purge(self, before: int) -> int:
        """Remove rows superseded at or before a position; return how many."""
        ...

    def clear(self) -> None:
        """Begin anew, without any row."""
        ...

    def make_anew(
        self,
        log: Callable[[], Store],
        progress: Callable[[int, int], None] = lambda *_: None,
        processes: int | None = None,
    ) -> int:
        """Compute it from the whole log, in several processes, aside; return the position it has reached.

        The index that is there can be searched until the new one takes its place, at once and whole.

        Parameters
        ----------
        log
            Opens the log in a process of its own; it is pickled on its way there.
        progress
            Is told `(done, all)` in entries; what it raises ends the work, and all is as before.
        processes
            By default as many as there are processors, and this one alone for a short log.

        Raises
        ------
        StoreError
            If an entry's body cannot be read, or there is no room.
        """
        ...

    def identities(self) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of identifiers, which the log keeps as well, some at a time."""
        ...

    def close(self) -> None:
        """Give it back."""
        ...


class Writer(Protocol):
    """The write side: one thread, under the writer's lease."""

    def head(self) -> int:
        """Return the newest seq, once no transaction of this writer is under way any more."""
        ...

    def known(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return the seq of each `(source, key)` that the log has."""
        ...

    def prefixed(self, prefixes: Sequence[tuple[str, str]]) -> list[Entry]:
        """Return the first `MOST_PREFIXED` entries by key (without bodies) for each `(source, prefix)`."""
        ...

    def load(self, keys: Sequence[ResourceKey]) -> dict[ResourceKey, Current]:
        """Return the newest versions of these resources."""
        ...

    def holders(self, tokens: Sequence[TokenKey]) -> list[tuple[TokenKey, Current]]:
        """Return each current resource that has one of these `(part, code, system)`.

        Raises
        ------
        StoreError
            If the index is not whole: a resource that is there would seem to be missing.
        """
        ...

    def cursor(self, follower: str) -> Cursor | None:
        """Return how far a follower has come."""
        ...

    def leased(self) -> bool:
        """Say whether the writer's lease is still held: no second hub may write."""
        ...

    def write(self, batch: Batch) -> None:
        """Write and commit the batch, all of it or nothing; durable when this returns.

        Raises
        ------
        StoreFull
            If there is no room.
        StoreUnavailable
            If the back end is gone; the batch may have been kept, or not.
        StoreLocked
            If another hub has taken the lease.
        StoreError
            If the back end refuses for another reason.
        """
        ...

    def define(self, tables: Sequence[Table]) -> None:
        """Make the tables that do not exist yet.

        Raises
        ------
        StoreError
            If one of them exists with other columns or another key.
        """
        ...

    def purge(self, before: int) -> int:
        """Remove index rows superseded at or before a position; return how many."""
        ...

    def reindex(self, index: Sequence[Sequence[tuple[Any, ...]]]) -> None:
        """Write index rows anew, in the order of `KINDS`; commit."""
        ...

    def drop_index(self) -> None:
        """Empty the search index and commit; it cannot be searched before `finish_index`."""
        ...

    def finish_index(self) -> None:
        """State that the search index is whole again, and commit."""
        ...

    def compact(self) -> None:
        """Give back the room of what was removed; nothing else is written meanwhile.

        Raises
        ------
        StoreFull
            If there is no room for the work; nothing is changed then.
        """
        ...

    def erase(self, seqs: Sequence[int], subjects: Sequence[int]) -> int:
        """Empty the bodies of entries, and remove the index rows of these and of subjects, in one commit.

        What was removed is in the files until `compact`.

        Parameters
        ----------
        seqs
            The entries; what shadows made of them goes as well.
        subjects
            As the labels of index rows have them.

        Returns
        -------
        int
            How many index rows there were.
        """
        ...

    def cut(self, to: int, opened: Opened = as_it_is) -> None:
        """Remove every entry after a position, and set the newest versions back to it, in one commit.

        Search index and followers are then ahead of the log: whoever cuts it rebuilds them.
        """
        ...


class Store(Reader, Upkeep, Protocol):
    """The log and what is projected from it, on one back end."""

    def writer(self) -> Writer:
        """Take the writer's lease and return the write side.

        Raises
        ------
        StoreLocked
            If another hub holds the lease.
        """
        ...

    @property
    def index_is_beside(self) -> bool:
        """Whether a process beside the committer keeps the search index."""
        ...

    def index_side(self) -> IndexSide | None:
        """Open the write side of a search index that is kept beside; None where each commit writes it.

        Raises
        ------
        StoreLocked
            If another process keeps the index.
        """
        ...

    def backup(self, target: Path) -> int:
        """Write a copy that can be opened as a store, while writing goes on; return its head."""
        ...

    def close(self) -> None:
        """Give back every connection and the lease."""
        ...
