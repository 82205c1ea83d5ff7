from __future__ import annotations

import asyncio
import json
import socket
import stat
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from broadstreet.app import requests
from broadstreet.app.control import ControlClient, ControlError, ControlServer, NoHub
from broadstreet.app.core import Core
from broadstreet.app.desk import Desk
from broadstreet.app.settings import Settings
from broadstreet.model.records import Fault
from broadstreet.store.inbox import Arrival, Receive, Refused
from broadstreet.store.transaction import Transaction
from tests.unit.app.conftest import START


class OneDoor:
    """Maps messages for the desk."""

    def interpret(self, tx: Transaction, arrival: Arrival, cause: int) -> None:
        interpret(tx, arrival, cause)

    def text_of(self, raw: bytes) -> str:
        return raw.decode("latin-1")


DOOR = OneDoor()


def interpret(_: Transaction, arrival: Arrival, __: int) -> None:
    if b"bad" in arrival.body:
        raise Refused("AE", (Fault(reason="expected good, got bad"),))


@pytest_asyncio.fixture
async def served(core: Core, settings: Settings) -> AsyncIterator[Path]:
    server = ControlServer(settings.socket_path, Desk(core, DOOR).answer)
    await server.start()
    yield settings.socket_path
    await server.stop()


async def ask(path: Path, request: requests.Request) -> dict[str, Any]:
    def do() -> dict[str, Any]:
        with ControlClient(path, timeout=30) as client:
            return client.ask(request)

    return await asyncio.to_thread(do)


async def say(path: Path, line: bytes) -> dict[str, Any]:
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(line)
    answer = await reader.readline()
    writer.close()
    return dict(json.loads(answer))


async def quarantined(core: Core) -> str:
    receipt = await core.committer.committed(Receive(Arrival("hl7v2", "A|B", "1", b"bad"), interpret))
    return str(receipt.id)


async def test_only_its_owner_may_open_the_socket(served: Path) -> None:
    assert stat.S_IMODE(served.stat().st_mode) == 0o600


async def test_time_moves_by_request_and_the_days_passed_are_durable(served: Path, core: Core) -> None:
    answer = await ask(served, requests.Advance(to=START + timedelta(days=1)))
    assert answer["timers"] == ["day-closed-2026-01-04", "day-closed-2026-01-05"]
    entries = core.store.entries(0, types=["bs/Timer"])
    assert {entry.id for entry in entries} == {*answer["timers"], "index-purge"}


async def test_settle_is_answered_when_followers_have_seen_everything(served: Path, core: Core) -> None:
    await ask(served, requests.Advance(to=START + timedelta(days=30)))
    answer = await ask(served, requests.Settle())
    assert {cursor.seq for cursor in core.store.cursors().values()} == {answer["head"]}


async def test_a_quarantined_message_that_is_mended_leaves_the_quarantine(served: Path, core: Core) -> None:
    id = await quarantined(core)
    assert (await ask(served, requests.QuarantineRetry(id=id)))["state"] == "refused"
    assert (await ask(served, requests.QuarantineRetry(id=id, mended=b"good")))["state"] == "accepted"
    with pytest.raises(ControlError, match="is released already"):
        await ask(served, requests.QuarantineRetry(id=id))


async def test_a_discarded_message_cannot_be_tried_again(served: Path, core: Core) -> None:
    id = await quarantined(core)
    answer = await ask(served, requests.QuarantineDiscard(id=id, note="a test message"))
    assert answer == {"id": id, "state": "discarded"}
    with pytest.raises(ControlError, match="is discarded already"):
        await ask(served, requests.QuarantineRetry(id=id))


async def test_the_status_tells_feeds_quarantine_and_followers(served: Path, core: Core) -> None:
    await quarantined(core)
    await ask(served, requests.Settle())
    status = await ask(served, requests.Status())
    assert status["quarantine"] == {"held": 1, "released": 0, "discarded": 0}
    assert [(feed["source"], feed["messages"], feed["refused"]) for feed in status["feeds"]] == [
        ("A|B", 1, 1)
    ]
    assert {follower["behind"] for follower in status["followers"]} == {0}


async def test_a_backup_is_made_while_the_hub_writes(served: Path, core: Core, tmp_path: Path) -> None:
    await quarantined(core)
    answer = await ask(served, requests.Backup(to=str(tmp_path / "copy")))
    assert answer["head"] == core.store.head()
    with pytest.raises(ControlError, match="never overwrites"):
        await ask(served, requests.Backup(to=str(tmp_path / "copy")))


async def test_only_a_follower_that_stopped_is_resumed(served: Path) -> None:
    with pytest.raises(ControlError, match=r"expected a follower that has stopped \(none has stopped\)"):
        await ask(served, requests.Resume(follower="timers"))


@pytest.mark.parametrize(
    "line",
    [
        b"\n", b"x\n", b"[]\n", b"{}\n", b'{"do": "dance"}\n', b'{"do": "advance", "to": "soon"}\n',
        b'{"do": "advance", "to": "2026-01-06T00:00:00"}\n', b'{"do": "status", "why": 1}\n', b"\xff\xfe\n",
        b'{"do": "quarantine-retry", "id": ""}\n', b"[" * 10_000 + b"\n",
    ],
)  # fmt: skip
async def test_what_is_no_request_is_answered_with_an_error(served: Path, line: bytes) -> None:
    assert "expected a request" in (await say(served, line))["error"]


async def test_a_connection_goes_on_after_an_error(served: Path) -> None:
    reader, writer = await asyncio.open_unix_connection(str(served))
    writer.write(b'x\n{"do": "settle"}\n')
    assert "error" in json.loads(await reader.readline())
    assert json.loads(await reader.readline()) == {"head": 0}
    writer.close()


async def test_a_line_without_end_is_refused(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broadstreet.app.control.LONGEST_LINE", 1_000)
    server = ControlServer(tmp_path / "s", Desk(core, DOOR).answer)
    await server.start()
    answer = await say(tmp_path / "s", b"x" * 5_000)
    assert answer == {"error": "expected a line of at most 1000 bytes"}
    await server.stop()


async def test_connections_are_bounded(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broadstreet.app.control.MOST_CONNECTIONS", 2)
    idle = [await asyncio.open_unix_connection(str(served)) for _ in range(2)]
    for reader, writer in idle:
        writer.write(b'{"do": "settle"}\n')
        await reader.readline()
    assert "more than 2 connections" in (await say(served, b""))["error"]
    for _, writer in idle:
        writer.close()


async def test_a_failure_of_the_hub_is_told_without_its_details(tmp_path: Path) -> None:
    def fail(_: requests.Request) -> None:
        raise RuntimeError("John Snow, born 1813")

    server = ControlServer(tmp_path / "s", fail)
    await server.start()
    answer = await say(tmp_path / "s", b'{"do": "settle"}\n')
    assert answer == {"error": "the hub failed (RuntimeError); its log says more"}
    await server.stop()


async def test_an_old_socket_of_a_dead_hub_is_replaced(core: Core, tmp_path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / "s"))
    dead.close()
    server = ControlServer(tmp_path / "s", Desk(core, DOOR).answer)
    await server.start()
    assert await say(tmp_path / "s", b'{"do": "settle"}\n') == {"head": 0}
    await server.stop()
    assert not (tmp_path / "s").exists()


def test_where_no_hub_listens_the_text_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoHub, match="start one with `broadstreet serve`"):
        ControlClient(tmp_path / "none")


def test_a_path_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="socket: expected a path of at most 107 bytes"):
        ControlClient(tmp_path / ("x" * 120))
