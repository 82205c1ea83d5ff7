from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from broadstreet.workflows import surveillance

from .conftest import FIRST, Town, encounter


def day(number: int) -> np.datetime64:
    return np.datetime64(FIRST + timedelta(days=number))


def test_a_series_runs_from_the_first_report_to_the_last_closed_day(town: Town) -> None:
    town.put("Encounter", "e1", encounter(FIRST, why="headache"))
    town.put("Encounter", "e2", encounter(FIRST + timedelta(days=2)))
    town.put("Encounter", "e3", encounter(FIRST + timedelta(days=5)))
    town.close_day(FIRST + timedelta(days=3))
    town.follow()
    days, counts = surveillance.series(town.store, "fever", "city")
    assert days.tolist() == [day(n).astype(date) for n in range(4)]
    assert counts.tolist() == [0, 0, 1, 0]


def test_without_a_closed_day_a_series_ends_with_the_newest_report(town: Town) -> None:
    town.put_all([("Encounter", f"e{n}", encounter(FIRST + timedelta(days=n))) for n in (0, 2)])
    town.follow()
    assert surveillance.series(town.store, "visits", "facility:c1")[1].tolist() == [1, 0, 1]


def test_a_series_begins_after_the_last_long_silence(town: Town) -> None:
    town.put_all([("Encounter", f"e{n}", encounter(FIRST + timedelta(days=n))) for n in (0, 29, 31)])
    town.follow()
    assert surveillance.series(town.store, "visits", "city")[1].tolist() == [1, 0, 1]


def test_a_series_ends_four_weeks_after_everybody_fell_silent(town: Town) -> None:
    town.put("Encounter", "e1", encounter(FIRST))
    town.close_day(date(2027, 1, 1))
    town.follow()
    assert len(surveillance.series(town.store, "visits", "city")[0]) == 29


def test_an_empty_store_has_empty_series_and_no_signals(town: Town) -> None:
    town.follow()
    assert surveillance.series(town.store, "fever", "city")[0].size == 0
    assert surveillance.history(town.store, "fever", "city").upper.size == 0
    assert surveillance.signals(town.store) == []
    town.put("Encounter", "e1", encounter(why="headache"))
    town.follow()
    assert surveillance.history(town.store, "fever", "city").counts.tolist() == [0]


def test_a_history_has_the_bounds_that_the_days_were_tested_with(town: Town) -> None:
    for number, visits in enumerate([2, 3, 1, 2, 3, 2, 1, 9, 2]):
        on = FIRST + timedelta(days=number)
        town.put_all([("Encounter", f"e{number}-{n}", encounter(on)) for n in range(visits)])
        town.close_day(on)
    town.follow()
    rule = surveillance.Rule(method="C1", alpha=0.001, baseline=7)
    history = surveillance.history(town.store, "fever", "city", rule=rule)
    assert history.counts.tolist() == [2, 3, 1, 2, 3, 2, 1, 9, 2]
    assert np.flatnonzero(history.alarm).tolist() == [7]
    assert np.isfinite(history.upper[7:]).all()
    assert history.expected[7] == 2.0


def test_facilities_have_names(town: Town) -> None:
    town.put("Organization", "c1", {"name": "Harbour Clinic"})
    town.put("Organization", "c2", {})
    town.follow()
    assert surveillance.facilities(town.store) == {"c1": "Harbour Clinic", "c2": "c2"}
