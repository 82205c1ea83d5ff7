from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from broadstreet.connectors.hl7v2.acknowledge import Acknowledgement
from broadstreet.connectors.hl7v2.client import (
    BlockingMllpClient,
    MllpClient,
    Retry,
    Unanswered,
    send_side_by_side,
)
from broadstreet.connectors.hl7v2.mllp import frame

ADMISSION = b"MSH|^~\\&|EHR|CLINIC|HUB|CITY|20261120||ADT^A04|7|P|2.5.1\rPID|1||42\r"
ACCEPTED = frame(b"MSH|^~\\&|HUB|||||||ACK|1|P|2.5.1\rMSA|AA|7\r")
QUICK = Retry(attempts=4, first=0.001, most=0.002)

Script = list[bytes | None]  # what the receiver answers to each message; None: it closes the connection


class Receiver:
    """A receiver that answers as it is told."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.received = 0
        self.connections = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while self.script:
                await reader.readuntil(b"\x1c\r")
                self.received += 1
                answer = self.script.pop(0)
                if answer is None:
                    break
                writer.write(answer)
            else:
                await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving(*script: bytes | None) -> AsyncIterator[Receiver]:
    receiver = Receiver(list(script))
    async with await asyncio.start_server(receiver.serve, "127.0.0.1", 0) as server:
        receiver.port = server.sockets[0].getsockname()[1]
        yield receiver


async def send_async(port: int, **settings: object) -> Acknowledgement:
    async with MllpClient("127.0.0.1", port, **settings) as client:  # type: ignore[arg-type]
        return await client.send(ADMISSION)


async def send_blocking(port: int, **settings: object) -> Acknowledgement:
    def send() -> Acknowledgement:
        with BlockingMllpClient("127.0.0.1", port, **settings) as client:  # type: ignore[arg-type]
            return client.send(ADMISSION)

    return await asyncio.to_thread(send)


async def send_side(port: int, timeout: float = 30.0, **settings: object) -> Acknowledgement:
    def send() -> Acknowledgement:
        with BlockingMllpClient("127.0.0.1", port, **settings) as client:  # type: ignore[arg-type]
            (answer,) = send_side_by_side([client], [[ADMISSION]], timeout)
            return answer

    return await asyncio.to_thread(send)


every_way = pytest.mark.parametrize("send", [send_async, send_blocking, send_side])


@every_way
async def test_a_client_sends_again_after_the_connection_was_lost(send: Callable[..., object]) -> None:
    async with receiving(None, None, ACCEPTED) as receiver:
        answer = await send(receiver.port, retry=QUICK)  # type: ignore[misc]
        assert answer.control_id == "7"
        assert (receiver.received, receiver.connections) == (3, 3)


@every_way
async def test_a_client_gives_up_after_its_attempts(send: Callable[..., object]) -> None:
    async with receiving(*[None] * 9) as receiver:
        with pytest.raises(Unanswered, match=r"no answer from 127\.0\.0\.1:\d+: the receiver closed"):
            await send(receiver.port, retry=QUICK)  # type: ignore[misc]
        assert receiver.received == 4


@every_way
async def test_a_client_waits_no_longer_than_its_timeout(send: Callable[..., object]) -> None:
    async with receiving(b"\x0bMSH|", ACCEPTED) as receiver:
        with pytest.raises(Unanswered):
            await send(receiver.port, timeout=0.1, retry=Retry(attempts=1))  # type: ignore[misc]


@every_way
async def test_a_client_without_a_receiver_says_so(send: Callable[..., object]) -> None:
    async with receiving() as receiver:
        port = receiver.port
    with pytest.raises(Unanswered, match=f"no answer from 127.0.0.1:{port}"):
        await send(port, retry=QUICK)  # type: ignore[misc]


@every_way
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (frame(b"MSH|^~\\&|A\rMSA|AA|8\r"), "sent message '7', the answer is for '8'"),
        (frame(b"thank you"), "the answer cannot be read"),
        (frame(b"MSH|^~\\&|A\r"), "must hold an MSA segment"),
        (b"HTTP/1.1 400 Bad Request\r\n" * 400, "bytes outside frames"),
    ],
)
async def test_an_answer_of_no_use_is_no_acknowledgement(
    send: Callable[..., object], answer: bytes, reason: str
) -> None:
    async with receiving(answer) as receiver:
        with pytest.raises(Unanswered, match=reason):
            await send(receiver.port, retry=Retry(attempts=1))  # type: ignore[misc]


async def test_several_tasks_share_a_client_one_message_at_a_time() -> None:
    async with receiving(*[ACCEPTED] * 20) as receiver, MllpClient("127.0.0.1", receiver.port) as client:
        answers = await asyncio.gather(*(client.send(ADMISSION) for _ in range(20)))
        assert all(answer.accepted for answer in answers)
        assert receiver.connections == 1


async def test_clients_side_by_side_have_one_message_in_flight_each_and_keep_their_order() -> None:
    sent: dict[str, list[str]] = {}
    early: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = str(writer.get_extra_info("peername"))
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                fields = (await reader.readuntil(b"\x1c\r")).split(b"|")
                sent.setdefault(peer, []).append(fields[9].decode())
                framed = frame(b"MSH|^~\\&|HUB|||||||ACK|1|P|2.5.1\rMSA|AA|%b\r" % fields[9])
                writer.write(framed[:20])
                await asyncio.sleep(0.001)
                early.append(bytes(reader._buffer))  # type: ignore[attr-defined]
                writer.write(framed[20:])
        writer.close()

    def send(port: int) -> list[str]:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(BlockingMllpClient("127.0.0.1", port)) for _ in rows]
            return [answer.control_id for answer in send_side_by_side(clients, rows)]

    numbers = [[str(row * 100 + n) for n in range(row)] for row in range(5)]
    rows = [[ADMISSION.replace(b"|7|P", b"|%b|P" % n.encode()) for n in row] for row in numbers]
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        answered = await asyncio.to_thread(send, server.sockets[0].getsockname()[1])
    assert sorted(answered) == sorted(n for row in numbers for n in row)
    assert set(early) == {b""}, "the next message was sent before the answer"
    assert sorted(sent.values()) == sorted(row for row in numbers if row)


async def test_what_one_client_cannot_post_is_sent_again_and_the_others_go_on() -> None:
    def send(port: int) -> list[Acknowledgement]:
        with (
            BlockingMllpClient("127.0.0.1", port, retry=QUICK) as broken,
            BlockingMllpClient("127.0.0.1", port) as whole,
        ):
            broken.post(ADMISSION).close()  # as a firewall does that forgets a connection
            return list(send_side_by_side([broken, whole], [[ADMISSION] * 3] * 2))

    async with receiving(*[ACCEPTED] * 9) as receiver:
        assert [each.accepted for each in await asyncio.to_thread(send, receiver.port)] == [True] * 6


async def test_clients_that_were_left_with_a_message_in_flight_connect_anew() -> None:
    def send(port: int) -> str:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(BlockingMllpClient("127.0.0.1", port)) for _ in range(3)]
            sending = send_side_by_side(clients, [[ADMISSION] * 5] * 3)
            next(sending)
            sending.close()
            return clients[1].send(ADMISSION.replace(b"|7|P", b"|8|P")).control_id

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                number = (await reader.readuntil(b"\x1c\r")).split(b"|")[9]
                writer.write(ACCEPTED.replace(b"AA|7", b"AA|%b" % number))
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        assert await asyncio.to_thread(send, server.sockets[0].getsockname()[1]) == "8"


def test_a_client_is_not_given_two_rows() -> None:
    client = BlockingMllpClient("127.0.0.1", 1)
    with pytest.raises(ValueError, match="a client of its own"):
        list(send_side_by_side([client, client], [[ADMISSION]] * 2))


async def test_to_connect_takes_nothing_of_the_time_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = BlockingMllpClient._connect

    def slowly(client: BlockingMllpClient) -> object:
        time.sleep(1.2)
        return connect(client)

    monkeypatch.setattr(BlockingMllpClient, "_connect", slowly)
    async with receiving(ACCEPTED) as receiver:
        await send_blocking(receiver.port, timeout=1.0, retry=Retry(attempts=1))


def test_waits_grow_up_to_the_most() -> None:
    assert list(Retry(5, 0.1, 0.3).waits()) == [0.1, 0.2, 0.3, 0.3, None]


async def test_what_cannot_be_framed_is_not_sent() -> None:
    with pytest.raises(ValueError, match="must not hold the bytes VT"):
        await MllpClient("127.0.0.1", 1).send(b"a\x0bb")
