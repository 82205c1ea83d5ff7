from __future__ import annotations

import asyncio
import logging
import resource
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from broadstreet.connectors.hl7v2.acknowledge import Acknowledgement, Code, acknowledge
from broadstreet.connectors.hl7v2.client import MllpClient, Retry, Unanswered
from broadstreet.connectors.hl7v2.connection import Peer, ServerLimits
from broadstreet.connectors.hl7v2.mllp import FrameDecoder, FrameLimits, frame
from broadstreet.connectors.hl7v2.problems import ErrorCode, Problem
from broadstreet.connectors.hl7v2.server import MllpServer

NOW = datetime(2026, 11, 20, tzinfo=UTC)
ONCE = Retry(attempts=1)


def admission(control_id: str) -> bytes:
    return f"MSH|^~\\&|EHR|CLINIC|HUB|CITY|20261120||ADT^A04|{control_id}|P|2.5.1\rPID|1||42\r".encode()


async def accept(message: bytes, peer: Peer) -> bytes:  # noqa: ARG001
    return acknowledge(message, Code.ACCEPT, now=NOW, control_id="1")


def refuse(start: bytes, problem: Problem) -> bytes:
    return acknowledge(start, Code.REJECT, now=NOW, control_id="1", problems=[problem])


@asynccontextmanager
async def listening(
    handler: Callable[[bytes, Peer], Awaitable[bytes]] = accept, **settings: object
) -> AsyncIterator[MllpServer]:
    limits = ServerLimits(**settings)  # type: ignore[arg-type]
    async with MllpServer(handler, "127.0.0.1", 0, limits, refuse=refuse) as server:
        yield server


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process open as many files as the system grants."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4_096 if hard == resource.RLIM_INFINITY else min(hard, 4_096)
    if wanted < 1_200:
        pytest.skip(f"1,200 open files are needed (the system grants {wanted})")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Sender:
    """A sender that writes any bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.decoder = FrameDecoder()
        self.answers: list[bytes] = []

    async def answer(self) -> Acknowledgement | None:
        """Return the next answer, None if the connection closes without one."""
        while not self.answers:
            try:
                data = await self.reader.read(65_536)
            except ConnectionError:
                return None
            if not data:
                return None
            self.answers += self.decoder.feed(data)
        return Acknowledgement.parse(self.answers.pop(0))

    def reset(self) -> None:
        """Leave without a word: the receiver sees a reset connection."""
        opened = self.writer.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def control_id(self) -> str | None:
        answer = await self.answer()
        return answer.control_id if answer else None


@asynccontextmanager
async def connected(server: MllpServer) -> AsyncIterator[Sender]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield Sender(reader, writer)
    finally:
        writer.close()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


async def test_a_message_is_answered_over_a_kept_connection() -> None:
    async with listening() as server, MllpClient("127.0.0.1", server.port) as client:
        for control_id in ("1", "2", "3"):
            answer = await client.send(admission(control_id))
            assert (answer.code, answer.control_id) == (Code.ACCEPT, control_id)
        assert server.connections == 1
        assert server.counted["answered"] == 3


async def test_pipelined_messages_are_answered_in_order_and_a_bounded_number_is_read() -> None:
    handled: list[bytes] = []
    gate = asyncio.Event()

    async def slowly(message: bytes, peer: Peer) -> bytes:
        handled.append(message)
        await gate.wait()
        return await accept(message, peer)

    async with listening(slowly, in_flight=4) as server, connected(server) as sender:
        for n in range(300):
            sender.writer.write(frame(admission(str(n))))
        await until(lambda: bool(handled))
        assert len(handled) == 1
        gate.set()
        assert [await sender.control_id() for _ in range(300)] == [str(n) for n in range(300)]


async def test_a_message_comes_in_any_chunks() -> None:
    async with listening() as server, connected(server) as sender:
        for byte in frame(admission("7")):
            sender.writer.write(bytes([byte]))
            await sender.writer.drain()
        assert await sender.control_id() == "7"


async def test_a_frame_without_its_cr_is_answered_after_a_while() -> None:
    async with listening(fs_alone=0.05) as server, connected(server) as sender:
        sender.writer.write(frame(admission("7"))[:-1])
        assert await sender.control_id() == "7"
        sender.writer.write(b"noise" + frame(admission("8")))
        assert await sender.control_id() == "8"
        assert server.counted["frame ended by FS alone"] == 1
        assert server.counted["bytes outside frames"] == 5


async def test_a_sender_that_closes_its_side_is_answered_first() -> None:
    async with listening() as server, connected(server) as sender:
        sender.writer.write(frame(admission("1")) + frame(admission("2"))[:-1])
        sender.writer.write_eof()
        assert [await sender.control_id() for _ in range(3)] == ["1", "2", None]
        await until(lambda: server.connections == 0)


async def test_a_message_that_is_too_long_is_rejected_and_the_connection_closes() -> None:
    async with (
        listening(frame=FrameLimits(message=10_000), linger=0.2) as server,
        connected(server) as sender,
    ):
        sender.writer.write(frame(admission("1")) + b"\x0b" + admission("2") + b"OBX|" + b"x" * 3_000_000)
        assert await sender.control_id() == "1"
        answer = await sender.answer()
        assert answer is not None
        assert (answer.code, answer.control_id) == (Code.REJECT, "2")
        assert answer.problems[0].code is ErrorCode.VALUE_TOO_LONG
        assert await sender.answer() is None
        await until(lambda: server.connections == 0)
        assert server.counted["MessageTooLong"] == 1


async def test_another_protocol_is_cut_off() -> None:
    async with listening(frame=FrameLimits(garbage=20), linger=0.1) as server, connected(server) as sender:
        sender.writer.write(b"GET / HTTP/1.1\r\nHost: hub\r\nUser-Agent: scanner\r\nAccept: */*\r\n\r\n")
        assert await sender.answer() is None
        await until(lambda: server.connections == 0)
        assert server.counted["NotFramed"] == 1


async def test_if_the_handler_fails_the_connection_closes_without_an_answer_and_the_log_holds_no_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(message: bytes, peer: Peer) -> bytes:  # noqa: ARG001
        raise RuntimeError(f"cannot store {message!r}")

    with caplog.at_level(logging.INFO):
        async with listening(fail) as server, connected(server) as sender:
            sender.writer.write(frame(admission("SECRET")) * 2)
            assert await sender.answer() is None
            await until(lambda: server.connections == 0)
            assert server.counted["no answer could be made"] == 1
    assert "RuntimeError in " in caplog.text
    assert "SECRET" not in caplog.text


async def test_a_sender_that_drips_is_dropped() -> None:
    async with listening(message=0.3) as server, connected(server) as sender:
        sender.writer.write(b"\x0bMSH|^~\\&|")
        dripped = 0
        while server.connections or not dripped:
            sender.writer.write(b"x")
            dripped += 1
            await asyncio.sleep(0.01)
        assert server.counted["the message takes too long"] == 1


async def test_an_idle_connection_is_dropped_even_if_blanks_come_in() -> None:
    async with listening(idle=0.2) as server, connected(server) as sender, connected(server) as quiet:
        await until(lambda: server.connections == 2)
        while server.connections:
            sender.writer.write(b"\r")
            await asyncio.sleep(0.01)
        assert server.counted["the connection is idle"] == 2
        assert await quiet.answer() is None


async def test_a_sender_that_does_not_read_its_answers_is_dropped() -> None:
    async def verbosely(message: bytes, peer: Peer) -> bytes:  # noqa: ARG001
        return b"x" * 1_000_000

    async with listening(verbosely, answer=0.2) as server, connected(server) as sender:
        sender.writer.write(frame(admission("1")) * 100)
        await until(lambda: server.counted["the sender does not read its answers"] == 1)
        await until(lambda: server.connections == 0)
        assert server.counted["answered"] < 100


async def test_connections_over_the_limit_are_refused_with_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with listening(connections=3, connections_each=2) as server:
        async with connected(server) as first, connected(server) as second, connected(server) as third:
            assert await third.answer() is None
            for n, sender in enumerate((first, second)):
                sender.writer.write(frame(admission(str(n))))
                assert await sender.control_id() == str(n)
            assert server.counted["too many connections of one address"] == 1
            assert "refused: too many connections of one address" in caplog.text
        await until(lambda: server.connections == 0)
        async with connected(server) as again:
            again.writer.write(frame(admission("9")))
            assert await again.control_id() == "9"


async def test_half_messages_of_all_senders_together_are_bounded() -> None:
    async with listening(memory=500_000) as server:
        async with connected(server) as first, connected(server) as second:
            first.writer.write(b"\x0b" + b"x" * 400_000)
            await until(lambda: server.held >= 400_000)
            second.writer.write(b"\x0b" + b"x" * 400_000)
            assert await second.answer() is None
            first.writer.write(b"\x1c\r")
            assert await first.answer() is not None
        await until(lambda: server.connections == 0)
        assert server.held == 0
        assert server.counted["too much is held for all senders"] == 1


async def test_five_hundred_connections_at_once_are_answered(many_files: None) -> None:  # noqa: ARG001
    all_connected = asyncio.Barrier(500)
    async with listening() as server:

        async def send_twice(n: int) -> bool:
            async with MllpClient("127.0.0.1", server.port) as client:
                first = await client.send(admission(f"{n}a"))
                await all_connected.wait()
                assert server.connections == 500
                second = await client.send(admission(f"{n}b"))
                await all_connected.wait()
                return first.accepted and second.accepted

        assert all(await asyncio.gather(*(send_twice(n) for n in range(500))))
        assert server.counted["answered"] == 1_000


async def test_stopping_answers_what_is_in_flight_and_accepts_no_more() -> None:
    begun = asyncio.Event()
    gate = asyncio.Event()

    async def slowly(message: bytes, peer: Peer) -> bytes:
        begun.set()
        await gate.wait()
        return await accept(message, peer)

    server = MllpServer(slowly, "127.0.0.1", 0)
    await server.start()
    async with connected(server) as sender, connected(server) as idle:
        sender.writer.write(frame(admission("1")))
        await begun.wait()
        stopping = asyncio.create_task(server.stop(grace=60))
        assert await idle.answer() is None
        with pytest.raises(OSError):  # noqa: PT011
            await asyncio.open_connection("127.0.0.1", server.port)
        gate.set()
        assert await sender.control_id() == "1"
        await stopping
        assert server.connections == 0


async def test_stopping_waits_no_longer_than_its_grace() -> None:
    cancelled = asyncio.Event()

    async def forever(message: bytes, peer: Peer) -> bytes:  # noqa: ARG001
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return b""

    server = MllpServer(forever, "127.0.0.1", 0)
    await server.start()
    async with connected(server) as sender:
        sender.writer.write(frame(admission("1")))
        await until(lambda: server.connections == 1)
        await asyncio.sleep(0.05)
        await server.stop(grace=0.05)
        assert await sender.answer() is None
    assert cancelled.is_set()
    assert server.connections == 0


async def test_a_handler_that_is_at_work_when_its_sender_leaves_goes_on() -> None:
    begun = asyncio.Event()
    done = asyncio.Event()

    async def slowly(message: bytes, peer: Peer) -> bytes:
        begun.set()
        await asyncio.sleep(0.1)
        done.set()
        return await accept(message, peer)

    async with listening(slowly) as server:
        async with connected(server) as sender:
            sender.writer.write(frame(admission("1")))
            await begun.wait()
            sender.reset()
        await done.wait()
        await until(lambda: server.connections == 0)
        assert server.counted["answered"] == 0


async def test_the_handler_is_told_who_sent_the_message() -> None:
    peers: list[Peer] = []

    async def note(message: bytes, peer: Peer) -> bytes:
        peers.append(peer)
        return await accept(message, peer)

    async with listening(note) as server, MllpClient("127.0.0.1", server.port, retry=ONCE) as client:
        await client.send(admission("1"))
    assert peers[0].address == "127.0.0.1"
    assert peers[0].certificate is None


async def test_an_address_in_use_is_an_error_at_the_start() -> None:
    async with listening() as server:
        with pytest.raises(OSError):  # noqa: PT011
            await MllpServer(accept, "127.0.0.1", server.port).start()


async def test_a_rejected_client_learns_the_reason() -> None:
    async with listening(frame=FrameLimits(message=1_000)) as server:
        client = MllpClient("127.0.0.1", server.port, retry=ONCE)
        answer = await client.send(admission("1") + b"NTE|1||" + b"x" * 2_000 + b"\r")
        assert "at most 1000 bytes" in answer.problems[0].text
        with pytest.raises(Unanswered):
            await client.send(admission("2"))  # the server has closed, and the client was told to try once
        assert (await client.send(admission("3"))).accepted
        await client.close()
