"""What was told on a day, and what an officer said only later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from broadstreet.app.hindsight import told_by
from broadstreet.model.records import Signal
from broadstreet.workflows.surveillance import Judge
from tests.unit.surveillance.conftest import FIRST, Town, encounter
from tests.unit.surveillance.risen import USUAL, one, town_with_a_rise

RISE = FIRST + timedelta(days=4 * len(USUAL))


def told(town: Town, day: int) -> list[tuple[str, int]]:
    return [(signal.state, signal.observed) for signal in told_by(town.store, RISE + timedelta(days=day))]


def close(town: Town, day: int) -> None:
    on = RISE + timedelta(days=day)
    town.put_all([("Encounter", f"usual-{day}-{n}", encounter(on)) for n in range(2)])
    town.close_day(on)
    town.follow()


def judge(town: Town, signal: Signal) -> None:
    town.committer.commit(Judge(signal.id, "dismissed", "kim", "a coding mistake"))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = town_with_a_rise(tmp_path / "log.db")
    yield town
    town.close()


def test_a_verdict_is_told_from_the_day_on_which_it_was_given(town: Town) -> None:
    for day in (1, 2):
        close(town, day)
    judge(town, one(town))
    town.follow()
    close(town, 3)
    assert told(town, 0) == [("opened", 14)]
    assert told(town, 2) == [("fading", 14)]
    assert told(town, 3) == [("dismissed", 14)]


def test_a_verdict_that_came_before_the_tests_of_a_day_were_told_is_not_told_with_them(town: Town) -> None:
    day = RISE + timedelta(days=1)
    town.put_all([("Encounter", f"more-{n}", encounter(day)) for n in range(14)])
    signal = one(town)
    town.close_day(day)
    judge(town, signal)
    town.follow()
    assert [state for state, _ in told(town, 1)] == ["growing"]
