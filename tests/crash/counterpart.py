"""A counterpart of the outbox: a server that has effects, in a process of its own, and its client.

`python -m tests.crash.counterpart` prints its port and serves until its standard input ends. Each
request and each answer is one line of JSON. A payload is a list of what happens to its first,
second ... attempt: `ok`, `refuse`, `lost` (the line breaks before the effect), `silent` (the line
breaks after it) or `hang` (no answer at all); after the last word all is `ok`.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen
from typing import Any

from broadstreet.store.outbox import Answer, Counterpart


class Ledger:
    """What happened at the counterpart."""

    def __init__(self, honours_keys: bool) -> None:
        self.honours_keys = honours_keys
        self.tries: Counter[str] = Counter()
        self.effects: Counter[str] = Counter()

    def have_effect(self, key: str) -> None:
        if not (self.honours_keys and self.effects[key]):
            self.effects[key] += 1

    async def send(self, key: str, payload: str) -> dict[str, Any] | None:
        script = payload.split()
        self.tries[key] += 1
        word = script[self.tries[key] - 1] if self.tries[key] <= len(script) else "ok"
        if word == "refuse":
            return {"outcome": "refused", "text": "not wanted"}
        if word != "lost":
            self.have_effect(key)
        if word == "hang":
            await asyncio.sleep(3600)
        return None if word in ("lost", "silent") else {"outcome": "confirmed", "text": ""}

    async def answer(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        if asked["ask"] == "send":
            return await self.send(asked["key"], asked["payload"])
        if asked["ask"] == "query":
            return {"outcome": "confirmed" if self.effects[asked["key"]] else "refused", "text": ""}
        if asked["ask"] == "forget":
            self.tries.clear()
            self.effects.clear()
        return {"effects": +self.effects, "tries": self.tries}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            answer = await self.answer(json.loads(line))
            if answer is None:
                break
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()


class OverTcp(Counterpart):
    """The client's side: a new connection for each request."""

    def __init__(self, port: int, *, honours_keys: bool, can_be_asked: bool = True) -> None:
        self.port, self.honours_keys, self.can_be_asked = port, honours_keys, can_be_asked

    async def send(self, key: str, payload: str) -> Answer:
        return Answer(**await self._ask(ask="send", key=key, payload=payload))

    async def query(self, key: str) -> Answer:
        if not self.can_be_asked:
            raise NotImplementedError
        return Answer(**await self._ask(ask="query", key=key))

    async def _ask(self, **request: str) -> dict[str, str]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            await writer.drain()
            answer: dict[str, str] = json.loads(await reader.readline() or b"null")
            if answer is None:
                raise ConnectionResetError("the line broke")
            return answer
        finally:
            writer.close()


@contextmanager
def running(*, honours_keys: bool) -> Iterator[int]:
    """Run a counterpart in its own process; give its port."""
    command = [sys.executable, "-m", "tests.crash.counterpart", *(["honours-keys"] if honours_keys else [])]
    with Popen(command, stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def effects(port: int) -> dict[str, int]:
    """Return how often each key had its effect."""
    return _told(port, "effects")


def forget(port: int) -> None:
    """Let it be as if nothing had been sent yet."""
    _told(port, "forget")


def _told(port: int, what: str) -> dict[str, int]:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line, line.makefile("rw") as text:
        text.write(f'{{"ask": "{what}"}}\n')
        text.flush()
        found: dict[str, int] = json.loads(text.readline())["effects"]
        return found


async def main(honours_keys: bool) -> None:
    server = await asyncio.start_server(Ledger(honours_keys).serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    sys.stdout.close()


if __name__ == "__main__":
    asyncio.run(main("honours-keys" in sys.argv))
