from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from broadstreet.analysis.evaluation import HUB_PROBABILITIES, coverage, crps, wis

DRAWS = np.random.default_rng(1854).normal(size=(200, 3))
CAME = np.array([0.0, 1.0, -2.5])


def test_crps_is_the_mean_distance_less_half_the_spread() -> None:
    spread = np.abs(DRAWS[:, None] - DRAWS[None]).mean(axis=(0, 1))
    np.testing.assert_allclose(crps(DRAWS, CAME), np.abs(DRAWS - CAME).mean(axis=0) - spread / 2)


def test_crps_of_a_normal_forecast_is_the_known_formula() -> None:
    even = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    y = 0.7
    known = y * (2 * stats.norm.cdf(y) - 1) + 2 * stats.norm.pdf(y) - 1 / np.sqrt(np.pi)
    assert crps(even, np.array(y)) == pytest.approx(known, abs=1e-4)


def test_wis_weighs_width_and_misses_of_each_interval() -> None:
    quantiles = np.quantile(DRAWS, HUB_PROBABILITIES, axis=0)
    expected = 0.5 * np.abs(CAME - quantiles[11])
    for k, chance in enumerate(HUB_PROBABILITIES[:11]):
        low, high = quantiles[k], quantiles[-1 - k]
        expected += chance * (high - low) + np.maximum(low - CAME, 0) + np.maximum(CAME - high, 0)
    np.testing.assert_allclose(wis(quantiles, CAME), expected / 11.5)


def test_an_exact_forecast_scores_zero_and_a_point_its_error() -> None:
    assert wis(np.full(23, 4.0), np.array(4.0)) == 0.0
    assert crps(np.array([4.0]), np.array(6.0)) == 2.0


def test_days_that_did_not_come_yet_are_not_scored() -> None:
    came = np.array([0.0, np.nan, 1.0])
    assert np.isnan(crps(DRAWS, came)).tolist() == [False, True, False]
    assert np.isnan(wis(np.quantile(DRAWS, HUB_PROBABILITIES, axis=0), came)).tolist() == [False, True, False]
    assert coverage([0, 0, 2], [1, 1, 3], came) == 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: crps(DRAWS, CAME[:2]), "draws must have shape"),
        (lambda: crps(np.where(DRAWS > 1, np.nan, DRAWS), CAME), "draws must be complete"),
        (lambda: wis(DRAWS[:22], CAME), "quantiles must have shape"),
        (lambda: wis(DRAWS[:23], CAME), "not decrease"),
        (lambda: wis(DRAWS[:2], CAME, [0.1, 0.9]), "even about 1/2"),
        (lambda: wis(DRAWS[:3], CAME, [0.1, 0.5, 0.8]), "even about 1/2"),
        (lambda: coverage([1], [1, 2], [1]), "one shape"),
    ],
)
def test_what_cannot_be_scored_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
