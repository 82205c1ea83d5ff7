"""A hub as a process, and the commands that work on it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from broadstreet.app import requests
from broadstreet.app.process import LOG, HubProcess
from broadstreet.app.reach import read
from broadstreet.app.settings import Mllp, Settings
from broadstreet.connectors.hl7v2.client import BlockingMllpClient
from broadstreet.connectors.hl7v2.mllp import frame
from broadstreet.store.protocol import StoreError
from tests.unit.app.conftest import START
from tests.unit.cli.conftest import Run, message


def test_messages_in_files_go_through_the_door_of_the_running_hub(
    run: Run, process: HubProcess, folder: Path, messages: Path
) -> None:
    result = run("send", messages, "--data", folder)
    assert result.exit_code == 1
    assert "Sending to the hub that runs on this data folder." in result.output
    assert "4 messages sent: 2 accepted, 2 refused." in result.output
    assert "1 x AR: MSH-9:" in result.output
    assert "1 x AE: MSH-7:" in result.output
    (feed,) = process.status().feeds
    assert (feed.messages, feed.accepted, feed.refused) == (4, 2, 2)


def test_sent_again_nothing_is_new_and_what_was_refused_is_tried_again(
    run: Run, process: HubProcess, folder: Path, messages: Path
) -> None:
    run("send", messages, "--data", folder)
    assert run("send", messages, "--data", folder).exit_code == 1
    (feed,) = process.status().feeds
    assert (feed.duplicates, feed.reused) == (2, 0)
    shown = run("quarantine", "list", "--data", folder, "--json")
    assert [held["attempts"] for held in json.loads(shown.output)] == [2, 2]


@pytest.mark.usefixtures("process")
def test_a_refused_message_is_shown_mended_and_released(
    run: Run, folder: Path, messages: Path, tmp_path: Path
) -> None:
    run("send", messages / "3.hl7", "--data", folder)
    (held,) = json.loads(run("quarantine", "list", "--data", folder, "--json").output)
    short = held["id"][-12:]
    assert "»soon«" in run("quarantine", "show", short, "--data", folder).output
    again = run("quarantine", "retry", short, "--data", folder)
    assert (again.exit_code, "Refused again (AE)" in again.output) == (1, True)
    (tmp_path / "mended").write_bytes(message("4"))
    mended = run("quarantine", "retry", short, "--data", folder, "--mended", tmp_path / "mended")
    assert (mended.exit_code, "has left the quarantine" in mended.output) == (0, True)
    run("send", messages / "1.hl7", "--data", folder)  # settles
    assert "Nothing is held" in run("quarantine", "list", "--data", folder).output


def test_what_is_held_can_be_retried_and_discarded_without_a_hub(
    run: Run, folder: Path, messages: Path
) -> None:
    assert run("send", messages, "--data", folder).exit_code == 1
    first, second = json.loads(run("quarantine", "list", "--data", folder, "--json").output)
    assert run("quarantine", "retry", first["id"], "--data", folder).exit_code == 1
    gone = run("quarantine", "discard", second["id"], "--data", folder, "--note", "a test")
    assert gone.exit_code == 0
    (left,) = json.loads(run("quarantine", "list", "--data", folder, "--json").output)
    assert (left["id"], left["attempts"]) == (first["id"], 2)


def test_the_status_is_the_same_with_a_hub_and_without(run: Run, process: HubProcess, folder: Path) -> None:
    with BlockingMllpClient(*process.address()) as client:
        assert client.send(message("1")).accepted
    process.control.ask(requests.Settle())
    while_running = json.loads(run("status", "--data", folder, "--json").output)
    assert while_running["hub"]["port"] == process.address()[1]
    shown = run("status", "--data", folder).output
    assert "EHR|CLINIC" in shown
    assert "KIM" not in shown
    process.__exit__(None, None, None)
    after = json.loads(run("status", "--data", folder, "--json").output)
    for part in ("feeds", "quarantine", "followers", "signals", "head"):
        assert after[part] == while_running[part]
    assert after["hub"] is None
    assert "No hub runs on this store." in run("status", "--data", folder).output
    process.__enter__()


def test_a_backup_of_a_running_hub_is_restored_once_it_is_stopped(
    run: Run, process: HubProcess, folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    with BlockingMllpClient(*process.address()) as client:
        client.send(message("1"))
        assert run("backup", copy, "--data", folder).exit_code == 0
        head = process.status().head
        client.send(message("2", visit="V2"))
    refused = run("restore", copy, "--data", folder)
    assert (refused.exit_code, "stop it first" in refused.output) == (2, True)
    process.__exit__(None, None, None)
    restored = run("restore", copy, "--data", folder)
    assert f"Restored {head:,} entries" in restored.output
    with read(process.settings) as store:
        assert store.head() == head
    process.__enter__()
    assert process.status().head >= head


def test_projections_are_rebuilt_to_the_same_and_not_while_a_hub_runs(
    run: Run, process: HubProcess, folder: Path, messages: Path
) -> None:
    run("send", messages, "--data", folder)
    refused = run("rebuild", "--data", folder)
    assert (refused.exit_code, "stop it first" in refused.output) == (2, True)
    process.__exit__(None, None, None)
    before = run("quarantine", "list", "--data", folder, "--json").output
    rebuilt = run("rebuild", "quarantine", "timers", "--data", folder)
    assert rebuilt.exit_code == 0
    assert run("quarantine", "list", "--data", folder, "--json").output == before
    process.__enter__()


def test_a_hub_that_is_told_to_stop_answers_what_has_come_and_loses_nothing(folder: Path) -> None:
    settings = Settings(data=str(folder), mllp=Mllp(port=0))
    with HubProcess(settings) as hub:
        host, port = hub.address()

        async def flood() -> list[bytes]:
            reader, writer = await asyncio.open_connection(host, port)
            for number in range(20):
                writer.write(frame(message(str(number), visit=f"V{number}")))
            await writer.drain()
            first = await reader.readuntil(b"\x1c\r")
            os.kill(hub.status().hub.pid, signal.SIGTERM)  # type: ignore[union-attr]
            rest = await reader.read()
            writer.close()
            return [first, *rest.split(b"\x1c\r")]

        answers = asyncio.run(flood())
    acknowledged = sum(b"MSA|AA" in answer for answer in answers)
    assert acknowledged > 0
    with read(settings) as store:
        visits = len(store.currents("fhir/Encounter"))
        behind = {store.head() - cursor.seq for cursor in store.cursors().values()}
    assert visits >= acknowledged
    assert behind == {0}
    assert not (folder / "hub.sock").exists()


def test_a_hub_with_the_system_clock_closes_yesterday_by_itself(folder: Path) -> None:
    with HubProcess(Settings(data=str(folder), mllp=Mllp(port=0))) as hub:
        deadline = time.monotonic() + 30
        while hub.status().day_closed is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert hub.status().day_closed is not None


def test_a_hub_that_is_stopped_says_what_it_leaves(folder: Path) -> None:
    command = [sys.executable, "-m", "broadstreet.cli", "serve", "--data", str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as hub:
        assert hub.stdout is not None
        port = int(hub.stdout.readline().split("127.0.0.1:")[1].split(".")[0])
        with BlockingMllpClient("127.0.0.1", port) as client:
            assert client.send(message("1")).accepted
        hub.send_signal(signal.SIGINT)
        said = hub.stdout.read()
    with read(Settings(data=str(folder))) as store:
        head = store.head()
    assert hub.returncode == 0
    assert f"Stopped cleanly: {head} entries since the start, {head} in all" in said


def test_days_that_are_not_over_are_told_as_untested(run: Run, process: HubProcess, folder: Path) -> None:
    assert "No signal: no visits yet." in run("status", "--data", folder).output
    with BlockingMllpClient(*process.address()) as client:
        client.send(message("1"))
    process.control.ask(requests.Settle())
    shown = run("status", "--data", folder).output
    assert "No signal yet: no day with visits is over." in shown
    assert "Not tested yet: visits on 2026-01-05." in shown
    process.control.ask(requests.Advance(to=START + timedelta(days=1)))
    process.control.ask(requests.Settle())
    shown = run("status", "--data", folder).output
    assert "No signal: no day that is over" in shown
    assert "Not tested yet" not in shown


def test_a_table_in_a_pipe_has_one_line_a_row(run: Run, folder: Path, messages: Path) -> None:
    run("send", messages, "--data", folder)
    listed = run("quarantine", "list", "--data", folder).output
    rows = [line for line in listed.splitlines() if "EHR|CLINIC" in line]
    assert ["'SIU' is not taken" in row for row in rows].count(True) == 1
    assert ["must look like YYYY" in row for row in rows].count(True) == 1
    assert len(rows) == 2
    assert all(line == line.rstrip() for line in listed.splitlines())


def test_a_hub_ends_with_the_process_that_started_it(folder: Path) -> None:
    starts = (
        "import os, sys; from pathlib import Path\n"
        "from broadstreet.app.process import HubProcess\n"
        "from broadstreet.app.settings import Mllp, Settings\n"
        "with HubProcess(Settings(data=sys.argv[1], mllp=Mllp(port=0))) as hub:\n"
        "    print(hub.status().hub.pid, flush=True)\n"
        "    os._exit(1)\n"
    )
    dead = subprocess.run(
        [sys.executable, "-c", starts, str(folder)], capture_output=True, timeout=60, check=False
    )
    hub = Path(f"/proc/{int(dead.stdout)}")
    deadline = time.monotonic() + 30
    while hub.exists() and "Z" not in (hub / "stat").read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not hub.exists() or "Z" in (hub / "stat").read_text()


def test_a_second_hub_on_the_store_says_which_process_holds_it(process: HubProcess) -> None:
    command = [sys.executable, "-m", "broadstreet.cli", "serve", "--config", str(process.config)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    pid = process.status().hub.pid  # type: ignore[union-attr]
    assert second.returncode == 2
    assert f"another hub (process {pid}) writes to log.db: stop it first" in second.stderr.replace("\n", " ")
    assert "Traceback" not in second.stderr


def test_a_hub_that_cannot_start_says_why(folder: Path, process: HubProcess) -> None:
    taken = process.address()[1]
    other = Settings(data=str(folder.parent / "other"), mllp=Mllp(port=taken))
    with pytest.raises(StoreError, match=r"the hub did not start: .*in use"), HubProcess(other):
        pass
    assert (folder.parent / "other" / LOG).exists()


@pytest.mark.usefixtures("process")
def test_followers_are_listed_and_only_one_that_stopped_resumes(run: Run, folder: Path) -> None:
    assert "quarantine" in run("followers", "list", "--data", folder).output
    result = run("followers", "resume", "quarantine", "--data", folder)
    assert (result.exit_code, "expected a follower that has stopped" in result.output) == (2, True)
    result = run("followers", "promote", "quarantine", "--data", folder)
    assert (result.exit_code, "runs in shadow" in result.output) == (2, True)


def test_the_fever_visits_of_new_york_are_replayed_day_by_day(run: Run, shared: Path, folder: Path) -> None:
    source = shared / "data" / "nyc_fever_2001"
    result = run("replay", source, "--data", folder, "--zone", "America/New_York")
    assert result.exit_code == 0
    assert "194 visits sent: 194 accepted, 0 refused." in result.output
    status = json.loads(run("status", "--data", folder, "--json").output)
    assert status["day_closed"] == "2001-11-24"
    assert status["zone"] == "America/New_York"


def settings_of_a_hub(folder: Path) -> Path:
    """Write the settings of a hub that keeps the time of the world; return their file."""
    folder.mkdir()
    file = folder / "broadstreet.toml"
    file.write_text('# the city\'s own\nzone = "America/New_York"\n[mllp]\nport = 0\n')
    return file


def served_once(folder: Path) -> None:
    command = [sys.executable, "-m", "broadstreet.cli", "serve", "--data", str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as hub:
        assert hub.stdout is not None
        assert "Listening" in hub.stdout.readline()
        hub.send_signal(signal.SIGINT)


def test_messages_are_not_sent_to_a_hub_that_is_stopped_and_its_settings_stay(
    run: Run, folder: Path, messages: Path
) -> None:
    file = settings_of_a_hub(folder)
    before = file.read_bytes()
    refused = run("send", messages, "--data", folder)
    assert refused.exit_code == 2
    assert f"start it with `broadstreet serve --data {folder}`" in refused.output
    assert {path.name for path in folder.iterdir()} == {"broadstreet.toml"}
    served_once(folder)
    assert run("replay", messages, "--data", folder).exit_code == 2
    assert file.read_bytes() == before


def test_a_store_without_a_settings_file_is_not_made_a_driven_one(
    run: Run, folder: Path, messages: Path
) -> None:
    served_once(folder)
    refused = run("send", messages, "--data", folder)
    assert (refused.exit_code, "expected a running hub" in refused.output) == (2, True)
    assert not (folder / "broadstreet.toml").exists()


def test_messages_are_sent_again_to_the_folder_that_was_made_for_them(
    run: Run, folder: Path, messages: Path
) -> None:
    assert "2 accepted" in run("send", messages, "--data", folder, "--zone", "Asia/Seoul").output
    before = (folder / "broadstreet.toml").read_bytes()
    assert "2 accepted" in run("send", messages, "--data", folder).output
    assert (folder / "broadstreet.toml").read_bytes() == before
    assert json.loads(run("status", "--data", folder, "--json").output)["zone"] == "Asia/Seoul"


def test_a_hub_that_is_refused_leaves_nothing_in_the_folder_of_the_one_that_runs(folder: Path) -> None:
    running = Settings(data=str(folder), socket=str(folder.parent / "s"), mllp=Mllp(port=0))
    with HubProcess(running) as hub:
        hub.config.unlink()
        other = Settings(data=str(folder), clock="driven", clock_start=START, mllp=Mllp(port=0))
        with pytest.raises(StoreError, match="another hub"), HubProcess(other):
            pass
        same = msgspec.structs.replace(other, socket=running.socket)
        with pytest.raises(StoreError, match="another hub"), HubProcess(same):
            pass
        assert not hub.config.exists()
