from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from broadstreet.analysis.aberration import detect

Counts = NDArray[np.int64]


@st.composite
def histories(draw: st.DrawFn) -> Counts:
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    length = draw(st.sampled_from([2, 3, 8, 29, 110]))
    means = draw(st.lists(st.sampled_from([0.0, 0.02, 1.0, 30.0, 1e4, 3e8]), min_size=1, max_size=3))
    size = draw(st.sampled_from([0.2, 3.0, 1e6]))
    mean = np.maximum(np.array(means), 1e-9)
    counts = generator.negative_binomial(size, size / (size + mean), size=(length, len(means)))
    counts[draw(st.integers(0, length - 1)) :] *= draw(st.sampled_from([0, 1, 50]))
    return np.minimum(counts, 10**9)


@pytest.mark.parametrize("frequency", [12, 52, 365])
@given(counts=histories())
@settings(max_examples=8, deadline=None)
def test_any_history_gives_an_answer_that_agrees_with_itself(frequency: int, counts: Counts) -> None:
    times = np.arange(1, len(counts))
    found = detect(counts, times, frequency=frequency)
    for name in ("expected", "upper", "alarm", "score", "dispersion", "q_value"):
        assert np.isfinite(getattr(found, name)).all(), name
    assert ((counts[times] > found.upper) == (found.alarm == 1.0)).all()
    assert (found.alarm == (found.score > 2.3263478740408408)).all()
    assert ((found.q_value >= 0.0) & (found.q_value <= 1.0)).all()
    assert (found.expected >= 0.0).all()
    assert (found.dispersion >= 1.0).all()


@given(counts=histories())
@settings(max_examples=6, deadline=None)
def test_series_together_give_what_each_gives_alone(counts: Counts) -> None:
    last = [len(counts) - 1]
    together = detect(counts, last).score[0]
    alone = [detect(counts[:, series], last).score[0, 0] for series in range(counts.shape[1])]
    np.testing.assert_allclose(together, alone)
