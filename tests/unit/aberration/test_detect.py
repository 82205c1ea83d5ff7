from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from broadstreet.analysis.aberration import detect
from broadstreet.analysis.evaluation import performance, weekly_benchmark

QUIET = np.r_[np.random.default_rng(1854).poisson(5, 117), 5, 5, 5]


def with_rise(counts: np.ndarray, *added: int) -> np.ndarray:
    risen = counts.copy()
    risen[-len(added) :] += np.array(added)
    return risen


def test_a_large_rise_is_an_alarm_and_its_score_is_beyond_chance() -> None:
    found = detect(with_rise(QUIET, 20), [119])
    assert found.alarm.tolist() == [[1.0]]
    assert found.score[0, 0] > stats.norm.isf(1e-5)
    assert found.expected[0, 0] == pytest.approx(5.0, abs=1.0)
    assert 5.0 < found.upper[0, 0] < 25.0


def test_a_small_rise_is_seen_when_it_lasts() -> None:
    once, thrice = with_rise(QUIET, 6), with_rise(QUIET, 6, 6, 6)
    found = detect(np.column_stack([once, thrice]), [119])
    assert found.alarm.tolist() == [[0.0, 1.0]]
    assert found.upper[0, 1] < found.upper[0, 0]


def test_the_alarm_is_where_the_count_is_above_the_bound_and_the_score_beyond_alpha() -> None:
    made = weekly_benchmark(1, seed=3)
    found = detect(made.counts, made.evaluate, alpha=0.02)
    assert ((made.counts[made.evaluate] > found.upper) == (found.alarm == 1.0)).all()
    assert ((found.score > stats.norm.isf(0.02)) == (found.alarm == 1.0)).all()
    assert 0.0 < found.alarm.mean() < 0.1


def test_a_history_of_one_time_is_enough_for_an_answer_and_none_is_not() -> None:
    found = detect([[3, 0], [4, 0], [4, 1]], [0, 1, 2])
    for name in ("expected", "upper", "alarm", "score", "dispersion", "q_value"):
        values = getattr(found, name)
        assert np.isnan(values[0]).all(), name
        assert np.isfinite(values[1:]).all(), name


def test_a_series_without_a_case_gets_an_answer_and_ten_cases_an_alarm() -> None:
    nothing = np.zeros(300, np.int64)
    found = detect(np.column_stack([nothing, with_rise(nothing, 10)]), [299])
    assert found.alarm.tolist() == [[0.0, 1.0]]
    assert (found.expected < 0.05).all()


def test_what_comes_later_changes_nothing() -> None:
    whole = with_rise(QUIET, 30, 30)
    at = [100, 117]
    assert detect(whole, at).score.tolist() == detect(whole[:118], at).score.tolist()


def test_times_may_be_asked_for_in_any_order_and_twice() -> None:
    found, again = detect(QUIET, [90, 110]), detect(QUIET, [110, 90, 110])
    np.testing.assert_allclose(again.score[[1, 0]], found.score)
    assert again.score[0] == again.score[2]


def test_a_season_is_expected() -> None:
    week = np.arange(520)
    mean = np.exp(3.0 + 0.8 * np.cos(2 * np.pi * week / 52))
    found = detect(np.random.default_rng(2).poisson(mean), range(468, 520))
    assert np.corrcoef(found.expected[:, 0], mean[468:])[0, 1] > 0.99
    assert found.alarm.mean() < 0.1


def test_past_outbreaks_do_not_raise_what_is_expected() -> None:
    counts = np.random.default_rng(8).poisson(10, 312)
    infested = counts.copy()
    infested[[100, 101, 102, 180, 181, 182, 250, 251, 252]] += 60
    clean, found = detect(counts, [311]), detect(infested, [311])
    assert found.expected[0, 0] == pytest.approx(clean.expected[0, 0], rel=0.1)
    assert found.dispersion[0, 0] < 2.0


def test_days_of_the_week_are_expected() -> None:
    mean = np.tile([20.0, 15.0, 15.0, 15.0, 15.0, 3.0, 0.0], 60)
    counts = np.random.default_rng(4).poisson(mean)
    found = detect(counts, range(413, 420), frequency=365)
    np.testing.assert_allclose(found.expected[:, 0], mean[:7], rtol=0.25, atol=0.3)
    assert not found.alarm.any()
    counts[419] = 5  # on a day without a case so far
    assert detect(counts, [419], frequency=365).alarm == 1.0


