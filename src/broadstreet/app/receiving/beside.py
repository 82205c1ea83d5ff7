"""The process that receives, as the hub sees it."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from typing import Any, cast

from broadstreet.app.core import Core
from broadstreet.app.receiving.line import Begin, End, Here, Line, Outcomes, Tell, Told, Works
from broadstreet.connectors.hl7v2.door import Door
from broadstreet.model.failures import frames_of, traced
from broadstreet.store.committer import Outcome
from broadstreet.store.inbox import Receipt, Receive
from broadstreet.store.protocol import StoreError

PAUSE_AFTER_END = 0.2
"""In seconds; so soon a process that has ended is started again. Senders wait at the socket meanwhile."""
LONGEST_PAUSE = 30.0
"""In seconds; so late at most, where it ends each time before it has come to work."""
READY_WITHIN = 60.0
"""In seconds; so long it may take to begin."""
GRACE = 10.0
"""In seconds; so long what has come may take to be answered when the hub stops."""
ENDS_WITHIN = 5.0
"""In seconds; so long it may take beyond that."""
REAPED_WITHIN = 1.0
"""In seconds; so long a process may take to end that has closed its line."""
ANSWERS_WITHIN = 2.0
"""In seconds; later than that, what it last told stands."""

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
        self._served: _Served | None = None
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
        if self._served.gone.is_set():
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
        await served.gone.wait()
        code = await asyncio.to_thread(served.reap)
        _log.error("the process that receives messages has ended (%s); it is started again", code)
        self._remember(served.told)
        self._served = None
        return served.here.is_set()

    def _remember(self, told: Told) -> None:
        """Add what a process told that is no more."""
        self._answered.update(told.answered)
        self._counted.update(told.counted)

    async def _begun(self) -> _Served:
        ours, theirs = socket.socketpair()
        with theirs:
            descriptors = theirs.fileno(), self._listener.fileno()
            command = [sys.executable, "-P", "-m", "broadstreet.app.receiving", *map(str, descriptors)]
            process = subprocess.Popen(  # noqa: S603 - ours
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=descriptors,
                process_group=0,  # what a terminal sends is meant for the hub, which sees to an end in order
            )
        served = _Served(self._core, self._door, process)
        await self._loop.create_connection(lambda: served.line, sock=ours)
        served.begin()
        return served


class _Served:
    """One process while it lives: what it hands in is committed, and it is told what became of it."""

    def __init__(self, core: Core, door: Door, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.here, self.gone = asyncio.Event(), asyncio.Event()
        self.told = Told(0)
        self.line = Line(self._take, self.gone.set)
        self._core, self._door = core, door
        self._loop = asyncio.get_running_loop()
        self._questions: dict[int, asyncio.Future[Told]] = {}
        self._issued = 0

    def begin(self) -> None:
        """Tell the process what it needs."""
        core = self._core
        self.line.say(Begin(core.settings, core.store.indexer.keys.key, core.clock.now()))

    async def tell(self) -> None:
        """Let it tell how it is; where it does not, what it told last stands."""
        self._issued += 1
        number = self._issued
        question = self._questions[number] = self._loop.create_future()
        self.line.say(Tell(number))
        gone = self._loop.create_task(self.gone.wait())
        try:
            await asyncio.wait([question, gone], timeout=ANSWERS_WITHIN, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            del self._questions[number]

    async def end(self, grace: float) -> None:
        """Let it answer what has come, and end; after that, kill it."""
        self.line.say(End(grace))
        if self.here.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self.gone.wait(), grace + ENDS_WITHIN)
        await asyncio.to_thread(self.reap)
        self.line.close()

    def reap(self) -> int:
        """Wait until the process has ended, and see to it that it does; return its code. For threads."""
        try:
            return self.process.wait(REAPED_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def _take(self, said: Any) -> None:
        match said:
            case Works():
                for number, work in said.works:
                    self._hand_in(number, work)
            case Told():
                self.told = said
                if (question := self._questions.get(said.number)) is not None and not question.done():
                    question.set_result(said)
            case Here():
                self.here.set()

    def _hand_in(self, number: int, work: Receive) -> None:
        try:
            self._core.committer.hand_in(self._door.adopt(work), self._loop, self._settled, number)
        except StoreError as error:  # the committer is closed
            self._settled([(number, error)])

    def _settled(self, settled: list[tuple[int, Outcome]]) -> None:
        outcomes = [(number, _passable(outcome)) for number, outcome in settled]
        try:
            self.line.say(Outcomes(self._core.clock.now(), outcomes))
        except Exception as error:  # else senders would wait for ever for what is not told
            _log.error("outcomes could not be told: %s", traced(error), extra={"trace": frames_of(error)})
            self.line.abort()


def _passable(outcome: Outcome) -> Receipt | Exception:
    """Return an outcome as it can pass the line; what nobody expected is logged here, where its trace is."""
    if not isinstance(outcome, Exception) or isinstance(outcome, StoreError):
        return cast("Receipt | StoreError", outcome)
    _log.error("a message could not be taken in: %s", traced(outcome), extra={"trace": frames_of(outcome)})
    return RuntimeError("it could not be taken in; see the hub's log")


async def _first(*events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, timeout=READY_WITHIN, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()
