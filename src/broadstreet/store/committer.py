"""The committer: the one writer of the log.

It commits what waits as soon as the last commit has ended (group commit, without any timer), and
wakes whoever waits only then: nothing is acknowledged before it is durable.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from broadstreet.model.clock import Clock, microseconds
from broadstreet.model.failures import frames_of
from broadstreet.model.ids import Ids
from broadstreet.store.meter import Meter
from broadstreet.store.protocol import (
    Store,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreUnavailable,
    Writer,
    told,
)
from broadstreet.store.transaction import Transaction, Work

MOST_ENTRIES = 1_000
MOST_BYTES = 4 * 2**20

_log = logging.getLogger(__name__)
_STOP = object()

Result = TypeVar("Result")

Outcome = Any
"""What a work returned, or the exception that it or the commit raised."""

Settled = Callable[[list[tuple[Any, Outcome]]], None]
"""Is told what became of works, each with the ticket under which it was handed in."""


class Committer:
    """Commits works in batches on a thread of its own.

    Parameters
    ----------
    store
        Where to write; the writer's lease is taken here.
    clock, ids
        Give each batch its time and each new resource its id.
    """

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store, self._clock, self._ids = store, clock, ids
        self._writer = store.writer()
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._next: Any = None
        self._grown = threading.Condition()
        self._nudges = 0
        self._door = threading.Lock()
        self._closed = False
        self.head, self._sure = store.head(), True
        self.meter = Meter()
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    def commit(self, work: Work) -> Any:
        """Commit a work and return what it returned, once that is durable. For threads."""
        return self.submit(work).result()

    def submit(self, work: Work) -> Future[Any]:
        """Hand in a work; the future ends after its commit."""
        future: Future[Any] = Future()
        self._put(work, _ThreadWaiter(future))
        return future

    def between(self, call: Callable[[Writer], Result]) -> Result:
        """Call something that needs the write side to itself, between two commits; return its result."""
        future: Future[Result] = Future()
        self._put(_Alone(call), _ThreadWaiter(future))
        return future.result()

    async def committed(self, work: Work) -> Any:
        """Commit a work and return what it returned, once that is durable. For coroutines."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._put(work, _LoopWaiter(loop, _settle_all, future))
        return await future

    def hand_in(self, work: Work, loop: asyncio.AbstractEventLoop, settled: Settled, ticket: object) -> None:
        """Hand in a work; after a commit `settled` is called on the loop, with all that it settled."""
        self._put(work, _LoopWaiter(loop, settled, ticket))

    def wait(self, beyond: int, timeout: float | None = None) -> int:
        """Wait until the log is beyond a seq, someone nudges, or time is up; return the head."""
        with self._grown:
            nudges = self._nudges
            self._grown.wait_for(
                lambda: self.head > beyond or self._closed or self._nudges != nudges, timeout
            )
        return self.head

    def nudge(self) -> None:
        """Wake whoever waits, so that it looks whether it should stop."""
        with self._grown:
            self._nudges += 1
            self._grown.notify_all()

    @property
    def batches(self) -> int:
        """How many commits there were."""
        return self.meter.batches

    @property
    def waiting(self) -> int:
        """How many works wait for the commit after the one at hand, about."""
        return self._queue.qsize()

    @property
    def running(self) -> bool:
        """Whether the thread that commits is alive."""
        return self._thread.is_alive()

    def leased(self) -> bool:
        """Say whether the writer's lease is still held."""
        return self._writer.leased()

    @property
    def closed(self) -> bool:
        """Whether the committer takes no more works."""
        return self._closed

    def close(self) -> None:
        """Commit what waits, then stop."""
        with self._door:
            if not self._closed:
                self._closed = True
                self._queue.put(_STOP)
        self._thread.join()
        self.nudge()

    def _put(self, work: Work | _Alone, waiter: _Waiter) -> None:
        waiting = _Waiting(work, waiter, work.weight, work.size)
        with self._door:  # nothing gets in behind _STOP, where no one would ever look
            if self._closed:
                raise StoreError("the committer is closed; nothing more can be written")
            self._queue.put(waiting)

    def _run(self) -> None:
        while (first := self._take()) is not _STOP:
            if isinstance(first.work, _Alone):
                outcome = first.work.outcome(self._writer)
                with suppress(StoreError):
                    self._look_where_the_log_ends()  # it may have been cut
                self._wake([first], [outcome])
                continue
            batch = self._gather(first)
            self._wake(batch, self._commit([waiting.work for waiting in batch]))

    def _take(self) -> Any:
        item, self._next = self._next, None
        return self._queue.get() if item is None else item

    def _gather(self, first: _Waiting) -> list[_Waiting]:
        """Return what waits, as far as it fits into one commit."""
        batch, weight, size = [first], first.weight, first.size
        while weight < MOST_ENTRIES and size < MOST_BYTES:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is _STOP or isinstance(item.work, _Alone):
                self._next = item
                break
            batch.append(item)
            weight += item.weight
            size += item.size
        return batch

    def _commit(self, works: list[Work]) -> list[Outcome]:
        try:
            return self._commit_together(works)
        except (StoreFull, StoreUnavailable, StoreLocked) as error:  # none of the works is at fault
            self.meter.failed(full=isinstance(error, StoreFull))
            _log.error("%d works were not committed: %s", len(works), error)
            self._sure = False
            return [error] * len(works)
        except Exception as error:
            self.meter.failed(full=False)
            _log.error(
                "a commit of %d works failed: %s", len(works), told(error), extra={"trace": frames_of(error)}
            )
            self._sure = False
            if len(works) == 1:
                return [error]
            # One of them is at fault: the others must not pay for it.
            return [self._commit([work])[0] for work in works]

    def _commit_together(self, works: list[Work]) -> list[Outcome]:
        if not self._sure:
            self._look_where_the_log_ends()
        at, began = microseconds(self._clock.now()), time.perf_counter()
        tx = Transaction(self._writer, self.head, at, self._ids, self._store.indexer)
        tx.load(work.wants() for work in works)
        outcomes = [_apply(work, tx) for work in works]
        self._writer.write(tx.batch)
        size = sum(len(entry.body or b"") for entry in tx.batch.entries)
        self.meter.committed(len(tx.batch.entries), size, time.perf_counter() - began)
        if tx.batch.entries:
            with self._grown:
                self.head = tx.batch.entries[-1].seq
                self._grown.notify_all()
        return outcomes

    def _look_where_the_log_ends(self) -> None:
        """Ask the store: a commit that was reported as failed may be there nevertheless."""
        self.head, self._sure = self._writer.head(), True

    def _wake(self, batch: list[_Waiting], outcomes: list[Outcome]) -> None:
        by_loop: defaultdict[tuple[asyncio.AbstractEventLoop, Settled], list[tuple[Any, Outcome]]] = (
            defaultdict(list)
        )
        for waiting, outcome in zip(batch, outcomes, strict=True):
            waiter = waiting.waiter
            if isinstance(waiter, _LoopWaiter):
                by_loop[waiter.loop, waiter.settled].append((waiter.ticket, outcome))
            else:
                _settle(waiter.future, outcome)
        for (loop, settled), told_of in by_loop.items():
            _call_soon(loop, settled, told_of)


