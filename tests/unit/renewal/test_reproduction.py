from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from broadstreet.analysis.renewal import (
    UncertainSerialInterval,
    discretise_serial_interval,
    estimate_r,
    wallinga_teunis,
)

INTERVAL = [0.0, 0.2, 0.5, 0.2, 0.1]
DOUBLING = [1, 1, 2, 3, 4, 6, 9, 13, 18, 26, 36, 52]


def test_a_growing_epidemic_has_a_number_above_one_and_a_shrinking_one_below() -> None:
    found = estimate_r([*DOUBLING, *DOUBLING[::-1]], INTERVAL, window=4)
    assert found.quantile(0.025)[3] > 1.0
    assert found.quantile(0.975)[-1] < 1.0
    assert found.start[0] == 1
    assert found.end[-1] == 2 * len(DOUBLING) - 1


def test_series_are_estimated_side_by_side_as_alone() -> None:
    both = np.column_stack([DOUBLING, DOUBLING[::-1]])
    found = estimate_r(both, INTERVAL, imported=np.minimum(both, 1))
    for column in range(2):
        alone = estimate_r(both[:, column], INTERVAL, imported=np.minimum(both[:, column], 1))
        np.testing.assert_array_equal(found.mean[:, column], alone.mean)
        np.testing.assert_array_equal(found.quantile([0.1, 0.9])[:, :, column], alone.quantile([0.1, 0.9]))


def test_without_a_case_the_posterior_is_the_prior() -> None:
    found = estimate_r([0] * 12, INTERVAL, prior_mean=2.0, prior_sd=1.0)
    assert found.mean == pytest.approx(2.0)
    assert found.sd == pytest.approx(1.0)


def test_imported_cases_infect_but_were_not_infected_here() -> None:
    imported = [0, 0, 0, 0, 0, 0, 0, 8, 9, 10, 12, 15]
    here = estimate_r(DOUBLING, INTERVAL, window=4, imported=imported)
    assert here.mean[-1] < estimate_r(DOUBLING, INTERVAL, window=4).mean[-1] / 1.3


def test_windows_that_end_within_a_mean_interval_are_undefined() -> None:
    found = estimate_r(DOUBLING, (5.0, 1.0), window=1)
    assert np.isnan(found.mean[:3]).all()
    assert np.isnan(found.quantile(0.5)[:3]).all()
    assert np.isfinite(found.mean[4:]).all()


def test_windows_can_be_named() -> None:
    sliding = estimate_r(DOUBLING, INTERVAL, window=3)
    named = estimate_r(DOUBLING, INTERVAL, window=([1, 9], [3, 11]))
    np.testing.assert_allclose(named.mean, sliding.mean[[0, -1]])


def test_a_few_cases_after_a_large_epidemic_keep_their_digits() -> None:
    tail = estimate_r([0] * 20 + [1, 2, 3, 2, 4, 3, 5, 4], INTERVAL, window=3)
    after = estimate_r([10**12] * 15 + [0] * 5 + [1, 2, 3, 2, 4, 3, 5, 4], INTERVAL, window=3)
    np.testing.assert_allclose(after.mean[-4:], tail.mean[-4:], rtol=1e-12)


def test_a_long_series_is_the_same_in_blocks() -> None:
    counts = np.random.default_rng(1854).poisson(30, 700)
    weights = discretise_serial_interval(range(40), 6.0, 3.0)
    found = estimate_r(counts, weights, window=1)
    pressure = np.convolve(counts, weights)[:700]
    np.testing.assert_allclose(found.mean[20:], (1.0 + counts[21:]) / (0.2 + pressure[21:]))


