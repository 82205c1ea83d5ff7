"""What the hub and the process that receives say to each other, and the line that it goes over."""

from __future__ import annotations

import asyncio
import pickle
import select
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from broadstreet.app.settings import Settings
from broadstreet.store.inbox import Receipt, Receive

_LENGTH = 4


@dataclass(frozen=True)
class Begin:
    """The hub tells the process what it needs: the key of the store's index, and what its clock says.

    `barred` holds the SHA-256 of each message that is not to be read, `put_off` the seconds for which an
    address may not connect.
    """

    settings: Settings
    index_key: bytes
    now: datetime
    barred: frozenset[bytes] = frozenset()
    put_off: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Here:
    """The process takes messages from now on."""


@dataclass(frozen=True)
class Works:
    """The process hands in what it has read, each under a number of its own."""

    works: Sequence[tuple[int, Receive]]


@dataclass(frozen=True)
class Outcomes:
    """The hub tells what became of works: it is durable; `now` is what its clock says."""

    now: datetime
    outcomes: Sequence[tuple[int, Receipt | Exception]]


@dataclass(frozen=True)
class Tell:
    """The hub asks how the process is."""

    number: int


@dataclass(frozen=True)
class Told:
    """The process tells how it is: acknowledgements by code, what happened by reason, open connections."""

    number: int
    answered: Mapping[str, int] = field(default_factory=dict)
    counted: Mapping[str, int] = field(default_factory=dict)
    connections: int = 0


@dataclass(frozen=True)
class End:
    """The hub wants the process to answer what has come within `grace` seconds, and to end."""

    grace: float


class Line(asyncio.Protocol):
    """One end of the line: what is said at one end is taken at the other, whole and in order.

    Parameters
    ----------
    take
        Is given what has come.
    ended
        Is called once the other end has gone.
    at_once
        The socket of this end where what is said is to leave before the loop's turn has ended; whoever speaks
        waits until the other end has room.
    """

    def __init__(
        self, take: Callable[[Any], None], ended: Callable[[], None], at_once: socket.socket | None = None
    ) -> None:
        self._take, self._ended, self._at_once = take, ended, at_once
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take what is whole."""
        buffer = self._buffer
        buffer += data
        at = 0
        while (begins := at + _LENGTH) <= len(buffer):
            ends = begins + int.from_bytes(buffer[at:begins], "big")
            if ends > len(buffer):
                break
            self._take(pickle.loads(bytes(buffer[begins:ends])))  # noqa: S301 - a process of ours
            at = ends
        del buffer[:at]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """End."""
        self._transport = None
        self._ended()

    def say(self, what: Any) -> None:
        """Let the other end take something; it is lost if that has gone."""
        if self._transport is None:
            return
        said = pickle.dumps(what, pickle.HIGHEST_PROTOCOL)
        framed = len(said).to_bytes(_LENGTH, "big") + said
        if self._at_once is None:
            self._transport.write(framed)
        else:
            _send(self._at_once, framed)

    def close(self) -> None:
        """Say nothing more; what was said still arrives."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End at once, at both ends."""
        if self._transport is not None:
            self._transport.abort()


def _send(line: socket.socket, data: bytes) -> None:
    left, room = memoryview(data), select.poll()
    room.register(line, select.POLLOUT)
    while left:
        try:
            left = left[line.send(left) :]
        except BlockingIOError:
            room.poll()
        except (BrokenPipeError, ConnectionResetError):  # the other end has gone: seen where it is read
            return
