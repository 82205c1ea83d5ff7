"""Farrington: a week against the same weeks of past years (the original method)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broadstreet.analysis import settings
from broadstreet.analysis.aberration.design import Floats
from broadstreet.analysis.aberration.expectation import FEWEST_YEARS_FOR_A_TREND, Rule, expect
from broadstreet.analysis.aberration.points import HIGHEST_COUNT, judge_points
from broadstreet.analysis.aberration.quantiles import two_thirds_quantile
from broadstreet.analysis.aberration.references import Season, window_references
from broadstreet.analysis.aberration.result import Aberrations
from broadstreet.analysis.aberration.robust import Past
from broadstreet.analysis.aberration.series import checked_counts, checked_times

# Farrington et al. 1996, sections 3.4 and 3.6; R surveillance 1.20.3, ?algo.farrington
_TREND_THRESHOLD = 0.05
_WEIGHTS_THRESHOLD = 1.0


def farrington(  # noqa: PLR0913  the settings of R's algo.farrington
    counts: ArrayLike,
    evaluate: ArrayLike,
    *,
    frequency: int = 52,
    years_back: int = 5,
    window: int = 3,
    reweight: bool = True,
    trend: bool = True,
    alpha: float = 0.05,
    limit54: tuple[int, int] = (5, 4),
    dates: ArrayLike | None = None,
) -> Aberrations:
    r"""Compare counts with those of the same weeks of past years.

    A quasi-Poisson regression :math:`\log \mu_t = \alpha + \beta t` is fitted to the counts at most `window`
    times from the anniversaries of the evaluated time. Past outbreaks are weighed down. The trend stays if it
    is significant at 5 %, there are 3 years at least, and the expected count is no higher than the highest
    observed. The upper bound takes the 2/3 power of a count as normal:

    .. math:: U = \left(\mu_0^{2/3} + z_{1-\alpha/2} \tfrac{2}{3} \sqrt{\mu_0^{1/3} \tau}\right)^{3/2},
        \quad \tau = \phi + \operatorname{var}(\hat\mu_0) / \mu_0.

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
        Times on either side of an anniversary, at least 1.
    reweight : bool
        Whether past outbreaks are weighed down.
    trend : bool
        Whether a trend is looked for.
    alpha : float
        Probability that a count without an outbreak lies outside of the two-sided prediction interval; half
        of it lies above the bound.
    limit54 : (int, int)
        No alarm with fewer than so many cases in the last so many times; (0, 1) tests always.
    dates : array_like of dates, shape (time,), optional
        First days of the times, in steps of a week (`frequency` 52), day (365) or month (12): anniversaries
        are then those of the calendar.

    Returns
    -------
    Aberrations
        `score` is :math:`(y - \mu_0) / (U - \mu_0)`. Where `limit54` is not met, `upper` is 0 and `alarm` 0,
        as R has it. Where the regression does not converge everything is NaN.

    Raises
    ------
    ValueError
        If counts are not as above, the history is too short, dates are not even or do not reach back, or a
        setting is out of its range.

    Source
    ------
    Farrington et al. 1996, J R Stat Soc A 159(3):547-563, doi:10.2307/2983331. Agrees with `farrington` of R
    surveillance 1.20.3 (`powertrans` "2/3").
    """
    table = checked_counts(counts, most=HIGHEST_COUNT)
    times = checked_times(evaluate, length=len(table))
    season = Season.checked(frequency, years_back, settings.whole_number("window", window, least=1), 1, 0)
    rule = Rule(
        trend=bool(trend) and season.years_back >= FEWEST_YEARS_FOR_A_TREND,
        trend_threshold=_TREND_THRESHOLD,
        weights_threshold=_WEIGHTS_THRESHOLD if reweight else np.inf,
        relative=False,
    )
    judge = _Judge(rule, 1.0 - settings.probability("alpha", alpha) / 2.0)
    references = window_references(times, season, len(table), dates)
    return judge_points(table, times, references, settings.case_limit(limit54), judge)


@dataclass(frozen=True, slots=True)
class _Judge:
    rule: Rule
    probability: float

    def __call__(self, past: Past, count: Floats, enough: NDArray[np.bool_]) -> Floats:
        expected = expect(past, self.rule)
        with np.errstate(all="ignore"):
            mean = np.exp(expected.log_mean)
            upper = two_thirds_quantile(self.probability, mean, expected.variance, expected.dispersion)
            score = (count - mean) / (upper - mean)
            bound = np.where(enough, upper, 0.0)
            found = np.array([mean, bound, enough & (score > 1.0), score, expected.dispersion])
        found[:, ~expected.defined] = np.nan
        return found
