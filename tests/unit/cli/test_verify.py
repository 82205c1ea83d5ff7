"""`verify`, `compact` and `restore --to` on a store that a hub has made."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from broadstreet.app.reach import read
from broadstreet.app.settings import Settings
from broadstreet.model.clock import instant
from broadstreet.store.seal import Keyring
from tests.unit.cli.conftest import Run, message


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a store with visits, a correction, and a message that was refused."""
    from typer.testing import CliRunner

    from broadstreet.cli import app

    folder = tmp_path_factory.mktemp("made")
    (folder / "m.hl7").write_bytes(
        message("1")
        + message("2", visit="V2")
        + message("3", kind="ADT^A08", at="20260105090000").replace(b"|F", b"|M")
        + message("4", kind="SIU^S12")
    )
    CliRunner().invoke(app, ["send", str(folder / "m.hl7"), "--data", str(folder / "data")])
    return folder / "data"


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "data", ignore=shutil.ignore_patterns("*.sock"))
    return tmp_path / "data"


def change(folder: Path, sql: str) -> None:
    file = "log.index" if "_index " in sql else "log.db"
    with closing(sqlite3.connect(folder / file)) as connection:
        assert connection.execute(sql).rowcount
        connection.commit()


def test_a_store_that_nobody_touched_is_as_its_log_says(run: Run, store: Path) -> None:
    result = run("verify", "--data", store)
    assert (result.exit_code, "All is as the log says (file, log, index, projections)." in result.output) == (
        0,
        True,
    ), result.output
    assert not list(store.glob(".verify*"))


COUNTS, QUARANTINE, INDEX = "surveillance.counts", "quarantine", "--index"
BY_HAND = (
    ("DELETE FROM surveillance_count WHERE stream = 'visits'", "table surveillance_count: ", COUNTS),
    ("UPDATE surveillance_count SET n = n + 1", "are other than they should be", COUNTS),
    ("UPDATE surveillance_visit SET day = 1", "table surveillance_visit: ", COUNTS),
    ("DROP TABLE quarantine", "table quarantine: it is missing", QUARANTINE),
    ("ALTER TABLE quarantine DROP COLUMN reason", "table quarantine: ", QUARANTINE),
    (
        "INSERT INTO quarantine VALUES ('x', 1, 'held', '', '', '', '', 1, 1, 1)",
        "1 rows are too many",
        QUARANTINE,
    ),
    (
        "DELETE FROM token_index WHERE since = (SELECT max(since) FROM token_index)",
        "table token_index: ",
        INDEX,
    ),
    ("UPDATE token_index SET until = 1 + since WHERE until > 1000000", "table token_index: ", INDEX),
)


@pytest.mark.parametrize(("sql", "found", "remedy"), BY_HAND)
def test_a_table_changed_by_hand_is_named_and_the_remedy_mends_it(
    run: Run, store: Path, sql: str, found: str, remedy: str
) -> None:
    if not sql.startswith(("DROP", "ALTER")):
        change(store, sql)
    else:
        with closing(sqlite3.connect(store / "log.db")) as connection:
            connection.execute(sql)
    result = run("verify", "--data", store)
    assert result.exit_code == 1, result.output
    assert found in result.output
    assert f"`broadstreet rebuild {remedy}`" in result.output
    assert run("rebuild", remedy, "--data", store).exit_code == 0
    after = run("verify", "--data", store)
    assert after.exit_code == 0, after.output


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("UPDATE current SET digest = 1 WHERE type = 'fhir/Patient'", "table current: 1 rows are other"),
        ("DELETE FROM current WHERE type = 'fhir/Encounter'", "table current: "),
        ("UPDATE current SET seq = 1 WHERE type = 'fhir/Encounter'", "table current: "),
        ("UPDATE entry SET version = 7 WHERE type = 'fhir/Patient' AND version = 2", "cannot be opened"),
        ("UPDATE entry SET body = x'7b7d' WHERE type = 'fhir/Patient' AND version = 2", "cannot be opened"),
        ("UPDATE entry SET cause = 1000000 WHERE seq = 3", "entries 3 come before their causes"),
    ],
)  # fmt: skip
def test_a_log_changed_by_hand_is_found(run: Run, store: Path, sql: str, found: str) -> None:
    change(store, sql)
    result = run("verify", "--data", store, "--log")
    assert (result.exit_code, found in result.output) == (1, True), result.output
    assert "KIM" not in result.output


