"""The MLLP server: hundreds of senders, each bounded in size, time and number."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Coroutine

from broadstreet.connectors.hl7v2.connection import Connection, Handler, Peer, Refuse, ServerLimits

_log = logging.getLogger(__name__)
_BACKLOG = 1_024
PUT_OFF = "put off for some time"
_SWEEPS = 4  # in the shortest time limit


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; whoever connects waits until a server takes it on.

    Raises
    ------
    OSError
        If the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


class MllpServer:
    """Give each message to a handler and send its answer back.

    The messages of one connection are answered in order. If the handler raises, the connection closes
    without an answer: the sender keeps the message and sends it again.

    Parameters
    ----------
    handler : given a whole message and its sender, returns the acknowledgement's bytes
    host, port : where to listen; port 0 takes a free one, see `port`
    limits : what senders can take
    tls : the server's side of TLS, see `broadstreet.connectors.hl7v2.tls.server_tls`
    refuse : given the first bytes of a message that is too long and the problem, returns the answer's bytes;
        without it the connection closes without an answer
    refuses : says of an address why it may not connect at all; empty if it may
    listener : a socket that listens already, see `listening`, instead of `host` and `port`

    Attributes
    ----------
    counted : what happened, by reason: answered, tolerated in frames, dropped, refused
    held : bytes of half messages over all connections
    """

    def __init__(
        self,
        handler: Handler,
        host: str,
        port: int,
        limits: ServerLimits | None = None,
        tls: ssl.SSLContext | None = None,
        *,
        refuse: Refuse | None = None,
        refuses: Callable[[str], str] = lambda _: "",
        listener: socket.socket | None = None,
    ) -> None:
        self.handler = handler
        self.refuse = refuse
        self.limits = limits or ServerLimits()
        self.counted: Counter[str] = Counter()
        self.held = 0
        self._refuses = refuses
        self._host = host
        self._port = port
        self._tls = tls
        self._listener = listener
        self._connections: set[Connection] = set()
        self._each: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()

    @property
    def port(self) -> int:
        """Return the port that the server listens on."""
        return self._listener.getsockname()[1] if self._listener else self._port

    @property
    def connections(self) -> int:
        """Return the number of connections."""
        return len(self._connections)

    async def start(self) -> None:
        """Listen.

        Raises
        ------
        OSError
            If the address cannot be listened on.
        """
        if self._listener is None:
            self._listener = listening(self._host, self._port)
        self._listener.setblocking(False)
        self._run(self._accept_all(self._listener))
        self._run(self._sweep())

    async def stop(self, grace: float = 10.0) -> None:
        """Accept no more; answer what has come within `grace` seconds, then close."""
        for task in list(self._tasks):
            task.cancel()
        if self._listener is not None:
            self._listener.close()
        for connection in list(self._connections):
            connection.finish()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._emptied(), grace)
        for connection in list(self._connections):
            connection.cancel()
        await self._emptied()

    async def __aenter__(self) -> MllpServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def forget(self, connection: Connection) -> None:
        """Take note that the connection is gone."""
        if connection in self._connections:
            self._connections.remove(connection)
            self._each[connection.peer.address] -= 1
            if not self._each[connection.peer.address]:
                del self._each[connection.peer.address]
        if not self._connections:
            self._empty.set()

    async def _emptied(self) -> None:
        while self._connections:
            self._empty.clear()
            await self._empty.wait()

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept_all(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, address = await loop.sock_accept(listener)
            except OSError as error:  # such as: no file descriptor is free
                _log.warning("cannot accept: %s", error.strerror)
                await asyncio.sleep(0.1)
                continue
            reason = self._full(address[0])
            if reason:
                if reason != PUT_OFF:  # whoever put it off has told
                    _log.warning("%s:%s: refused: %s", address[0], address[1], reason)
                self.counted[reason] += 1
                accepted.close()
                continue
            connection = Connection(self, Peer(address[0], address[1]))
            self._connections.add(connection)
            self._each[address[0]] += 1
            self._run(self._open(connection, accepted))

    def _full(self, address: str) -> str:
        if reason := self._refuses(address):
            return reason
        if len(self._connections) >= self.limits.connections:
            return "too many connections"
        return (
            "too many connections of one address"
            if self._each[address] >= self.limits.connections_each
            else ""
        )

    async def _open(self, connection: Connection, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=self._tls,
                ssl_handshake_timeout=self.limits.handshake if self._tls else None,
            )
        except OSError as error:  # ssl.SSLError and TimeoutError are OSErrors
            _log.warning("%s: refused: %s", connection.peer, error)
            self.counted["TLS refused"] += 1
            self.forget(connection)
            accepted.close()
        except asyncio.CancelledError:
            self.forget(connection)
            accepted.close()
            raise

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        limits = self.limits
        times = (limits.idle, limits.message, limits.answer, limits.fs_alone, limits.linger)
        while True:
            await asyncio.sleep(min(times) / _SWEEPS)
            now = loop.time()
            for connection in list(self._connections):
                if connection.deadline < now:
                    connection.expire()
