"""Questions of doors that await: answered on a few threads, told once their accesses are durable.

A thread for each connection would block once more for each access, and sixty-four of them cost more than the
access itself. Here a thread has done its part when the answer is found and its accesses are handed in; the
answer waits by itself for the commit, together with all others that were found meanwhile.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from broadstreet.model.records import Access
from broadstreet.store.committer import Committer
from broadstreet.store.protocol import StoreError
from broadstreet.trust.gathering import Gathered, Left, Together
from broadstreet.trust.principals import Principal, Purpose
from broadstreet.trust.reading import PurposeReader, Trust

THREADS = 2
"""So many questions are answered at once: one reads while another computes; more would take turns."""
HOLD = 0.02
"""In seconds; so long at most an answer waits for others that are being found, to be committed with them."""
MOST_WAITING = 1_000
"""Questions that wait or are answered; a door that lets more in would only let all wait longer."""
T = TypeVar("T")


class Overloaded(Exception):
    """Too many questions wait already: to be asked again later."""


class _Noted:
    """The accesses of one question, until it is answered."""

    def __init__(self) -> None:
        self.accesses: list[Access] = []
        self.is_over = False

    def __call__(self, access: Access, /) -> None:
        if self.is_over:
            raise StoreError("the question is answered: a reader reads only while its question is asked")
        self.accesses.append(access)


@dataclass(frozen=True)
class _Found(Generic[T]):
    """What came of a question on its thread, and what it left."""

    answer: T | None
    error: BaseException | None
    left: Left | None


class Answers:
    """Answers the questions of one event loop.

    Parameters
    ----------
    trust
        Whose store is read, by its policy; its own recorder is not used.
    committer
        Makes accesses durable.
    threads
        So many questions are answered at once.
    """

    def __init__(self, trust: Trust, committer: Committer, threads: int = THREADS) -> None:
        self._trust, self._gathered = trust, Gathered(committer)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="answers")
        self._waiting = 0
        self._unfound, self._lock = 0, threading.Lock()
        self._ends: dict[Together, asyncio.Future[None]] = {}

    async def answer(
        self, principal: Principal, purpose: Purpose, question: Callable[[PurposeReader], T]
    ) -> T:
        """Return the answer to a question, or raise its error, once its accesses are durable.

        Who asks may go meanwhile: a question that has begun is answered to its end, and leaves its accesses.

        Parameters
        ----------
        principal, purpose
            Who asks, and what for.
        question
            Asks the reader that it is handed, on another thread. Afterwards the reader reads no more, so the
            answer holds all that it tells.

        Raises
        ------
        Forbidden
            If they may not read so for this purpose.
        Overloaded
            If too many wait already.
        StoreError
            If the accesses cannot be made durable; nothing is answered then.
        """
        if self._waiting >= MOST_WAITING:
            raise Overloaded(f"{MOST_WAITING:,} questions wait already: ask again in a moment")
        self._waiting += 1
        try:
            found = await self._asked(principal, purpose, question)
            if found.left is not None:
                await self._durable(found.left)
        finally:
            self._waiting -= 1
        if found.error is not None:
            raise found.error
        return found.answer  # type: ignore[return-value]

    async def close(self) -> None:
        """Answer what was asked, then stop."""
        await asyncio.to_thread(self._pool.shutdown)
        await asyncio.to_thread(self._gathered.finish)

    def _asked(
        self, principal: Principal, purpose: Purpose, question: Callable[[PurposeReader], T]
    ) -> asyncio.Future[_Found[T]]:
        self._count(1)
        try:
            asked = self._pool.submit(self._found, principal, purpose, question)
        except RuntimeError:  # it is closed
            self._count(-1)
            raise
        asked.add_done_callback(self._count_if_dropped)
        return asyncio.wrap_future(asked)

    def _count_if_dropped(self, asked: Future[Any]) -> None:
        """Wait no longer for a question whose asker went before it began."""
        if asked.cancelled() and self._count(-1) == 0:
            self._gathered.release()

    def _count(self, more: int) -> int:
        """Return how many questions are being answered, or wait for it, with so many more."""
        with self._lock:
            self._unfound += more
            return self._unfound

    def _found(
        self, principal: Principal, purpose: Purpose, question: Callable[[PurposeReader], T]
    ) -> _Found[T]:
        """Ask a question, on its thread, and hand in what it leaves, whatever becomes of who asked."""
        answer: T | None = None
        error: BaseException | None = None
        noted = _Noted()
        try:
            answer = question(self._trust.noting(noted).reader(principal, purpose))
        except StopIteration as raised:  # means something else where coroutines wait
            error = RuntimeError(f"a question ran out of what it iterates over: {raised!r}")
        except BaseException as raised:  # handed to whoever asked
            error = raised
        noted.is_over = True
        others = self._count(-1)
        left = self._gathered.leave(noted.accesses, hold=others > 0) if noted.accesses else None
        if others == 0:
            self._gathered.release()
        return _Found(answer, error, left)

    async def _durable(self, left: Left) -> None:
        """Wait for a commit; the loop is woken once for all that wait for it."""
        together = left.together
        if together not in self._ends:
            self._ends[together] = ended = asyncio.wrap_future(together.done)
            ended.add_done_callback(lambda _: self._ends.pop(together))
            if together.held:
                asyncio.get_running_loop().call_later(HOLD, self._gathered.begin, together)
        await asyncio.shield(self._ends[together])
        left.require_durable()
