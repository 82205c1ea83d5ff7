"""HL7 v2: messages parsed and read in a second, beside python-hl7; messages answered over MLLP."""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import hl7

from bench.results import keep
from broadstreet.connectors.hl7v2.acknowledge import Code, acknowledge
from broadstreet.connectors.hl7v2.client import MllpClient
from broadstreet.connectors.hl7v2.connection import Peer
from broadstreet.connectors.hl7v2.message import Message
from broadstreet.connectors.hl7v2.server import MllpServer

try:
    import uvloop
except ImportError:  # there is none for Windows
    uvloop = None  # type: ignore[assignment]

ADMISSION = (
    b"MSH|^~\\&|EHR|GENERAL^2.16.840.1.113883.3.7^ISO|HUB|CITY|20261120103000+0900||ADT^A04^ADT_A01|MSG00042"
    b"|P|2.5.1||||AL|||UNICODE UTF-8\r"
    b"EVN|A04|20261120103000+0900||01|C08^Woolf^Kay^^^Dr^MD\r"
    b"PID|1||7412345^4^M11^GENERAL&2.16.840.1.113883.3.7&ISO^MR~123456789^^^CITY^SS||Everyman^Adam^A^III^Dr."
    b"||19800101|M||2106-3|2222 Home Street^Apt 5^Greensboro^NC^27401-1020^USA^H^^Ward 5||^PRN^PH^^1^336"
    b"^5551234~^NET^Internet^adam@example.org|^WPN^PH^^1^336^5559876|ENG|M||PATID12345001|||||N\r"
    b"NK1|1|Everyman^Eve|SPO^Spouse^HL70063|2222 Home Street^^Greensboro^NC^27401|^PRN^PH^^1^336^5551234\r"
    b"PV1|1|E|ED^ROOM 3^BED 2^GENERAL&2.16.840.1.113883.3.7&ISO|E|||1001^Hippo^Harold^H^^Dr^MD|||EMR||||7"
    b"|||||V100042|||||||||||||||||||||||||20261120102500+0900\r"
    b"PV2|||R50.9^Fever, unspecified^I10|||||||||fever and cough for two days\r"
    b"OBX|1|NM|8310-5^Body temperature^LN||38.9|Cel^^UCUM|36.1-37.8|H|||F|||20261120102700+0900\r"
    b"DG1|1||R50.9^Fever, unspecified^I10||20261120102500+0900|A\r"
    b"IN1|1|HMO-1|7|City Health Plan|PO Box 1^^Greensboro^NC^27401\r"
)
PATHS = (
    "MSH-3", "MSH-4.1", "MSH-7", "MSH-9.1", "MSH-9.2", "MSH-10", "PID-3.1", "PID-3.4.1", "PID-5.1", "PID-5.2",
    "PID-7", "PID-8", "PID-11.5", "PV1-2", "PV1-3.1", "DG1-3.1",
)  # fmt: skip
ROUNDS = 7


def main() -> None:
    """Measure, print and keep."""
    figures: dict[str, Any] = {
        "message": f"an ADT^A04 of {len(ADMISSION)} bytes, 9 segments, no personal data",
        "fields read of each message": len(PATHS),
        "parsed and read per second": _median_rate(_read_ours, 4_000),
        "parsed per second, nothing read": _median_rate(lambda: Message.parse(ADMISSION), 8_000),
        "python-hl7, parsed and read per second": _median_rate(_read_theirs, 100),
    }
    ours, theirs = figures["parsed and read per second"], figures["python-hl7, parsed and read per second"]
    figures["times python-hl7"] = round(ours / theirs, 1)
    for connections in (8, 64):
        figures[f"MLLP, {connections} connections, parsed and answered per second, not stored"] = _over_mllp(
            connections
        )
    for name, figure in figures.items():
        print(f"{name:70} {figure:>10,}" if not isinstance(figure, str) else f"{name}: {figure}")
    print(f"kept in {keep('hl7v2', figures)}")


def _median_rate(work: Callable[[], object], times: int) -> int:
    work()
    rates = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(times):
            work()
        rates.append(times / (time.perf_counter() - start))
    return round(statistics.median(rates))


def _read_ours() -> list[str | None]:
    value = Message.parse(ADMISSION).value
    return [value(path) for path in PATHS]


def _read_theirs() -> list[str | None]:
    message = hl7.parse(ADMISSION.decode())
    return [_their_value(message, path) for path in PATHS]


def _their_value(message: hl7.Message, path: str) -> str | None:
    name, _, rest = path.partition("-")
    numbers = [int(number) for number in rest.split(".")]
    field, component, subcomponent = (*numbers, 1, 1)[:3]
    found: str | None = message.extract_field(name, 1, field, 1, component, subcomponent)
    return found


async def _accept(data: bytes, peer: Peer) -> bytes:  # noqa: ARG001
    message = Message.parse(data)
    for path in PATHS:
        message.value(path)
    return acknowledge(message, Code.ACCEPT, now=datetime(2026, 11, 20, tzinfo=UTC), control_id="1")


def _over_mllp(connections: int, seconds: float = 3.0) -> int:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    rate = asyncio.run(_send(here.recv(), connections, seconds))
    here.send("stop")
    process.join()
    return rate


def _serve(pipe: Any) -> None:
    async def run() -> None:
        async with MllpServer(_accept, "127.0.0.1", 0) as server:
            pipe.send(server.port)
            await asyncio.to_thread(pipe.recv)

    asyncio.run(run()) if uvloop is None else uvloop.run(run())


async def _send(port: int, connections: int, seconds: float) -> int:
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds

    async def one() -> int:
        sent = 0
        async with MllpClient("127.0.0.1", port) as client:
            while loop.time() < until:
                assert (await client.send(ADMISSION)).accepted
                sent += 1
        return sent

    return round(sum(await asyncio.gather(*(one() for _ in range(connections)))) / seconds)


if __name__ == "__main__":
    main()
