from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from broadstreet.app.core import Core
from broadstreet.app.settings import Settings
from broadstreet.cli import app
from broadstreet.model.records import Access
from broadstreet.store.seal import Keyring
from broadstreet.trust.access import Leave
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


def test_keys_are_told_copied_and_wrapped_anew(run: Run, folder: Path, tmp_path: Path) -> None:
    Keyring(folder / "keys").close()
    assert "0 keys in use" in run("keys", "status", "--data", folder).output
    copied = run("keys", "backup", tmp_path / "copy.db", "--data", folder)
    assert (copied.exit_code, (tmp_path / "copy.db").stat().st_mode & 0o777) == (0, 0o600)
    again = run("keys", "backup", tmp_path / "copy.db", "--data", folder)
    assert (again.exit_code, "never overwrites" in again.stderr) == (2, True)
    assert "0 keys wrapped anew" in run("keys", "rotate", "--data", folder).output


def look(folder: Path) -> None:
    """Leave behind that kim looked at a resident."""
    settings = Settings(data=str(folder))
    access = Access(
        id="-", who="kim", kind="person", purpose="treatment", action="read", what="Patient",
        outcome="answered", whom=("p1",), residents=1,
    )  # fmt: skip
    with Core(settings) as core:
        core.committer.commit(Leave(access))
        core.settle()


def test_who_looked_is_told_for_people_and_programs(run: Run, folder: Path) -> None:
    look(folder)
    assert "kim" in run("access", "--of", "p1", "--data", folder).output
    looking, told = json.loads(run("access", "--of", "p1", "--json", "--data", folder).output)
    assert (told["who"], told["purpose"]) == ("kim", "treatment")
    assert (looking["who"], looking["action"]) == ("local", "looked"), "to ask who looked is to look"
    assert "kim" in run("access", "--of", "Patient/p1", "--data", folder).output
    nobody = run("access", "--of", "p2", "--data", folder).output
    assert "No reading is recorded for the id p2; expected the full id of a Patient." in nobody


def test_who_looked_is_told_in_the_time_of_the_city(run: Run, folder: Path) -> None:
    look(folder)
    (folder / "broadstreet.toml").write_text('zone = "Asia/Seoul"\n')
    [told] = json.loads(run("access", "--of", "p1", "--json", "--data", folder).output)
    assert told["at"].endswith("+09:00")
