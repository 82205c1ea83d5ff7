from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from broadstreet.analysis.aberration import Aberrations, ears

Counts = NDArray[np.int64]
TABLES = st.tuples(st.integers(1, 40), st.integers(1, 5)).flatmap(
    lambda shape: arrays(np.int64, shape, elements=st.integers(0, 30))
)
SETTINGS = st.fixed_dictionaries(
    {"method": st.sampled_from(["C1", "C2", "C3"]), "baseline": st.integers(3, 12)},
    optional={"alpha": st.floats(1e-6, 0.9)},
)


def assert_same(one: Aberrations, other: Aberrations) -> None:
    for field in fields(Aberrations):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), field.name)


def column(found: Aberrations, series: int) -> Aberrations:
    return Aberrations(*(getattr(found, field.name)[:, [series]] for field in fields(Aberrations)))


@given(TABLES, SETTINGS)
def test_series_together_give_what_each_gives_alone(counts: Counts, settings: dict[str, Any]) -> None:
    times = np.arange(len(counts))
    together = ears(counts, times, **settings)
    for series in range(counts.shape[1]):
        assert_same(column(together, series), ears(counts[:, series], times, **settings))


@given(TABLES, SETTINGS, st.data())
def test_times_together_give_what_each_gives_alone(
    counts: Counts, settings: dict[str, Any], data: st.DataObject
) -> None:
    times = data.draw(st.lists(st.integers(0, len(counts) - 1), max_size=8))
    together = ears(counts, times, **settings)
    for row, time in enumerate(times):
        alone = ears(counts, [time], **settings)
        np.testing.assert_array_equal(together.upper[row], alone.upper[0])
        np.testing.assert_array_equal(together.score[row], alone.score[0])


@given(TABLES, SETTINGS, st.integers(1, 10))
def test_an_older_past_changes_nothing(counts: Counts, settings: dict[str, Any], older: int) -> None:
    history = settings["baseline"] + {"C1": 0, "C2": 2, "C3": 4}[settings["method"]]
    times = np.arange(history, len(counts))
    past = np.full((older, counts.shape[1]), 999)
    shifted = ears(np.concatenate([past, counts]), times + older, **settings)
    assert_same(shifted, ears(counts, times, **settings))


@given(TABLES, SETTINGS)
def test_the_future_changes_nothing(counts: Counts, settings: dict[str, Any]) -> None:
    last = len(counts) - 1
    longer = np.concatenate([counts, np.full((3, counts.shape[1]), 999)])
    assert_same(ears(counts, [last], **settings), ears(longer, [last], **settings))


@given(TABLES, SETTINGS)
def test_sliding_mean_and_deviation_agree_with_numpy(counts: Counts, settings: dict[str, Any]) -> None:
    width, lag = settings["baseline"], 1 if settings["method"] == "C1" else 3
    times = np.arange(width + lag - 1, len(counts))
    found = ears(counts, times, **settings)
    for row, time in enumerate(times):
        window = counts[time - lag - width + 1 : time - lag + 1]
        np.testing.assert_allclose(found.expected[row], window.mean(axis=0), rtol=1e-14)
        deviation = np.sqrt(found.dispersion[row] * found.expected[row])
        np.testing.assert_allclose(
            deviation[window.any(axis=0)], window.std(axis=0, ddof=1)[window.any(axis=0)], rtol=1e-13
        )


@given(TABLES, SETTINGS)
def test_an_alarm_is_a_count_above_the_bound(counts: Counts, settings: dict[str, Any]) -> None:
    found = ears(counts, np.arange(len(counts)), **settings)
    defined = ~np.isnan(found.upper)
    np.testing.assert_array_equal(found.alarm[defined] == 1.0, (counts > found.upper)[defined])
    assert np.isnan(found.alarm[~defined]).all()