def test_a_holiday_is_expected() -> None:
    holiday = np.zeros(730, bool)
    holiday[::30] = True
    counts = np.random.default_rng(5).poisson(np.where(holiday, 8.0, 40.0))
    told, untold = (detect(counts, [720], frequency=365, holidays=each) for each in (holiday, None))
    assert told.expected[0, 0] == pytest.approx(8.0, rel=0.3)
    assert untold.expected[0, 0] > 30.0


def test_counts_that_are_not_all_reported_yet_are_compared_with_what_would_be_by_now() -> None:
    delays = [500, 300, 200]  # half on the same day, a fifth after two days
    mean = np.r_[np.full(400, 40.0), 32.0, 20.0]
    counts = np.random.default_rng(6).poisson(mean)
    counts[-2:] = 32, 38  # what 38 means half way: nearly twice as many as usual
    found = detect(counts, [400, 401], frequency=365, delays=delays)
    assert found.expected[:, 0] == pytest.approx([32.0, 20.0], rel=0.1)
    assert found.alarm[:, 0].tolist() == [0.0, 1.0]
    assert detect(counts, [401], frequency=365).alarm == 0.0


def test_the_q_value_counts_how_many_series_were_looked_at() -> None:
    rng = np.random.default_rng(7)
    counts = rng.poisson(5, (120, 40))
    counts[-1, 0] = 40
    found = detect(counts, [119])
    alone = detect(counts[:, :1], [119])
    assert found.q_value[0, 0] == pytest.approx(min(1.0, 40 * alone.q_value[0, 0]))
    assert (found.q_value[0, 1:] > found.q_value[0, 0]).all()
    assert found.q_value.max() <= 1.0


def test_false_alarms_are_about_as_many_as_asked_for_and_outbreaks_are_found() -> None:
    made = weekly_benchmark(3, seed=20)
    found = performance(detect(made.counts, made.evaluate).alarm, made.outbreaks)
    assert 0.005 < found.false_positive_rate.value < 0.016
    assert found.probability_of_detection.value > 0.5


def test_series_of_a_group_inform_each_other_about_the_season() -> None:
    week, rng = np.arange(72), np.random.default_rng(9)
    wave = np.exp(0.9 * np.cos(2 * np.pi * (week - 60) / 52))
    large, small = rng.poisson(200 * wave), rng.poisson(1.5 * wave[:, np.newaxis], (72, 6))
    counts = np.column_stack([large, small])
    alone, pooled = detect(counts, [66]), detect(counts, [66], groups=["flu"] * 7)
    truth = 1.5 * wave[66]
    errors = [np.abs(np.log(found.expected[0, 1:] / truth)).mean() for found in (alone, pooled)]
    assert errors[1] < errors[0]
    assert np.ptp(pooled.dispersion[0]) < np.ptp(alone.dispersion[0])


def test_groups_are_strangers_to_each_other() -> None:
    rng = np.random.default_rng(10)
    counts = rng.poisson(6, (120, 4))
    together = detect(counts, [119], groups=["a", "a", "b", "b"])
    apart = detect(counts[:, 2:], [119], groups=["b", "b"])
    np.testing.assert_allclose(together.score[:, 2:], apart.score)


