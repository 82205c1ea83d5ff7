"""Messages and streams that no sender should send: refused or read, with bounded memory."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import textwrap
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from broadstreet.connectors.hl7v2.acknowledge import Code, acknowledge
from broadstreet.connectors.hl7v2.connection import Peer, ServerLimits
from broadstreet.connectors.hl7v2.message import Limits, Message
from broadstreet.connectors.hl7v2.mllp import FrameDecoder, FrameLimits
from broadstreet.connectors.hl7v2.problems import Malformed
from broadstreet.connectors.hl7v2.server import MllpServer

MSH = b"MSH|^~\\&|EHR|CLINIC|HUB|CITY|20261120||ADT^A04|7|P|2.5.1\r"
MEGABYTE = 2**20


@contextmanager
def at_most(megabytes: float) -> Iterator[None]:
    """Fail if the block's allocations ever exceed the megabytes."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < megabytes * MEGABYTE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "data",
    [
        MSH + b"OBX|1\r" * 1_000_000,
        MSH + b"\r" * 4_000_000,
        MSH + b"\n" * 4_000_000,
        MSH + b"x\n" * 2_000_000,
        MSH + b"PID" + b"x" * 10_000_000,
        MSH.replace(b"\r", b"") + b"|x" * 3_000_000,
    ],
    ids=["segments", "CR", "LF", "lines", "bytes", "fields"],
)
def test_a_message_over_a_limit_is_refused_before_it_is_split(data: bytes) -> None:
    with at_most(1), pytest.raises(Malformed):
        Message.parse(data)


@pytest.mark.parametrize(
    "sign", [b"|", b"^", b"~", b"&", b"\\", b"\\X41\\", b"\\.sp99\\", b"\\C2842\\", b'""', b"^~&\\"]
)
def test_millions_of_delimiters_within_the_size_limit_are_read_in_bounded_memory(sign: bytes) -> None:
    data = MSH + b"PID|1||" + sign * (Limits().size // len(sign) // 2) + b"\r"
    with at_most(250):
        message = Message.parse(data)
        pid = message.first("PID")
        assert pid is not None
        try:
            assert pid.value("3.4.2") in {None, ""}
            assert isinstance(pid.text(3), str | None)
        except Malformed as error:
            assert sign == b"|", error  # noqa: PT017


def test_random_bytes_are_refused_or_read() -> None:
    chance = random.Random(1854)
    refused = 0
    for size in range(0, 4_000, 7):
        try:
            Message.parse(MSH + chance.randbytes(size) if size % 2 else chance.randbytes(size))
        except Malformed:
            refused += 1
    assert refused > 250


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-32", "cp500"])
def test_a_message_in_an_encoding_that_mllp_cannot_carry_is_refused(codec: str) -> None:
    with pytest.raises(Malformed, match=r"must start with MSH|MSH-1"):
        Message.parse(MSH.decode().encode(codec))


async def test_endless_and_half_messages_leave_the_server_with_bounded_memory() -> None:
    async def accept(message: bytes, peer: Peer) -> bytes:  # noqa: ARG001
        return acknowledge(message, Code.ACCEPT, now=datetime(2026, 11, 20, tzinfo=UTC), control_id="1")

    limits = ServerLimits(frame=FrameLimits(message=MEGABYTE), memory=8 * MEGABYTE, linger=0.2)

    async def endless(port: int, start: bytes) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for _ in range(100):
                writer.write(start + b"x" * 100_000)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with MllpServer(accept, "127.0.0.1", 0, limits) as server:
        with at_most(40):
            await asyncio.gather(*(endless(server.port, start) for start in [b"\x0b", b"", b"\x0bMSH"] * 10))
            while server.connections:
                await asyncio.sleep(0.01)
        assert server.held == 0
        assert server.counted["answered"] == 0


def test_a_stream_of_tiny_frames_is_read_in_a_steady_pace() -> None:
    decoder = FrameDecoder()
    count = 0
    with at_most(100):
        for _ in range(10):
            count += len(decoder.feed(b"\x0bM\x1c\r" * 6_000))
    assert count == 60_000


def test_a_process_that_reads_hostile_messages_stays_small() -> None:
    program = textwrap.dedent(
        r"""
        import resource
        from broadstreet.connectors.hl7v2.message import Message
        from broadstreet.connectors.hl7v2.problems import Malformed
        head = b"MSH|^~\\&|A|B|C|D|||ADT^A04|7|P|2.5.1\r"
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for n in range(300):
            try:
                message = Message.parse(head + b"OBX|1|^~&\\" * (n * 1_000) + b"\r" * (n % 3))
                for segment in message.segments:
                    segment.value("2.2")
            except Malformed:
                pass
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
        """
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(result.stdout) < 150  # MiB
