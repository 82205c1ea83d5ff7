"""MLLP clients: one for asyncio, one for scripts. Each has one message in flight; several of them send side
by side.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import selectors
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from broadstreet.connectors.hl7v2.acknowledge import Acknowledgement
from broadstreet.connectors.hl7v2.message import Message
from broadstreet.connectors.hl7v2.mllp import FrameDecoder, frame
from broadstreet.connectors.hl7v2.problems import Malformed

_CHUNK = 65_536


class Unanswered(ConnectionError):
    """Report that no usable answer came: whether the message was taken is not known."""


_FINAL = (Unanswered, ssl.SSLError)  # another attempt would end the same way


@dataclass(frozen=True, slots=True)
class Retry:
    """Say how often a message is sent, and how long to wait in between.

    A message that was sent without an answer is sent again with the same control id, by which receivers
    know it; `attempts=1` never does.

    Parameters
    ----------
    attempts : how often in all
    first, most : seconds before the second attempt, doubled each time up to `most`
    """

    attempts: int = 5
    first: float = 0.1
    most: float = 5.0

    def waits(self) -> Iterator[float | None]:
        """Yield the seconds to wait after each failed attempt, None after the last."""
        for attempt in range(self.attempts - 1):
            yield min(self.first * 2**attempt, self.most)
        yield None


DEFAULT_RETRY = Retry()


def _checked(answer: bytes, sent: bytes) -> Acknowledgement:
    try:
        acknowledgement = Acknowledgement.parse(answer)
    except Malformed as error:
        raise Unanswered(f"the answer cannot be read: {error}") from None
    with contextlib.suppress(Malformed):  # what cannot be read may be sent: the receiver's refusal is wanted
        control_id = Message.parse(sent).control_id
        if acknowledgement.control_id and acknowledgement.control_id != control_id:
            raise Unanswered(f"sent message {control_id!r}, the answer is for {acknowledgement.control_id!r}")
    return acknowledgement


class MllpClient:
    """Send messages and await the acknowledgement of each, in asyncio.

    Parameters
    ----------
    host, port : the receiver
    tls : the client's side of TLS, see `broadstreet.connectors.hl7v2.tls.client_tls`
    timeout : seconds for connecting, and for an answer
    retry : how often to send
    """

    def __init__(
        self,
        host: str,
        port: int,
        tls: ssl.SSLContext | None = None,
        timeout: float = 30.0,
        retry: Retry = DEFAULT_RETRY,
    ) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._timeout = timeout
        self._retry = retry
        self._turn = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> MllpClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def send(self, message: bytes) -> Acknowledgement:
        """Send a message; return its acknowledgement.

        Raises
        ------
        Unanswered
            If no answer came, or none that can be read.
        ValueError
            If the message holds a byte of the frame.
        """
        framed = frame(message)
        async with self._turn:
            for wait in self._retry.waits():
                try:
                    return _checked(await asyncio.wait_for(self._exchange(framed), self._timeout), message)
                except OSError as error:  # TimeoutError and ConnectionError are OSErrors
                    await self.close()
                    if wait is None or isinstance(error, _FINAL):
                        raise _unanswered(error, self._host, self._port) from error
                    await asyncio.sleep(wait)
        raise ValueError("attempts must be at least 1")

    async def close(self) -> None:
        """Close the connection; the next message opens another."""
        if self._streams is not None:
            writer = self._streams[1]
            self._streams = None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _exchange(self, framed: bytes) -> bytes:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
        reader, writer = self._streams
        writer.write(framed)
        await writer.drain()
        decoder = FrameDecoder()
        while not (answers := decoder.feed(await _some(reader))):
            if decoder.failure is not None:
                raise ConnectionError(str(decoder.failure))
        return answers[0]


async def _some(reader: asyncio.StreamReader) -> bytes:
    data = await reader.read(_CHUNK)
    if not data:
        raise ConnectionResetError("the receiver closed the connection without an answer")
    return data


def _unanswered(error: OSError, host: str, port: int) -> Unanswered:
    if isinstance(error, Unanswered):
        return error
    known = error.errno is not None and not isinstance(error, ssl.SSLError)
    reason = os.strerror(error.errno or 0) if known else str(error) or "no answer in time"
    todo = " (start the receiver, or name its port)" if isinstance(error, ConnectionRefusedError) else ""
    return Unanswered(f"no answer from {host}:{port}: {reason}{todo}")


class BlockingMllpClient:
    """Send messages and await the acknowledgement of each, without asyncio; parameters as `MllpClient`."""

    def __init__(
        self,
        host: str,
        port: int,
        tls: ssl.SSLContext | None = None,
        timeout: float = 30.0,
        retry: Retry = DEFAULT_RETRY,
    ) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._timeout = timeout
        self._retry = retry
        self._socket: socket.socket | None = None
        self._decoder = FrameDecoder()

    def __enter__(self) -> BlockingMllpClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, message: bytes) -> Acknowledgement:
        """Send a message; return its acknowledgement.

        Raises
        ------
        Unanswered
            If no answer came, or none that can be read.
        ValueError
            If the message holds a byte of the frame.
        """
        return self._send(frame(message), message, self._retry.waits())

    def close(self) -> None:
        """Close the connection; the next message opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def post(self, message: bytes) -> socket.socket:
        """Send a message once and return the connection; `collect` takes the answer that will come there.

        Raises
        ------
        OSError
            If it cannot be sent.
        ValueError
            If the message holds a byte of the frame.
        """
        return self._post(frame(message))

    def collect(self, message: bytes) -> Acknowledgement | None:
        """Take what has come in answer to a posted message; return the acknowledgement once it is whole.

        Raises
        ------
        OSError
            If none that can be read will come.
        """
        if self._socket is not None:
            self._socket.settimeout(0.0)
        try:
            answer = self._collect(None)
        except (BlockingIOError, ssl.SSLWantReadError):  # what came was not the answer, such as a TLS ticket
            return None
        return None if answer is None else _checked(answer, message)

    def send_again(self, message: bytes, error: OSError) -> Acknowledgement:
        """Send a posted message again that failed, as often as `send` would; return its acknowledgement.

        Raises
        ------
        Unanswered
            If no answer came, or none that can be read.
        """
        waits = self._retry.waits()
        self._wait_or_give_up(error, next(waits))
        return self._send(frame(message), message, waits)

    def _send(self, framed: bytes, message: bytes, waits: Iterator[float | None]) -> Acknowledgement:
        for wait in waits:
            try:
                return _checked(self._exchange(framed), message)
            except OSError as error:
                self._wait_or_give_up(error, wait)
        raise ValueError("attempts must be at least 1")

    def _wait_or_give_up(self, error: OSError, wait: float | None) -> None:
        self.close()
        if wait is None or isinstance(error, _FINAL):
            raise _unanswered(error, self._host, self._port) from error
        time.sleep(wait)

    def _exchange(self, framed: bytes) -> bytes:
        self._post(framed)
        deadline = time.monotonic() + self._timeout
        while (answer := self._collect(deadline)) is None:
            pass
        return answer

    def _post(self, framed: bytes) -> socket.socket:
        connected = self._socket or self._connect()
        connected.settimeout(self._timeout)
        connected.sendall(framed)
        self._decoder = FrameDecoder()
        return connected

    def _collect(self, deadline: float | None) -> bytes | None:
        if self._socket is None:
            raise ConnectionResetError("the connection was closed before the answer came")
        answers = self._decoder.feed(self._some(self._socket, deadline))
        if not answers and self._decoder.failure is not None:
            raise ConnectionError(str(self._decoder.failure))
        return answers[0] if answers else None

    def _connect(self) -> socket.socket:
        connected = socket.create_connection((self._host, self._port), self._timeout)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connected
        if self._tls is not None:
            self._socket = connected = self._tls.wrap_socket(connected, server_hostname=self._host)
        return connected

    @staticmethod
    def _some(connected: socket.socket, deadline: float | None) -> bytes:
        if deadline is not None:
            connected.settimeout(max(deadline - time.monotonic(), 0.001))
        data = connected.recv(_CHUNK)
        if not data:
            raise ConnectionResetError("the receiver closed the connection without an answer")
        return data


