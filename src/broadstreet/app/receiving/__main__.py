"""The process that receives messages: `python -m broadstreet.app.receiving HUB LINE LISTENER MEMORY`.

HUB is the id of the hub's process, LINE and LISTENER are two open sockets, MEMORY is what it shares with the
hub. The hub starts it, and it ends with the hub: when its line does, and on Linux at once, even if a message
takes all of its time.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import signal
import socket
import sys
from typing import Any

import uvloop

from broadstreet.app import logs
from broadstreet.app.binding import refusals_of
from broadstreet.app.collector import spare_the_collector
from broadstreet.app.doors import door_of, limits_of, refusal_of, tls_of
from broadstreet.app.lifeline import end_with
from broadstreet.app.receiving.at_hand import AtHand
from broadstreet.app.receiving.line import Begin, End, Here, Line, Outcomes, Tell, Told, Works
from broadstreet.connectors.hl7v2.door import Door
from broadstreet.connectors.hl7v2.mapping.recorder import Directory
from broadstreet.connectors.hl7v2.server import MllpServer
from broadstreet.model import fhir
from broadstreet.model.clock import Clock, DrivenClock, SystemClock
from broadstreet.model.failures import frames_of
from broadstreet.store.errors import told
from broadstreet.store.inbox import Receipt, Receive
from broadstreet.store.index import Indexer

_log = logging.getLogger("broadstreet.app.receiving")

FAILED, LINE_LOST = 1, 3
"""Codes of the process where it ends by itself."""
TELLS_EVERY = 1.0
"""In seconds."""
TOGETHER = 8
"""So many works leave at once, before a turn of the loop has ended: the committer is not to wait for it."""


class _Asked(Directory):
    """What was asked for once is known from then on: the hub's own directory has it, or looks it up.

    That never has who has no name, who is asked for each time.
    """

    def knows(self, key: tuple[str, str, str], *, named: bool = True) -> bool:
        known = super().knows(key)
        if named:
            self.remember(key, _SOMEWHERE)
        return known


_SOMEWHERE = fhir.Reference()


class _Hub:
    """The hub's committer, as the door sees it: works go out together, one turn of the loop at a time."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._loop = asyncio.get_running_loop()
        self._fresh: list[tuple[int, Receive]] = []
        self._open: dict[int, asyncio.Future[Receipt]] = {}
        self._number = 0

    async def committed(self, work: Receive) -> Receipt:
        """Return what became of a work, once that is durable."""
        self._number += 1
        future = self._open[self._number] = self._loop.create_future()
        if not self._fresh:
            self._loop.call_soon(self._hand_in)
        self._fresh.append((self._number, work))
        if len(self._fresh) >= TOGETHER:
            self._hand_in()
        receipt: Receipt = await future
        return receipt

    def settle(self, outcomes: Outcomes) -> None:
        """Pass on what became of works."""
        for number, outcome in outcomes.outcomes:
            future = self._open.pop(number)
            if future.done():  # its sender has gone
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    def _hand_in(self) -> None:
        works, self._fresh = self._fresh, []
        if not works:
            return
        try:
            self._line.say(Works(works))
        except Exception as error:  # else their senders would wait for ever
            _end_at_once("works could not be handed in", error)


class Receiving:
    """Receives what senders send, as the hub orders.

    Parameters
    ----------
    listener
        Where senders connect.
    line
        To the hub.
    at_hand
        Where the hub finds the message that is read.
    """

    def __init__(self, listener: socket.socket, line: socket.socket, at_hand: AtHand) -> None:
        self._listener, self._socket, self._at_hand = listener, line, at_hand
        # With the line goes all that waits: nothing true can be said of it any more.
        self._line = Line(self._take, lambda: os._exit(LINE_LOST), line)
        self._hub = _Hub(self._line)
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()
        self._door: Door | None = None
        self._server: MllpServer | None = None
        self._clock: Clock = SystemClock()

    async def run(self) -> None:
        """Receive until the hub orders an end."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(logs.tell_failure)
        await loop.create_connection(lambda: self._line, sock=self._socket)
        telling = loop.create_task(self._tell_by_itself())
        await self._ended.wait()
        telling.cancel()

    async def _tell_by_itself(self) -> None:
        """Tell how it is now and then, so that little of it is lost with the process."""
        while True:
            await asyncio.sleep(TELLS_EVERY)
            self._line.say(self._told(0))

    def _take(self, said: Any) -> None:
        match said:
            case Outcomes():
                self._be_told_the_time(said)
                self._hub.settle(said)
            case Tell():
                self._line.say(self._told(said.number))
            case Begin():
                self._run(self._begin(said))
            case End():
                self._run(self._end(said.grace))

    def _be_told_the_time(self, said: Outcomes) -> None:
        if isinstance(self._clock, DrivenClock) and said.now > self._clock.now():
            self._clock.advance(said.now)

    def _told(self, number: int) -> Told:
        if self._door is None or self._server is None:
            return Told(number)
        return Told(number, self._door.answered, self._server.counted, self._server.connections)

    async def _begin(self, said: Begin) -> None:
        settings = said.settings
        logs.begin(settings.log_level, settings.log_form)
        if settings.clock == "driven":
            self._clock = DrivenClock(said.now)
        indexer = Indexer(said.index_key)
        self._door = door_of(
            settings, self._hub, indexer, self._clock, directory=_Asked(), at_hand=self._at_hand,
            barred=said.barred,
        )  # fmt: skip
        self._server = MllpServer(
            self._door.handle, settings.mllp.host, settings.mllp.port, limits_of(settings.mllp),
            tls_of(settings.mllp), refuse=refusal_of(self._clock),
            refuses=refusals_of(settings, said.put_off), listener=self._listener,
        )  # fmt: skip
        self._door.warm_up()
        await self._server.start()
        faulthandler.enable()
        spare_the_collector()
        self._line.say(Here())

    async def _end(self, grace: float) -> None:
        if self._server is not None:
            await self._server.stop(grace)
        self._line.say(self._told(0))
        self._ended.set()

    def _run(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _end_at_once("what the hub ordered could not be done", error)


def _end_at_once(what: str, error: BaseException) -> None:
    """End; the hub starts the process again."""
    _log.error("%s: %s", what, told(error), extra={"trace": frames_of(error)})
    os._exit(FAILED)


async def _run(line: int, listener: int, memory: int) -> None:
    at_hand = AtHand(memory)
    await Receiving(socket.socket(fileno=listener), socket.socket(fileno=line), at_hand).run()


if __name__ == "__main__":
    end_with(int(sys.argv[1]))
    for each in (signal.SIGINT, signal.SIGTERM):  # meant for the hub, which sees to an end in order
        signal.signal(each, signal.SIG_IGN)
    uvloop.run(_run(*map(int, sys.argv[2:5])))
