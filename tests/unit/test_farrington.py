from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from broadstreet.analysis.aberration import farrington, farrington_flexible

Counts = NDArray[np.int64]
NOW = 5 * 52 + 3


@pytest.fixture
def weekly() -> Counts:
    week = np.arange(330)
    return np.random.default_rng(1854).poisson(20 + 8 * np.cos(2 * np.pi * week / 52))


def test_a_week_far_above_its_season_is_an_alarm(weekly: Counts) -> None:
    weekly[320] = 90
    for found in (farrington_flexible(weekly, [319, 320]), farrington(weekly, [319, 320])):
        assert found.alarm[:, 0].tolist() == [0.0, 1.0]
        assert found.expected[0, 0] < found.upper[0, 0] < 90
        assert found.score[1, 0] > 1.0


def test_the_expected_count_follows_the_season(weekly: Counts) -> None:
    found = farrington_flexible(weekly, np.arange(270, 322), years_back=5)
    season = 20 + 8 * np.cos(2 * np.pi * np.arange(270, 322) / 52)
    assert np.corrcoef(found.expected[:, 0], season)[0, 1] > 0.9


def test_an_outbreak_last_year_hides_no_outbreak_of_this_year(weekly: Counts) -> None:
    with_past_outbreak = weekly.copy()
    with_past_outbreak[266:270] += 80
    quiet = farrington_flexible(weekly, [320], years_back=5)
    found = farrington_flexible(with_past_outbreak, [320], years_back=5)
    unweighted = farrington_flexible(with_past_outbreak, [320], years_back=5, weights_threshold=np.inf)
    assert abs(found.expected - quiet.expected).item() < 2.0
    assert unweighted.expected.item() - quiet.expected.item() > 5.0


def test_an_outbreak_that_goes_on_does_not_raise_its_own_expectation(weekly: Counts) -> None:
    quiet = farrington_flexible(weekly, [320])
    weekly[296:320] += 100
    assert farrington_flexible(weekly, [320]).upper == quiet.upper


def test_fewer_than_five_cases_in_four_weeks_are_not_tested(weekly: Counts) -> None:
    sparse = np.zeros_like(weekly)
    sparse[::40] = 1
    sparse[320] = 4
    found = farrington_flexible(sparse, [320], years_back=5)
    assert np.isnan(found.upper.item())
    assert np.isnan(found.expected.item())
    assert found.alarm.item() == 0.0
    assert farrington_flexible(sparse, [320], years_back=5, limit54=(4, 4)).alarm.item() == 1.0
    assert farrington(sparse, [320]).upper.item() == 0.0
    assert farrington(sparse, [320], limit54=(4, 4)).alarm.item() == 1.0


def test_a_long_history_without_a_case_has_a_documented_answer() -> None:
    found = farrington_flexible(np.zeros(NOW + 1, np.int64), [NOW], years_back=5, limit54=(0, 1))
    assert found.expected.item() == 0.0
    assert np.isnan([found.upper.item(), found.alarm.item(), found.score.item()]).all()
    short = farrington_flexible(np.zeros(NOW + 1, np.int64), [NOW], years_back=3, limit54=(0, 1))
    assert (short.upper.item(), short.alarm.item()) == (0.0, 0.0)


def test_a_trend_needs_three_years(weekly: Counts) -> None:
    rising = weekly + np.arange(len(weekly)) // 20
    for method in (farrington_flexible, farrington):
        without = method(rising, [320], years_back=2, trend=False)
        assert method(rising, [320], years_back=2).expected == without.expected
        assert (
            method(rising, [320], years_back=4).expected
            > method(rising, [320], years_back=4, trend=False).expected
        )


def test_calendar_dates_find_the_anniversary_in_years_of_53_weeks(weekly: Counts) -> None:
    dates = np.datetime64("2004-01-05") + 7 * np.arange(len(weekly))  # 2004 and 2009 have 53 weeks
    weekly[320] = 60
    by_date = farrington(weekly, [320], dates=dates, trend=False, reweight=False, limit54=(0, 1))
    now = dates[320].astype(object)
    near = [np.abs(dates - np.datetime64(now.replace(year=now.year - back))).argmin() for back in range(1, 6)]
    past = np.concatenate([weekly[week - 3 : week + 4] for week in near])
    assert by_date.expected.item() == pytest.approx(past.mean())


