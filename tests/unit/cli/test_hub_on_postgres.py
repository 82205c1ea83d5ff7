"""A hub whose store is on a PostgreSQL server, from the first message to the restored backup."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from broadstreet.app.process import HubProcess
from broadstreet.store.opening import open_store
from tests.unit.cli.conftest import Run


@pytest.fixture(autouse=True)
def address(server_process: HubProcess, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name the store in the environment, as a deployment does."""
    address = server_process.settings.database
    monkeypatch.setenv("BROADSTREET_DATABASE", address)
    return address


def test_messages_become_records_and_what_is_refused_is_held(
    run: Run, server_process: HubProcess, folder: Path, messages: Path, address: str
) -> None:
    assert "4 messages sent: 2 accepted, 2 refused." in run("send", messages, "--data", folder).output
    assert "4 messages sent: 2 accepted, 2 refused." in run("send", messages, "--data", folder).output
    (feed,) = server_process.status().feeds
    assert (feed.accepted, feed.refused, feed.duplicates) == (2, 4, 2)
    store = open_store(address, create=False)
    assert [entry.type for entry in store.currents("fhir/Patient")] == ["fhir/Patient"]
    assert len(store.currents("fhir/Encounter")) == 2
    store.close()
    assert not (folder / "log.db").exists()
    held = json.loads(run("quarantine", "list", "--data", folder, "--json").output)
    assert [each["attempts"] for each in held] == [2, 2]


def test_a_second_hub_on_the_same_store_is_refused_with_what_to_do(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    result = run("serve", "--data", tmp_path / "another", "--clock", "system")
    assert result.exit_code != 0
    assert "another hub" in result.output
    assert folder.exists()


def test_a_store_is_backed_up_verified_and_restored_by_the_same_commands(
    run: Run,
    server_process: HubProcess,
    folder: Path,
    messages: Path,
    tmp_path: Path,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run("send", messages, "--data", folder)
    head = server_process.status().head
    assert f"Copied {head:,} entries" in run("backup", tmp_path / "copy.db", "--data", folder).output
    assert "All is as the log says" in run("verify", "--data", folder).output
    refused = run("restore", tmp_path / "copy.db", "--data", folder)
    assert refused.exit_code != 0
    assert "another hub" in refused.output
    monkeypatch.setenv("BROADSTREET_DATABASE", f"{address}_two")
    for _ in range(2):
        restored = run("restore", tmp_path / "copy.db", "--data", tmp_path / "two")
        assert f"Restored {head:,} entries" in restored.output
    assert "kept as <schema>_before_restore" in restored.output
