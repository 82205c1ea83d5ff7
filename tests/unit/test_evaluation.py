from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from broadstreet.analysis.evaluation import daily_benchmark, performance, weekly_benchmark

# One series of ten weeks: outbreak 1 in weeks 2 to 5 (no case in week 4), outbreak 2 in weeks 8 and 9.
OUTBREAK = [0, 0, 1, 1, 0, 1, 0, 0, 2, 2]


def test_rates_are_taken_of_weeks_alarms_and_outbreaks() -> None:
    found = performance([1, 0, 0, 1, 1, 0, 0, 0, 0, 0], OUTBREAK)
    assert (found.false_positive_rate.value, found.false_positive_rate.of) == (2 / 5, 5)
    assert found.specificity.value == 3 / 5
    assert (found.probability_of_detection.value, found.probability_of_detection.of) == (1 / 2, 2)
    assert (found.sensitivity.value, found.sensitivity.of) == (1 / 5, 5)
    assert (found.positive_predictive_value.value, found.positive_predictive_value.of) == (1 / 3, 3)


def test_an_alarm_in_a_week_without_a_case_of_it_detects_no_outbreak() -> None:
    found = performance([0, 0, 0, 0, 1, 0, 0, 0, 0, 0], OUTBREAK)
    assert found.probability_of_detection.value == 0.0


def test_timeliness_is_the_share_of_the_outbreak_that_had_passed() -> None:
    found = performance([0, 0, 0, 1, 0, 1, 0, 0, 0, 0], OUTBREAK)
    assert found.timeliness.value == pytest.approx((1 / 4 + 1) / 2)
    assert (found.delay.value, found.delay.of) == (1.0, 1)
    assert performance([0, 0, 1, 0, 0, 0, 0, 0, 1, 0], OUTBREAK).timeliness.value == 0.0


def test_an_undefined_test_is_no_alarm() -> None:
    nothing = np.full(10, np.nan)
    found = performance(nothing, OUTBREAK)
    assert (found.false_positive_rate.value, found.sensitivity.value) == (0.0, 0.0)
    assert math.isnan(found.positive_predictive_value.value)
    assert found.positive_predictive_value.of == 0


def test_outbreaks_of_two_series_are_different_ones() -> None:
    found = performance([[1, 0], [0, 0]], [[1, 1], [0, 1]])
    assert (found.probability_of_detection.value, found.probability_of_detection.of) == (0.5, 2)


def test_standard_errors_are_taken_between_series() -> None:
    generator = np.random.default_rng(1854)
    alarm = generator.random((50, 400)) < 0.02
    error = performance(alarm, np.zeros((50, 400), int)).false_positive_rate.standard_error
    assert error == pytest.approx(math.sqrt(0.02 * 0.98 / 20_000), rel=0.15)
    copied = np.repeat(alarm[:1], 50, axis=0)  # the same week fifty times tells as much as one
    assert performance(copied, np.zeros((50, 400), int)).false_positive_rate.standard_error > 4 * error
    assert math.isnan(performance([0, 1], [0, 0]).false_positive_rate.standard_error)


@pytest.mark.parametrize(
    ("alarm", "outbreak", "message"),
    [
        ([0, 1], [0], "one shape"),
        ([0, 2], [0, 0], "alarm must be 0, 1 or NaN"),
        ([0, 1], [0, -1], "outbreak must be whole numbers"),
        ([0, 1], [0.0, 0.5], "outbreak must be whole numbers"),
    ],
)
def test_tables_that_do_not_fit_are_refused(alarm: Any, outbreak: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        performance(alarm, outbreak)


def test_the_weekly_benchmark_has_the_means_and_variances_of_its_scenarios() -> None:
    made = weekly_benchmark(40, scenarios=[13, 19], seed=1854)
    past = made.counts[:312]  # no outbreak starts before
    steady, wild = past[:, made.scenario == 13], past[:, made.scenario == 19]
    assert steady.mean() == pytest.approx(math.exp(1.5), rel=0.02)
    assert steady.var() / steady.mean() == pytest.approx(1.0, rel=0.05)
    assert wild.mean() == pytest.approx(math.exp(0.5), rel=0.05)
    assert wild.var() / wild.mean() == pytest.approx(5.0, rel=0.1)


def test_every_series_of_the_weekly_benchmark_has_one_outbreak_among_the_tested_weeks() -> None:
    made = weekly_benchmark(3, seed=1854)
    assert made.counts.shape == (624, 126)
    assert (made.evaluate == np.arange(575, 624)).all()
    assert (made.outbreak_cases[:575] == 0).all()
    assert (made.outbreak_cases <= made.counts).all()
    assert (made.outbreak_cases.sum(axis=0) >= 2).mean() > 0.9  # some cases lie beyond the end
    assert made.outbreaks.shape == (49, 126)
    assert sorted(set(made.scenario)) == list(range(1, 43))


def test_the_weekly_benchmark_follows_season_and_trend() -> None:
    made = weekly_benchmark(30, scenarios=[40, 26], seed=1854)
    rising = made.counts[:, made.scenario == 40].mean(axis=1)
    assert rising[500:560].mean() / rising[:60].mean() == pytest.approx(math.exp(0.0001 * 500), rel=0.02)
    seasonal = made.counts[:312, made.scenario == 26].mean(axis=1)
    week = np.arange(1, 313)
    assert np.corrcoef(np.log(seasonal + 0.5), np.cos(2 * np.pi * week / 52))[0, 1] > 0.95


def test_the_daily_benchmark_has_weeks_without_reports_at_the_weekend_where_the_signal_has() -> None:
    made = daily_benchmark(1, seed=1854)
    assert made.counts.shape == (2548, 16)
    assert sorted(made.scenario) == [1, *range(3, 18)]
    weekend = made.counts.reshape(-1, 7, 16)[:, 5:].sum(axis=(0, 1))
    assert ((weekend == 0) == np.isin(made.scenario, [6, 7, 8, 9, 10, 11, 12, 13])).all()
    assert (made.outbreak_cases[: made.evaluate[0]] == 0).all()
    assert (made.outbreak_cases <= made.counts).all()


def test_three_daily_signals_have_an_outbreak_every_year() -> None:
    made = daily_benchmark(5, signals=[14, 16], seed=1854)
    years = made.counts.reshape(7, 364, -1)
    season = years[:, 210:300].mean(axis=(0, 1)) / years[:, 100:190].mean(axis=(0, 1))
    assert season[made.scenario == 16].min() > 2.0


def test_a_seed_gives_the_same_series_again() -> None:
    for make in (weekly_benchmark, daily_benchmark):
        assert (make(1, seed=7).counts == make(1, seed=7).counts).all()
        assert (make(1, seed=7).counts != make(1, seed=8).counts).any()


@pytest.mark.parametrize(
    ("make", "settings", "message"),
    [
        (weekly_benchmark, {"repetitions": 0}, "repetitions must be at least 1"),
        (weekly_benchmark, {"scenarios": [43]}, "scenarios must be numbers from 1 to 42"),
        (weekly_benchmark, {"scenarios": []}, "scenarios must be numbers"),
        (daily_benchmark, {"repetitions": 0}, "repetitions must be at least 1"),
        (daily_benchmark, {"signals": [2]}, "no signal 2"),
        (daily_benchmark, {"signals": [18]}, "signals must be numbers from 1 to 17"),
        (daily_benchmark, {"size": 0}, "size must be above 0"),
    ],
)
def test_unknown_scenarios_are_refused(make: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**settings)
