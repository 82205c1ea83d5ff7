from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from broadstreet.connectors.hl7v2.acknowledge import Code, acknowledge
from broadstreet.connectors.hl7v2.client import (
    BlockingMllpClient,
    MllpClient,
    Retry,
    Unanswered,
    send_side_by_side,
)
from broadstreet.connectors.hl7v2.connection import Peer, ServerLimits
from broadstreet.connectors.hl7v2.mllp import FrameLimits, frame
from broadstreet.connectors.hl7v2.problems import Problem
from broadstreet.connectors.hl7v2.server import MllpServer
from broadstreet.connectors.hl7v2.tls import client_tls, server_tls, subject

ADMISSION = b"MSH|^~\\&|EHR|CLINIC|HUB|CITY|20261120||ADT^A04|7|P|2.5.1\rPID|1||42\r"
NOW = datetime(2026, 11, 20, tzinfo=UTC)
ONCE = Retry(attempts=1)


@dataclass
class Certificates:
    authority: Path
    hub: Path
    clinic: Path
    stranger: Path


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    files = Certificates(*(folder / f"{name}.pem" for name in ("authority", "hub", "clinic", "stranger")))
    authority.cert_pem.write_to_path(files.authority)
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(files.hub)
    clinic = authority.issue_cert("clinic7.example", common_name="clinic 7", organization_name="Clinics")
    clinic.private_key_and_cert_chain_pem.write_to_path(files.clinic)
    trustme.CA().issue_cert("other.example").private_key_and_cert_chain_pem.write_to_path(files.stranger)
    return files


class Hub:
    """A server that notes who sent."""

    def __init__(self, tls: ssl.SSLContext, **settings: object) -> None:
        self.peers: list[Peer] = []
        limits = ServerLimits(**settings)  # type: ignore[arg-type]
        self.server = MllpServer(self.note, "127.0.0.1", 0, limits, tls, refuse=self.refuse)

    def refuse(self, start: bytes, problem: Problem) -> bytes:
        return acknowledge(start, Code.REJECT, now=NOW, control_id="1", problems=[problem])

    async def note(self, message: bytes, peer: Peer) -> bytes:
        self.peers.append(peer)
        return acknowledge(message, Code.ACCEPT, now=NOW, control_id="1")


async def test_the_subject_of_a_clients_certificate_is_known_to_the_handler(
    certificates: Certificates,
) -> None:
    hub = Hub(server_tls(certificates.hub, certificates.hub, clients=certificates.authority))
    async with hub.server as server:
        tls = client_tls(certificates.authority, certificates.clinic, certificates.clinic)
        async with MllpClient("127.0.0.1", server.port, tls) as client:
            assert (await client.send(ADMISSION)).accepted
            assert (await client.send(ADMISSION)).accepted
    assert len(hub.peers) == 2
    for peer in hub.peers:
        assert peer.certificate is not None
        assert peer.certificate.startswith("organizationName=Clinics,")
        assert peer.certificate.endswith(",commonName=clinic 7")


@pytest.mark.parametrize("own", [None, "stranger"])
async def test_a_client_without_a_known_certificate_is_refused(
    certificates: Certificates, own: str | None
) -> None:
    hub = Hub(server_tls(certificates.hub, certificates.hub, clients=certificates.authority))
    own_file = getattr(certificates, own) if own else None
    async with hub.server as server:
        tls = client_tls(certificates.authority, own_file, own_file)
        async with MllpClient("127.0.0.1", server.port, tls, retry=ONCE) as client:
            with pytest.raises(Unanswered):
                await client.send(ADMISSION)
        while server.connections:
            await asyncio.sleep(0.005)
        assert server.counted["TLS refused"] == 1
    assert hub.peers == []


async def test_without_client_certificates_tls_only_hides_what_is_sent(certificates: Certificates) -> None:
    hub = Hub(server_tls(certificates.hub, certificates.hub))
    async with hub.server as server:

        def send() -> bool:
            with BlockingMllpClient("127.0.0.1", server.port, client_tls(certificates.authority)) as client:
                return client.send(ADMISSION).accepted

        assert await asyncio.to_thread(send)
    assert hub.peers[0].certificate is None


async def test_a_client_whose_answer_is_late_keeps_none_of_those_beside_it_waiting(
    certificates: Certificates,
) -> None:
    late = asyncio.Event()

    async def note(message: bytes, peer: Peer) -> bytes:
        if b"|late|" in message:
            await late.wait()
        return await Hub.note(hub, message, peer)

    def send(port: int) -> list[str]:
        with contextlib.ExitStack() as stack:
            tls = client_tls(certificates.authority)
            clients = [
                stack.enter_context(BlockingMllpClient("127.0.0.1", port, tls, retry=ONCE)) for _ in range(3)
            ]
            rows = [[ADMISSION.replace(b"|7|", b"|late|")], [ADMISSION] * 3, [ADMISSION] * 3]
            answered = []
            for answer in send_side_by_side(clients, rows):
                answered.append(answer.control_id)
                if len(answered) == 6:
                    loop.call_soon_threadsafe(late.set)
            return answered

    loop = asyncio.get_running_loop()
    hub = Hub(server_tls(certificates.hub, certificates.hub))
    hub.server.handler = note
    async with hub.server as server:
        assert await asyncio.to_thread(send, server.port) == ["7"] * 6 + ["late"]


async def test_a_message_that_is_too_long_is_rejected_through_tls_too(certificates: Certificates) -> None:
    hub = Hub(server_tls(certificates.hub, certificates.hub), frame=FrameLimits(message=10_000), linger=0.2)
    async with hub.server as server:
        tls = client_tls(certificates.authority)
        async with MllpClient("127.0.0.1", server.port, tls, retry=ONCE) as client:
            answer = await client.send(ADMISSION + b"OBX|" + b"x" * 500_000)
        assert (answer.code, answer.control_id) == (Code.REJECT, "7")


async def test_a_client_does_not_send_to_a_server_it_does_not_know(
    certificates: Certificates, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    hub = Hub(server_tls(certificates.hub, certificates.hub))
    async with hub.server as server, MllpClient("127.0.0.1", server.port, client_tls(other)) as client:
        with pytest.raises(Unanswered, match="CERTIFICATE_VERIFY_FAILED"):
            await client.send(ADMISSION)
    assert hub.peers == []


async def test_who_never_shakes_hands_is_dropped(certificates: Certificates) -> None:
    hub = Hub(server_tls(certificates.hub, certificates.hub), handshake=0.2)
    async with hub.server as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert await reader.read() == b""
        writer.close()
        _, plain = await asyncio.open_connection("127.0.0.1", server.port)
        plain.write(frame(ADMISSION))
        while server.counted["TLS refused"] < 2:
            await asyncio.sleep(0.005)
        plain.close()
        assert server.connections == 0
    assert hub.peers == []


def test_a_peer_without_a_certificate_has_no_subject() -> None:
    assert subject(None) is None
    assert subject({}) is None


def test_a_name_in_a_certificate_cannot_pass_for_two() -> None:
    certificate = {
        "subject": ((("commonName", "a\\,organizationName=City"),), (("organizationName", "Mine"),))
    }
    assert subject(certificate) == "commonName=a\\\\\\,organizationName\\=City,organizationName=Mine"
