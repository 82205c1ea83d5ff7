from __future__ import annotations

import numpy as np
import pytest

from broadstreet.analysis.aberration import silence

WEEK = np.tile([30.0, 25.0, 25.0, 25.0, 30.0, 8.0, 4.0], 60)


def volumes(sources: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).poisson(WEEK[:, np.newaxis], (len(WEEK), sources))


def test_a_source_that_dies_is_seen_on_its_first_working_day_and_the_others_are_not() -> None:
    volume = volumes(5)
    volume[-7:, 2] = 0
    found = silence(volume, [len(WEEK) - 7])
    assert found.alarm.tolist() == [[0.0, 0.0, 1.0, 0.0, 0.0]]
    assert found.expected[0, 2] == pytest.approx(30.0, rel=0.2)
    assert found.reporting.tolist() == [[1.0, 1.0, 0.0, 1.0, 1.0]]


def test_a_source_that_sends_half_is_seen_within_the_week() -> None:
    volume = volumes(1)
    volume[-7:, 0] = WEEK[:7] / 2
    found = silence(volume, range(len(WEEK) - 7, len(WEEK)))
    assert found.alarm[:, 0].tolist()[-1] == 1.0
    assert found.reporting[-1, 0] == pytest.approx(0.5, abs=0.15)


def test_a_weekend_is_no_silence_and_false_alarms_are_rare() -> None:
    found = silence(volumes(60, seed=3), range(320, len(WEEK)), alpha=0.01)
    assert found.alarm.mean() < 0.015


def test_strata_lose_the_share_that_their_sources_have_in_them() -> None:
    volume = volumes(2)
    volume[-3:, 0] = 0
    found = silence(volume, [len(WEEK) - 1])
    usual = [[3.0, 1.0, 0.0], [1.0, 1.0, 0.0]]
    assert found.share(usual)[0].tolist() == [0.25, 0.5, 1.0]
    with pytest.raises(ValueError, match="usual must be volumes"):
        found.share([[1.0]])


def test_the_first_time_has_no_answer_and_a_small_source_no_alarm() -> None:
    found = silence([[1], [0], [0], [1]], [0, 3])
    assert np.isnan(found.alarm[0, 0])
    assert found.alarm[1, 0] == 0.0


def test_a_dead_source_stays_silent_for_as_long_as_it_sends_nothing() -> None:
    volume = volumes(3)
    volume[-100:, 1] = 0
    found = silence(volume, range(len(WEEK) - 100, len(WEEK)))
    weekdays = WEEK[-100:] > 20
    assert found.alarm[weekdays, 1].all()
    assert (found.reporting[weekdays, 1] == 0.0).all()
    assert found.expected[weekdays, 1].min() > 20
    assert found.alarm[:, [0, 2]].mean() < 0.01


def test_a_source_that_has_been_dead_for_long_is_silent_on_a_day_that_is_tested_alone() -> None:
    volume = volumes(2)[:130]
    volume[60:, 1] = 0
    found = silence(volume, [129])
    assert found.alarm.tolist() == [[0.0, 1.0]]
    assert found.reporting.tolist() == [[1.0, 0.0]]


def test_a_source_that_sends_again_is_silent_no_more_and_is_expected_as_before() -> None:
    volume = volumes(1)
    volume[200:300] = 0
    found = silence(volume, range(307, 340))
    assert found.alarm.sum() == 0.0
    assert found.expected[WEEK[307:340] > 20].mean() == pytest.approx(27.0, rel=0.1)
