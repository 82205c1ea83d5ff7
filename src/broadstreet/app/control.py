"""The control socket: one JSON object a line, answered by one JSON object a line.

It lies in the data folder and only its owner may open it; there is no other way in.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from broadstreet.app import requests
from broadstreet.model.failures import frames_of, traced
from broadstreet.store.protocol import StoreError

LONGEST_LINE = 96 * 2**20
"""In bytes: a mended message of the greatest size, in base64."""
LONGEST_PATH = 107
"""In bytes: what a socket's address holds on Linux (unix(7), sun_path)."""
MOST_CONNECTIONS = 32

_log = logging.getLogger(__name__)


class ControlError(Exception):
    """The hub could not do what was asked; the text is its own."""


class ControlServer:
    """Takes requests at a socket and hands each to `answer` on a thread.

    Parameters
    ----------
    path
        Where the socket is made; an old one is replaced, since the caller holds the store's lease.
    answer
        Does what is asked; its exceptions are told to whoever asked.
    """

    def __init__(self, path: Path, answer: Callable[[requests.Request], Any]) -> None:
        self._path, self._answer = path, answer
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to listen.

        Raises
        ------
        OSError
            If the socket cannot be made.
        """
        listening = _bound(self._path)
        self._server = await asyncio.start_unix_server(self._serve, sock=listening, limit=LONGEST_LINE)

    async def stop(self) -> None:
        """Listen no more; what was asked is answered first."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            if len(self._open) > MOST_CONNECTIONS:
                writer.write(_error(f"more than {MOST_CONNECTIONS} connections to the control socket"))
            else:
                await self._converse(reader, writer)
            await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                line = await reader.readline()
            except ValueError:
                writer.write(_error(f"expected a line of at most {LONGEST_LINE} bytes"))
                return
            if not line:
                return
            # An answer that has begun is finished even while the hub stops.
            writer.write(await asyncio.shield(asyncio.to_thread(self._answered, line)))
            await writer.drain()

    def _answered(self, line: bytes) -> bytes:
        try:
            return requests.encode(self._answer(requests.decode(line)))
        except (ValueError, StoreError, OSError) as error:
            return _error(str(error))
        except Exception as error:
            _log.error(
                "a request over the control socket failed: %s", traced(error),
                extra={"trace": frames_of(error)},
            )  # fmt: skip
            return _error(f"the hub failed ({type(error).__name__}); its log says more")


class ControlClient:
    """Asks a hub, one request after the other.

    Raises
    ------
    NoHub
        If no hub listens at the path.
    """

    def __init__(self, path: Path, timeout: float | None = None) -> None:
        require_short(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise NoHub(f"no hub listens at {path}: start one with `broadstreet serve`") from error
        self._lines = self._socket.makefile("rb")

    def ask(self, request: requests.Request) -> dict[str, Any]:
        """Send a request and return the answer.

        Raises
        ------
        ControlError
            If the hub says that it cannot, or goes away.
        """
        try:
            self._socket.sendall(requests.encode(request))
            line = self._lines.readline()
        except OSError as error:
            raise ControlError(f"the hub went away before it answered: {error}") from error
        if not line:
            raise ControlError("the hub went away before it answered; its log says why")
        answer: dict[str, Any] = msgspec.json.decode(line)
        if "error" in answer:
            raise ControlError(answer["error"])
        return answer

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class NoHub(ControlError):
    """No hub listens."""


def require_short(path: Path) -> None:
    """Refuse a path that a socket's address cannot hold.

    Raises
    ------
    ControlError
        If it is too long.
    """
    length = len(os.fsencode(path))
    if length > LONGEST_PATH:
        raise ControlError(
            f"socket: expected a path of at most {LONGEST_PATH} bytes, got {length} ({path}); set `socket`"
            " to a shorter one"
        )


def _bound(path: Path) -> socket.socket:
    require_short(path)
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)  # never, not even for a moment, open to others
    try:
        listening.bind(str(path))
    except OSError:
        listening.close()
        raise
    finally:
        os.umask(before)
    return listening


def _error(text: str) -> bytes:
    return requests.encode({"error": text})
