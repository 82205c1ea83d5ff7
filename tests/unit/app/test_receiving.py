"""Receiving in a process of its own: what senders and hub see of it, and what happens when either dies."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from broadstreet.app.binding import refusals_of
from broadstreet.app.core import Core
from broadstreet.app.doors import door_of
from broadstreet.app.hub import run
from broadstreet.app.process import HubProcess
from broadstreet.app.receiving import served
from broadstreet.app.receiving.__main__ import _Asked
from broadstreet.app.receiving.beside import DoorBeside
from broadstreet.app.receiving.line import Told
from broadstreet.app.receiving.suspects import barred_of
from broadstreet.app.settings import Mllp, Settings, Tls
from broadstreet.app.stores import opened
from broadstreet.connectors.hl7v2.client import BlockingMllpClient, MllpClient, Retry, Unanswered
from broadstreet.connectors.hl7v2.mapping import tables
from broadstreet.connectors.hl7v2.mapping.planning import plan
from broadstreet.connectors.hl7v2.mapping.work import wants
from broadstreet.connectors.hl7v2.message import Message
from broadstreet.connectors.hl7v2.server import listening
from broadstreet.connectors.hl7v2.writer import Raw
from broadstreet.simulation import Exercise
from broadstreet.store.entry import Entry
from broadstreet.store.protocol import StoreError
from tests.hl7v2_hub import PID, PV1, ZONE, Hub
from tests.processes import child_of, is_running, until
from tests.unit.app.conftest import START
from tests.unit.cli.conftest import message

ONCE = Retry(attempts=1)
RECEIVING = "app.receiving"


def receiving_of(hub: HubProcess) -> int:
    """Return the process of a hub that receives; 0 if there is none at the moment."""
    running = hub.status().hub
    assert running is not None
    return child_of(running.pid, RECEIVING)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[HubProcess]:
    folder = str(tmp_path / "data")
    settings = Settings(data=folder, clock="driven", clock_start=START, mllp=Mllp(port=0))
    with HubProcess(settings) as hub:
        yield hub


@pytest.fixture
async def beside(core: Core) -> AsyncIterator[DoorBeside]:
    """Yield a door's process that has been started and is not waited for yet."""
    door = door_of(core.settings, core.committer, core.store.indexer, core.clock)
    beside = DoorBeside(core, door, listening("127.0.0.1", 0))
    await beside.start()
    yield beside
    await beside.stop(0.0)


def process_of(beside: DoorBeside) -> int:
    assert beside._served is not None
    return beside._served.process.pid


async def comes_about(true: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.01)


def messages_of(hub: HubProcess) -> list[bytes]:
    """Return what came in, in order."""
    store = opened(hub.settings, create=False)
    try:
        entries = store.entries(0, types=["hl7v2/Message"], limit=10_000)
        return [entry.body or b"" for entry in entries]
    finally:
        store.close()


def test_a_process_that_is_killed_is_started_again_and_takes_what_is_sent_again_once(
    process: HubProcess,
) -> None:
    sent = [message(f"{number}", visit=f"V{number}") for number in range(30)]
    with BlockingMllpClient(*process.address()) as client:
        for number, each in enumerate(sent):
            if number % 10 == 5:
                killed = receiving_of(process)
                os.kill(killed, signal.SIGKILL)
                until(lambda killed=killed: receiving_of(process) not in {0, killed})
            assert client.send(each).accepted
    assert messages_of(process) == sent