def test_a_silent_source_is_no_fall_of_the_counts() -> None:
    counts = np.random.default_rng(11).poisson(np.r_[np.full(200, 20.0), np.full(14, 10.0)])
    counts[-1] = 22  # of half of the sources: an outbreak
    share = np.r_[np.ones(200), np.full(14, 0.5)]
    found = detect(counts, [213], frequency=365, reporting=share)
    assert found.expected[0, 0] == pytest.approx(10.0, rel=0.2)
    assert found.alarm == 1.0
    assert detect(counts, [213], frequency=365).alarm == 0.0


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a count is missing": ({"counts": [1.0, np.nan, 2.0]}, "complete"),
    "a count is negative": ({"counts": [1, -1, 2]}, "0 or more"),
    "a count is not whole": ({"counts": [1.0, 0.5, 2.0]}, "whole numbers"),
    "a count is too large": ({"counts": [1, 2 * 10**9, 2]}, "at most"),
    "counts have three axes": ({"counts": np.ones((2, 2, 2), int)}, "shape"),
    "a time is outside": ({"evaluate": [3]}, "between 0 and 2"),
    "alpha is 0": ({"alpha": 0.0}, "alpha must lie between 0 and 1"),
    "frequency is 0": ({"frequency": 0}, "frequency must lie between 1 and 366"),
    "frequency is not whole": ({"frequency": 52.5}, "whole number"),
    "dates are too few": ({"dates": ["2026-01-05"]}, "one for each time"),
    "dates repeat": ({"dates": ["2026-01-05", "2026-01-05", "2026-01-12"]}, "steps of 7"),
    "holidays are too few": ({"holidays": [1, 0]}, "holidays must be 3"),
    "a holiday is negative": ({"holidays": [0, -1, 0]}, "kinds from 0 to 30"),
    "holidays are dates": ({"holidays": ["2026-01-05"] * 3}, "holidays must be 3"),
    "delays are of another shape": ({"delays": np.ones((3, 2))}, "delays must be"),
    "a delay is negative": ({"delays": [3, -1]}, "0 or more"),
    "no delay was observed": ({"delays": [0, 0]}, "hold a case"),
    "reporting is above 1": ({"reporting": [1.0, 1.0, 1.5]}, "shares from 0 to 1"),
    "reporting is missing": ({"reporting": [1.0, 1.0, np.nan]}, "none missing"),
    "reporting is too short": ({"reporting": [1.0, 1.0]}, "a share for each time"),
    "groups are too few": ({"groups": ["a", "b"]}, "one for each series"),
    "a group is missing": ({"groups": [np.nan]}, "a label is missing"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_a_sentence(case: str) -> None:
    given, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        detect(**{"counts": [1, 2, 3], "evaluate": [2], **given})


def test_no_series_and_no_times_give_empty_answers() -> None:
    assert detect(np.zeros((5, 0), int), [4]).score.shape == (1, 0)
    assert detect([1, 2, 3], []).score.shape == (0, 1)


def test_a_rise_of_days_that_lasts_is_found_after_eight_weeks_of_history() -> None:
    rng = np.random.default_rng(1854)
    counts = rng.poisson(5.0, (70, 200))
    counts[56:] = rng.poisson(10.0, (14, 200))
    found = detect(counts, np.arange(56, 70), frequency=365)
    assert (found.alarm.max(axis=0) == 1.0).mean() > 0.9
    assert found.expected[-1].mean() < 7.0  # the rise is not yet what is usual


@pytest.mark.parametrize("past", [[0], [4], [0, 0, 0], [0] * 8, [0, 1, 0, 0, 7], [3, 9, 2, 30, 8] * 9])
@pytest.mark.parametrize("frequency", [12, 52, 365])
def test_more_cases_are_never_less_evidence(past: list[int], frequency: int) -> None:
    newest = np.r_[np.arange(40), 50, 66, 100, 148, 149, 150, 1_000, 10_000, 10**9]
    counts = np.vstack([np.repeat(np.array(past)[:, np.newaxis], len(newest), axis=1), newest])
    found = detect(counts, [len(past)], frequency=frequency)
    assert (np.diff(found.score[0]) >= -1e-9).all()
    assert (np.diff(found.alarm[0]) >= 0.0).all()


def test_large_variable_counts_do_not_ring_for_want_of_history() -> None:
    counts = np.random.default_rng(3).negative_binomial(1_000 / 19, 1 / 20, (9, 2_000))
    assert detect(counts, [8]).alarm.mean() < 0.05


def test_the_order_of_a_group_s_series_does_not_matter() -> None:
    rng = np.random.default_rng(5)
    counts, share = rng.poisson([3.0, 9.0, 30.0], (200, 3)), np.ones((200, 3))
    share[150:, 0] = 0.3
    turned = [2, 0, 1]
    found = detect(counts, [199], groups=[0, 0, 0], reporting=share).score
    other = detect(counts[:, turned], [199], groups=[0, 0, 0], reporting=share[:, turned]).score
    np.testing.assert_allclose(found[:, turned], other, atol=1e-6)


def test_a_burst_of_one_day_does_not_ring_on() -> None:
    counts = np.random.default_rng(2).poisson(2.0, (64, 200))
    counts[60] += 40
    alarms = detect(counts, [60, 61, 62, 63], frequency=365).alarm.mean(axis=1)
    assert alarms[0] == 1.0
    assert (alarms[1:] < (0.4, 0.2, 0.2)).all()
