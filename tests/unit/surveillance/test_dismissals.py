"""An officer dismisses what there was to see, and not what comes after."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from broadstreet.model.records import Signal
from broadstreet.workflows import surveillance
from broadstreet.workflows.surveillance.card import Making, card_of

from .conftest import Town
from .quiet import BURST, close, come, judge, on, quiet_town, rises


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = quiet_town(tmp_path / "log.db")
    yield town
    town.close()


def still_open(town: Town) -> list[Signal]:
    return [s for s in rises(town) if s.state in ("opened", "growing", "fading")]


def dismissed(town: Town) -> Signal:
    [signal] = [s for s in rises(town) if s.state == "dismissed"]
    return signal


def test_many_more_visits_of_the_same_day_are_another_signal(town: Town) -> None:
    come(town, BURST, 12)
    [signal] = rises(town)
    judge(town, signal, BURST)
    come(town, BURST, 60)
    [new] = still_open(town)
    assert (new.where.place, new.since, new.observed) == ("district:D1", on(BURST), 72)
    assert (dismissed(town).observed, dismissed(town).until) == (12, on(BURST))


def test_an_outbreak_that_follows_is_one_open_signal_and_the_dismissed_one_stays_as_it_was(
    town: Town,
) -> None:
    come(town, BURST, 12)
    judge(town, rises(town)[0], BURST)
    come(town, BURST, 60)
    close(town, BURST)
    for number in range(BURST + 1, BURST + 6):
        come(town, number, 40)
        close(town, number)
    [new] = still_open(town)
    assert (new.status, new.since, new.until, new.observed) == ("growing", on(BURST), on(BURST + 5), 272)
    assert (dismissed(town).observed, dismissed(town).until) == (12, on(BURST))


def test_one_or_two_visits_more_are_still_what_was_dismissed(town: Town) -> None:
    come(town, BURST, 12)
    judge(town, rises(town)[0], BURST)
    come(town, BURST, 2)
    close(town, BURST)
    assert still_open(town) == []
    assert dismissed(town).observed == 14


def test_the_evidence_of_visits_that_were_dismissed_does_not_speak_for_the_days_after(town: Town) -> None:
    come(town, BURST, 20)
    close(town, BURST)
    judge(town, rises(town)[0], BURST + 1)
    for number in range(BURST + 1, BURST + 5):
        come(town, number, 4)  # a little more than usual: with the twenty it would stand out
        come(town, number, 2, who="p2")
        close(town, number)
    assert still_open(town) == []


def test_as_many_on_the_days_after_are_another_signal(town: Town) -> None:
    come(town, BURST, 12)
    close(town, BURST)
    judge(town, rises(town)[0], BURST + 1)
    come(town, BURST + 1, 12)
    close(town, BURST + 1)
    [new] = still_open(town)
    assert (new.since, new.observed) == (on(BURST + 1), 12)
    assert dismissed(town).observed == 12


def test_another_district_is_another_signal_though_the_city_has_both(town: Town) -> None:
    come(town, BURST, 14)
    come(town, BURST, 2, who="p2")
    close(town, BURST)
    judge(town, rises(town)[0], BURST + 1)
    for number in range(BURST + 1, BURST + 4):
        come(town, number, 2)
        come(town, number, 15, who="p2")
        close(town, number)
    [new] = still_open(town)
    assert (new.where.place, new.since, new.observed) == ("district:D2", on(BURST + 1), 45)
    assert dismissed(town).where.place == "district:D1"
    assert {each.where.place for each in dismissed(town).evidence} <= {"district:D1", "city"}


def test_visits_that_come_late_for_a_dismissed_day_are_another_signal(town: Town) -> None:
    come(town, BURST, 10)
    close(town, BURST)
    come(town, BURST + 1, 2)
    close(town, BURST + 1)
    judge(town, rises(town)[0], BURST + 2)
    come(town, BURST, 50)
    [new] = still_open(town)
    assert (new.since, new.observed) == (on(BURST), 60)
    close(town, BURST + 2)
    assert (len(still_open(town)), dismissed(town).observed) == (1, 10)


def test_visits_that_are_sent_again_under_other_ids_are_still_what_was_dismissed(town: Town) -> None:
    ids = come(town, BURST, 12)
    close(town, BURST)
    judge(town, rises(town)[0], BURST + 1)
    town.put_all([("Encounter", id, None) for id in ids])
    come(town, BURST, 12)
    assert still_open(town) == []
    assert dismissed(town).observed == 12


def test_what_came_on_top_and_was_cancelled_leaves_the_dismissed_signal_alone(town: Town) -> None:
    come(town, BURST, 12)
    close(town, BURST)
    judge(town, rises(town)[0], BURST + 1)
    late = come(town, BURST, 30)
    [new] = still_open(town)
    town.put_all([("Encounter", id, None) for id in late])
    town.follow()
    states = {each.id: each.status for each in rises(town)}
    assert states[new.id] == "withdrawn"
    assert (dismissed(town).status, dismissed(town).observed) == ("opened", 12)


def test_a_verdict_that_is_taken_back_makes_one_signal_again(town: Town) -> None:
    come(town, BURST, 12)
    close(town, BURST)
    [signal] = rises(town)
    judge(town, signal, BURST + 1)
    come(town, BURST + 1, 12)
    close(town, BURST + 1)
    town.put_record(msgspec.structs.replace(dismissed(town), verdict=None))
    town.follow()
    come(town, BURST + 2, 12)
    close(town, BURST + 2)
    [again] = still_open(town)
    assert (again.id, again.since, again.until) == (signal.id, on(BURST), on(BURST + 2))


def test_the_card_of_what_came_after_names_the_dismissed_signal(town: Town) -> None:
    come(town, BURST, 12)
    judge(town, rises(town)[0], BURST)
    come(town, BURST, 60)
    [new], [tests] = still_open(town), town.reactors
    assert isinstance(tests, surveillance.Tests)
    card = card_of(Making(town.projection, tests, town.store), new, town.store.history("bs/Signal", new.id))
    assert [(each.id, each.outcome) for each in card.past] == [
        (dismissed(town).id, "dismissed by kim: a coding mistake")
    ]


def test_the_same_log_gives_the_same_signals_again(town: Town) -> None:
    come(town, BURST, 12)
    judge(town, rises(town)[0], BURST)
    come(town, BURST, 60)
    close(town, BURST)
    come(town, BURST + 1, 20, who="p2")
    close(town, BURST + 1)
    before, head = town.tables(), town.store.head()
    town.rebuild()
    town.follow()
    assert (town.tables(), town.store.head()) == (before, head)