def test_the_mixture_over_draws_has_the_quantiles_of_its_samples() -> None:
    draws = np.column_stack([discretise_serial_interval(range(20), m, 1.5) for m in (2.2, 2.8, 3.9)])
    found = estimate_r(DOUBLING, draws, window=4)
    generator = np.random.default_rng(1854)
    samples = generator.gamma(found.shape[-1], found.scale[:, -1], (200_000, 3)).ravel()
    assert found.mean[-1] == pytest.approx(samples.mean(), rel=0.005)
    assert found.sd[-1] == pytest.approx(samples.std(), rel=0.01)
    assert found.quantile([0.025, 0.5, 0.975])[:, -1] == pytest.approx(
        np.quantile(samples, [0.025, 0.5, 0.975]), rel=0.01
    )


def test_an_uncertain_interval_widens_the_posterior_and_is_repeatable() -> None:
    uncertain = UncertainSerialInterval(2.6, 0.8, (1.0, 4.5), 1.5, 0.4, (0.5, 2.5), draws=200, seed=7)
    found = estimate_r(DOUBLING, uncertain)
    assert (found.sd > estimate_r(DOUBLING, (2.6, 1.5)).sd).all()
    np.testing.assert_array_equal(found.mean, estimate_r(DOUBLING, uncertain).mean)


def test_the_discretised_interval_keeps_mean_and_deviation() -> None:
    days = np.arange(200)
    weights = discretise_serial_interval(days, 8.4, 3.8)
    assert weights.sum() == pytest.approx(1.0)
    assert days @ weights == pytest.approx(8.4, abs=0.01)
    assert np.sqrt(days**2 @ weights - (days @ weights) ** 2) == pytest.approx(3.8, abs=0.05)


def test_everyone_who_was_infected_was_infected_by_someone() -> None:
    found = wallinga_teunis(DOUBLING, INTERVAL, window=([1], [11]))
    first = wallinga_teunis(DOUBLING, INTERVAL, window=1)
    by_the_first_case = sum(DOUBLING) - 1 - found.mean[0] * (sum(DOUBLING) - 1)
    assert by_the_first_case > 0.0
    assert found.mean[0] == pytest.approx((first.mean * DOUBLING[1:]).sum() / sum(DOUBLING[1:]))


def test_cohort_quantiles_are_those_of_simulated_infectors() -> None:
    found = wallinga_teunis(DOUBLING, INTERVAL, window=([3], [5]))
    generator = np.random.default_rng(1854)
    weights, cases = np.array(INTERVAL), np.array(DOUBLING)
    total = np.zeros(20_000)
    for t in range(4, 12):
        share = np.array([cases[s] * weights[t - s] if 1 <= t - s <= 4 else 0.0 for s in range(t)])
        total += generator.binomial(cases[t], share[3:6].sum() / share.sum(), 20_000)
    assert found.sd[0] == pytest.approx(total.std() / cases[3:6].sum(), rel=0.03)
    for p in (0.025, 0.5, 0.975):
        assert found.quantile(p)[0] * cases[3:6].sum() == pytest.approx(
            np.quantile(total, p, method="inverted_cdf"), abs=1
        )


def test_windows_without_a_case_and_cases_without_an_infector_are_told_apart() -> None:
    found = wallinga_teunis([2, 1, 3, 0, 0, 0, 0, 0, 0, 2, 3], INTERVAL, window=1)
    assert np.isnan(found.mean[2:8]).all()
    assert np.isnan(found.quantile(0.5)[2:8]).all()
    assert found.mean[1] == 0.0
    assert found.quantile(0.975)[1] == 0.0


def test_a_hundred_thousand_series_are_estimated() -> None:
    counts = np.random.default_rng(1854).poisson(3, (20, 100_000))
    found = estimate_r(counts, INTERVAL)
    assert found.mean.shape == (13, 100_000)
    assert np.isfinite(found.quantile(0.975)).all()


