"""Farrington flexible: a week against past years, season by season."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from broadstreet.analysis import settings
from broadstreet.analysis.aberration.design import Floats
from broadstreet.analysis.aberration.expectation import (
    FEWEST_YEARS_FOR_A_TREND,
    Expectation,
    Rule,
    expect,
)
from broadstreet.analysis.aberration.points import HIGHEST_COUNT, judge_points
from broadstreet.analysis.aberration.quantiles import count_quantile, two_thirds_quantile
from broadstreet.analysis.aberration.references import Season, seasonal_references
from broadstreet.analysis.aberration.result import Aberrations
from broadstreet.analysis.aberration.robust import Past
from broadstreet.analysis.aberration.series import checked_counts, checked_times

ThresholdMethod = Literal["nb_plugin", "delta", "muan"]
_UNDEFINED = np.array(
    [[0.0], [np.nan], [np.nan], [np.nan], [np.nan]]
)  # R leaves `expected` as it initialised it


def farrington_flexible(  # noqa: PLR0913  the settings of R's farringtonFlexible
    counts: ArrayLike,
    evaluate: ArrayLike,
    *,
    frequency: int = 52,
    years_back: int = 3,
    window: int = 3,
    periods: int = 10,
    past_weeks_excluded: int = 26,
    trend: bool = True,
    trend_threshold: float = 1.0,
    weights_threshold: float = 2.58,
    threshold_method: ThresholdMethod = "nb_plugin",
    alpha: float = 0.01,
    limit54: tuple[int, int] = (5, 4),
    dates: ArrayLike | None = None,
) -> Aberrations:
    r"""Compare counts with those of past years, with levels for the seasons and a trend.

    A quasi-Poisson regression :math:`\log \mu_t = \alpha_{j(t)} + \beta t` is fitted to the past of each
    evaluated time. Its season, `window` times around each anniversary, is one block :math:`j`; the times
    between are `periods - 1` others. Past outbreaks are weighed down, and the trend :math:`\beta` is
    left out where it is not significant, would extrapolate, or there are fewer than 3 years. With the
    expected count :math:`\mu_0` and the dispersion :math:`\phi`, the upper bound is the :math:`1 - \alpha`
    quantile of a negative binomial count of mean :math:`\mu_0` and variance :math:`\phi \mu_0` (Poisson where
    :math:`\phi = 1`).

    Parameters
    ----------
    counts : array_like of int, shape (time,) or (time, series)
        Cases in equal steps of time, mostly weeks; complete, from 0 to 1,000,000,000.
    evaluate : array_like of int, shape (evaluated,)
        0-based indices of the times to test; each needs `years_back * frequency + window` times before it.
    frequency : int
        Times a year.
    years_back : int
        Years to compare with.
    window : int
        Half width of the season around an anniversary.
    periods : int
        Number of seasons; with 1, only the times around anniversaries are compared with.
    past_weeks_excluded : int
        So many times before the evaluated one are left out: an outbreak that goes on must not hide itself.
    trend : bool
        Whether a trend is looked for.
    trend_threshold : float
        The p-value below which a trend stays; 1: always, unless it extrapolates.
    weights_threshold : float
        Standardised Anscombe residuals :math:`s` above it get weights in proportion to :math:`s^{-2}`.
    threshold_method : {"nb_plugin", "muan", "delta"}
        "muan" takes :math:`\mu_0` at the upper :math:`1 - \alpha` confidence limit; "delta" has the bound of
        the original method, normal on the 2/3 power scale, with its prediction error.
    alpha : float
        Probability that a count without an outbreak lies above the bound.
    limit54 : (int, int)
        No test with fewer than so many cases in the last so many times; (0, 1) tests always.
    dates : array_like of dates, shape (time,), optional
        First days of the times, in steps of a week (`frequency` 52), day (365) or month (12). Anniversaries
        are then those of the calendar: a year has 52 or 53 weeks, the nearest with the same weekday.

    Returns
    -------
    Aberrations
        `score` is :math:`(y - \mu_0) / (U - \mu_0)` for "delta", and as R has it, with
        :math:`\log \mu_0` in place of :math:`\mu_0`, for the others: above 1 where the count lies above the
        bound :math:`U`. Where `limit54` is not met, `expected` and `upper` are NaN and `alarm` is 0. A
        count of 0 is never an alarm. Where the regression does not converge, after a long history without a
        case, `expected` is 0 and the others are NaN.

    Raises
    ------
    ValueError
        If counts are not as above, the history is too short, dates are not even or do not reach back, a
        setting is out of its range, or the settings leave fewer observations than coefficients.

    Source
    ------
    Noufaily et al. 2013, Stat Med 32(7):1206-1222, doi:10.1002/sim.5595; Salmon, Schumacher and Höhle 2016,
    J Stat Softw 70(10), section 3.2, doi:10.18637/jss.v070.i10. Agrees with `farringtonFlexible` of R
    surveillance 1.20.3; see the page of this method for the three cases in which it does not.
    """
    table = checked_counts(counts, most=HIGHEST_COUNT)
    times = checked_times(evaluate, length=len(table))
    season = Season.checked(frequency, years_back, window, periods, past_weeks_excluded)
    rule = Rule(
        trend=bool(trend) and season.years_back >= FEWEST_YEARS_FOR_A_TREND,
        trend_threshold=settings.positive("trend_threshold", trend_threshold),
        weights_threshold=settings.positive("weights_threshold", weights_threshold),
        relative=True,
    )
    bound = _BOUNDS[settings.one_of("threshold_method", threshold_method, _BOUNDS)]
    judge = _Judge(rule, bound, settings.probability("alpha", alpha))
    references = seasonal_references(times, season, len(table), dates)
    return judge_points(table, times, references, settings.case_limit(limit54), judge)


@dataclass(frozen=True, slots=True)
class _Judge:
    rule: Rule
    bound: _Bound
    alpha: float

    def __call__(self, past: Past, count: Floats, enough: NDArray[np.bool_]) -> Floats:
        expected = expect(past, self.rule)
        with np.errstate(all="ignore"):
            centre, upper = self.bound(expected, self.alpha)
            score = (count - centre) / (upper - centre)
            mean = np.where(enough & ~np.isnan(upper), np.exp(expected.log_mean), np.nan)
        alarm = enough & (score > 1.0) & (count > 0.0)
        found = np.array([mean, np.where(enough, upper, np.nan), alarm, score, expected.dispersion])
        found[:, ~expected.defined] = _UNDEFINED
        return found


# What the score is measured from, and the upper bound.
_Bound = Callable[[Expectation, float], tuple[Floats, Floats]]


def _plug_in(expected: Expectation, alpha: float) -> tuple[Floats, Floats]:
    mean = np.exp(expected.log_mean)
    return expected.log_mean, count_quantile(1.0 - alpha, mean, expected.dispersion)


def _upper_mean(expected: Expectation, alpha: float) -> tuple[Floats, Floats]:
    mean = np.exp(expected.log_mean + special.ndtri(1.0 - alpha) * np.sqrt(expected.variance))
    return expected.log_mean, count_quantile(1.0 - alpha, mean, expected.dispersion)


def _delta(expected: Expectation, alpha: float) -> tuple[Floats, Floats]:
    mean = np.exp(expected.log_mean)
    upper = two_thirds_quantile(1.0 - alpha, mean, expected.variance, expected.dispersion)
    return mean, upper


_BOUNDS: dict[str, _Bound] = {"nb_plugin": _plug_in, "muan": _upper_mean, "delta": _delta}
