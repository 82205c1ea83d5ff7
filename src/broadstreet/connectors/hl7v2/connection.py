"""One connection of the MLLP server: messages in, answers out, in order."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, cast

from broadstreet.connectors.hl7v2.mllp import FrameDecoder, FrameLimits, MessageTooLong, frame
from broadstreet.connectors.hl7v2.problems import ErrorCode, Problem
from broadstreet.connectors.hl7v2.tls import subject
from broadstreet.model.failures import traced

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Bound what senders can take.

    Parameters
    ----------
    frame : bytes of a message, and of what stands outside frames
    in_flight : messages of one connection that wait for their answer; no more is read meanwhile
    memory : bytes of half messages over all connections
    connections : connections in all
    connections_each : connections of one address
    idle : seconds without a message, after which a connection is closed
    message : seconds that one message may take to come in, however it drips
    answer : seconds that a sender may take to read its answers
    fs_alone : seconds after FS, after which its CR is awaited no more
    handshake : seconds for TLS
    linger : seconds that the rest of a refused message is read and dropped, so that its answer arrives
    """

    frame: FrameLimits = field(default_factory=FrameLimits)
    in_flight: int = 32
    memory: int = 256 * 2**20
    connections: int = 2_000
    connections_each: int = 600
    idle: float = 600.0
    message: float = 30.0
    answer: float = 30.0
    fs_alone: float = 1.0
    handshake: float = 10.0
    linger: float = 2.0


@dataclass(frozen=True, slots=True)
class Peer:
    """Name who sent a message.

    Parameters
    ----------
    address, port : where the connection comes from
    certificate : subject of its TLS certificate, None without one
    """

    address: str
    port: int
    certificate: str | None = None

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


Handler = Callable[[bytes, Peer], Awaitable[bytes]]
Refuse = Callable[[bytes, Problem], bytes]


class Server(Protocol):
    """What a connection needs of its server."""

    handler: Handler
    refuse: Refuse | None
    limits: ServerLimits
    counted: Counter[str]
    held: int

    def forget(self, connection: Connection) -> None:
        """Take note that the connection is gone."""
        ...


