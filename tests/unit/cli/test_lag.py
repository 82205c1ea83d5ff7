"""What commands say of a store whose tables or search index have not seen all of its log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.cli.outbreak import store_in


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return store_in(tmp_path_factory.mktemp("hub"))


@pytest.fixture
def restored(run: Run, history: Path, tmp_path: Path) -> Path:
    """Return the folder of a store that was restored and that no hub has run on since."""
    folder, copy = tmp_path / "restored", tmp_path / "copy.db"
    folder.mkdir()
    for name in ("broadstreet.toml", "places.csv"):
        (folder / name).write_bytes((history / name).read_bytes())
    assert run("backup", copy, "--data", history).exit_code == 0
    assert run("restore", copy, "--data", folder).exit_code == 0
    return folder


def test_nothing_is_said_of_signals_as_long_as_the_tables_have_not_seen_the_log(
    run: Run, restored: Path
) -> None:
    head = json.loads(run("status", "--data", restored, "--json").output)["head"]
    behind = f"the tables are {head:,} entries behind: start the hub (`broadstreet serve --data {restored}`)"
    for words in (
        ("signals", "list", "--all"),
        ("signals", "list", "--json"),
        ("signals", "show", "a"),
        ("signals", "dismiss", "a", "--reason", "none"),
        ("card", "a"),
        ("evaluate", "hub"),
    ):
        result = run(*words, "--data", restored)
        assert (result.exit_code, behind in result.output) == (2, True), words
    shown = run("status", "--data", restored)
    assert (shown.exit_code, f"T{behind[1:]}." in shown.output) == (0, True)
    assert "No signal:" not in shown.output


def test_what_the_followers_have_seen_is_told_without_a_hub(run: Run, history: Path) -> None:
    assert run("signals", "list", "--all", "--data", history).exit_code == 0
    assert "the tables are" not in run("status", "--data", history).output.lower()


def test_a_card_without_a_hub_shows_visits_that_the_index_had_not_seen(run: Run, tmp_path: Path) -> None:
    folder = store_in(tmp_path)  # no process has kept its index
    status = json.loads(run("status", "--data", folder, "--json").output)
    assert status["unindexed"] == status["head"]
    lag = f"{status['head']:,} entries behind"
    assert f"Search index: {lag}" in run("status", "--data", folder).output
    verified = run("verify", "--index", "--data", folder)
    assert (verified.exit_code, f"The search index is {lag}" in verified.output) == (0, True)
    assert "index" not in verified.output.partition("All is as the log says")[2].partition(")")[0]
    [signal] = json.loads(run("signals", "list", "--json", "--data", folder).output)
    shown = run("card", signal["id"], "--data", folder).output
    assert "14 of the 14 visits" in shown
    assert json.loads(run("status", "--data", folder, "--json").output)["unindexed"] < 5
