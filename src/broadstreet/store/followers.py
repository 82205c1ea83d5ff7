"""Runs followers: hands each its entries, commits what it makes of them with its cursor."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, Self

from broadstreet.model.failures import frames_of
from broadstreet.store.advance import Advance, Commits
from broadstreet.store.beginning import begun, cleared, in_order
from broadstreet.store.committer import Committer
from broadstreet.store.entry import Draft, Entry
from broadstreet.store.follower import Follower, Projection, Reactor, draft_of, source_of
from broadstreet.store.protocol import Cursor, Store, StoreError, StoreFull, StoreUnavailable, told
from broadstreet.store.standing import Standing
from broadstreet.store.tables import Change
from broadstreet.store.taking import BATCH, Taking

PIECE = 700
"""Entries whose changes a projection writes in one commit: some 20 milliseconds, for which senders wait."""
RESTS = 9.0
"""Times as long as a step took, followers rest after it while entries come in fast."""
LONGEST_REST = 2.0
QUIET = 0.1
"""In seconds without an entry: then there is nobody to leave the processor to. Under load a commit may take
half of it."""
AFTER_FAULT = 1.0
"""In seconds; so soon a store that was full or away is tried again."""
_NEVER = 2**62
"""A position that no log reaches: who waits for it waits for time or a nudge."""

_log = logging.getLogger(__name__)


class Following(Protocol):
    """Followers that run, on a thread of this process or in one of their own."""

    faults: dict[str, str]

    @property
    def running(self) -> bool:
        """Whether that on which they follow is alive."""
        ...

    @property
    def ready(self) -> bool:
        """Whether they follow by now: a process takes a moment to begin."""
        ...

    def start(self) -> None:
        """Begin to follow."""
        ...

    def stop(self) -> None:
        """Finish the batch at hand, then stop."""
        ...

    def resume(self, name: str) -> None:
        """Let a follower that stopped try again, from where its cursor stands now."""
        ...

    def promote(self, name: str) -> Cursor:
        """Let a reactor that runs in shadow emit from now on."""
        ...

    def positions(self) -> dict[str, Cursor]:
        """Return how far each follower has come."""
        ...

    def catch_up(self, to: int, timeout: float | None = None) -> bool:
        """Wait until no follower that runs stands before `to`; return whether that came about."""
        ...


class Followers:
    """Runs every follower on one thread.

    A follower that raises stops, loudly; the others go on. It starts again where it stood with
    the next start of the hub, or with `resume` once it is mended.

    Parameters
    ----------
    store
        What they read.
    committer
        Makes durable what they make.
    followers
        Run in this order: projections that reactors run over, reactors, the other projections.
    cursors
        Where each begins, by name.
    """

    def __init__(
        self,
        store: Store,
        committer: Commits,
        followers: Sequence[Follower],
        cursors: Mapping[str, Cursor],
    ) -> None:
        self._store, self._committer = store, committer
        self._followers = in_order(followers)
        # Asked before each step, and slow to ask of a protocol.
        self._projections = {f.name: f for f in followers if isinstance(f, Projection)}
        self._reactors = {f.name: f for f in followers if isinstance(f, Reactor)}
        self.faults: dict[str, str] = {}
        self._stopping = threading.Event()
        self._moved = threading.Condition()
        self.waited_for = 0
        """How many wait for followers, which then do not rest."""
        self._turn = threading.Lock()
        self._standing = Standing(store, committer, cursors)
        self._taking: dict[str, Taking] = {}
        for follower in self._followers:  # what a reactor runs over comes before it
            over = (
                self._taking[follower.over.name] if isinstance(follower, Reactor) and follower.over else None
            )
            self._taking[follower.name] = Taking(store, follower, over)
        self._thread = threading.Thread(target=self.run, name="followers", daemon=True)

    @classmethod
    def begun(cls, store: Store, committer: Committer, followers: Sequence[Follower]) -> Self:
        """Return a runner beside the committer; tables are made, and new followers begin."""
        return cls(store, committer, followers, begun(store, committer, followers))

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

    @property
    def ready(self) -> bool:
        """Whether they follow by now."""
        return self.running

    def resume(self, name: str) -> None:
        """Let a follower that stopped try again, from where its cursor stands now."""
        with self._turn:
            if self.faults.pop(name, None) is not None:
                self._standing.look(name)
        self._committer.nudge()

    def promote(self, name: str) -> Cursor:
        """Let a reactor that runs in shadow emit from now on.

        Raises
        ------
        StoreError
            If there is no such reactor in shadow.
        """
        with self._turn:
            if name in self._taking:
                self._standing.keep_move(name)
            live = promote(self._store, self._committer, name)
            self._standing.look(name)
            return live

    def positions(self) -> dict[str, Cursor]:
        """Return how far each follower has come."""
        return self._standing.kept()

    def catch_up(self, to: int, timeout: float | None = None) -> bool:
        """Wait until no follower that runs stands before `to`; return whether that came about."""
        with self._moved:
            self.waited_for += 1
            self._committer.nudge()
            try:
                return self._moved.wait_for(lambda: self._behind(to) == [], timeout)
            finally:
                self.waited_for -= 1

    def step(self) -> bool:
        """Let each follower take one batch; return whether any did, and it is kept.

        For those who run it themselves.
        """
        moved = [self._step(follower) for follower in self._running()]
        self._keep_moves()
        with self._moved:
            self._moved.notify_all()
        return any(moved) and not self._standing.unsure

    def _step(self, follower: Follower) -> bool:
        return self._tried(follower.name, partial(self._advance, follower))

    def _running(self) -> list[Follower]:
        return [follower for follower in self._followers if follower.name not in self.faults]

    def _behind(self, to: int) -> list[str]:
        kept = self._standing.kept()
        return [follower.name for follower in self._running() if kept[follower.name].seq < to]

    def run(self) -> None:
        """Follow on this thread until told to stop."""
        while not self._stopping.is_set() and not self._committer.closed:
            head, began = self._committer.head, time.monotonic()
            if self.step():
                self._rest(min(RESTS * (time.monotonic() - began), LONGEST_REST))
            elif self._standing.unsure:  # the disk is full, or the store away
                self._committer.wait(beyond=_NEVER, timeout=AFTER_FAULT)
            elif self._committer.head == head:
                self._committer.wait(beyond=head, timeout=1.0)

    def _rest(self, seconds: float) -> None:
        """Leave the processor to the doors while entries come in fast, unless somebody waits for a follower.

        What comes meanwhile is one batch, and costs less than many.
        """
        ends = time.monotonic() + seconds
        # However much there is to do: so a process hears what its hub wants, and tells how its followers are.
        self._committer.wait(beyond=_NEVER, timeout=0)
        while time.monotonic() < ends and not self.waited_for and not self._stopping.is_set():
            head = self._committer.head
            if self._committer.wait(beyond=_NEVER, timeout=QUIET) == head:
                return

    def _tried(self, name: str, step: Callable[[], bool]) -> bool:
        """Let a follower do something; one that cannot stops."""
        try:
            with self._turn:
                return step()
        except (StoreFull, StoreUnavailable):
            return False  # nobody's fault: it is tried again until there is room, or the store is back
        except Exception as error:
            if self._committer.closed or self._stopping.is_set():
                return False
            self._stop(name, error)
            return True

    def _stop(self, name: str, error: Exception) -> None:
        self.faults[name] = fault = told(error)
        self._standing.forget(name)
        stands = self._standing.of(name).seq
        _log.error(
            "follower %s stopped at %d: %s", name, stands, fault, extra={"trace": frames_of(error)}
        )  # fmt: skip

    def _keep_moves(self) -> None:
        """Keep in one commit where those stand that had nothing to say."""
        try:
            with self._turn:
                self._standing.keep_moves()
        except (StoreFull, StoreUnavailable):
            return  # they are asked where they stand, and tried again
        except Exception:  # one of them is at fault: each by itself
            for follower in self._running():
                self._tried(follower.name, partial(self._keep_move, follower.name))

    def _keep_move(self, name: str) -> bool:
        self._standing.keep_move(name)
        return True

    def _advance(self, follower: Follower) -> bool:
        self._standing.look_if_unsure(follower.name)  # its last output may have been kept nevertheless
        stands = self._standing.of(follower.name)
        limit = self._limit(follower)
        if stands.seq >= limit:
            return False
        taken = self._taking[follower.name].take(stands.seq, limit)
        pieces = taken.pieces(PIECE) if follower.name in self._projections else (taken,)
        for piece in pieces:
            reached = Cursor(follower.name, follower.version, piece.reached, stands.mode)
            changes, drafts = self._output(follower, piece.entries) if piece.entries else ([], [])
            if changes or drafts:
                self._standing.keep(reached, changes, drafts)
            else:
                self._standing.move(reached)
        return True

    def _output(self, follower: Follower, entries: Sequence[Entry]) -> tuple[list[Change], list[Draft]]:
        projection = self._projections.get(follower.name)
        if projection is not None:
            return projection.project(entries, self._store), []
        emissions = self._reactors[follower.name].react(entries, self._store)
        source = source_of(follower)
        return [], [draft_of(emission, source) for emission in emissions]

    def _limit(self, follower: Follower) -> int:
        """How far it may go: a reactor not past its projection, which waits until its reactors are there."""
        of = self._standing.of
        reactor = self._reactors.get(follower.name)
        if reactor is not None:
            return self._committer.head if reactor.over is None else of(reactor.over.name).seq
        over = [f for f in self._reactors.values() if f.over is follower and f.name not in self.faults]
        stands = of(follower.name).seq
        waits = any(of(reactor.name).seq < stands for reactor in over)
        return stands if waits else self._committer.head


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
    committer.commit(Advance(stands, held.seq if held else 0, changes=cleared(projection)))
    while stands.seq < goal:
        entries = store.entries(stands.seq, to=goal, types=projection.types, limit=BATCH)
        to = entries[-1].seq if len(entries) == BATCH else goal
        reached = Cursor(projection.name, projection.version, to)
        changes = projection.project(entries, store) if entries else []
        committer.commit(Advance(reached, stands.seq, changes=changes))
        stands = reached
        progress(stands.seq, goal)
    return stands.seq


def promote(store: Store, committer: Commits, name: str) -> Cursor:
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


def settle(followers: Following, committer: Committer, timeout: float) -> bool:
    """Wait until followers have seen all that was committed, their own output included."""
    end = time.monotonic() + timeout
    while True:
        head = committer.head
        if not followers.catch_up(head, max(0.0, end - time.monotonic())):
            return False
        if committer.head == head:
            return True