@pytest.mark.parametrize(
    ("incidence", "interval", "settings", "message"),
    [
        ([1, -2, *DOUBLING], INTERVAL, {}, "0 or more .at time 1 of series 0 there is -2"),
        ([1.0, np.nan, *DOUBLING], INTERVAL, {}, "complete .at time 1"),
        ([1.0, np.inf, *DOUBLING], INTERVAL, {}, "at most"),
        ([1, None, *DOUBLING], INTERVAL, {}, "none missing"),
        ([], INTERVAL, {}, "must have shape"),
        (np.zeros((2, 2, 2)), INTERVAL, {}, "must have shape"),
        (np.ma.masked_equal(DOUBLING, 1), INTERVAL, {}, "masked"),
        ([1, 2, 3], INTERVAL, {}, "needs 8 of incidence .there are 3"),
        (DOUBLING, INTERVAL, {"window": 0}, "window must lie between 1"),
        (DOUBLING, INTERVAL, {"window": ([0], [3])}, "start at time 1 or later"),
        (DOUBLING, INTERVAL, {"window": ([5], [12])}, "end by time 11"),
        (DOUBLING, INTERVAL, {"window": ([5], [6, 7])}, "as many of each"),
        (DOUBLING, INTERVAL, {"prior_mean": 0.0}, "prior_mean must be above 0"),
        (DOUBLING, INTERVAL, {"imported": [0] * 5}, "times and series of incidence"),
        (DOUBLING, INTERVAL, {"imported": [9] * 12}, "part of incidence"),
        (DOUBLING, [0.0, 0.5, 0.43], {}, r"must sum to 1 \(sums to 0.93\)"),
        (DOUBLING, [0.1, 0.5, 0.4], {}, "must start with 0"),
        (DOUBLING, [0.0, 1.5, -0.5], {}, "none missing or below 0"),
        (DOUBLING, 3.0, {}, "probabilities by day from 0"),
        (DOUBLING, (1.0, 2.0), {}, "must be above 1 day"),
        (DOUBLING, (3.0, 0.0), {}, "must be above 0"),
        (
            DOUBLING,
            UncertainSerialInterval(3.0, 1.0, (3.5, 4.0), 1.0, 0.1, (0.5, 2.0)),
            {},
            "mean_limits must enclose mean",
        ),
        (
            DOUBLING,
            UncertainSerialInterval(3.0, 1.0, (2, 4), 1.0, 0.1, (0.5, 2.0), draws=0),
            {},
            "draws must lie between 1",
        ),
    ],
)
def test_bad_input_is_refused_with_a_reason(
    incidence: Any, interval: Any, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        estimate_r(incidence, interval, **settings)


def test_what_would_not_fit_into_memory_is_refused() -> None:
    uncertain = UncertainSerialInterval(2.6, 0.8, (1.0, 4.5), 1.5, 0.4, (0.5, 2.5), draws=100_000)
    with pytest.raises(ValueError, match="pass the series in parts"):
        estimate_r(np.ones((10, 1000)), uncertain)


@pytest.mark.parametrize("probability", [0.0, 1.0, -0.1, np.nan])
def test_a_probability_lies_between_0_and_1(probability: float) -> None:
    with pytest.raises(ValueError, match="probability must lie between"):
        estimate_r(DOUBLING, INTERVAL).quantile(probability)
    with pytest.raises(ValueError, match="probability must lie between"):
        wallinga_teunis(DOUBLING, INTERVAL).quantile(probability)


@pytest.mark.parametrize("days", [[-1], [0.5], [10**9], ["a"]])
def test_days_are_whole_and_not_negative(days: Any) -> None:
    with pytest.raises(ValueError, match="days must be whole numbers"):
        discretise_serial_interval(days, 3.0, 1.0)


def test_infectors_are_counted_whole_and_by_one_interval() -> None:
    with pytest.raises(ValueError, match="whole numbers"):
        wallinga_teunis([*DOUBLING, 1.5], INTERVAL)
    with pytest.raises(ValueError, match="takes one serial interval"):
        wallinga_teunis(DOUBLING, np.column_stack([INTERVAL, INTERVAL]))
