"""`evaluate hub`: the signals of a hub's own history, with what officers said of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from broadstreet.app.evaluate.own import told_anew
from broadstreet.cli import app
from broadstreet.model.records import Signal
from tests.unit.cli.outbreak import store_in


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return store_in(tmp_path)


def run(store: Path, *words: str) -> str:
    result = CliRunner().invoke(app, [*words, "--data", str(store)])
    assert result.exit_code == 0, result.output
    return result.output


def ways(store: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(store, "evaluate", "hub", "--json"))
    return found


def test_signals_told_then_stand_beside_those_of_the_settings_of_today(store: Path) -> None:
    then, now = ways(store)
    assert [then["signals"], then["not_judged"], then["days_until_told"]] == [1, 1, 0]
    assert now == then | {"way": "by the settings of today"}
    assert "No signal is verified yet" in run(store, "evaluate", "hub")


def test_a_verdict_counts_for_what_is_told_of_the_same_visits_today(store: Path) -> None:
    [signal] = json.loads(run(store, "signals", "list", "--all", "--json"))
    run(store, "signals", "verify", signal["id"][-12:], "--reason", "seen at the clinic")
    for way in ways(store):
        assert [way["verified"], way["verified_found"], way["lead_days"]] == [1, 1, 0]
    said = run(store, "evaluate", "hub")
    assert "Rises from 2026-01-04 to 2026-02-03" in said
    assert "1 of 1 verified signal found by the settings of today, in the median 0 days earlier" in said


def test_stricter_settings_that_miss_a_verified_signal_say_so(store: Path) -> None:
    [signal] = json.loads(run(store, "signals", "list", "--all", "--json"))
    run(store, "signals", "verify", signal["id"][-12:], "--reason", "seen at the clinic")
    settings = store / "broadstreet.toml"
    settings.write_text(settings.read_text() + "[surveillance]\nminimum = 100\n")
    then, now = ways(store)
    assert (then["signals"], now["signals"], now["verified_found"]) == (1, 0, 0)
    assert "0 of 1 verified signal found by the settings of today." in run(store, "evaluate", "hub")


def test_a_signal_that_corrections_took_back_is_told_by_its_first_day(store: Path) -> None:
    [listed] = json.loads(run(store, "signals", "list", "--all", "--json"))
    signal = msgspec.convert(listed | {"status": "withdrawn", "evidence": []}, Signal)
    assert told_anew(signal, []).on == signal.since


def test_a_folder_without_a_store_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["evaluate", "hub", "--data", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert "Traceback" not in result.output
