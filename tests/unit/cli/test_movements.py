"""Where residents were is asked for by one person and decided by another, at the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from broadstreet.app.process import HubProcess
from broadstreet.app.requests import Advance
from broadstreet.app.settings import Mllp, Settings
from broadstreet.app.stores import opened as opened_store
from broadstreet.cli import app
from broadstreet.model import records
from broadstreet.model.records import Access, AccessNotice
from broadstreet.trust.accounts import Account, Accounts
from tests.unit.app.conftest import START
from tests.unit.cli.conftest import Run

PASSWORD = "correct horse battery"
PEOPLE = {
    "ines": ("investigator",),
    "omar": ("privacy-officer",),
    "both": ("investigator", "privacy-officer"),
    "olga": ("operator",),
}


class Desk:
    """Signs people in, one after another, and runs commands for them."""

    def __init__(self, run: Run, folder: Path) -> None:
        self._run, self._folder = run, folder

    def sign_in(self, name: str) -> None:
        command = ["sign-in", name, "--stdin", "--data", str(self._folder)]
        assert CliRunner().invoke(app, command, input=PASSWORD + "\n").exit_code == 0

    def said(self, *command: object, exit_code: int = 0) -> str:
        result = self._run(*command, "--data", self._folder)
        assert result.exit_code == exit_code, result.output
        return result.output

    def listed(self, *command: object) -> Any:
        return json.loads(self.said(*command, "--json"))

    def ask(self, investigation: str, **more: str) -> str:
        options = {
            "investigation": investigation, "resident": "p1", "basis": "Infectious Disease Control Act",
            "from": "2026-01-01", "to": "2026-01-04", "until": "2026-01-20",
        } | more  # fmt: skip
        said = self.said("movements", "request", *(x for n, v in options.items() for x in (f"--{n}", v)))
        assert "a privacy officer decides" in said
        return str(self.listed("movements", "list")[0]["id"])


@pytest.fixture
def settings(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("BROADSTREET_TOKEN_FILE", str(tmp_path / "token"))
    folder.mkdir(mode=0o700)
    accounts = Accounts(folder)
    for name, roles in PEOPLE.items():
        accounts.add(Account(name=name, kind="person", roles=roles), PASSWORD)
    return Settings(data=str(folder), clock="driven", clock_start=START, mllp=Mllp(port=0))


@pytest.fixture
def hub(settings: Settings) -> Iterator[HubProcess]:
    with HubProcess(settings) as hub:
        yield hub


@pytest.fixture
def desk(hub: HubProcess, run: Run, folder: Path) -> Desk:  # noqa: ARG001 - the hub must run
    return Desk(run, folder)


def opened(desk: Desk) -> str:
    desk.sign_in("ines")
    desk.said("investigation", "open", "Measles, northern district", "--case", "p1", "--case", "p2")
    (found,) = desk.listed("investigation", "list")
    assert (found["title"], found["cases"], found["lead"]) == ("Measles, northern district", 2, "ines")
    return str(found["id"])


def test_one_person_asks_another_approves_and_the_resident_has_a_notice(
    desk: Desk, settings: Settings
) -> None:
    request = desk.ask(opened(desk)[-12:])
    own = desk.said("movements", "approve", request, "--reason", "needed", exit_code=2)
    assert "this is for a person with the role privacy-officer" in own
    desk.sign_in("omar")
    assert "p1" not in desk.said("movements", "list"), "who they are is told by show alone"
    shown = desk.said("movements", "show", request[-12:])
    assert "2026-01-01 to 2026-01-04" in shown
    assert "residents   p1" in shown
    assert "1 notice made" in desk.said("movements", "approve", request[-12:], "--reason", "as the law says")
    assert "waits for a decision" in desk.said(
        "movements", "refuse", request, "--reason", "twice", exit_code=2
    )
    desk.sign_in("ines")
    assert [each["state"] for each in desk.listed("movements", "list")] == ["approved"]
    desk.said("movements", "withdraw", request, "--reason", "found")
    assert "none is good" in desk.said("movements", "list")
    assert desk.listed("movements", "list", "--all")[0]["state"] == "withdrawn"
    with closing(opened_store(settings, create=False)) as store:
        kept = [
            records.decode(each.body)
            for each in store.entries(0)
            if each.type.startswith("bs/") and each.body
        ]
    assert [each.resident for each in kept if isinstance(each, AccessNotice)] == ["p1"]
    looked = [(each.who, each.whom) for each in kept if isinstance(each, Access)]
    assert looked == [("omar", ("p1",))], "to show it is a reading about those whom it names"


def test_what_was_approved_is_over_with_its_investigation(desk: Desk) -> None:
    investigation = opened(desk)
    request = desk.ask(investigation)
    desk.sign_in("omar")
    desk.said("movements", "approve", request, "--reason", "as the law says")
    desk.sign_in("ines")
    desk.said("investigation", "close", investigation[-12:], "--finding", "one importation")
    assert "No investigation is open" in desk.said("investigation", "list")
    assert desk.listed("investigation", "list", "--all")[0]["status"] == "closed"
    assert desk.listed("movements", "list", "--all")[0]["state"] == "over: the investigation is closed"
    again = desk.said(
        "movements", "request", "--investigation", investigation, "--resident", "p1", "--basis", "law",
        "--from", "2026-01-01", "--to", "2026-01-02", "--until", "2026-01-09", exit_code=2,
    )  # fmt: skip
    assert "there is no open investigation" in again


def test_what_was_approved_is_over_with_its_time(desk: Desk, hub: HubProcess) -> None:
    request = desk.ask(opened(desk))
    desk.sign_in("omar")
    desk.said("movements", "approve", request, "--reason", "as the law says")
    with hub.control as control:
        control.ask(Advance(to=START + timedelta(days=17)))
    assert desk.listed("movements", "list", "--all")[0]["state"] == "over: its time has come"


def test_nobody_decides_what_they_asked_for_and_others_are_told_nothing(desk: Desk) -> None:
    investigation = opened(desk)
    desk.sign_in("both")
    request = desk.ask(investigation)
    own = desk.said("movements", "approve", request, "--reason", "mine", exit_code=2)
    assert "by another person than the one who asked" in own
    long = desk.said(
        "movements", "request", "--investigation", investigation, "--resident", "p1", "--basis", "law",
        "--from", "2025-10-01", "--to", "2026-01-02", "--until", "2026-01-09", exit_code=2,
    )  # fmt: skip
    assert "at most 60 days" in long
    assert "expected the id of a request" in desk.said("movements", "show", "nothing", exit_code=2)
    desk.sign_in("olga")
    for command in (("movements", "list"), ("investigation", "list")):
        assert "role investigator or privacy-officer" in desk.said(*command, exit_code=2)
    desk.said("movements", "show", request, exit_code=2)
    assert "role investigator" in desk.said("investigation", "open", "Mine", exit_code=2)
