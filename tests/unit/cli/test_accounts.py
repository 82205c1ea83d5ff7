from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from broadstreet.cli import app
from tests.unit.cli.conftest import Run


def test_a_person_is_added_listed_and_disabled(run: Run, folder: Path) -> None:
    added = CliRunner().invoke(
        app,
        ["user", "add", "kim", "--role", "clinician", "--data", str(folder), "--stdin"],
        input="a long password\n",
    )
    assert (added.exit_code, added.output.strip()) == (0, "kim may sign in.")
    assert "clinician" in run("user", "list", "--data", folder).output
    assert run("user", "disable", "kim", "--data", folder).output.strip() == "kim is disabled."
    assert "disabled" in run("user", "list", "--data", folder).output


def test_the_secret_of_a_client_is_printed_once(run: Run, folder: Path) -> None:
    told = run("client", "add", "lab", "--role", "laboratory", "--data", folder).output.split()[-1]
    assert len(told) == 43
    assert told not in run("client", "list", "--data", folder).output
    assert told.encode() not in (folder / "accounts.json").read_bytes()
    assert run("client", "rotate", "lab", "--data", folder).output.split()[-1] != told


def test_a_mistake_is_told_in_one_sentence(run: Run, folder: Path) -> None:
    for arguments in (
        ("client", "add", "Lab", "--role", "laboratory"),
        ("client", "add", "lab", "--role", "king"),
        ("client", "add", "lab", "--role", "sender", "--network", "10.0.0.1/8"),
        ("client", "rotate", "nobody"),
    ):
        result = run(*arguments, "--data", folder)
        assert result.exit_code == 2
        assert result.stderr.startswith("broadstreet: ")
        assert len(result.stderr.splitlines()) == 1
