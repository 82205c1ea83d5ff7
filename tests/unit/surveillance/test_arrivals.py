"""Late messages: the hub counts how late visits come, and expects of yesterday what can be known of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from broadstreet.model.records import Signal
from broadstreet.workflows import surveillance
from broadstreet.workflows.surveillance.arrivals import observed
from broadstreet.workflows.surveillance.days import number_of
from broadstreet.workflows.surveillance.sheet import CITY_VISITS, Sheet
from broadstreet.workflows.surveillance.strata import Series
from broadstreet.workflows.surveillance.tables import LATE

from .conftest import FIRST, Town, encounter, patient

PROMPT, NEXT_DAY, LATER = 12, 6, 2
"""Of twenty visits a day so many are sent on the day, the next day, and two days after that."""


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path / "log.db", lambda counts: [surveillance.Tests(counts)])
    town.put("Patient", "p1", patient("D1"))
    yield town
    town.close()


def visits(day: date, name: str, number: int, where: str = "c1") -> list[tuple[str, str, dict[str, object]]]:
    return [("Encounter", f"{name}-{day}-{n}", encounter(day, where=where)) for n in range(number)]


def live(town: Town, days: int, today: int = PROMPT, first: date = FIRST) -> date:
    """Let visits be sent on their day, a day and three days later; of the last day `today` came so far."""
    for past in range(days):
        day = first + timedelta(days=past)
        wiggle = (-2, 1, 2, -1, 0, 1, -1)[past % 7]
        town.put_all(visits(day, "prompt", PROMPT + wiggle if past < days - 1 else today))
        town.put_all(visits(day - timedelta(days=1), "next", NEXT_DAY) if past >= 1 else [])
        town.put_all(visits(day - timedelta(days=3), "later", LATER) if past >= 3 else [])
        town.close_day(day)
        town.follow()
    return first + timedelta(days=days - 1)


def known(town: Town, series: Sequence[Series], last: date, day: date) -> list[float]:
    sheet = Sheet(town.projection.strata)
    sheet.follow(town.store, number_of(last), ())
    arrived = observed(town.store, sheet, number_of(last))
    return [arrived.share(each, number_of(day)) for each in series]


def rises(town: Town) -> list[Signal]:
    town.follow()
    return [each for each in surveillance.signals(town.store) if each.kind == "rise"]


def test_the_share_of_a_day_that_is_known_is_what_arrived_so_of_days_before(town: Town) -> None:
    last = live(town, 28)
    fever = Series("fever", "city", "all")
    ago = [known(town, [fever], last, last - timedelta(days=n))[0] for n in range(5)]
    assert ago == pytest.approx([0.6, 0.9, 0.9, 1.0, 1.0], abs=0.01)


def test_a_rise_in_what_has_come_so_far_is_a_signal_before_the_rest_has_come(town: Town) -> None:
    last = live(town, 28, today=30)
    [signal] = rises(town)
    [of_city] = [each for each in signal.evidence if each.where.place == "city"]
    assert (of_city.day, of_city.observed) == (last, 30)
    assert of_city.expected == pytest.approx(12, abs=1)


def test_once_the_rest_has_come_the_whole_day_is_compared_with_whole_days(town: Town) -> None:
    last = live(town, 28, today=30)
    tomorrow = last + timedelta(days=1)
    town.put_all([*visits(last, "next", 15), *visits(tomorrow, "prompt", 12)])
    town.close_day(tomorrow)
    [signal] = rises(town)
    of_day = next(e for e in signal.evidence if e.where.place == "city" and e.day == last)
    assert of_day.observed == 45
    assert of_day.expected == pytest.approx(18, abs=1)


def test_a_rise_that_was_only_prompt_is_taken_back_when_nothing_more_comes(town: Town) -> None:
    last = live(town, 28, today=26)
    first_told = [signal.status for signal in rises(town)]
    for past in range(1, 5):
        town.put_all(visits(last + timedelta(days=past), "prompt", 20))
        town.close_day(last + timedelta(days=past))
    assert first_told == ["opened"]
    days = {evidence.day for signal in rises(town) for evidence in signal.evidence}
    assert last not in days


def test_a_source_that_always_sends_on_the_next_day_is_not_silent(town: Town) -> None:
    for past in range(21):
        day = FIRST + timedelta(days=past)
        town.put_all([*visits(day, "a", 9 + past % 3), *visits(day - timedelta(days=1), "b", 8, where="c2")])
        town.close_day(day)
        town.follow()
    alive = [
        s for s in surveillance.signals(town.store) if s.kind == "silence" and s.until > FIRST + timedelta(14)
    ]
    assert [s.status for s in alive] == []


def test_history_that_is_loaded_when_the_hub_begins_is_not_late(town: Town) -> None:
    town.close_day(FIRST + timedelta(days=29))
    for past in range(28):
        town.put_all(visits(FIRST + timedelta(days=past), "old", 5))
    town.follow()
    assert town.store.select(LATE) == []


def test_a_correction_takes_back_what_came_late_and_after_eight_weeks_it_is_forgotten(town: Town) -> None:
    town.close_day(FIRST)
    day = FIRST + timedelta(days=1)
    town.close_day(day)
    town.put_all(visits(day, "late", 3))
    town.follow()
    kept = {(row[0], row[1]): row[2:] for row in town.store.select(LATE)}
    assert kept["fever", "city"] == (number_of(day), number_of(day) + 1, 3)
    assert set(kept) == {("fever", "city"), ("visits", "city"), ("visits", "facility:c1")}
    town.put("Encounter", f"late-{day}-0", encounter(day, status="cancelled"))
    town.follow()
    assert {row[4] for row in town.store.select(LATE)} == {2}
    town.close_day(day + timedelta(days=56))
    town.follow()
    assert town.store.select(LATE) == []


def test_without_late_visits_nothing_is_corrected(town: Town) -> None:
    for past in range(14):
        town.put_all(visits(FIRST + timedelta(days=past), "prompt", 5))
        town.close_day(FIRST + timedelta(days=past))
    town.follow()
    sheet = Sheet(town.projection.strata)
    last = number_of(FIRST) + 13
    sheet.follow(town.store, last, ())
    assert observed(town.store, sheet, last).of([CITY_VISITS], last) is None