@pytest.mark.parametrize("method", [farrington_flexible, farrington])
@pytest.mark.parametrize(
    ("counts", "evaluate", "settings", "message"),
    [
        (np.r_[-1, np.ones(400, int)], [300], {}, "counts must be 0 or more"),
        (np.r_[np.nan, np.ones(400)], [300], {}, "counts must be complete"),
        (np.r_[0.5, np.ones(400)], [300], {}, "counts must be whole"),
        (np.r_[10**10, np.ones(400, int)], [300], {}, "at most 1000000000"),
        (np.ones(40, int), [39], {"years_back": 3}, "ears or bayes"),
        (np.ones(120, int), [119], {"years_back": 3}, "years_back=2 would do"),
        (np.ones(400, int), [400], {}, "between 0 and 399"),
        (np.ones(400, int), [300], {"years_back": 0}, "years_back must lie between 1"),
        (np.ones(400, int), [300], {"alpha": 1.5}, "alpha must lie between 0 and 1"),
        (np.ones(400, int), [300], {"limit54": 5}, "limit54 must be a pair"),
        (np.ones(400, int), [300], {"limit54": (5, 0)}, r"limit54\[1\] must lie between 1"),
        (np.ones(400, int), [300], {"frequency": 7.5}, "frequency must be a whole number"),
        (np.ones(400, int), [300], {"window": 26}, "lower periods or window"),
        (np.ones(400, int), [300], {"dates": ["2020-01-06"] * 400}, "steps of 7 to 7 days"),
        (np.ones(400, int), [300], {"dates": ["2020-01-06"]}, "dates must be 400"),
        (np.ones(400, int), [300], {"dates": ["yesterday"] * 400}, "dates must be dates"),
        (np.ones(400, int), [100], {"dates": "weekly"}, "must reach back"),
        (np.ones(400, int), [300], {"frequency": 26, "dates": "weekly"}, "frequency must be one of"),
    ],
)
def test_bad_input_is_refused_with_a_reason(
    method: Any, counts: Any, evaluate: Any, settings: dict[str, Any], message: str
) -> None:
    if settings.get("dates") == "weekly":
        settings = {**settings, "dates": np.datetime64("2010-01-04") + 7 * np.arange(len(counts))}
    with pytest.raises(ValueError, match=message):
        method(counts, evaluate, **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"periods": 47}, "lower periods or window"),
        ({"threshold_method": "guess"}, "threshold_method must be one of nb_plugin, muan, delta"),
        ({"years_back": 1, "past_weeks_excluded": 60}, "past_weeks_excluded=60 leave 0 observations"),
        ({"years_back": 1, "window": 0, "periods": 1}, "leave 1 observations for 1 coefficients"),
        ({"trend_threshold": 0}, "trend_threshold must be above 0"),
    ],
)
def test_settings_of_farrington_flexible_that_do_not_go_together_are_refused(
    weekly: Counts, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        farrington_flexible(weekly, [300], **settings)


def test_nothing_to_evaluate_gives_empty_arrays(weekly: Counts) -> None:
    for method in (farrington_flexible, farrington):
        assert method(weekly, []).alarm.shape == (0, 1)
        assert method(np.zeros((400, 0), np.int64), [300]).alarm.shape == (1, 0)


def test_monthly_and_daily_counts_take_their_anniversaries_from_the_calendar() -> None:
    months = np.arange("2000-01", "2012-01", dtype="datetime64[M]").astype("datetime64[D]")
    monthly = np.random.default_rng(1).poisson(30, len(months))
    found = farrington_flexible(
        monthly, [130], frequency=12, window=1, periods=3, years_back=4, past_weeks_excluded=4, dates=months
    )
    assert found.upper.item() > found.expected.item() > 0.0
    days = np.datetime64("2018-01-01") + np.arange(1500)
    daily = np.random.default_rng(1).poisson(30, len(days))
    by_date = farrington(daily, [1490], frequency=365, years_back=3, dates=days)
    by_index = farrington(daily, [1490], frequency=365, years_back=3)
    assert by_date.expected != by_index.expected  # 29 February 2020 lies between
