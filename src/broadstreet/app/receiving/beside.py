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
    def process(self) -> int:
        """The id of the process."""
        assert self._served is not None, "it has not been started"
        return self._served.process.pid

    @property
    def running(self) -> bool:
        """Whether it takes messages."""
        return self._served is not None and self._served.here.is_set() and not self._served.gone.is_set()

    def told(self) -> Told:
        """Return how the process is, since the hub's start; to be asked on a thread, not on the loop."""
        asking = asyncio.run_coroutine_threadsafe(self._asked(), self._loop)
        try:
            told = asking.result(ANSWERS_WITHIN)
        except TimeoutError:
            asking.cancel()
            told = Told(0)
        answered, counted = self._answered + Counter(told.answered), self._counted + Counter(told.counted)
        return Told(0, answered, counted, told.connections)

    async def start(self) -> None:
        """Start the process.

        Raises
        ------
        OSError
            If that cannot be done.
        """
        self._served = await self._begun()

    async def ready(self) -> None:
        """Wait until it takes messages.

        Raises
        ------
        StoreError
            If it ends before.
        """
        assert self._served is not None, "it has not been started"
        await _first(self._served.here, self._served.gone)
        if not self._served.here.is_set():
            raise StoreError("the process that receives messages has ended before it began: see its log")
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
        return await self._served.tell() if self._served is not None else Told(0)

    async def _keep(self) -> None:
        """Start the process again if it ends: later each time, until it has come to work."""
        pause = PAUSE_AFTER_END
        while True:
            if (served := self._served) is not None:
                await served.gone.wait()
                code = await asyncio.to_thread(served.reap)
                _log.error("the process that receives messages has ended (%s); it is started again", code)
                self._remember(served.told)
                self._served = None
                pause = PAUSE_AFTER_END if served.here.is_set() else min(2 * pause, LONGEST_PAUSE)
            await asyncio.sleep(pause)
            try:
                self._served = await self._begun()
            except OSError as error:  # such as too many open files: tried again
                _log.error("the process that receives messages cannot be started: %s", error.strerror)
                self._served = None

    def _remember(self, told: Told) -> None:
        """Add what a process told that is no more."""
        self._answered.update(told.answered)
        self._counted.update(told.counted)

    async def _begun(self) -> _Served:
        ours, theirs = socket.socketpair()
        with theirs:
            descriptors = theirs.fileno(), self._listener.fileno()
            command = [sys.executable, "-m", "broadstreet.app.receiving", *map(str, descriptors)]
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

    async def tell(self) -> Told:
        """Return how it is; what it told last where it has gone."""
        self._issued += 1
        number = self._issued
        question = self._questions[number] = self._loop.create_future()
        self.line.say(Tell(number))
        gone = self._loop.create_task(self.gone.wait())
        try:
            await asyncio.wait([question, gone], return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            del self._questions[number]
        return self.told

    async def end(self, grace: float) -> None:
        """Let it answer what has come, and end; after that, kill it."""
        self.line.say(End(grace))
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
        self.line.say(Outcomes(self._core.clock.now(), outcomes))


def _passable(outcome: Outcome) -> Receipt | Exception:
    """Return an outcome as it can pass the line; what nobody expected is logged here, where its trace is."""
    if not isinstance(outcome, Exception) or isinstance(outcome, StoreError):
        return cast("Receipt | StoreError", outcome)
    _log.error("a message could not be taken in: %s", traced(outcome), extra={"trace": frames_of(outcome)})
    return RuntimeError("it could not be taken in; see the hub's log")


async def _first(*events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()
