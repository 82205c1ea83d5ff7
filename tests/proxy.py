"""A line to a PostgreSQL server that breaks in the middle of a COMMIT, in the way a test asks for."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Literal

SOCKET = ".s.PGSQL.5432"
COMMIT = b"COMMIT\0"

Break = Literal["before", "after", "silent"]
"""Where the line breaks: before the server has the COMMIT, after it has done it and before we are told, or
before it has it and without the server noticing, whose session then lives on."""


class Proxy:
    """Listens in a folder, and passes on what comes to the server that listens in another."""

    def __init__(self, folder: Path, server: Path) -> None:
        folder.mkdir()
        self._server = str(server / SOCKET)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / SOCKET))
        self._listener.listen()
        self._left: list[socket.socket] = []
        self.next_break: Break | None = None
        self.breaks = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections, and end the sessions that were left behind."""
        self._listener.close()
        for each in self._left:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            line = _Line(self, client, server)
            threading.Thread(target=line.forth, daemon=True).start()
            threading.Thread(target=line.back, daemon=True).start()

    def leave(self, server: socket.socket) -> None:
        """Keep the server's end open."""
        self._left.append(server)


class _Line:
    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self.proxy, self.client, self.server = proxy, client, server
        self.swallows = False

    def forth(self) -> None:
        with suppress(OSError):
            while data := self.client.recv(65_536):
                where = self.proxy.next_break
                if where is not None and COMMIT in data:
                    self.proxy.next_break, self.proxy.breaks = None, self.proxy.breaks + 1
                    if where == "silent":
                        self.proxy.leave(self.server.dup())
                    if where != "after":
                        break
                    self.swallows = True
                self.server.sendall(data)
        self._end()

    def back(self) -> None:
        with suppress(OSError):
            while (data := self.server.recv(65_536)) and not self.swallows:
                self.client.sendall(data)
        self._end()

    def _end(self) -> None:
        for each in (self.client, self.server):
            with suppress(OSError):
                if each is self.client or not self.proxy._left:
                    each.shutdown(socket.SHUT_RDWR)
            each.close()