def send_side_by_side(
    clients: Sequence[BlockingMllpClient], rows: Sequence[Sequence[bytes]], timeout: float = 30.0
) -> Iterator[Acknowledgement]:
    """Send each client's row of messages in order, all clients at once on this thread; yield the answers.

    A message whose answer does not come is sent again as often as `BlockingMllpClient.send` would; the other
    clients wait meanwhile.

    Parameters
    ----------
    clients, rows : as many rows as clients
    timeout : seconds without any answer, after which all that are awaited are given up and sent again

    Raises
    ------
    Unanswered
        If no answer came to a message, or none that can be read.
    ValueError
        If a message holds a byte of the frame, or a client is given twice.
    """
    if len(set(map(id, clients))) < len(clients):
        raise ValueError("a client has one message in flight: give each row a client of its own")
    with selectors.DefaultSelector() as selector:
        try:
            for client, row in zip(clients, rows, strict=True):
                yield from _Lane(client, deque(row), selector).begin()
            while awaited := selector.get_map():
                ready = [key.data for key, _ in selector.select(timeout)]
                for lane in ready:
                    yield from lane.go_on()
                if not ready:
                    for lane in [key.data for key in awaited.values()]:
                        yield from lane.begin_again(TimeoutError())
        finally:
            for key in list(selector.get_map().values()):  # else its answer would be taken for another's
                key.data.client.close()


@dataclass(slots=True)
class _Lane:
    """A client and the messages that it has still to send, the first of them in flight."""

    client: BlockingMllpClient
    messages: deque[bytes]
    selector: selectors.BaseSelector
    awaited: socket.socket | None = None

    def begin(self) -> Iterator[Acknowledgement]:
        """Post the first message; yield the answer to one that had to be sent again."""
        while self.messages:
            try:
                connected = self.client.post(self.messages[0])
            except OSError as error:
                yield self._sent_again(error)
                continue
            if self.awaited is None:
                self.selector.register(connected, selectors.EVENT_READ, self)
                self.awaited = connected
            return
        self._leave()

    def go_on(self) -> Iterator[Acknowledgement]:
        """Take what has come; once the answer is whole, yield it and post the next message."""
        try:
            answer = self.client.collect(self.messages[0])
        except OSError as error:
            yield from self.begin_again(error)
            return
        if answer is not None:
            self.messages.popleft()
            yield answer
            yield from self.begin()

    def begin_again(self, error: OSError) -> Iterator[Acknowledgement]:
        """Send the first message on a new connection and yield its answer, then post the next one."""
        yield self._sent_again(error)
        yield from self.begin()

    def _sent_again(self, error: OSError) -> Acknowledgement:
        self._leave()
        answer = self.client.send_again(self.messages[0], error)
        self.messages.popleft()
        return answer

    def _leave(self) -> None:
        if self.awaited is not None:
            self.selector.unregister(self.awaited)
            self.awaited = None
