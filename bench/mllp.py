"""The hub as a sender sees it: parse, map, make durable, answer AA; one message in flight a connection.

The hub is a process of its own, with every follower at work. The load comes from another process, and
its messages from the simulated clinics, in the order in which each patient's were sent.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
import zlib
from collections import Counter
from functools import partial
from pathlib import Path
from typing import cast

import uvloop

from bench.results import keep
from broadstreet.app import requests
from broadstreet.app.process import HubProcess
from broadstreet.app.settings import Mllp, Settings
from broadstreet.simulation import Exercise

START, END = b"\x0b", b"\x1c\r"
LOADS = ((64, 20_000), (8, 5_000))
"""Connections and messages of each measurement."""


def corpus(messages: int, seed: int) -> list[bytes]:
    """Return the first messages of a simulated city, in the order of their sending."""
    city = Exercise(seed, days=200, clinics=20)
    clinics = [city.clinic(number) for number in range(20)]
    made: list[bytes] = []
    day = 0
    while len(made) < messages:
        timed = sorted((t for clinic in clinics for t in clinic.messages(day)), key=lambda t: t.send_at)
        made += [t.message for t in timed]
        day += 1
    return made[:messages]


def shares(messages: list[bytes]) -> dict[str, str]:
    """Return what the messages are, in per cent by type, and their mean size."""
    kinds = Counter(message.split(b"|", 9)[8].decode().rsplit("^", 1)[0] for message in messages)
    told = {kind: f"{100 * n / len(messages):.1f} %" for kind, n in kinds.most_common()}
    return told | {"mean size": f"{statistics.mean(map(len, messages)):.0f} bytes"}


async def _drive(port: int, messages: list[bytes], connections: int) -> tuple[float, list[float]]:
    lanes: list[list[bytes]] = [[] for _ in range(connections)]
    for message in messages:  # one patient's messages stay in order, on one connection
        lanes[zlib.crc32(_patient(message)) % connections].append(START + message + END)
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(partial(_Lane, lane), "127.0.0.1", port) for lane in lanes]
    begin = time.perf_counter()
    for _, lane in opened:
        lane.send()
    await asyncio.gather(*(lane.done for _, lane in opened))
    return time.perf_counter() - begin, [each for _, lane in opened for each in lane.times]


class _Lane(asyncio.Protocol):
    """A connection with one message in flight; it takes as little of the machine as it can."""

    def __init__(self, messages: list[bytes]) -> None:
        self._waiting = messages[::-1]
        self._received = b""
        self._sent = 0.0
        self.times: list[float] = []
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by descent

    def send(self) -> None:
        """Send the next message; after the last, close."""
        if not self._waiting:
            self._transport.close()
            self.done.set_result(None)
            return
        self._sent = time.perf_counter()
        self._transport.write(self._waiting.pop())

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._received.endswith(END):
            return
        self.times.append(time.perf_counter() - self._sent)
        answer, self._received = self._received, b""
        if b"\rMSA|AA|" in answer:
            self.send()
        else:
            self.done.set_exception(RuntimeError(f"not accepted: {answer!r}"))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or RuntimeError("the hub closed the connection"))


def _patient(message: bytes) -> bytes:
    segment = next((s for s in message.split(b"\r") if s.startswith((b"MRG", b"PID"))), b"")
    return segment.split(b"|", 4)[3].split(b"^")[0] if segment.startswith(b"PID") else segment


def _load(port: int, messages: list[bytes], connections: int) -> tuple[float, list[float]]:
    return uvloop.run(_drive(port, messages, connections))


def measure(messages: list[bytes], connections: int) -> dict[str, float]:
    """Return rate and latencies of one load on a new, empty hub."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=folder, mllp=Mllp(port=0))
        with HubProcess(settings) as hub, multiprocessing.get_context("spawn").Pool(1) as pool:
            seconds, times = pool.apply(_load, (hub.address()[1], messages, connections))
            behind = time.perf_counter()
            hub.control.ask(requests.Settle())
            caught_up = time.perf_counter() - behind
    times.sort()
    return {
        "connections": connections,
        "messages": len(times),
        "messages/s": round(len(times) / seconds, 1),
        "p50 ms": round(times[len(times) // 2] * 1e3, 2),
        "p99 ms": round(times[int(len(times) * 0.99)] * 1e3, 2),
        "max ms": round(times[-1] * 1e3, 2),
        "followers behind at the end, s": round(caught_up, 2),
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure each load several times; print and keep the medians with their spread."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1854)
    parser.add_argument("--keep", action="store_true", help="write bench/results/mllp.json")
    options = parser.parse_args(arguments or [])
    figures: dict[str, object] = {}
    for connections, count in LOADS:
        messages = corpus(count, options.seed)
        rounds = [measure(messages, connections) for _ in range(options.rounds)]
        rates = sorted(each["messages/s"] for each in rounds)
        median = sorted(rounds, key=lambda each: each["messages/s"])[len(rounds) // 2]
        slowest = sorted(each["p99 ms"] for each in rounds)
        figures[f"{connections} connections"] = {
            "median round": median,
            "messages/s of each round": rates,
            "p99 ms of each round": slowest,
        }
        print(f"{connections} connections: {median}  rounds: {rates}, p99 {slowest}", flush=True)
    figures["corpus"] = shares(messages)
    print(figures["corpus"])
    if options.keep:
        keep("mllp", figures, Path(tempfile.gettempdir()))


if __name__ == "__main__":
    main(sys.argv[1:])
