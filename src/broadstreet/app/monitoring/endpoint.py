"""A small HTTP endpoint for machines: GET and HEAD of a few paths, and nothing else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from broadstreet.model.failures import frames_of, traced

MOST_CONNECTIONS = 32
LONGEST_HEAD = 16 * 1024
"""In bytes: of a request's line and headers."""
PATIENCE = 5.0
"""Seconds that a client may take to ask, and to read the answer."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    status: HTTPStatus
    content_type: str
    body: bytes


Page = Callable[[], Awaitable[Answer]]


class Endpoint:
    """Answers at an address; one request a connection.

    Parameters
    ----------
    host, port
        Where to listen; port 0 takes a free one, see `port`.
    pages
        What is answered to each path.
    """

    def __init__(self, host: str, port: int, pages: Mapping[str, Page]) -> None:
        self._host, self._port, self._pages = host, port, dict(pages)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        sockets = self._server.sockets if self._server else ()
        return int(sockets[0].getsockname()[1]) if sockets else self._port

    @property
    def address(self) -> str:
        """Host and port, as in a URL."""
        return f"[{self._host}]:{self.port}" if ":" in self._host else f"{self._host}:{self.port}"

    async def start(self) -> None:
        """Begin to listen.

        Raises
        ------
        OSError
            If the address is taken.
        """
        self._server = await asyncio.start_server(self._serve, self._host, self._port, limit=LONGEST_HEAD)

    async def stop(self) -> None:
        """Listen no more; whoever is being answered is cut off."""
        if self._server is not None:
            self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            if len(self._open) <= MOST_CONNECTIONS:
                await asyncio.wait_for(self._converse(reader, writer), 2 * PATIENCE)
        except (ConnectionError, TimeoutError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        except asyncio.LimitOverrunError:
            answer = _plain(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            writer.write(_written(answer, with_body=True))
        except asyncio.IncompleteReadError:
            return
        else:
            method, answer = await self._answered(head)
            writer.write(_written(answer, with_body=method != "HEAD"))
        await writer.drain()

    async def _answered(self, head: bytes) -> tuple[str, Answer]:
        words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            return "", _plain(HTTPStatus.BAD_REQUEST)
        method, path = words[0], words[1].partition("?")[0]
        if path not in self._pages:
            return method, _plain(HTTPStatus.NOT_FOUND, f"there are {', '.join(sorted(self._pages))}")
        if method not in ("GET", "HEAD"):
            return method, _plain(HTTPStatus.METHOD_NOT_ALLOWED, "GET and HEAD are taken")
        try:
            return method, await self._pages[path]()
        except Exception as error:
            _log.error("%s could not be answered: %s", path, traced(error), extra={"trace": frames_of(error)})
            return method, _plain(HTTPStatus.INTERNAL_SERVER_ERROR, "the hub's log says more")


def _plain(status: HTTPStatus, more: str = "") -> Answer:
    text = f"{status.phrase}: {more}\n" if more else f"{status.phrase}\n"
    return Answer(status, "text/plain; charset=utf-8", text.encode())


def _written(answer: Answer, *, with_body: bool) -> bytes:
    head = [
        f"HTTP/1.1 {answer.status.value} {answer.status.phrase}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
        *(["Allow: GET, HEAD"] if answer.status is HTTPStatus.METHOD_NOT_ALLOWED else []),
    ]
    return "\r\n".join([*head, "", ""]).encode() + (answer.body if with_body else b"")
