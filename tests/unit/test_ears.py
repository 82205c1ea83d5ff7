from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from broadstreet.analysis.aberration import ears

WEEK = [3, 5, 2, 4, 6, 3, 5]  # mean 4, variance 2


def test_c1_sets_the_bound_on_the_seven_counts_before() -> None:
    found = ears([*WEEK, 9], [7])
    assert found.expected == pytest.approx(4.0)
    assert found.upper == pytest.approx(4.0 + 3.090232306167813 * np.sqrt(2.0), rel=1e-14)
    assert found.score == pytest.approx(5.0 / np.sqrt(2.0))
    assert found.dispersion == pytest.approx(0.5)
    assert found.alarm.item() == 1.0


def test_c2_leaves_the_last_two_counts_out_of_the_baseline() -> None:
    found = ears([*WEEK, 1000, 1000, 8], [9], method="C2")
    assert found.expected.item() == 4.0
    assert found.alarm.item() == 0.0


def test_c3_raises_an_alarm_when_the_two_times_before_were_high() -> None:
    counts = [*WEEK, 3, 5, 8, 9, 7]
    each = ears(counts, [9, 10, 11], method="C2", alpha=0.025)
    carried = each.score[0] - 1.0 + each.score[1] - 1.0
    found = ears(counts, [11], method="C3")
    deviation = np.sqrt(each.dispersion[2] * each.expected[2])
    assert found.upper[0] == pytest.approx(7 + deviation * (1.959963984540054 - carried), rel=1e-12)
    assert found.score[0] == pytest.approx(carried + each.score[2] - 1.0, rel=1e-12)
    assert found.alarm.item() == 1.0


def test_c3_scores_a_jump_of_today_that_its_bound_does_not_see() -> None:
    found = ears([*WEEK, 3, 5, 4, 4, 50], [11], method="C3")
    assert found.alarm.item() == 0.0
    assert found.score.item() > 1.96


def test_the_bound_of_c3_is_never_below_zero() -> None:
    found = ears([3, 4, 5, 3, 4, 5, 3, 4, 5, 30, 40, 0], [11], method="C3")
    assert found.upper.item() == 0.0
    assert found.alarm.item() == 0.0


def test_any_count_above_a_constant_baseline_is_an_alarm() -> None:
    found = ears([5] * 7 + [5], [7])
    assert (found.upper.item(), found.alarm.item(), found.dispersion.item()) == (5.0, 0.0, 0.0)
    assert np.isnan(found.score.item())
    found = ears([5] * 7 + [6], [7])
    assert (found.upper.item(), found.alarm.item(), found.score.item()) == (5.0, 1.0, np.inf)


def test_c3_gives_no_bound_over_constant_baselines() -> None:
    found = ears([5] * 12, [11], method="C3")
    assert np.isnan([found.upper.item(), found.alarm.item(), found.score.item()]).all()
    assert found.expected.item() == 5.0


def test_an_all_zero_baseline_has_no_dispersion() -> None:
    found = ears([0] * 7 + [1], [7])
    assert np.isnan(found.dispersion.item())
    assert (found.upper.item(), found.alarm.item()) == (0.0, 1.0)


@pytest.mark.parametrize(("method", "history"), [("C1", 7), ("C2", 9), ("C3", 11)])
def test_a_time_without_enough_history_has_no_bound(method: Any, history: int) -> None:
    counts = np.arange(20) % 7
    found = ears(counts, range(20), method=method)
    assert np.isnan(found.upper[:history]).all()
    assert np.isnan(found.alarm[:history]).all()
    assert np.isnan(found.score[:history]).all()
    assert not np.isnan(found.upper[history:]).any()


def test_a_series_shorter_than_the_baseline_has_no_bound_at_all() -> None:
    assert np.isnan(ears([1, 2, 3], [2]).upper).all()
    assert np.isnan(ears([1, 2, 3], [2], method="C3", baseline=30).alarm).all()


def test_one_series_is_one_column_and_no_times_are_no_rows() -> None:
    assert ears([*WEEK, 9], [7]).upper.shape == (1, 1)
    assert ears([*WEEK, 9], 7).upper.shape == (1, 1)
    assert ears(np.ones((9, 3)), []).upper.shape == (0, 3)
    assert ears(np.ones((9, 0), np.int64), [7, 8]).upper.shape == (2, 0)


def test_whole_numbers_of_any_type_are_counts() -> None:
    for kind in (np.int8, np.uint64, np.float32):
        assert ears(np.array([*WEEK, 9], kind), [7]).upper == pytest.approx(ears([*WEEK, 9], [7]).upper)


def test_the_variance_of_large_counts_loses_nothing() -> None:
    found = ears([400_000_000 + count for count in [*WEEK, 9]], [7])
    assert found.upper.item() - found.expected.item() == pytest.approx(3.090232306167813 * 2**0.5, rel=1e-7)
    assert found.dispersion.item() == pytest.approx(2.0 / 400_000_004, rel=1e-14)


NAN = float("nan")


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([1, -2, 3], r"0 or more \(at time 1 of series 0 there is -2\)"),
        ([1, NAN, 3], r"complete \(at time 1 of series 0 there is nan\)"),
        ([1, 2.5, 3], r"whole numbers \(at time 1 of series 0 there is 2.5\)"),
        ([1, float("inf"), 3], r"at most 433857214 \(at time 1"),
        ([1, 2**40, 3], r"at most 433857214 \(at time 1"),
        ([1, None, 3], "none missing"),
        (["1", "2", "3"], "whole numbers"),
        (np.ma.masked_equal([1, 2, 3], 2), "some are masked"),
        (np.zeros((2, 2, 2)), r"shape \(time,\) or \(time, series\), not \(2, 2, 2\)"),
        (3, "shape"),
    ],
)
def test_a_wrong_count_is_refused_with_its_place(counts: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ears(counts, [2])


@pytest.mark.parametrize(
    ("evaluate", "message"),
    [
        ([8], r"between 0 and 7 \(one is 8\)"),
        ([3, -1], r"between 0 and 7 \(one is -1\)"),
        ([1.0], "integers"),
        ([[1]], r"shape \(1, 1\)"),
    ],
)
def test_a_time_outside_the_series_is_refused(evaluate: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ears([*WEEK, 9], evaluate)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "C4"}, "one of C1, C2, C3 .it is 'C4'"),
        ({"baseline": 2}, "at least 3 times long .it is 2"),
        ({"baseline": 7.5}, "whole number .it is 7.5"),
        ({"alpha": 0.0}, "between 0 and 1 .it is 0.0"),
        ({"alpha": 1e-20}, "between 0 and 1"),
        ({"alpha": NAN}, "between 0 and 1"),
    ],
)
def test_an_impossible_setting_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ears([*WEEK, 9], [7], **settings)
