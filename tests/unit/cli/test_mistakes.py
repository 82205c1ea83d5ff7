"""What people get wrong is told in one sentence, without a traceback."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run, message


@pytest.mark.parametrize(
    "command",
    [
        ("status",), ("quarantine", "list"), ("quarantine", "show", "x"), ("quarantine", "retry", "x"),
        ("quarantine", "discard", "x", "--note", "n"), ("backup", "copy"), ("rebuild",),
        ("followers", "list"), ("followers", "promote", "x"),
    ],
)  # fmt: skip
def test_a_folder_without_a_store_is_named(run: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    result = run(*command, "--data", tmp_path / "none")
    assert result.exit_code == 2
    assert "expected a store in the folder" in result.output
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            ("send", "/no/such/path"),
            "expected a file or folder with messages, found nothing at /no/such/path",
        ),
        (("serve", "--host", "0.0.0.0"), "trust must be configured"),
        (("serve", "--port", "70000"), "mllp.port: expected whole number ≥ 0 and ≤ 65,535, got 70000"),
        (("serve", "--clock", "driven", "--start", "today"), "clock_start: expected instant, got 'today'"),
        (("status", "--config", "none.toml"), "cannot read the settings file none.toml"),
        (("restore", "none.db"), "expected a file that `broadstreet backup` wrote, found none at none.db"),
        (("signals", "dismiss", "x", "--reason", ""), "--reason: expected a few words, got an empty text"),
        (("signals", "verify", "x", "--reason", " "), "--reason: expected a few words, got"),
        (("quarantine", "discard", "x", "--note", ""), "--note: expected a few words, got"),
    ],
)
def test_the_sentence_says_what_was_expected_and_what_came(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*command)
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output
    assert result.output.count("\n") == 1


def test_a_driven_clock_on_an_empty_store_needs_a_start(run: Run, tmp_path: Path) -> None:
    result = run("serve", "--data", tmp_path, "--clock", "driven", "--port", "0")
    assert (result.exit_code, "clock_start: expected the instant" in result.output) == (2, True)


def test_a_door_that_does_not_answer_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "m.hl7").write_bytes(message("1"))
    result = run("send", tmp_path / "m.hl7", "--port", "1")
    assert result.exit_code == 2
    assert "no answer from 127.0.0.1:1: Connection refused (start the receiver" in result.output
    assert "Errno" not in result.output


def test_a_port_that_is_taken_is_told_with_what_to_do(run: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--data", tmp_path / "data", "--port", port)
    assert result.exit_code == 2
    assert f"cannot listen on 127.0.0.1, port {port} (Address already in use)" in result.output
    assert "choose another port with --port" in result.output


def test_a_folder_that_cannot_be_made_is_told_before_anything_runs(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("serve", "--data", tmp_path / "file" / "data", "--port", "0")
    assert (result.exit_code, "expected a folder for the store, cannot make" in result.output) == (2, True)
    result = run("demo", "--out", tmp_path / "file")
    assert result.exit_code == 2
    assert result.output.startswith("broadstreet: expected a folder for the picture and the page")


def test_a_projection_that_does_not_exist_is_refused_with_those_that_do(run: Run, tmp_path: Path) -> None:
    (tmp_path / "m.hl7").write_bytes(message("1"))
    run("send", tmp_path / "m.hl7", "--data", tmp_path / "data")
    result = run("rebuild", "nothing", "--data", tmp_path / "data")
    assert (result.exit_code, "expected projections among timers" in result.output) == (2, True)


def test_every_command_explains_itself(run: Run) -> None:
    commands = (
        "serve",
        "send",
        "replay",
        "status",
        "quarantine",
        "backup",
        "restore",
        "rebuild",
        "followers",
    )
    for command in commands:
        result = run(command, "--help")
        assert result.exit_code == 0
        assert len(result.output.splitlines()) > 5
