from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from broadstreet.analysis.aberration import (
    Aberrations,
    bayes,
    cusum,
    ewma,
    farrington,
    farrington_flexible,
    rki,
)
from broadstreet.analysis.aberration.quantiles import count_quantile

Counts = NDArray[np.int64]
FIRST, LAST = 212, 214  # four years and a window
METHODS = {
    "farrington_flexible": (farrington_flexible, {"years_back": 4, "limit54": (0, 1)}),
    "farrington": (farrington, {"years_back": 4, "limit54": (0, 1)}),
    "cusum": (cusum, {}),
    "bayes": (bayes, {"years_back": 1}),
    "rki": (rki, {}),
    "ewma": (ewma, {}),
}


@st.composite
def tables(draw: st.DrawFn) -> Counts:
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    means = draw(st.lists(st.sampled_from([0.0, 0.05, 0.7, 4.0, 60.0, 2e4]), min_size=1, max_size=4))
    size = draw(st.sampled_from([0.5, 3.0, 1e6]))
    mean = np.maximum(np.array(means), 1e-9)
    return generator.negative_binomial(size, size / (size + mean), size=(LAST + 1, len(means)))


def column(found: Aberrations, series: int) -> Aberrations:
    return Aberrations(*(getattr(found, field.name)[:, [series]] for field in fields(Aberrations)))


def assert_close(one: Aberrations, other: Aberrations) -> None:
    for field in fields(Aberrations):
        np.testing.assert_allclose(
            getattr(one, field.name), getattr(other, field.name), rtol=1e-9, atol=1e-9, err_msg=field.name
        )


@pytest.mark.parametrize("method", METHODS)
@given(counts=tables())
@settings(max_examples=25)
def test_series_together_give_what_each_gives_alone(method: str, counts: Counts) -> None:
    run, how = METHODS[method]
    together = run(counts, range(FIRST, LAST + 1), **how)
    for series in range(counts.shape[1]):
        alone = run(counts[:, series], range(FIRST, LAST + 1), **how)
        assert_close(column(together, series), alone)


@pytest.mark.parametrize("method", METHODS)
@given(counts=tables())
@settings(max_examples=25)
def test_the_future_changes_nothing(method: str, counts: Counts) -> None:
    run, how = METHODS[method]
    longer = np.concatenate([counts, np.full((5, counts.shape[1]), 999)])
    assert_close(run(longer, [FIRST], **how), run(counts, [FIRST], **how))


@pytest.mark.parametrize("method", ["farrington_flexible", "farrington", "bayes", "rki"])
@given(counts=tables(), order=st.permutations(range(FIRST, LAST + 1)))
@settings(max_examples=25)
def test_the_order_of_the_evaluated_times_changes_nothing(
    method: str, counts: Counts, order: list[int]
) -> None:
    run, how = METHODS[method]
    shuffled, sorted_ = run(counts, order, **how), run(counts, sorted(order), **how)
    place = np.array(order) - FIRST
    for field in fields(Aberrations):
        np.testing.assert_allclose(
            getattr(shuffled, field.name), getattr(sorted_, field.name)[place], rtol=1e-9, atol=1e-9
        )


@pytest.mark.parametrize("method", ["bayes", "rki", "ewma", "farrington_flexible"])
@given(counts=tables())
@settings(max_examples=25)
def test_an_alarm_is_a_count_above_the_bound(method: str, counts: Counts) -> None:
    run, how = METHODS[method]
    found = run(counts, range(FIRST, LAST + 1), **how)
    defined = ~np.isnan(found.upper)
    above = counts[FIRST : LAST + 1] > found.upper * (1 + 1e-12) + 1e-9
    np.testing.assert_array_equal(found.alarm[defined] == 1.0, above[defined])


@given(
    st.floats(0.01, 0.9999),
    st.lists(st.tuples(st.floats(1e-9, 1e7), st.floats(0.0, 1e4)), min_size=1, max_size=20),
)
def test_quantiles_of_counts_agree_with_scipy(probability: float, cases: list[Any]) -> None:
    mean, excess = np.array(cases).T
    excess[excess < 1e-6] = 0.0
    found = count_quantile(probability, mean, 1.0 + excess)
    poisson = excess == 0.0
    distribution = np.empty_like(mean)
    below = np.empty_like(mean)
    for target, at in ((distribution, found), (below, found - 1.0)):
        target[poisson] = stats.poisson.cdf(at[poisson], mean[poisson])
        size = mean[~poisson] / excess[~poisson]
        target[~poisson] = stats.nbinom.cdf(at[~poisson], size, 1.0 / (1.0 + excess[~poisson]))
    assert (distribution >= probability * (1 - 1e-9)).all()
    assert (below < probability * (1 + 1e-9)).all()
