from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from broadstreet.analysis.evaluation import HUB_PROBABILITIES, coverage, wis
from broadstreet.analysis.renewal import (
    UncertainSerialInterval,
    discretise_serial_interval,
    forecast,
)

INTERVAL = discretise_serial_interval(range(20), 5.0, 2.5)


def _epidemic(seed: int, r: float, days: int, start: float = 20.0) -> Any:
    generator = np.random.default_rng(seed)
    cases = np.full(days, start)
    for day in range(5, days):
        reach = min(day, 19)
        cases[day] = generator.poisson(r * cases[day - reach : day] @ INTERVAL[reach:0:-1])
    return cases


def test_intervals_hold_the_days_to_come_and_score_better_than_last_week() -> None:
    inside, ours, flat = [], [], []
    for seed in range(30):
        cases = _epidemic(seed, 1.15, 64)
        known, later = cases[:50], cases[50:]
        found = forecast(known, INTERVAL, horizon=14, draws=400, seed=seed)
        inside.append(coverage(*found.interval(0.9), later))
        ours.append(wis(found.quantile(HUB_PROBABILITIES), later).mean())
        flat.append(np.abs(known[-7:].mean() - later).mean())
    assert 0.85 < np.mean(inside) <= 1.0
    assert np.mean(ours) < np.mean(flat) / 1.5


def test_a_forecast_follows_the_renewal_equation() -> None:
    cases = _epidemic(1, 1.1, 60, start=2000.0)
    found = forecast(cases, INTERVAL, horizon=1, dispersion=1.0, drift=0.0, draws=4000, seed=1)
    pressure = cases[-19:] @ INTERVAL[19:0:-1]
    assert found.mean[0] == pytest.approx(1.1 * pressure, rel=0.03)


def test_dispersion_and_drift_widen_the_intervals() -> None:
    cases = _epidemic(1, 1.0, 60, start=100.0)
    widths = []
    for settings in ({"dispersion": 1.0, "drift": 0.0}, {"dispersion": 6.0, "drift": 0.0}, {"drift": 0.1}):
        low, high = forecast(cases, INTERVAL, seed=1, **settings).interval()
        widths.append((high - low)[-1])
    assert widths[0] < widths[1] < widths[2]


def test_several_series_and_an_uncertain_interval_go_together() -> None:
    both = np.column_stack([_epidemic(1, 1.1, 50), _epidemic(2, 0.9, 50, start=200.0)])
    uncertain = UncertainSerialInterval(5.0, 1.0, (2.0, 8.0), 2.5, 0.5, (1.0, 4.0), draws=50, seed=1)
    found = forecast(both, uncertain, horizon=7, draws=300, seed=1)
    assert found.draws.shape == (300, 7, 2)
    assert found.mean.shape == (7, 2)
    assert found.drift.shape == (2,)


def test_without_a_case_none_is_forecast() -> None:
    found = forecast(np.zeros(30), INTERVAL, seed=1)
    assert found.draws.max() == 0.0


def test_an_explosion_stays_a_number() -> None:
    found = forecast(
        np.round(10.0 ** (np.arange(24) / 2)), INTERVAL, horizon=366, draws=50, drift=1.0, seed=1
    )
    assert np.isfinite(found.draws).all()


@pytest.mark.parametrize(
    ("cases", "settings", "message"),
    [
        ([1, 2, -1] * 10, {}, "0 or more"),
        ([1, 2, 3] * 10, {"horizon": 0}, "horizon must lie between 1"),
        ([1, 2, 3] * 10, {"horizon": 367}, "horizon must lie between 1 and 366"),
        ([1, 2, 3] * 10, {"dispersion": 0.5}, "dispersion must be 1 or more"),
        ([1, 2, 3] * 10, {"drift": -1.0}, "drift must be 0 or more"),
        ([1, 2, 3] * 10, {"draws": 10**6}, "draws must lie between"),
        ([1, 2, 3], {}, "a window of 7"),
        ([1, 2, 3, 4], {"window": 2}, "further than a mean serial interval"),
    ],
)
def test_bad_input_is_refused_with_a_reason(cases: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        forecast(cases, INTERVAL, **settings)


def test_too_many_draws_at_once_are_refused() -> None:
    with pytest.raises(ValueError, match="pass the series in parts"):
        forecast(np.ones((30, 10_000)), INTERVAL)
