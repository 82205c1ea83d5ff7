"""The demonstration: real processes, the real door, and a verdict that can be checked."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from broadstreet.app.demo.conductor import Plan, conducted
from broadstreet.cli.live import sparkline
from broadstreet.simulation import Exercise
from tests.demo_run import CLINICS, DAYS, SEED, DemoRun
from tests.unit.cli.conftest import Run


def sent_by(clinics: int, days: int) -> int:
    city = Exercise(SEED, date(2026, 1, 5), days, clinics)
    return sum(len(city.clinic(n).messages(day)) for n in range(clinics) for day in range(days))


def test_every_message_of_every_clinic_is_sent_and_accepted(demo_run: DemoRun) -> None:
    assert demo_run.exit_code == 0, demo_run.output
    sent = sent_by(CLINICS, DAYS)
    assert f"Messages:        {sent:,} HL7 v2 over MLLP" in demo_run.output
    assert f"Accepted:        {sent:,}; 0 refused" in demo_run.output
    with sqlite3.connect(demo_run.store / "log.db") as log:
        feeds = dict(log.execute("SELECT source, messages FROM feed"))
    assert (len(feeds), sum(feeds.values())) == (CLINICS, sent)


def test_what_was_injected_is_told_and_found(demo_run: DemoRun) -> None:
    truth = Exercise(SEED, date(2026, 1, 5), DAYS, CLINICS).truth
    assert f"({truth.district})" in demo_run.output
    assert f"{truth.start} to {truth.end}" in demo_run.output
    found = re.search(r"The hub signalled them in .* (\d+) days? after they began", demo_run.output)
    assert found is not None, demo_run.output
    assert 1 <= int(found[1]) <= (truth.end - truth.start).days + 1
    assert re.search(r"\d+ false alarms?", demo_run.output)


def test_nothing_that_the_hub_holds_knows_the_seed(demo_run: DemoRun) -> None:
    seed = str(SEED).encode()
    files = [path for path in demo_run.store.rglob("*") if path.is_file()]
    assert {"log.db", "broadstreet.toml", "hub.log"} <= {path.name for path in files}
    assert [path.name for path in files if seed in path.read_bytes()] == []


def test_the_hubs_process_is_not_told_the_seed(tmp_path: Path) -> None:
    with conducted(Plan(SEED, date(2026, 1, 5), 14, 1, "Asia/Seoul", tmp_path)) as conductor:
        hub = conductor.hub.status().hub
        assert hub is not None
        process = Path(f"/proc/{hub.pid}")
        told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    assert str(SEED).encode() not in told


def test_the_store_that_was_kept_can_be_looked_at(demo_run: DemoRun, run: Run) -> None:
    shown = run("status", "--data", demo_run.store)
    assert shown.exit_code == 0
    assert "Asia/Seoul" in shown.output
    assert run("rebuild", "surveillance.counts", "--data", demo_run.store).exit_code == 0


def test_the_picture_is_a_png(demo_run: DemoRun) -> None:
    data = demo_run.picture.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(data) > 20_000


def test_a_store_is_kept_in_an_empty_folder_only(run: Run, tmp_path: Path) -> None:
    (tmp_path / "thing").write_text("x")
    result = run("demo", "--keep", tmp_path)
    assert (result.exit_code, "expected an empty folder" in result.output) == (2, True)


def test_a_sparkline_reaches_its_full_height_at_the_top() -> None:
    assert sparkline([0, 1, 2, 4, 8]) == "▁▁▂▄█"
    assert sparkline([]) == ""
    assert Counter(sparkline([0, 0])) == {"▁": 2}


@pytest.mark.parametrize("option", ["--days", "--clinics"])
def test_sizes_out_of_range_are_refused(run: Run, option: str) -> None:
    result = run("demo", option, "1000")
    assert result.exit_code == 2
    assert "should be less than or equal to" in " ".join(result.output.split())
