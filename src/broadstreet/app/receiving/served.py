"""One process that receives, while it lives, as the hub sees it."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from typing import Any, cast

from broadstreet.app.core import Core
from broadstreet.app.receiving.at_hand import AtHand
from broadstreet.app.receiving.line import Begin, End, Here, Line, Outcomes, Tell, Told, Works
from broadstreet.app.receiving.suspects import Suspects
from broadstreet.connectors.hl7v2.door import Door
from broadstreet.model.failures import frames_of, traced
from broadstreet.store.committer import Outcome
from broadstreet.store.inbox import Receipt, Receive
from broadstreet.store.protocol import StoreError

READY_WITHIN = 60.0
"""In seconds; so long it may take to begin."""
SILENT_AT_MOST = 10.0
"""In seconds; one that takes messages speaks every second, and one that says nothing for so long hangs."""
LISTENED_FOR = 1.0
"""In seconds; so often it is asked whether anything was heard."""
ENDS_WITHIN = 5.0
"""In seconds; so long it may take to end beyond the time in which it is to answer what has come."""
REAPED_WITHIN = 1.0
"""In seconds; so long a process may take to end that has closed its line."""
ANSWERS_WITHIN = 2.0
"""In seconds; later than that, what it last told stands."""

_log = logging.getLogger(__name__)


async def started(core: Core, door: Door, listener: socket.socket, suspects: Suspects) -> Served:
    """Start a process that takes messages from a socket, and tell it what it needs.

    Raises
    ------
    OSError
        If that cannot be done.
    """
    ours, theirs = socket.socketpair()
    with ExitStack() as undone, theirs:
        undone.callback(ours.close)
        at_hand = AtHand.made(core.settings.mllp.max_bytes)
        undone.callback(at_hand.close)
        process = _process_on(theirs.fileno(), listener.fileno(), at_hand.descriptor)
        undone.callback(_bury, process)
        served = Served(core, door, process, at_hand)
        await asyncio.get_running_loop().create_connection(lambda: served.line, sock=ours)
        served.begin(suspects)
        undone.pop_all()
    return served


def _process_on(*descriptors: int) -> subprocess.Popen[bytes]:
    words = map(str, (os.getpid(), *descriptors))
    return subprocess.Popen(  # noqa: S603 - ours
        [sys.executable, "-P", "-m", "broadstreet.app.receiving", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[each for each in descriptors if each >= 0],
        process_group=0,  # what a terminal sends is meant for the hub, which sees to an end in order
    )


def _bury(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


class Served:
    """One process while it lives: what it hands in is committed, and it is told what became of it."""

    def __init__(self, core: Core, door: Door, process: subprocess.Popen[bytes], at_hand: AtHand) -> None:
        self.process, self.at_hand = process, at_hand
        self.here, self.gone = asyncio.Event(), asyncio.Event()
        self.told = Told(0)
        self.line = Line(self._take, self.gone.set)
        self._core, self._door = core, door
        self._loop = asyncio.get_running_loop()
        self._questions: dict[int, asyncio.Future[Told]] = {}
        self._issued = 0
        self._heard, self._begun = False, 0

    def begin(self, suspects: Suspects) -> None:
        """Tell the process what it needs, and whom and what to keep away from."""
        core, put_off = self._core, suspects.put_off(self._loop.time())
        key, now = core.store.indexer.keys.key, core.clock.now()
        self.line.say(Begin(core.settings, key, now, suspects.barred, put_off))

    async def until_gone(self) -> None:
        """Wait until the process has ended; one that hangs is killed.

        What counts is how often nothing was heard, not the time: a hub that was held up itself finds what the
        process said meanwhile.
        """
        silent = 0.0
        while not await self._ended_within(LISTENED_FOR):
            silent = 0.0 if self._is_heard() else silent + LISTENED_FOR
            if silent >= (SILENT_AT_MOST if self.here.is_set() else READY_WITHIN):
                _log.error("the process that receives messages hangs: %d seconds without a word", silent)
                self.process.kill()
                await self.gone.wait()

    def _is_heard(self) -> bool:
        """Say whether it has spoken since this was last asked, or begun with another message."""
        heard, begun = self._heard, self._begun
        self._heard, self._begun = False, self.at_hand.begun
        return self.here.is_set() and (heard or self._begun != begun)

    async def _ended_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.gone.wait(), seconds)
        return self.gone.is_set()

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
        self.at_hand.close()

    def reap(self) -> int:
        """Wait until the process has ended, and see to it that it does; return its code. For threads."""
        try:
            return self.process.wait(REAPED_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def _take(self, said: Any) -> None:
        self._heard = True
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
        outcomes = [(number, passable(outcome)) for number, outcome in settled]
        try:
            self.line.say(Outcomes(self._core.clock.now(), outcomes))
        except Exception as error:  # else senders would wait for ever for what is not told
            _log.error("outcomes could not be told: %s", traced(error), extra={"trace": frames_of(error)})
            self.line.abort()


def passable(outcome: Outcome) -> Receipt | Exception:
    """Return an outcome as it can pass the line; what nobody expected is logged here, where its trace is."""
    if not isinstance(outcome, Exception) or isinstance(outcome, StoreError):
        return cast("Receipt | StoreError", outcome)
    _log.error("a message could not be taken in: %s", traced(outcome), extra={"trace": frames_of(outcome)})
    return RuntimeError("it could not be taken in; see the hub's log")
