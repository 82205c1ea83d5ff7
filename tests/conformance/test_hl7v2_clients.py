"""Other programs' MLLP: python-hl7's two clients against our server, our client against its server."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import hl7
import hl7.client
import hl7.mllp
import pytest

from broadstreet.connectors.hl7v2.acknowledge import Code, acknowledge
from broadstreet.connectors.hl7v2.client import MllpClient
from broadstreet.connectors.hl7v2.connection import Peer
from broadstreet.connectors.hl7v2.message import Message
from broadstreet.connectors.hl7v2.server import MllpServer

NOW = datetime(2026, 11, 20, tzinfo=UTC)


async def accept(message: bytes, peer: Peer) -> bytes:  # noqa: ARG001
    return acknowledge(Message.parse(message), Code.ACCEPT, now=NOW, control_id="1")


@pytest.fixture
def samples(shared: Path) -> list[str]:
    files = sorted((shared / "data" / "hl7v2").glob("ADT*.hl7"))
    return [Message.parse(file.read_bytes()).text for file in files]


async def test_the_blocking_client_of_python_hl7_is_answered(samples: list[str]) -> None:
    async with MllpServer(accept, "127.0.0.1", 0) as server:

        def send_all() -> list[bytes]:
            with hl7.client.MLLPClient("127.0.0.1", server.port) as client:
                return [client.send_message(sample) for sample in samples]

        answers = await asyncio.to_thread(send_all)
    assert len(answers) > 30
    for sample, answer in zip(samples, answers, strict=True):
        assert answer.startswith(b"\x0b")
        assert answer.endswith(b"\x1c\r")
        read = hl7.parse(answer[1:-2].decode())
        assert str(read.segment("MSA")[1]) == "AA"
        assert str(read.segment("MSA")[2]) == str(hl7.parse(sample).segment("MSH")[10])
        assert str(read.segment("MSH")[5]) == str(hl7.parse(sample).segment("MSH")[3])


async def test_the_asynchronous_client_of_python_hl7_is_answered(samples: list[str]) -> None:
    async with MllpServer(accept, "127.0.0.1", 0) as server:
        reader, writer = await hl7.mllp.open_hl7_connection("127.0.0.1", server.port)
        for sample in samples[:5]:
            writer.writemessage(hl7.parse(sample))
            await writer.drain()
            answer = await reader.readmessage()
            assert str(answer.segment("MSA")[1]) == "AA"
        writer.close()
        await writer.wait_closed()


async def test_our_client_is_answered_by_the_server_of_python_hl7(samples: list[str]) -> None:
    async def answer(reader: hl7.mllp.HL7StreamReader, writer: hl7.mllp.HL7StreamWriter) -> None:
        while not reader.at_eof():
            try:
                message = await reader.readmessage()
            except asyncio.IncompleteReadError:
                break
            writer.writemessage(message.create_ack("AE"))
            await writer.drain()
        writer.close()

    async with await hl7.mllp.start_hl7_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with MllpClient("127.0.0.1", port) as client:
            for sample in samples[:5]:
                received = await client.send(sample.encode())
                assert received.code is Code.ERROR
                assert received.control_id == Message.parse(sample.encode()).control_id
