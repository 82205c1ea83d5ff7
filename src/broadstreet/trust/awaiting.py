"""Questions of doors that await: answered on a few threads, told once their accesses are durable.

A thread for each connection would block once more for each access, and sixty-four of them cost more than the
access itself. Here a thread has done its part when the answer is found; the answer waits by itself for the
commit, together with all others that were found meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from broadstreet.model.records import Access
from broadstreet.store.committer import Committer
from broadstreet.trust.access import Leave
from broadstreet.trust.principals import Principal, Purpose
from broadstreet.trust.reading import PurposeReader, Trust

THREADS = 4
"""So many questions are answered at once: more of them would only take turns."""
T = TypeVar("T")


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
        self._trust, self._committer = trust, committer
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="answers")
        self._next: list[Access] = []
        self._kept: asyncio.Future[None] | None = None
        self._turn = asyncio.Lock()
        self._open: set[asyncio.Future[Any]] = set()

    async def answer(
        self, principal: Principal, purpose: Purpose, question: Callable[[PurposeReader], T]
    ) -> T:
        """Return the answer to a question, or raise its error, once its accesses are durable.

        Parameters
        ----------
        principal, purpose
            Who asks, and what for.
        question
            Asks the reader that it is handed, on another thread.

        Raises
        ------
        Forbidden
            If they may not read so for this purpose.
        StoreError
            If the accesses cannot be made durable; nothing is answered then.
        """
        answering = asyncio.ensure_future(self._answer(principal, purpose, question))
        self._open.add(answering)
        answering.add_done_callback(self._open.discard)
        # Whoever asked may go; that it was looked is kept all the same.
        return await asyncio.shield(answering)

    async def close(self) -> None:
        """Answer what was asked, then stop."""
        await asyncio.gather(*self._open, return_exceptions=True)
        self._pool.shutdown()

    async def _answer(
        self, principal: Principal, purpose: Purpose, question: Callable[[PurposeReader], T]
    ) -> T:
        left: list[Access] = []
        reader = self._trust.noting(left.append).reader(principal, purpose)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, question, reader)
        finally:
            await self._keep(left)

    async def _keep(self, left: list[Access]) -> None:
        """Make accesses durable with those of all answers that were found while the last were."""
        if not left:
            return
        self._next += left
        if self._kept is None:
            self._kept = asyncio.ensure_future(self._commit())
        await asyncio.shield(self._kept)

    async def _commit(self) -> None:
        async with self._turn:
            accesses, self._next, self._kept = self._next, [], None
            await self._committer.committed(Leave(*accesses))
