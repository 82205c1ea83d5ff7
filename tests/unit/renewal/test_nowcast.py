from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from broadstreet.analysis.evaluation import coverage, crps
from broadstreet.analysis.renewal import nowcast, reporting_triangle

LONGEST = 14
SHARE = np.exp(-np.arange(LONGEST + 1) / 4.0)
SHARE /= SHARE.sum()


def _reports(seed: int, mean: Any, days: int = 60) -> Any:
    generator = np.random.default_rng(seed)
    return np.array([generator.multinomial(n, SHARE) for n in generator.poisson(mean, days)])


def test_days_that_are_complete_stay_as_they_are() -> None:
    reports = _reports(1, 20)
    found = nowcast(reports, as_of=59, seed=1)
    np.testing.assert_array_equal(found.mean[: 60 - LONGEST], reports.sum(axis=1)[: 60 - LONGEST])
    assert (found.draws >= found.reported).all()
    assert found.reported_share[[0, -1]] == pytest.approx([SHARE[0], 1.0], abs=0.03)


def test_intervals_hold_what_was_reported_later_as_often_as_they_say() -> None:
    last = slice(60 - LONGEST, 60)
    inside, scores, naive = [], [], []
    for seed in range(40):
        reports = _reports(seed, 5 * np.exp(np.arange(60) / 20))
        truth = reports.sum(axis=1)[last]
        found = nowcast(reports, as_of=59, draws=400, seed=seed)
        inside.append(coverage(*(end[last] for end in found.interval(0.9)), truth))
        scores.append(crps(found.draws[:, last], truth).mean())
        naive.append(np.abs(found.reported[last] - truth).mean())
    assert 0.86 < np.mean(inside) < 0.98
    assert np.mean(scores) < np.mean(naive) / 5


def test_reports_that_vary_more_than_chance_widen_the_intervals() -> None:
    generator = np.random.default_rng(1854)
    uneven = np.array(
        [generator.multinomial(n, generator.dirichlet(30 * SHARE)) for n in generator.poisson(80, 60)]
    )
    found = nowcast(uneven, as_of=59, seed=1)
    assert found.dispersion > 1.5
    even = nowcast(_reports(1, 80), as_of=59, seed=1)
    assert even.dispersion < 1.4
    assert found.draws[:, -1].std() > even.draws[:, -1].std()


def test_a_day_without_a_report_yet_borrows_from_the_days_before() -> None:
    reports = _reports(3, 50)
    reports[-1] = 0
    found = nowcast(reports, as_of=59, seed=1)
    assert 20 < found.mean[-1] < 60


def test_delays_can_be_taken_from_the_last_days_only() -> None:
    slow = np.vstack([_reports(1, 40, 60)[:, ::-1], _reports(2, 40, 60)])
    recent = nowcast(slow, as_of=119, recent=40, seed=1)
    assert recent.reported_share[0] == pytest.approx(SHARE[0], abs=0.05)
    assert nowcast(slow, as_of=119, seed=1).reported_share[0] < 0.7 * SHARE[0]


def test_a_line_list_becomes_a_triangle() -> None:
    onset = ["2026-01-05", "2026-01-05", "2026-01-06", "2026-01-07"]
    report = ["2026-01-05", "2026-01-07", "2026-01-20", "2026-01-08"]
    found = reporting_triangle(onset, report, max_delay=2, end="2026-01-09")
    assert found.tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]]
    unreported = reporting_triangle(onset, ["2026-01-05", "NaT", "2026-01-06", "2026-01-07"], max_delay=0)
    assert unreported.tolist() == [[1], [1], [1]]


def test_the_same_seed_draws_the_same() -> None:
    reports = _reports(1, 20)
    np.testing.assert_array_equal(
        nowcast(reports, as_of=59, seed=7).draws, nowcast(reports, as_of=59, seed=7).draws
    )


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        ((10, 2, -1.0), {"as_of": 59}, "whole numbers from 0 .*at time 10, delay 2 there is -1"),
        ((10, 2, np.nan), {"as_of": 59}, "complete up to the last time .at time 10, delay 2"),
        ((10, 2, 0.5), {"as_of": 59}, "whole numbers"),
        ((10, 2, 1.0), {}, "NaN or 0 after the last time"),
        ((10, 2, 1.0), {"as_of": 60}, "as_of must lie between"),
        ((10, 2, 1.0), {"as_of": 5}, "as many days as delays"),
        ((10, 2, 1.0), {"as_of": 59, "recent": 3}, "recent must lie between 15"),
        ((10, 2, 1.0), {"as_of": 59, "smoothing": 1.0}, "smoothing must be from 0"),
        ((10, 2, 1.0), {"as_of": 59, "draws": 0}, "draws must lie between 1"),
    ],
)
def test_bad_reports_are_refused_with_a_reason(change: Any, settings: dict[str, Any], message: str) -> None:
    reports = _reports(1, 20).astype(float)
    time, delay, value = change
    reports[time, delay] = value
    with pytest.raises(ValueError, match=message):
        nowcast(reports, **settings)


def test_without_a_case_no_delay_is_known() -> None:
    with pytest.raises(ValueError, match="a case at least"):
        nowcast(np.zeros((20, 5)))
    with pytest.raises(ValueError, match=r"shape \(time, delay\)"):
        nowcast([1, 2, 3])


@pytest.mark.parametrize(
    ("onset", "report", "message"),
    [
        ([5, 6], [5, 5], "before the onset .case 1"),
        ([5], [5, 6], "as many days"),
        ([], [], "as many days"),
        (["2026-01-05", "NaT"], ["2026-01-05", "2026-01-05"], "case 1 has none"),
        (["5th of May"], ["2026-01-05"], "must be dates"),
        ([0, 10**9], [0, 10**9], "there must be 1 to"),
    ],
)
def test_a_line_list_that_cannot_be_is_refused(onset: Any, report: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reporting_triangle(onset, report, max_delay=5)
