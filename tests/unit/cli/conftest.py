from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from broadstreet.app.process import HubProcess
from broadstreet.app.settings import Mllp, Settings
from broadstreet.cli import app
from tests.backends import NO_SERVER, Backend, has
from tests.unit.app.conftest import START

Run = Callable[..., Result]

HEADER = r"MSH|^~\&|EHR|CLINIC|||{at}||{kind}|{id}|P|2.5.1"


def message(id: str, kind: str = "ADT^A04", at: str = "20260105080000", visit: str = "V1") -> bytes:
    lines = [
        HEADER.format(at=at, kind=kind, id=id),
        "PID|1||4711^^^CLINIC^MR||KIM^MINA||19850309|F",
        f"PV1|1|E|ER^101^2^CLINIC||||||||||||||||{visit}^^^CLINIC^VN|||||||||||||||||||||||||{at}",
    ]
    return ("\r".join(lines) + "\r").encode()


@pytest.fixture
def run() -> Run:
    runner = CliRunner()

    def run(*arguments: object) -> Result:
        return runner.invoke(app, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def process(folder: Path) -> Iterator[HubProcess]:
    settings = Settings(data=str(folder), clock="driven", clock_start=START, mllp=Mllp(port=0))
    with HubProcess(settings) as hub:
        yield hub


@pytest.fixture
def server_process(folder: Path, tmp_path: Path) -> Iterator[HubProcess]:
    """Yield a hub whose store is on a PostgreSQL server."""
    if not has("postgres"):
        pytest.skip(NO_SERVER)
    backend = Backend("postgres", tmp_path)
    start = {"clock": "driven", "clock_start": START, "mllp": Mllp(port=0)}
    with HubProcess(Settings(data=str(folder), database=backend.address(), **start)) as hub:  # type: ignore[arg-type]
        yield hub
    backend.close()


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    """Return a folder with two good messages, one of a type that is not taken and one that is none."""
    folder = tmp_path / "messages"
    folder.mkdir()
    (folder / "1.hl7").write_bytes(message("1") + message("2", visit="V2"))
    (folder / "2.hl7").write_bytes(message("3", kind="SIU^S12"))
    (folder / "3.hl7").write_bytes(message("4").replace(b"20260105080000||", b"soon||"))
    return folder
