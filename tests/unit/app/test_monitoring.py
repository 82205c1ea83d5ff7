"""The endpoint for machines, on a hub that runs."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from broadstreet.app import requests
from broadstreet.app.core import Core
from broadstreet.app.monitoring.endpoint import Answer, Endpoint
from broadstreet.app.monitoring.health import life_of, readiness_of
from broadstreet.app.monitoring.metrics import MOST_SENDERS, HubMetrics
from broadstreet.app.process import HubProcess
from broadstreet.app.receiving.line import Told
from broadstreet.app.settings import Mllp, Monitoring, Settings
from broadstreet.connectors.hl7v2.client import BlockingMllpClient
from broadstreet.store.inbox import Arrival, Receive
from broadstreet.store.protocol import StoreFull
from broadstreet.store.timers import Timers
from tests.unit.app.conftest import START
from tests.unit.cli.conftest import message


@pytest.fixture
def process(tmp_path: Path) -> Iterator[HubProcess]:
    settings = Settings(
        data=str(tmp_path / "data"),
        clock="driven",
        clock_start=START,
        mllp=Mllp(port=0),
        monitoring=Monitoring(listen="127.0.0.1:0", min_free_mb=1),
    )
    with HubProcess(settings) as hub:
        yield hub


def ask(hub: HubProcess, path: str, method: str = "GET") -> tuple[int, str]:
    running = hub.status().hub
    assert running is not None
    connection = http.client.HTTPConnection(running.monitoring, timeout=10)
    connection.request(method, path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Return the value of each sample, by name and labels' values in the order of their names."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_was_sent_and_committed_is_in_the_metrics(process: HubProcess) -> None:
    with BlockingMllpClient(*process.address()) as client:
        client.send(message("1"))
        client.send(message("1"))
        client.send(message("2", kind="SIU^S12"))
        process.control.ask(requests.Settle())
        found = samples(ask(process, "/metrics")[1])
    head = process.status().head
    feed = "hl7v2:EHR|CLINIC"
    assert found["broadstreet_log_head",] == head
    assert found["broadstreet_committed_entries_total",] == head
    assert found["broadstreet_commit_entries_sum",] == head
    assert found["broadstreet_commit_seconds_count",] > 0
    assert found["broadstreet_commit_seconds_bucket", "+Inf"] == found["broadstreet_commit_seconds_count",]
    assert found["broadstreet_acknowledgements_total", "AA"] == 2
    assert found["broadstreet_acknowledgements_total", "AR"] == 1
    assert found["broadstreet_feed_messages_total", "accepted", feed] == 1
    assert found["broadstreet_feed_messages_total", "duplicates", feed] == 1
    assert found["broadstreet_feed_messages_total", "refused", feed] == 1
    assert found["broadstreet_quarantine_messages", "held"] == 1
    assert found["broadstreet_outbox_deliveries", "dead"] == 0
    assert found["broadstreet_follower_lag_entries", "quarantine"] == 0
    assert found["broadstreet_follower_stopped", "quarantine"] == 0
    assert found["broadstreet_connections", "hl7v2"] == 1
    assert found["broadstreet_store_bytes", "log"] > 0
    assert found["broadstreet_store_bytes", "wal"] > 0
    assert found["broadstreet_index_rows", "identity"] > 0


def test_a_hub_that_is_well_is_ready_until_its_lease_is_removed(process: HubProcess) -> None:
    for path in ("/live", "/ready"):
        status, body = ask(process, path)
        assert (status, json.loads(body)["ok"]) == (200, True)
    assert {each["check"] for each in json.loads(ask(process, "/ready")[1])["checks"]} == {
        "doors", "lease", "followers", "room", "index", "indexing", "upkeep",
    }  # fmt: skip
    (process.settings.folder / "log.db.lease").unlink()
    status, body = ask(process, "/ready")
    assert (status, json.loads(body)["ok"]) == (503, False)
    assert "the writer's lease is lost" in body
    assert process.status().hub.unready == (json.loads(body)["checks"][1]["reason"],)  # type: ignore[union-attr]


HELLO = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (HELLO, b"HTTP/1.1 200 OK"),
        (HELLO.replace(b"hello", b"hello?x=1"), b"HTTP/1.1 200 OK"),
        (HELLO.replace(b"GET", b"POST"), b"HTTP/1.1 405 Method Not Allowed"),
        (HELLO.replace(b"hello", b"other"), b"HTTP/1.1 404 Not Found"),
        (HELLO.replace(b"hello", b"broken"), b"HTTP/1.1 500 Internal Server Error"),
        (b"\r\n\r\n", b"HTTP/1.1 400 Bad Request"),
        (b"GET /hello\r\n\r\n", b"HTTP/1.1 400 Bad Request"),
        (b"\x16\x03\x01" * 100 + b"\r\n\r\n", b"HTTP/1.1 400 Bad Request"),
        (HELLO[:-2] + b"X: " + b"a" * 20_000 + b"\r\n\r\n", b"HTTP/1.1 431 Request Header Fields Too Large"),
        (HELLO[:-2], b""),
    ],
)
async def test_what_is_no_request_is_refused_and_the_next_one_answered(
    sent: bytes, answered: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def hello() -> Answer:
        return Answer(HTTPStatus.OK, "text/plain", b"hello")

    async def broken() -> Answer:
        raise ValueError("KIM MINA")

    async def said(what: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", endpoint.port)
        writer.write(what)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer

    endpoint = Endpoint("127.0.0.1", 0, {"/hello": hello, "/broken": broken})
    await endpoint.start()
    first = await said(sent)
    assert first.split(b"\r\n")[0] == answered
    assert b"KIM" not in first
    assert "KIM" not in caplog.text
    assert (await said(HELLO)).endswith(b"\r\n\r\nhello")
    assert b"hello" not in await said(HELLO.replace(b"GET", b"HEAD"))
    await endpoint.stop()


def test_a_follower_that_raises_makes_the_hub_unready_until_it_is_mended(settings: Settings) -> None:
    class Failing:
        name, version, types, tables, barriers = "failing", 1, frozenset({"bs/Timer"}), (), frozenset()
        broken = True

        def project(self, *_: object) -> list[Any]:
            if self.broken:
                raise RuntimeError("KIM MINA")
            return []

    failing = Failing()
    with Core(settings, followers=[Timers(), failing]) as core:  # type: ignore[list-item]
        core.scheduler.run()
        while not core.followers.faults:
            core.committer.wait(beyond=core.committer.head, timeout=0.01)
        core.followers.catch_up(core.committer.head)
        health = readiness_of(core)
        assert not health.ok
        (reason,) = health.reasons
        assert "follower failing has stopped (RuntimeError in project" in reason
        assert "KIM" not in reason
        assert core.followers.positions()["timers"].seq == core.committer.head, "the others go on"
        assert life_of(core).ok, "to start the hub again would not mend it"
        failing.broken = False
        core.followers.resume("failing")
        core.settle()
        assert readiness_of(core).ok


def test_a_hub_without_room_or_a_whole_index_is_not_ready(core: Core) -> None:
    assert readiness_of(core).ok
    core.committer.meter.failed(full=True)
    assert "found no room" in readiness_of(core).reasons[0]
    core.committer.meter.committed(1, 1, 0.1)
    core.committer.between(lambda writer: writer.drop_index())
    assert "the search index is not whole" in readiness_of(core).reasons[0]
    core.committer.between(lambda writer: writer.finish_index())
    assert readiness_of(core).ok


def test_a_hub_with_less_room_than_wanted_is_not_ready(settings: Settings) -> None:
    wanting = msgspec.structs.replace(settings, monitoring=Monitoring(min_free_mb=10**12))
    with Core(wanting) as core:
        (reason,) = readiness_of(core).reasons
    assert reason.endswith("MB are left on the disk, 1,000,000,000,000 are wanted")


def test_endless_senders_do_not_make_endless_labels(core: Core) -> None:
    def send(source: str) -> None:
        arrival = Arrival("hl7v2/Message", source, "1", source.encode())
        core.committer.commit(Receive(arrival, lambda *_: None))

    for number in range(MOST_SENDERS + 50):
        send(f"hl7v2:{number}")
    found = samples(HubMetrics(core, lambda: Told(0)).text().decode())
    accepted = {
        key[2]: n for key, n in found.items() if key[:2] == ("broadstreet_feed_messages_total", "accepted")
    }
    assert len(accepted) == MOST_SENDERS + 1
    assert accepted["other"] == 50


def test_a_commit_without_room_is_counted(core: Core) -> None:
    class Full:
        weight = size = 1

        def wants(self) -> Any:
            raise StoreFull("no room")

    with pytest.raises(StoreFull):
        core.committer.commit(Full())
    found = samples(HubMetrics(core, lambda: Told(0)).text().decode())
    assert found["broadstreet_commit_failures_total", "full"] == 1
