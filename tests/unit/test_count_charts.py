from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from broadstreet.analysis.aberration import bayes, cusum, ears, ewma, farrington, farrington_flexible, rki

QUIET = [4, 6, 5, 3, 5, 7, 4, 6, 5, 5]  # mean 5


def test_cusum_adds_up_what_exceeds_the_reference_value() -> None:
    found = cusum([*QUIET, 9, 9, 0], [10, 11, 12])
    step = (9 - 5) / np.sqrt(5) - 1.04
    assert found.score[:, 0] == pytest.approx([step, 2 * step, max(0.0, 2 * step - np.sqrt(5) - 1.04)])
    assert found.alarm[:, 0].tolist() == [0.0, 0.0, 0.0]
    assert found.upper[0, 0] == np.ceil(np.sqrt(5) * 3.3 + 5)


def test_cusum_sees_a_small_rise_that_lasts() -> None:
    found = cusum([*QUIET, 8, 8, 8, 9, 8, 8, 9], range(10, 17))
    assert found.alarm[:, 0].tolist() == [0, 0, 0, 0, 0, 0, 1]


def test_cusum_takes_a_mean_for_each_series() -> None:
    counts = np.column_stack([[*QUIET, 9], [*QUIET, 9]])
    found = cusum(counts, [10], mean=[5.0, 9.0])
    assert found.expected.tolist() == [[5.0, 9.0]]
    assert found.score[0].tolist() == pytest.approx([4 / np.sqrt(5) - 1.04, 0.0])
    assert np.isnan(found.dispersion).all()


def test_a_seasonal_mean_follows_the_wave_and_knows_series_without_a_case() -> None:
    week = np.arange(208)
    counts = np.column_stack([np.rint(50 + 30 * np.cos(2 * np.pi * week / 52)).astype(int), 0 * week])
    found = cusum(counts, range(156, 208), mean="seasonal")
    assert np.corrcoef(found.expected[:, 0], counts[156:, 0])[0, 1] > 0.98
    assert (found.expected[:, 1] == 0.0).all()
    assert np.isnan(found.alarm[:, 1]).all()


def test_ewma_weighs_the_newest_count_most() -> None:
    found = ewma([*QUIET, 9, 5], [10, 11], smoothing=0.5, width=3.0, dispersion=1.0)
    deviation = np.sqrt(5 * 0.5 / 1.5 * (1 - 0.5 ** np.array([2, 4])))
    assert found.score[:, 0] == pytest.approx((np.array([7.0, 6.0]) - 5.0) / deviation)
    assert found.upper[0, 0] == pytest.approx((5 + 3 * deviation[0] - 2.5) / 0.5)
    assert ewma([*QUIET, 30], [10]).alarm.item() == 1.0


def test_ewma_widens_its_limit_for_overdispersed_counts() -> None:
    wild = [0, 14, 1, 12, 0, 3, 15, 0, 2, 3]
    assert ewma([*wild, 5], [10]).dispersion.item() == pytest.approx(np.var(wild, ddof=1) / 5)
    assert ewma([*wild, 5], [10]).upper > ewma([*wild, 5], [10], dispersion=1.0).upper


def test_bayes_predicts_from_the_weeks_before() -> None:
    found = bayes([*QUIET, 15], [10])
    assert found.expected.item() == pytest.approx((32 - 0 + 0.5) / 6)
    assert found.dispersion.item() == pytest.approx(7 / 6)
    assert found.alarm.item() == 1.0
    assert found.score.item() > 0.95


def test_bayes_answers_after_a_history_of_zeros() -> None:
    found = bayes([0] * 6 + [2], [6])
    assert (found.upper.item(), found.alarm.item()) == (1.0, 1.0)


def test_rki_takes_a_table_up_to_twenty_cases_and_the_normal_limit_above() -> None:
    few = rki([*QUIET, 12], [10], years_back=0, window=6, recent=True)
    assert (few.upper.item(), few.alarm.item()) == (11.177, 1.0)
    many = [30, 34, 28, 31, 33, 30]
    found = rki([*many, 36], [6], years_back=0, window=6, recent=True)
    assert found.upper.item() == pytest.approx(np.mean(many) + 2 * np.std(many, ddof=1))


@pytest.mark.parametrize(
    ("method", "counts", "evaluate", "settings", "message"),
    [
        (cusum, QUIET, [5, 7], {}, "consecutive"),
        (cusum, QUIET, [0], {}, "start at 1 or later"),
        (cusum, QUIET, [5], {"mean": 0.0}, "mean must be above 0"),
        (cusum, QUIET, [5], {"mean": "yearly"}, "mean must be one of seasonal"),
        (cusum, QUIET, [5], {"mean": "seasonal"}, "a year of history"),
        (cusum, QUIET, [5], {"transform": "log"}, "transform must be one of"),
        (cusum, QUIET, [5], {"decision_interval": 0}, "decision_interval must be above 0"),
        (cusum, QUIET, [5], {"reference_value": -1}, "reference_value must be 0 or more"),
        (ewma, QUIET, [5, 5], {}, "consecutive"),
        (ewma, QUIET, [1], {}, "start at 2 or later"),
        (ewma, QUIET, [5], {"smoothing": 1.5}, "smoothing must be at most 1"),
        (bayes, QUIET, [5], {}, "use ears"),
        (bayes, QUIET, [9], {"recent": False}, "nothing to compare with"),
        (bayes, QUIET, [9], {"alpha": 0}, "alpha must lie between"),
        (rki, QUIET, [9], {}, "need 108 times before"),
        (rki, QUIET, [9], {"frequency": 3, "years_back": 1, "window": 3}, "shorter than a year"),
    ],
)
def test_bad_input_is_refused_with_a_reason(
    method: Any, counts: Any, evaluate: Any, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        method(counts, evaluate, **settings)


@pytest.mark.parametrize("method", [cusum, ewma, bayes, rki])
def test_missing_negative_and_broken_counts_are_refused(method: Any) -> None:
    for bad in (np.nan, -1, 0.5):
        with pytest.raises(ValueError, match="counts must be"):
            method([*QUIET, bad], [9])


@pytest.mark.parametrize("method", [cusum, ewma, bayes])
def test_nothing_to_evaluate_gives_empty_arrays(method: Any) -> None:
    assert method(QUIET, []).alarm.shape == (0, 1)


def test_a_hundred_thousand_series_are_tested_those_without_a_case_too() -> None:
    counts = np.random.default_rng(1854).poisson(0.5, (30, 100_000))
    counts[:, :10] = 0
    for method in (ears, bayes, ewma):
        found = method(counts, [29])
        assert found.alarm.shape == (1, 100_000)
        assert (found.alarm[0, :10] == 0.0).all()
    assert np.isnan(cusum(counts, [29]).alarm[0, :10]).all()  # nothing can be standardised: the page says so


@pytest.mark.parametrize("order", [[1, 0], [0, 0]], ids=["unsorted", "repeated"])
def test_unsorted_and_repeated_dates_are_refused(order: list[int]) -> None:
    dates = np.datetime64("2020-01-06") + 7 * np.arange(200)
    dates[10:12] = dates[10:12][order]
    for method in (farrington_flexible, farrington):
        with pytest.raises(ValueError, match="dates must increase in steps of 7 to 7 days"):
            method([5] * 200, [199], years_back=3, dates=dates)
