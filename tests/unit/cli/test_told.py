"""What `status` says of signals."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from broadstreet.app.status import Alarm, Status
from broadstreet.cli.told import tell_signals
from tests.unit.cli.conftest import Run
from tests.unit.cli.outbreak import FIRST, late, live


def alarm(place: str, kind: str = "rise", stream: str = "fever") -> Alarm:
    day = date(2026, 1, 5)
    return Alarm(
        id="s", status="opened", kind=kind, stream=stream, place=place, stratum="all", since=day, until=day,
        observed=5, expected=17.5, days=1, method="m",
    )  # fmt: skip


def status(*signals: Alarm, **names: str) -> Status:
    return Status(
        zone="Asia/Seoul", head=9, newest=None, bytes=0, free=None, day_closed=None, uncounted=0, unindexed=0,
        too_late=0, tested_from=None, tested=1, untested=(),
        feeds=(), quarantine={}, outbox={}, followers=(), signals=signals, names=names,
    )  # fmt: skip


def said(status: Status, capsys: pytest.CaptureFixture[str]) -> list[str]:
    tell_signals(status, Path("hub"))
    return capsys.readouterr().out.splitlines()


def test_sources_that_are_silent_have_a_heading_of_their_own_and_places_their_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    silent = alarm("facility:019b", "silence", "visits")
    lines = said(
        status(silent, alarm("district:D06"), alarm("area:D06"), D06="University", **{"019b": "C05"}), capsys
    )
    numbers = "on 2026-01-05: 5 visits observed, 17.5 expected (m; opened)"
    assert lines == [
        "No signal in the city.",
        "2 signals in districts:",
        f"  fever in University (D06) {numbers}",
        f"  fever in the area around University (D06) {numbers}",
        "1 signal of sources that are silent:",
        f"  C05 {numbers}",
    ]


def test_of_days_that_came_too_late_to_be_tested_it_is_not_said_that_they_gave_no_signal(
    run: Run, tmp_path: Path
) -> None:
    live(tmp_path, (0,))
    earliest = FIRST - timedelta(days=1 + 5 * 364)
    for ago in (1, 2):
        late(tmp_path, earliest - timedelta(days=ago))
    shown = run("status", "--data", tmp_path).output
    assert "No signal: no day that is over had more" not in shown
    assert "No signal: no day with visits was tested." in shown
    assert f"Visits of 2 days before {earliest} came too late to be tested." in shown
    late(tmp_path, earliest)
    shown = run("status", "--data", tmp_path).output
    assert "No signal: no day that was tested had more visits than the days before let expect." in shown
    assert f"Visits of 2 days before {earliest} came too late to be tested." in shown