class Connection(asyncio.Protocol):
    """Answer the messages of one sender in order, one after the other."""

    def __init__(self, server: Server, peer: Peer) -> None:
        self.peer = peer
        self.deadline = math.inf
        self._server = server
        self._limits = server.limits
        self._loop = asyncio.get_running_loop()
        self._decoder = FrameDecoder(server.limits.frame)
        self._waiting: deque[bytes] = deque()
        self._refusal: bytes | None = None
        self._worker: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._last = False  # nothing more is read: close when all is answered
        self._discarding = False
        self._begun = self._quiet_since = self._loop.time()
        self._held = 0
        self._paused = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)
        certificate = subject(transport.get_extra_info("peercert"))
        self.peer = Peer(self.peer.address, self.peer.port, certificate)
        self._begun = self._quiet_since = self._loop.time()
        self._set_deadline()
        if self._last:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """End; what is being handled goes on, what waits is dropped: its sender will send it again."""
        self._hold(0)
        self._last = self._discarding = True
        self._waiting.clear()
        self._refusal = None
        self._writable.set()
        self._transport = None
        if self._worker is None:
            self._server.forget(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes; answer the messages that they complete."""
        if self._discarding or self._last:
            return
        was_half = self._decoder.half
        messages = self._decoder.feed(data)
        if messages or not was_half:
            self._begun = self._loop.time()
        self._take(messages)
        self._count_tolerated()
        failure = self._decoder.failure
        if failure is not None:
            _log.warning("%s: %s", self.peer, failure)
            self._server.counted[type(failure).__name__] += 1
            self._discarding = True
            if isinstance(failure, MessageTooLong):
                self._refusal = failure.start
            self._last = True
            self._work()
        elif self._hold(len(self._decoder)):
            self.drop("too much is held for all senders")
        self._set_deadline()

    def eof_received(self) -> bool:
        """Answer what has come, then close."""
        self._take(self._decoder.finish())
        self._count_tolerated()
        self.finish()
        return self._transport is not None and self._transport.get_extra_info("sslcontext") is None

    def pause_writing(self) -> None:
        """Wait until the sender reads its answers."""
        self._writable.clear()
        self._quiet_since = self._loop.time()

    def resume_writing(self) -> None:
        """Go on."""
        self._writable.set()

    def finish(self) -> None:
        """Read no more; close when all that has come is answered."""
        self._last = True
        if self._worker is None and self._transport is not None:
            self._transport.close()

    def drop(self, reason: str) -> None:
        """Close at once."""
        _log.warning("%s: dropped: %s", self.peer, reason)
        self._server.counted[reason] += 1
        self.abort()

    def abort(self) -> None:
        """Close at once, without a line in the log."""
        self._last = self._discarding = True
        self._waiting.clear()
        if self._transport is not None:
            self._transport.abort()

    def cancel(self) -> None:
        """Close at once, and stop what is being handled."""
        self.abort()
        if self._worker is not None:
            self._worker.cancel()

    def expire(self) -> None:
        """Act on the deadline that has passed."""
        if self._decoder.lacks_only_cr and self._worker is None and not self._discarding:
            self._take(self._decoder.finish())
            self._count_tolerated()
            self._set_deadline()
        elif self._discarding:
            self.abort()
        elif not self._writable.is_set():
            self.drop("the sender does not read its answers")
        else:
            self.drop("the message takes too long" if self._decoder.half else "the connection is idle")

    def _count_tolerated(self) -> None:
        if self._decoder.tolerated:
            self._server.counted.update(self._decoder.tolerated)
            self._decoder.tolerated.clear()

    def _take(self, messages: list[bytes]) -> None:
        if not messages:
            return
        self._quiet_since = self._loop.time()
        self._waiting.extend(messages)
        if len(self._waiting) >= self._limits.in_flight and self._transport is not None:
            self._transport.pause_reading()
            self._paused = True
        self._work()

    def _work(self) -> None:
        if self._worker is None:
            self._worker = self._loop.create_task(self._answer_all())

    async def _answer_all(self) -> None:
        try:
            while self._waiting:
                await self._answer(self._waiting.popleft())
            if self._refusal is not None:
                await self._answer_refusal(self._refusal)
        except Exception as error:
            _log.error("%s: no answer could be made: %s", self.peer, traced(error))
            self._server.counted["no answer could be made"] += 1
            self.abort()
        finally:
            self._worker = None
            self._begun = self._loop.time()
            self._end_or_go_on()

    async def _answer(self, message: bytes) -> None:
        answer = frame(await self._server.handler(message, self.peer))
        if self._transport is None:
            return
        self._transport.write(answer)
        self._server.counted["answered"] += 1
        if not self._writable.is_set():
            self._set_deadline()
            await self._writable.wait()
            self._set_deadline()
        if self._paused and len(self._waiting) <= self._limits.in_flight // 2 and self._transport is not None:
            self._transport.resume_reading()
            self._paused = False

    async def _answer_refusal(self, start: bytes) -> None:
        self._refusal = None
        if self._server.refuse is None or self._transport is None:
            return
        problem = Problem(
            f"the message must be at most {self._limits.frame.message} bytes long; send it in parts",
            ErrorCode.VALUE_TOO_LONG,
        )
        self._transport.write(frame(self._server.refuse(start, problem)))

    def _end_or_go_on(self) -> None:
        if self._transport is None:
            self._server.forget(self)
        elif self._discarding:  # the rest of what comes is read, so that the answer is not lost
            if self._transport.can_write_eof():
                self._transport.write_eof()
        elif self._last:
            self._transport.close()
        self._set_deadline()

    def _hold(self, size: int) -> bool:
        """Take note of the bytes held for this sender; say whether all senders together hold too much."""
        self._server.held += size - self._held
        self._held = size
        return self._server.held > self._limits.memory

    def _set_deadline(self) -> None:
        now = self._loop.time()
        limits = self._limits
        if self._discarding:
            self.deadline = now + limits.linger if self._worker is None else math.inf
        elif not self._writable.is_set():
            self.deadline = self._quiet_since + limits.answer
        elif self._worker is not None:
            self.deadline = math.inf
        elif self._decoder.lacks_only_cr:
            self.deadline = now + limits.fs_alone
        elif self._decoder.half:
            self.deadline = self._begun + limits.message
        else:
            self.deadline = self._quiet_since + limits.idle
