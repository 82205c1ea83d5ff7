"""What officers have to look at: also what was over before it was known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from broadstreet.model.records import Signal
from broadstreet.workflows import surveillance
from broadstreet.workflows.surveillance import is_new, is_open

from .conftest import Town
from .quiet import BURST, close, come, judge, on, quiet_town, rises
from .test_feeds import told_of


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = quiet_town(tmp_path / "log.db")
    yield town
    town.close()


def days_after(town: Town, first: int, until: int) -> None:
    for number in range(first, until):
        come(town, number, 2)
        come(town, number, 2, who="p2")
        close(town, number)


def late(town: Town) -> Signal:
    """Let forty visits come five days late; return their signal."""
    days_after(town, BURST, BURST + 6)
    come(town, BURST, 40)
    [signal] = rises(town)
    return signal


def test_what_was_over_before_it_was_known_is_new_for_a_week(town: Town) -> None:
    signal = late(town)
    assert (signal.status, signal.until, signal.known) == ("closed", on(BURST), on(BURST + 6))
    assert is_new(signal, on(BURST + 5))
    assert is_open(signal, on(BURST + 12))
    assert not is_open(signal, on(BURST + 13))


def test_the_card_says_that_its_visits_came_late(town: Town) -> None:
    assert "It was over before it was known, on 8 February 2026: its visits came late." in told_of(
        town, late(town)
    )


def test_what_an_officer_has_judged_is_not_new(town: Town) -> None:
    judge(town, late(town), BURST + 6, "verified")
    assert not is_open(rises(town)[0], on(BURST + 6))


def test_a_verified_signal_is_open_until_it_is_over(town: Town) -> None:
    come(town, BURST, 12)
    close(town, BURST)
    judge(town, rises(town)[0], BURST + 1, "verified")
    [signal] = rises(town)
    assert is_open(signal, on(BURST))
    days_after(town, BURST + 1, BURST + 4)
    [signal] = rises(town)
    assert (signal.state, signal.status) == ("verified", "closed")
    assert not is_open(signal, on(BURST + 3))


def test_the_day_on_which_a_signal_was_first_known_stays(town: Town) -> None:
    come(town, BURST, 12)
    known = [each.known for each in rises(town)]
    days_after(town, BURST, BURST + 5)
    assert known == [each.known for each in rises(town)] == [on(BURST)]


def test_what_ended_long_before_it_was_known_is_history(town: Town) -> None:
    signal = msgspec.structs.replace(late(town), known=on(BURST + 29))
    assert not is_open(signal, on(BURST + 29))
    assert not is_open(msgspec.structs.replace(signal, known=None), on(BURST + 5))


def test_what_was_dismissed_or_withdrawn_is_not_open(town: Town) -> None:
    come(town, BURST, 12)
    [signal] = rises(town)
    assert is_open(signal, on(BURST - 1))
    assert not is_open(msgspec.structs.replace(signal, status="withdrawn", evidence=()), on(BURST))
    judge(town, signal, BURST)
    [signal] = surveillance.signals(town.store)
    assert not is_open(signal, on(BURST))
