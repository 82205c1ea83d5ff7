"""The process that receives, as the hub sees it."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter

from broadstreet.app.core import Core
from broadstreet.app.receiving.line import Told
from broadstreet.app.receiving.served import READY_WITHIN, Served, started
from broadstreet.app.receiving.suspects import Suspects, barred_of
from broadstreet.connectors.hl7v2.door import Door
from broadstreet.model.failures import traced
from broadstreet.store.protocol import StoreError

PAUSE_AFTER_END = 0.2
"""In seconds; so soon a process that has ended is started again. Senders wait at the socket meanwhile."""
LONGEST_PAUSE = 30.0
"""In seconds; so late at most, where it ends each time before it has come to work."""
GRACE = 10.0
"""In seconds; so long what has come may take to be answered when the hub stops."""

_log = logging.getLogger(__name__)


class DoorBeside:
    """The process that receives HL7 v2, as the hub sees it; it is kept running.

    Parameters
    ----------
    core
        What its works are committed to.
    door
        The hub's own, which knows what has been committed.
    listener
        Where senders connect; it outlives the process.
    """

    def __init__(self, core: Core, door: Door, listener: socket.socket) -> None:
        self._core, self._door, self._listener = core, door, listener
        self.port: int = listener.getsockname()[1]
        """The port that senders connect to."""
        self._loop = asyncio.get_running_loop()
        self._answered: Counter[str] = Counter()
        self._counted: Counter[str] = Counter()
        self._suspects = Suspects(door, core.committer, barred_of(core.store))
        self._served: Served | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether it takes messages."""
        return self._served is not None and self._served.here.is_set() and not self._served.gone.is_set()

    def told(self) -> Told:
        """Return how the process is, since the hub's start; to be asked on a thread, not on the loop."""
        return asyncio.run_coroutine_threadsafe(self._asked(), self._loop).result()

    async def start(self) -> None:
        """Start the process.

        Raises
        ------
        OSError
            If that cannot be done.
        """
        self._served = await self._begun()

    async def ready(self, stopping: asyncio.Event) -> None:
        """Wait until it takes messages, or the hub is to stop.

        Raises
        ------
        StoreError
            If it ends before, or takes too long.
        """
        assert self._served is not None, "it has not been started"
        await _first(self._served.here, self._served.gone, stopping)
        if self._served.gone.is_set() and not self._served.here.is_set():
            raise StoreError(
                "the process that receives messages has ended before it began: see the hub's log"
            )
        if not (self._served.here.is_set() or stopping.is_set()):
            raise StoreError(
                f"the process that receives messages did not begin within {READY_WITHIN:g} seconds"
            )
        self._keeping = self._loop.create_task(self._keep())

    async def stop(self, grace: float = GRACE) -> None:
        """Let what has come be answered within `grace` seconds, and the process end."""
        self._listener.close()
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        if self._served is not None:
            await self._served.end(grace)
            self._remember(self._served.told)
            self._served = None

    async def _asked(self) -> Told:
        if self._served is not None:
            await self._served.tell()
        now = self._served.told if self._served is not None else Told(0)
        answered, counted = self._answered + Counter(now.answered), self._counted + Counter(now.counted)
        return Told(0, answered, counted, now.connections)

    async def _keep(self) -> None:
        """Start the process again if it ends: later each time, until it has come to work."""
        pause = PAUSE_AFTER_END
        while True:
            try:
                came_to_work = await self._kept()
                pause = PAUSE_AFTER_END if came_to_work else min(2 * pause, LONGEST_PAUSE)
                await asyncio.sleep(pause)
                self._served = await self._begun()
            except Exception as error:  # such as too many open files, or threads: tried again
                _log.error("the process that receives messages cannot be started: %s", traced(error))
                await asyncio.sleep(pause)

    async def _kept(self) -> bool:
        """Wait until the process has ended; return whether it had come to work."""
        served = self._served
        if served is None:
            return False
        await served.until_gone()
        code = await asyncio.to_thread(served.reap)
        suspect = served.at_hand.suspect()
        at = f" at {suspect}" if suspect else ""
        _log.error("the process that receives messages has ended (%s)%s; it is started again", code, at)
        self._remember(served.told)
        self._served = None
        served.at_hand.close()
        if suspect:
            await self._suspects.judge(suspect, self._loop.time())
        return served.here.is_set()

    def _remember(self, told: Told) -> None:
        """Add what a process told that is no more."""
        self._answered.update(told.answered)
        self._counted.update(told.counted)

    async def _begun(self) -> Served:
        return await started(self._core, self._door, self._listener, self._suspects)


async def _first(*events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, timeout=READY_WITHIN, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()
