"""Runs followers: hands each its entries, commits what it makes of them with its cursor."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from broadstreet.model.failures import frames_of
from broadstreet.store.committer import Committer
from broadstreet.store.entry import Draft, Entry
from broadstreet.store.follower import Follower, Projection, Reactor, draft_of, source_of
from broadstreet.store.protocol import Cursor, Store, StoreError, StoreFull, StoreUnavailable, told
from broadstreet.store.tables import Change, Clear
from broadstreet.store.transaction import Transaction, Wants

BATCH = 4_000
"""Entries that a follower takes at once: about what comes in while it rests."""
RESTS = 9.0
"""Times as long as a step took, followers rest after it while entries come in fast."""
LONGEST_REST = 2.0
QUIET = 0.02
"""In seconds without an entry: then there is nobody to leave the processor to."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Advance:
    """The work of keeping a follower's output and moving its cursor, at once."""

    reached: Cursor
    expected: int
    changes: Sequence[Change] = ()
    drafts: Sequence[Draft] = ()

    @property
    def weight(self) -> int:
        """About how many entries it will add."""
        return 1 + len(self.drafts)

    @property
    def size(self) -> int:
        """About how many bytes it will add."""
        return sum(len(draft.body or b"") for draft in self.drafts)

    def wants(self) -> Wants:
        """Say what it will read."""
        return Wants(
            keys=tuple((draft.source, draft.key) for draft in self.drafts),
            resources=tuple((draft.type, draft.id) for draft in self.drafts),
        )

    def apply(self, tx: Transaction) -> None:
        """Keep the output and move the cursor."""
        tx.advance(self.reached, self.expected)
        tx.change(self.changes)
        for draft in self.drafts:
            if self.reached.mode == "live":
                tx.put(draft)
            else:
                tx.shadow(self.reached.follower, self.reached.version, draft)