class _Alone:
    """A call that gets the write side to itself."""

    weight = size = 0

    def __init__(self, call: Callable[[Writer], Any]) -> None:
        self._call = call

    def outcome(self, writer: Writer) -> Outcome:
        try:
            return self._call(writer)
        except Exception as error:  # handed to whoever asked
            return error


class _ThreadWaiter:
    __slots__ = ("future",)

    def __init__(self, future: Future[Any]) -> None:
        self.future = future


class _LoopWaiter:
    __slots__ = ("loop", "settled", "ticket")

    def __init__(self, loop: asyncio.AbstractEventLoop, settled: Settled, ticket: object) -> None:
        self.loop, self.settled, self.ticket = loop, settled, ticket


_Waiter = _ThreadWaiter | _LoopWaiter


@dataclass(slots=True)
class _Waiting:
    """A work, who waits for it, and what it weighs: asked on the waiter's own thread."""

    work: Any
    waiter: _Waiter
    weight: int
    size: int


def _apply(work: Work, tx: Transaction) -> Outcome:
    try:
        with tx.attempt():
            return work.apply(tx)
    except StopIteration as error:  # means something else where coroutines wait
        return RuntimeError(f"a work ran out of what it iterates over: {error!r}")
    except Exception as error:  # handed to whoever handed the work in
        return error


def _settle(future: Any, outcome: Outcome) -> None:
    if future.done():
        return
    with suppress(InvalidStateError):  # cancelled since we looked
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


def _settle_all(settled: list[tuple[Any, Outcome]]) -> None:
    for future, outcome in settled:
        _settle(future, outcome)


def _call_soon(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *args: object) -> None:
    try:
        loop.call_soon_threadsafe(call, *args)
    except RuntimeError:
        _log.warning("an event loop closed before its works were committed")
