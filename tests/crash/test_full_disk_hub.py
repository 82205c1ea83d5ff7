"""A hub on a disk that fills answers AE, is not ready, loses nothing, and goes on when there is room."""

from __future__ import annotations

import http.client
import json
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broadstreet.app import requests
from broadstreet.app.process import HubProcess
from broadstreet.app.reach import read
from broadstreet.app.settings import Mllp, Monitoring, Settings
from broadstreet.connectors.hl7v2.client import BlockingMllpClient
from broadstreet.connectors.hl7v2.problems import ErrorCode
from broadstreet.store.sqlite.store import verify
from tests.unit.app.conftest import START
from tests.unit.cli.conftest import message

MOST = 3_000
REFUSED = 20
SMALL = 24 * 2**20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of 24 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no disk of its own can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def hub_in(folder: Path) -> HubProcess:
    return HubProcess(
        Settings(
            data=str(folder / "data"),
            clock="driven",
            clock_start=START,
            mllp=Mllp(port=0),
            monitoring=Monitoring(listen="127.0.0.1:0", min_free_mb=1),
        )
    )


def ready(hub: HubProcess) -> tuple[int, list[str]]:
    address = hub.status().hub.monitoring  # type: ignore[union-attr]
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request("GET", "/ready")
    answer = connection.getresponse()
    checks = json.loads(answer.read())["checks"]
    connection.close()
    return answer.status, [check["reason"] for check in checks if not check["ok"]]


def trial(hub: HubProcess, make_room: Callable[[], None]) -> None:
    """Send until there is no room, make room, send again what was refused."""
    accepted: list[str] = []
    refused: list[str] = []
    with BlockingMllpClient(*hub.address()) as client:
        for number in range(MOST):
            answer = client.send(message(f"{number}", visit=f"V{number}"))
            (accepted if answer.accepted else refused).append(f"{number}")
            if not answer.accepted:
                assert answer.code == "AE"
                assert answer.problems[0].code is ErrorCode.INTERNAL
                assert "send it again" in answer.problems[0].text
            if len(refused) == REFUSED:
                break
        assert len(refused) == REFUSED, "the disk did not fill"
        status, reasons = ready(hub)
        assert (status, "no room" in reasons[0] or "MB are left" in reasons[0]) == (503, True), reasons
        make_room()
        for id in refused:
            assert client.send(message(id, visit=f"V{id}")).accepted
    hub.control.ask(requests.Settle())
    assert ready(hub) == (200, [])
    assert {one.behind for one in hub.status().followers} == {0}
    with read(hub.settings) as store:
        keys = [e.key.split(":")[0] for e in store.entries(0, types=["hl7v2/Message"], limit=10**6)]
    assert sorted(keys) == sorted(accepted + refused), "each message is there exactly once"


def test_a_hub_whose_files_may_not_grow_goes_on_when_they_may(tmp_path: Path) -> None:
    with hub_in(tmp_path) as hub:
        running = hub.status().hub
        assert running is not None
        largest = max(file.stat().st_size for file in hub.settings.folder.iterdir())
        _, hard = resource.prlimit(running.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (largest + 500_000, hard))
        trial(hub, lambda: resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (hard, hard)) and None)
    verify(hub.settings.file)


def test_a_hub_on_a_disk_that_fills_goes_on_when_there_is_room(small_disk: Path) -> None:
    with hub_in(small_disk) as hub:
        ballast = small_disk / "ballast"
        ballast.write_bytes(b"\0" * (shutil.disk_usage(small_disk).free - 1_500_000))
        trial(hub, ballast.unlink)
    verify(hub.settings.file)
