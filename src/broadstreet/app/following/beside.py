"""Followers in a process of their own, as the hub sees them."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from broadstreet.app.following.line import Answer, Asked, Done, Order, Wait, What
from broadstreet.app.settings import Settings
from broadstreet.model.failures import frames_of, traced
from broadstreet.store.advance import Advance
from broadstreet.store.beginning import begun
from broadstreet.store.committer import Committer
from broadstreet.store.follower import Follower
from broadstreet.store.protocol import Cursor, Store, StoreError, told

PAUSE_AFTER_END = 1.0
"""In seconds; so soon a process that has ended is started again."""
LONGEST_PAUSE = 30.0
"""In seconds; so late at most, where it ends each time before it has come to work (the database is away)."""
ENDS_WITHIN = 30.0
"""In seconds; a batch at hand may take so long. Whatever is cut off is done again with the next start."""

_log = logging.getLogger(__name__)


@dataclass
class _Orders:
    """What was ordered: what is to be handed over, and what is waited for, by number."""

    issued: int = 0
    fresh: list[Order] = field(default_factory=list)
    open: dict[int, Future[Any]] = field(default_factory=dict)


class FollowersBeside:
    """Followers in a process of their own, as the hub sees them.

    Parameters
    ----------
    settings
        Where the store is, and which followers it has.
    store, committer
        The hub's.
    followers
        The hub's own instances; they say which tables are to be made, and are not run.
    """

    def __init__(
        self, settings: Settings, store: Store, committer: Committer, followers: Sequence[Follower]
    ) -> None:
        self._settings, self._committer = settings, committer
        self.faults: dict[str, str] = {}
        self._cursors = begun(store, committer, followers)
        self._moved = threading.Condition()
        self._orders, self._waited_for = _Orders(), 0
        self._stopping, self._ended = threading.Event(), False
        self._here = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    @property
    def process(self) -> int:
        """The id of the process."""
        assert self._process is not None, "it has not been started"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is kept running: it is started again if it ends."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def ready(self) -> bool:
        """Whether the process has come to work."""
        return self._here.is_set()

    def start(self) -> None:
        """Start the process."""
        self._process, line = self._begun()
        self._thread = threading.Thread(target=self._keep, args=(line,), name="followers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let the process finish the batch at hand, and end."""
        if self._process is None or self._thread is None or self._ended:
            return
        self._order("end")
        self._stopping.set()
        self._thread.join(ENDS_WITHIN)
        self._process.kill()
        self._process.wait()
        self._thread.join()

    def resume(self, name: str) -> None:
        """Let a follower that stopped try again, from where its cursor stands now."""
        self._order("resume", name).result()

    def promote(self, name: str) -> Cursor:
        """Let a reactor that runs in shadow emit from now on.

        Raises
        ------
        StoreError
            If there is no such reactor in shadow.
        """
        cursor: Cursor = self._order("promote", name).result()
        return cursor

    def positions(self) -> dict[str, Cursor]:
        """Return how far each follower has come."""
        return dict(self._cursors)

    def catch_up(self, to: int, timeout: float | None = None) -> bool:
        """Wait until no follower that runs stands before `to`; return whether that came about."""
        with self._moved:
            self._waited_for += 1
            self._committer.nudge()
            try:
                return self._moved.wait_for(lambda: self._is_there(to), timeout)
            finally:
                self._waited_for -= 1

    def _is_there(self, to: int) -> bool:
        return all(cursor.seq >= to for name, cursor in self._cursors.items() if name not in self.faults)

    def _order(self, what: What, name: str = "") -> Future[Any]:
        done: Future[Any] = Future()
        with self._moved:
            if self._ended:
                raise StoreError("the followers have ended: start the hub again")
            self._orders.issued += 1
            order = Order(self._orders.issued, what, name)
            self._orders.fresh.append(order)
            self._orders.open[order.number] = done
        self._committer.nudge()
        return done

    def _keep(self, line: Connection) -> None:
        """Keep the process running until the end; whatever that is, nobody waits for an order after it."""
        try:
            self._keep_running(line)
        finally:
            with self._moved:
                self._ended = True
            self._drop_orders("the followers have ended: start the hub again")

    def _keep_running(self, line: Connection) -> None:
        """Serve the process, and start it again if it ends: later each time, until it has come to work."""
        held: Connection | None = line
        pause = PAUSE_AFTER_END
        while True:
            if held is not None:
                with held:
                    pause = PAUSE_AFTER_END if self._serve(held) else min(2 * pause, LONGEST_PAUSE)
                self._reap()
            if self._stopping.wait(pause):
                break
            held = self._again()

    def _serve(self, line: Connection) -> bool:
        """Answer the process until it has gone; return whether it asked anything."""
        asked = False
        try:
            while True:
                answer = self._answer(line.recv())
                asked = True
                self._here.set()
                line.send(answer)
        except (EOFError, OSError):
            return asked
        except Exception as error:  # what it said cannot be read, say: a new process begins from the cursors
            _log.error("the line to the followers broke: %s", told(error), extra={"trace": frames_of(error)})
            return asked

    def _reap(self) -> None:
        assert self._process is not None
        code = self._process.wait()
        self._drop_orders("the process that runs the followers has ended; it is started again")
        if not self._stopping.is_set():
            _log.error("the process that runs the followers has ended (%s); it is started again", code)

    def _again(self) -> Connection | None:
        try:
            self._process, line = self._begun()
        except Exception as error:  # such as too many open files, or no memory: tried again
            _log.error("the process that runs the followers cannot be started: %s", traced(error))
            self._drop_orders("the process that runs the followers cannot be started: see the hub's log")
            return None
        return line

    def _answer(self, asked: Asked) -> Answer:
        match asked:
            case Advance():
                return self._committed(asked)
            case Done(number, outcome, faults):
                self.faults = dict(faults)
                _settle(self._orders.open.pop(number, None), outcome)
            case Wait(beyond, timeout, stands, faults):
                with self._moved:
                    self._cursors.update(stands)
                    self.faults = dict(faults)
                    self._moved.notify_all()
                if not self._orders.fresh:
                    self._committer.wait(beyond, timeout)
                with self._moved:
                    orders, self._orders.fresh = self._orders.fresh, []
                return Answer(None, self._committer.head, self._waited_for, orders)
        return Answer(None, self._committer.head, self._waited_for)

    def _committed(self, advance: Advance) -> Answer:
        error = None
        try:
            self._committer.commit(advance)
        except StoreError as raised:
            error = raised
        except Exception as raised:  # of the work itself: it is the follower's fault
            error = StoreError(told(raised))
        else:
            with self._moved:
                self._cursors.update({cursor.follower: cursor for cursor in advance.cursors})
                self._moved.notify_all()
        return Answer(error, self._committer.head, self._waited_for)

    def _drop_orders(self, reason: str) -> None:
        """Tell whoever waits for an order why it is not done."""
        with self._moved:
            left, self._orders = self._orders, _Orders(issued=self._orders.issued)
        for done in left.open.values():
            _settle(done, StoreError(reason))

    def _begun(self) -> tuple[subprocess.Popen[bytes], Connection]:
        ours, theirs = socket.socketpair()
        with ExitStack() as undone, theirs:
            line = undone.enter_context(Connection(ours.detach()))
            process = _process_on(theirs.fileno())
            undone.callback(_bury, process)
            with suppress(OSError):  # it has ended already, which is seen when it is served
                line.send(self._settings)
            undone.pop_all()
        return process, line


def _bury(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _process_on(line: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "broadstreet.app.following", str(os.getpid()), str(line)]
    return subprocess.Popen(  # noqa: S603 - ours
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=(line,),
        process_group=0,  # what a terminal sends is meant for the hub, which sees to an end in order
    )


def _settle(done: Future[Any] | None, outcome: Any) -> None:
    if done is None:
        return
    if isinstance(outcome, BaseException):
        done.set_exception(outcome)
    else:
        done.set_result(outcome)