def test_a_gap_in_the_log_is_found(run: Run, store: Path) -> None:
    change(store, "DELETE FROM entry WHERE seq = 4")
    result = run("verify", "--data", store)
    assert (result.exit_code, "has gaps" in result.output) == (2, True)
    assert "broadstreet restore" in result.output


def test_a_backup_is_verified_as_the_store_is(run: Run, store: Path, tmp_path: Path) -> None:
    run("backup", tmp_path / "copy.db", "--data", store)
    assert run("verify", tmp_path / "copy.db", "--data", store).exit_code == 0


def test_a_restore_to_a_position_cuts_the_log_and_tells_what_is_lost(
    run: Run, store: Path, tmp_path: Path
) -> None:
    with read(Settings(data=str(store))) as reader:
        messages = [e.seq for e in reader.entries(0, types=["hl7v2/Message"])]
        head = reader.head()
        begun = len(reader.currents("fhir/Encounter"))
    run("backup", tmp_path / "copy.db", "--data", store)
    to = messages[1] - 1
    result = run("restore", tmp_path / "copy.db", "--data", store, "--to", to)
    assert result.exit_code == 0, result.output
    assert f"Restored {to} entries" in result.output
    assert f"Cut from the backup: {head - to} entries of " in result.output
    assert "Ask these senders to send again" in result.output
    assert "hl7v2:EHR|CLINIC (3)" in result.output
    assert f"Not in the backup, but in the store that was there: {head - to} entries" in result.output
    with read(Settings(data=str(store))) as reader:
        assert (reader.head(), len(reader.currents("fhir/Encounter")), begun) == (to, 1, 2)
    verified = run("verify", "--data", store)
    assert verified.exit_code == 0, verified.output


def test_a_restore_to_an_instant_keeps_what_was_committed_until_then(
    run: Run, store: Path, tmp_path: Path
) -> None:
    run("backup", tmp_path / "copy.db", "--data", store)
    with read(Settings(data=str(store))) as reader:
        head, last = reader.head(), instant(reader.entries(reader.head() - 1, limit=1)[0].at)
    for outside in ("2001-01-01T00:00", "2100-01-01T00:00"):
        result = run("restore", tmp_path / "copy.db", "--data", store, "--to", outside)
        assert (result.exit_code, "expected an instant within the backup" in result.output) == (2, True)
    with read(Settings(data=str(store))) as reader:
        assert reader.head() == head
    result = run("restore", tmp_path / "copy.db", "--data", store, "--to", last.isoformat())
    assert f"Restored {head} entries" in result.output
    result = run("restore", tmp_path / "copy.db", "--data", store, "--to", "yesterday")
    assert (result.exit_code, "expected a position such as 4711" in result.output) == (2, True)
    result = run("restore", tmp_path / "copy.db", "--data", store, "--to", "1000000")
    assert (result.exit_code, "where the log ends, got 1,000,000" in result.output) == (2, True)


def test_a_restore_from_nowhere_leaves_nothing_behind(run: Run, tmp_path: Path) -> None:
    result = run("restore", tmp_path / "nope", "--data", tmp_path / "kept")
    assert (result.exit_code, "found none at" in result.output) == (2, True)
    assert not (tmp_path / "kept").exists()


def test_a_backup_is_not_blamed_for_keys_that_are_another_hubs(
    run: Run, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("backup", tmp_path / "copy.db", "--data", store)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    result = run("verify", tmp_path / "copy.db")
    assert (result.exit_code, "do not belong to this backup" in result.output) == (2, True)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    run("backup", tmp_path / "other.db", "--data", store)
    shutil.rmtree(store / "keys")
    with closing(Keyring(store / "keys")) as other:
        other.key_of("nobody", 0, 0)
    result = run("verify", tmp_path / "copy.db", "--data", store)
    assert (result.exit_code, "do not belong to this backup" in result.output) == (2, True)


def test_compaction_gives_back_the_room_of_what_was_removed(run: Run, store: Path) -> None:
    with closing(sqlite3.connect(store / "log.db")) as connection:
        connection.execute("CREATE TABLE ballast AS SELECT randomblob(3000000) AS b")
        connection.execute("DROP TABLE ballast")
        connection.commit()
    before = (store / "log.db").stat().st_size
    result = run("compact", "--data", store)
    assert result.exit_code == 0, result.output
    assert (store / "log.db").stat().st_size < before - 2_500_000
    assert run("verify", "--data", store).exit_code == 0