def test_no_answer_comes_from_a_process_whose_hub_was_killed_and_its_port_is_free_again(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = Settings(data=str(tmp_path / "data"), mllp=Mllp(port=port))
    with HubProcess(settings) as hub, BlockingMllpClient("127.0.0.1", port, retry=ONCE) as client:
        assert client.send(message("1")).accepted
        running, receiving = hub.status().hub, receiving_of(hub)
        assert running is not None
        os.kill(receiving, signal.SIGSTOP)  # it cannot see yet that its hub has gone
        os.kill(running.pid, signal.SIGKILL)
        until(lambda: not is_running(running.pid))
        client.post(message("2", visit="V2"))
        with suppress(ProcessLookupError):  # Linux ends it with its hub
            os.kill(receiving, signal.SIGCONT)
        with pytest.raises(OSError):  # noqa: PT011 - closed or reset
            while client.collect(message("2", visit="V2")) is None:
                pass
        until(lambda: not is_running(receiving))
    with HubProcess(settings) as hub, BlockingMllpClient("127.0.0.1", port) as client:
        assert client.send(message("2", visit="V2")).accepted
        assert messages_of(hub) == [message("1"), message("2", visit="V2")]


@pytest.fixture
def poisonable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let words in messages end or hang the processes that receive."""
    paths = [str(Path(__file__).parents[2] / "poison"), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))


@pytest.mark.usefixtures("poisonable")
async def test_a_message_that_ends_the_process_is_named_without_a_word_of_it(
    beside: DoorBeside, caplog: pytest.LogCaptureFixture
) -> None:
    await beside.ready(asyncio.Event())
    poison = message("POISON-ENDS")
    async with MllpClient("127.0.0.1", beside.port, retry=ONCE) as client:
        assert (await client.send(message("1"))).accepted
        with pytest.raises(Unanswered):
            await client.send(poison)
    await comes_about(lambda: "has ended" in caplog.text)
    assert "has ended (-9) at a message of 127.0.0.1:" in caplog.text
    assert f"{len(poison)} bytes, sha256 {sha256(poison).hexdigest()[:16]}" in caplog.text
    assert "KIM" not in caplog.text


@pytest.mark.usefixtures("poisonable")
async def test_a_message_that_ends_the_process_twice_is_kept_unread_and_its_sender_told_to_stop(
    beside: DoorBeside, core: Core
) -> None:
    await beside.ready(asyncio.Event())
    poison = message("POISON-ENDS")
    async with MllpClient("127.0.0.1", beside.port, retry=Retry(attempts=4)) as client:
        answer = await client.send(poison)
        assert (answer.code, answer.control_id) == ("AE", "POISON-ENDS")
        assert "do not send it again" in answer.problems[0].text
        assert (await client.send(message("2", visit="V2"))).accepted
    core.settle()
    kept, taken = core.store.entries(0, types=["hl7v2/Message"])
    assert (kept.body, kept.source, taken.body) == (poison, "hl7v2:127.0.0.1", message("2", visit="V2"))
    assert barred_of(core.store) == {sha256(poison).digest()}


@pytest.mark.usefixtures("poisonable")
async def test_an_address_whose_messages_differ_and_end_the_process_each_time_is_put_off_for_some_time(
    beside: DoorBeside, caplog: pytest.LogCaptureFixture
) -> None:
    await beside.ready(asyncio.Event())
    for number in range(3):
        async with MllpClient("127.0.0.1", beside.port, retry=ONCE) as client:
            with pytest.raises(Unanswered):
                await client.send(message(f"POISON-ENDS-{number}"))
    await comes_about(lambda: "127.0.0.1 may not connect for 60 seconds" in caplog.text)
    async with MllpClient("127.0.0.1", beside.port, retry=ONCE) as client:
        with pytest.raises(Unanswered):
            await client.send(message("1"))
    await comes_about(lambda: beside.running)
    assert (await asyncio.to_thread(beside.told)).counted["put off for some time"] == 1


def test_who_is_put_off_is_let_in_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    refuses = refusals_of(Settings(), {"10.0.0.7": 60.0})
    assert [refuses(address) for address in ("10.0.0.7", "10.0.0.8")] == ["put off for some time", ""]
    now = 160.0
    assert refuses("10.0.0.7") == ""


def test_of_a_process_that_hangs_what_it_told_last_stands(process: HubProcess) -> None:
    with BlockingMllpClient(*process.address()) as client:
        assert client.send(message("1")).accepted
        assert process.status().hub.connections == 1  # type: ignore[union-attr]
        receiving = receiving_of(process)
        os.kill(receiving, signal.SIGSTOP)
        try:
            assert process.status().hub.connections == 1  # type: ignore[union-attr]
        finally:
            os.kill(receiving, signal.SIGCONT)


def test_a_hub_that_is_stopped_while_its_door_does_not_begin_stops(tmp_path: Path) -> None:
    """The hub is told to stop as soon as its door's process is there, which is held up for good."""
    settings = Settings(data=str(tmp_path / "data"), mllp=Mllp(port=0))
    settings.folder.mkdir()
    command = [
        sys.executable,
        "-m",
        "broadstreet.cli",
        "serve",
        "--data",
        str(settings.folder),
        "--port",
        "0",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as hub:
        until(lambda: child_of(hub.pid, RECEIVING))
        os.kill(child_of(hub.pid, RECEIVING), signal.SIGSTOP)
        time.sleep(1)
        hub.terminate()
        assert hub.wait(30) == 0


def test_works_that_cannot_pass_the_line_end_the_process_so_that_no_sender_waits_for_ever() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CANNOT_PASS], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "works could not be handed in" in done.stderr


_CANNOT_PASS = """
import asyncio
from broadstreet.app.receiving.__main__ import _Hub
from broadstreet.app.receiving.line import Line, Told


class Transport:
    def write(self, data):
        pass


async def main():
    line = Line(lambda _: None, lambda: None)
    line.connection_made(Transport())
    await _Hub(line).committed(lambda: "a function of here cannot be pickled")


asyncio.run(main())
"""


async def test_a_process_that_cannot_be_started_again_for_whatever_reason_is_tried_again(
    core: Core, caplog: pytest.LogCaptureFixture
) -> None:
    door = door_of(core.settings, core.committer, core.store.indexer, core.clock)
    beside = DoorBeside(core, door, listening("127.0.0.1", 0))
    await beside.start()
    await beside.ready(asyncio.Event())
    begun, failures = beside._begun, iter([RuntimeError("no thread"), OSError(24, "too many open files")])

    async def fails_first() -> Any:
        for failure in failures:
            raise failure
        return await begun()

    beside._begun = fails_first  # type: ignore[method-assign]
    assert beside._served is not None
    beside._served.process.kill()
    async with asyncio.timeout(30):
        while beside.running:
            await asyncio.sleep(0.01)
        while not beside.running:
            await asyncio.sleep(0.01)
    await beside.stop(0.0)
    assert caplog.text.count("cannot be started") == 2


@pytest.mark.parametrize("hangs", ["before it begins", "at work"])
async def test_a_process_that_hangs_is_killed_and_another_takes_what_is_sent_again(
    beside: DoorBeside, hangs: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(served, "LISTENED_FOR", 0.1)
    await beside.ready(asyncio.Event())
    hung = process_of(beside)
    if hangs == "before it begins":
        os.kill(hung, signal.SIGKILL)
        await comes_about(lambda: beside._served is not None and process_of(beside) != hung)
        hung = process_of(beside)
    os.kill(hung, signal.SIGSTOP)
    with monkeypatch.context() as hurried:
        hurried.setattr(served, "SILENT_AT_MOST", 0.3)
        hurried.setattr(served, "READY_WITHIN", 0.3)
        await comes_about(lambda: not is_running(hung))
    async with MllpClient("127.0.0.1", beside.port) as client:
        assert (await client.send(message("1"))).accepted
    assert "hangs" in caplog.text


async def test_a_process_is_left_alone_as_long_as_it_speaks(beside: DoorBeside) -> None:
    process = beside._served
    assert process is not None
    await process.here.wait()
    turns = iter(range(100))

    async def ended_within(_: float) -> bool:
        turn = next(turns)
        if turn % 9 == 0:
            process._take(Told(0))
        return turn == 99

    process._ended_within = ended_within  # type: ignore[method-assign]
    await process.until_gone()
    assert process.process.poll() is None


async def test_a_hub_starts_though_its_first_message_ended_the_process(beside: DoorBeside) -> None:
    assert beside._served is not None
    await beside._served.here.wait()
    beside._served.process.kill()
    await beside._served.gone.wait()
    await beside.ready(asyncio.Event())
    await comes_about(lambda: beside.running)


async def test_a_start_that_is_broken_off_leaves_no_process(
    beside: DoorBeside, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **named: Any) -> None:
            super().__init__(*args, **named)
            begun.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    starting = asyncio.create_task(beside._begun())
    await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert [process.returncode for process in begun] == [-signal.SIGKILL]


async def test_what_a_process_counted_is_not_lost_with_it_nor_counted_twice(core: Core) -> None:
    door = door_of(core.settings, core.committer, core.store.indexer, core.clock)
    beside = DoorBeside(core, door, listening("127.0.0.1", 0))
    await beside.start()
    await beside.ready(asyncio.Event())
    async with MllpClient("127.0.0.1", beside.port) as client:
        for number in range(3):
            assert (await client.send(message(f"{number}"))).accepted
    assert (await asyncio.to_thread(beside.told)).answered == {"AA": 3}
    assert beside._served is not None
    beside._served.process.kill()
    await beside._served.gone.wait()
    assert (await asyncio.to_thread(beside.told)).answered == {"AA": 3}
    async with asyncio.timeout(30):
        while not beside.running:
            await asyncio.sleep(0.01)
    assert (await asyncio.to_thread(beside.told)).answered == {"AA": 3}
    await beside.stop(0.0)


def test_who_has_no_name_is_looked_up_with_the_batch_each_time(tmp_path: Path) -> None:
    """Nobody remembers who has no name: what the process asks for must hold them every time."""
    hub = Hub(tmp_path)
    asked, sought = _Asked(), []
    for visit in ("V1", "V2", "V3"):
        raw = hub.message("ADT^A04", ("PID", PID), ("PV1", PV1 | {"7": Raw("77^^^^^^^^CLINIC"), "19": visit}))
        parsed = Message.parse(raw)
        made = plan(parsed, tables.events()["ADT", "A04"], ZONE)
        sought.append(set(wants(made, hub.store.indexer, asked).tokens))
    nameless = set(
        hub.store.indexer.tokens("Practitioner", "identifier", "urn:broadstreet:namespace:CLINIC", "77")
    )
    assert all(nameless <= each for each in sought)
    assert len(sought[1]) < len(sought[0]), "who has a name is asked for once"
    hub.close()


def test_what_is_half_sent_when_the_hub_stops_is_not_taken(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path / "data"), mllp=Mllp(port=0))
    with HubProcess(settings) as hub, socket.create_connection(hub.address()) as sender:
        sender.sendall(b"\x0b" + message("1"))
        until(lambda: hub.status().hub.connections == 1)  # type: ignore[union-attr]
    assert messages_of(hub) == []


def test_a_refusal_and_a_message_that_is_known_pass_the_line(process: HubProcess) -> None:
    with BlockingMllpClient(*process.address()) as client:
        refused = client.send(message("1", kind="SIU^S12"))
        assert (refused.code, refused.problems[0].location.segment) == ("AR", "MSH")  # type: ignore[union-attr]
        for _ in range(2):
            assert client.send(message("2")).code == "AA"


def test_what_passes_the_line_leaves_the_same_log(tmp_path: Path) -> None:
    """Each message is read once by a door of this process, and once by another whose works are pickled."""
    city = Exercise(7, days=14, clinics=3)
    sent = [timed.message for n in range(3) for day in range(3) for timed in city.clinic(n).messages(day)]
    sent += [message("1", kind="SIU^S12"), message("2", at="never"), b"MSH|^~", b"MSH|^~\\&|A||||", sent[0]]
    logs = []
    for folder, passed in (("here", False), ("there", True)):
        (tmp_path / folder).mkdir()
        hub = Hub(tmp_path / folder)
        reading = hub.new_door()
        for raw in sent:
            _, work = (reading if passed else hub.door).receive(raw)
            if passed:
                work = hub.door.adopt(pickle.loads(pickle.dumps(work)))
            hub.committer.commit(work)
        logs.append([_told(entry) for entry in hub.store.entries(0, limit=100_000)])
        hub.close()
    assert len(logs[0]) > 3 * len(sent)
    assert logs[0] == logs[1]


def _told(entry: Entry) -> tuple[Any, ...]:
    return entry.type, entry.id, entry.version, entry.source, entry.key, entry.actor, entry.cause, entry.body


def test_a_certificate_that_cannot_be_read_is_told_before_anything_is_opened(tmp_path: Path) -> None:
    tls = Tls(certificate=str(tmp_path / "none.pem"), key=str(tmp_path / "none.key"))
    settings = Settings(data=str(tmp_path / "data"), mllp=Mllp(port=0, tls=tls))
    with pytest.raises(StoreError, match=r"mllp\.tls"):
        run(settings)
    assert not settings.file.exists()


def test_a_sender_that_comes_while_the_process_is_away_waits(process: HubProcess) -> None:
    killed = receiving_of(process)
    os.kill(killed, signal.SIGKILL)
    until(lambda: not is_running(killed))
    with BlockingMllpClient(*process.address(), retry=ONCE) as client:
        try:
            accepted = client.send(message("1")).accepted
        except Unanswered:  # the kernel had handed the connection to the dead process
            accepted = client.send(message("1")).accepted
    assert accepted