class Followers:
    """Runs every follower on one thread beside the committer's.

    A follower that raises stops, loudly; the others go on. It starts again where it stood with
    the next start of the hub, or with `resume` once it is mended.
    """

    def __init__(self, store: Store, committer: Committer, followers: Sequence[Follower]) -> None:
        self._store, self._committer = store, committer
        self._followers = _in_order(followers)
        # Asked before each step, and slow to ask of a protocol.
        self._projections = {f.name: f for f in followers if isinstance(f, Projection)}
        self._reactors = {f.name: f for f in followers if isinstance(f, Reactor)}
        self.faults: dict[str, str] = {}
        self._unsure: set[str] = set()
        self._stopping = threading.Event()
        self._moved = threading.Condition()
        self._waited_for = 0
        self._turn = threading.Lock()
        self._cursors = self._open()
        self._thread = threading.Thread(target=self._run, name="followers", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the batch at hand, then stop."""
        self._stopping.set()
        self._committer.nudge()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def running(self) -> bool:
        """Whether the thread on which they follow is alive."""
        return self._thread.is_alive()

    def resume(self, name: str) -> None:
        """Let a follower that stopped try again, from where its cursor stands now."""
        with self._turn:
            if self.faults.pop(name, None) is not None:
                self._cursors[name] = self._store.cursors()[name]
        self._committer.nudge()

    def promote(self, name: str) -> Cursor:
        """Let a reactor that runs in shadow emit from now on.

        Raises
        ------
        StoreError
            If there is no such reactor in shadow.
        """
        with self._turn:
            self._cursors[name] = promote(self._store, self._committer, name)
            return self._cursors[name]

    def positions(self) -> dict[str, Cursor]:
        """Return how far each follower has come."""
        return dict(self._cursors)

    def catch_up(self, to: int, timeout: float | None = None) -> bool:
        """Wait until no follower that runs stands before `to`; return whether that came about."""
        with self._moved:
            self._waited_for += 1
            try:
                return self._moved.wait_for(lambda: self._behind(to) == [], timeout)
            finally:
                self._waited_for -= 1

    def step(self) -> bool:
        """Let each follower take one batch; return whether any did. For those who run it themselves."""
        moved = [self._step(follower) for follower in self._followers if follower.name not in self.faults]
        return any(moved)

    def _behind(self, to: int) -> list[str]:
        running = (f.name for f in self._followers if f.name not in self.faults)
        return [name for name in running if self._cursors[name].seq < to]

    def _open(self) -> dict[str, Cursor]:
        """Make the followers' tables; decide where each begins."""
        stored = self._store.cursors()
        cursors = dict(stored)
        for follower in self._followers:  # projections come first
            held = stored.get(follower.name)
            astray = self._astray(follower, held)
            if astray and held is not None:
                _log.warning("%s begins anew: %s", source_of(follower), astray)
            if held is None or held.version != follower.version or astray:
                begins = self._begins(follower, held, stored, astray=bool(astray))
                changes = _clear(follower) if isinstance(follower, Projection) else []
                self._committer.commit(Advance(begins, held.seq if held else 0, changes=changes))
                cursors[follower.name] = begins
                _log.info("%s begins at %d (%s)", source_of(follower), begins.seq, begins.mode)
        tables = [t for f in self._followers if isinstance(f, Projection) for t in f.tables]
        self._committer.between(lambda writer: writer.define(tables))
        return {follower.name: cursors[follower.name] for follower in self._followers}

    def _astray(self, follower: Follower, held: Cursor | None) -> str:
        """Say why what is kept of a follower does not fit the log; empty where it does."""
        if held is None:
            return ""
        if held.seq > self._committer.head:
            return f"it stands at {held.seq}, the log ends at {self._committer.head} (was a backup restored?)"
        if held.seq and held.version == follower.version and isinstance(follower, Projection):
            missing = [table.name for table in follower.tables if not self._store.has(table)]
            return f"its table {', '.join(missing)} is missing" if missing else ""
        return ""

    def _begins(
        self, follower: Follower, held: Cursor | None, stored: Mapping[str, Cursor], *, astray: bool
    ) -> Cursor:
        if astray and held is not None and held.version == follower.version and isinstance(follower, Reactor):
            return Cursor(follower.name, follower.version, self._committer.head, held.mode)
        return _beginning(follower, held, stored)

    def _run(self) -> None:
        while not self._stopping.is_set() and not self._committer.closed:
            head, began = self._committer.head, time.monotonic()
            if self.step():
                self._rest(min(RESTS * (time.monotonic() - began), LONGEST_REST))
            elif self._committer.head == head:
                self._committer.wait(beyond=head, timeout=1.0)

    def _rest(self, seconds: float) -> None:
        """Leave the processor to the doors while entries come in fast, unless somebody waits for a follower.

        What comes meanwhile is one batch, and costs less than many.
        """
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and not self._waited_for and not self._stopping.is_set():
            head = self._committer.head
            self._stopping.wait(QUIET)
            if self._committer.head == head:
                return

    def _step(self, follower: Follower) -> bool:
        try:
            with self._turn:
                moved = self._advance(follower)
        except (StoreFull, StoreUnavailable):
            self._unsure.add(follower.name)
            return False  # nobody's fault: it is tried again until there is room, or the store is back
        except Exception as error:
            if self._committer.closed or self._stopping.is_set():
                return False
            self.faults[follower.name] = fault = told(error)
            stands = self._cursors[follower.name].seq
            _log.error(
                "follower %s stopped at %d: %s", follower.name, stands, fault,
                extra={"trace": frames_of(error)},
            )  # fmt: skip
            moved = True
        if moved:
            with self._moved:
                self._moved.notify_all()
        return moved

    def _advance(self, follower: Follower) -> bool:
        if follower.name in self._unsure:  # its last output may have been kept nevertheless
            self._cursors[follower.name] = self._store.cursors()[follower.name]
            self._unsure.discard(follower.name)
        stands = self._cursors[follower.name]
        limit = self._limit(follower)
        if stands.seq >= limit:
            return False
        entries, to = self._take(follower, stands.seq, limit)
        reached = Cursor(follower.name, follower.version, to, stands.mode)
        projection = self._projections.get(follower.name)
        if projection is not None:
            changes = projection.project(entries, self._store) if entries else []
            self._committer.commit(Advance(reached, stands.seq, changes=changes))
        else:
            source = source_of(follower)
            emissions = self._reactors[follower.name].react(entries, self._store) if entries else []
            drafts = [draft_of(emission, source) for emission in emissions]
            self._committer.commit(Advance(reached, stands.seq, drafts=drafts))
        self._cursors[follower.name] = reached
        return True

    def _limit(self, follower: Follower) -> int:
        """How far it may go: a reactor not past its projection, which waits until its reactors are there."""
        reactor = self._reactors.get(follower.name)
        if reactor is not None:
            return self._committer.head if reactor.over is None else self._cursors[reactor.over.name].seq
        over = [f for f in self._reactors.values() if f.over is follower and f.name not in self.faults]
        stands = self._cursors[follower.name].seq
        waits = any(self._cursors[reactor.name].seq < stands for reactor in over)
        return stands if waits else self._committer.head

    def _take(self, follower: Follower, after: int, to: int) -> tuple[list[Entry], int]:
        """Return the next entries it wants, and the position that it reaches with them."""
        entries = self._store.entries(after, to=to, types=follower.types, limit=BATCH)
        reached = entries[-1].seq if len(entries) == BATCH else to
        projection = self._projections.get(follower.name)
        barriers = projection.barriers if projection is not None else frozenset[str]()
        for number, entry in enumerate(entries):
            if entry.type in barriers:
                return entries[: number + 1], entry.seq
        return entries, reached


def rebuild(
    store: Store,
    committer: Committer,
    projection: Projection,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> int:
    """Empty a projection's tables and build them again from the log; return the position reached.

    Reactors do not run; the hub must not run either. `progress` is told `(done, all)` in entries.
    """
    held = store.cursors().get(projection.name)
    goal = held.seq if held and held.version == projection.version else store.head()
    stands = Cursor(projection.name, projection.version, 0)
    committer.commit(Advance(stands, held.seq if held else 0, changes=_clear(projection)))
    while stands.seq < goal:
        entries = store.entries(stands.seq, to=goal, types=projection.types, limit=BATCH)
        to = entries[-1].seq if len(entries) == BATCH else goal
        reached = Cursor(projection.name, projection.version, to)
        changes = projection.project(entries, store) if entries else []
        committer.commit(Advance(reached, stands.seq, changes=changes))
        stands = reached
        progress(stands.seq, goal)
    return stands.seq


def promote(store: Store, committer: Committer, name: str) -> Cursor:
    """Let a reactor that ran in shadow emit from now on.

    Raises
    ------
    StoreError
        If there is no such reactor in shadow.
    """
    held = store.cursors().get(name)
    if held is None or held.mode != "shadow":
        raise StoreError(f"no reactor named {name} runs in shadow")
    live = Cursor(held.follower, held.version, held.seq, "live")
    committer.commit(Advance(live, held.seq))
    return live


def _beginning(follower: Follower, held: Cursor | None, stored: Mapping[str, Cursor]) -> Cursor:
    """Where a new follower begins, or a new version of one.

    A projection is built from the first entry. A new version of a reactor begins in shadow where the
    old one stopped. A new reactor over a projection that has run begins where that stands: earlier
    entries would meet tables that already know what came after them.
    """
    if isinstance(follower, Projection):
        return Cursor(follower.name, follower.version, 0)
    if held is not None:
        return Cursor(follower.name, follower.version, held.seq, "shadow")
    over = stored.get(follower.over.name) if follower.over else None
    return Cursor(follower.name, follower.version, over.seq if over else 0)


def _clear(projection: Projection) -> list[Change]:
    return [Clear(table) for table in projection.tables]


def _in_order(followers: Sequence[Follower]) -> list[Follower]:
    """Return projections, then reactors.

    Raises
    ------
    StoreError
        If two of them share a name or a table, or one of them could never run as it says.
    """
    _require_single("name", [follower.name for follower in followers])
    projections = [follower for follower in followers if isinstance(follower, Projection)]
    _require_single("table", [table.name for projection in projections for table in projection.tables])
    for follower in followers:
        if isinstance(follower, Projection) and not follower.barriers <= follower.types:
            unseen = ", ".join(sorted(follower.barriers - follower.types))
            raise StoreError(f"{follower.name} waits at entries that it does not want to see: {unseen}")
        if isinstance(follower, Reactor) and follower.over not in (None, *projections):
            raise StoreError(f"{follower.name} runs over a projection that is not among the followers")
    return sorted(followers, key=lambda follower: isinstance(follower, Reactor))


def _require_single(what: str, names: Sequence[str]) -> None:
    if twice := {name for name in names if names.count(name) > 1}:
        raise StoreError(f"two followers have the same {what}: {', '.join(sorted(twice))}")


def settle(followers: Followers, committer: Committer, timeout: float) -> bool:
    """Wait until followers have seen all that was committed, their own output included."""
    end = time.monotonic() + timeout
    while True:
        head = committer.head
        if not followers.catch_up(head, max(0.0, end - time.monotonic())):
            return False
        if committer.head == head:
            return True
