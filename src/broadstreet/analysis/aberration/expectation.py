"""What past seasons let us expect: the robust fit, with a trend only where one can be told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from broadstreet.analysis.aberration.design import Floats
from broadstreet.analysis.aberration.robust import Past, RobustFit, fit_robustly

# Farrington et al. 1996, section 3.4: fewer years cannot tell a trend from an outbreak or a season.
FEWEST_YEARS_FOR_A_TREND = 3


@dataclass(frozen=True, slots=True)
class Rule:
    """Hold how a robust fit is made.

    Attributes
    ----------
    trend : bool
        Whether a trend is looked for at all.
    trend_threshold : float
        It stays if its p-value lies below; 1: always, as far as its other condition lets it.
    weights_threshold : float
        Standardised Anscombe residuals above are weighed down.
    relative : bool
        Whether standard errors follow from relative residuals (`farringtonFlexible`), or from Pearson's.
    """

    trend: bool
    trend_threshold: float
    weights_threshold: float
    relative: bool


@dataclass(frozen=True, slots=True)
class Expectation:
    """Hold what is expected at each point; arrays of shape (points,).

    Attributes
    ----------
    log_mean : ndarray
        Logarithm of the expected count.
    variance : ndarray
        Variance of `log_mean`.
    dispersion : ndarray
        At least 1.
    defined : ndarray of bool
        False where the iterations did not converge, with a trend or without.
    """

    log_mean: Floats
    variance: Floats
    dispersion: Floats
    defined: NDArray[np.bool_]


def expect(past: Past, rule: Rule) -> Expectation:
    """Fit the past of each point, and say what it lets us expect.

    A trend stays if its fit converged, its p-value lies below the threshold and it does not extrapolate:
    the expected count is no higher than the highest observed. Where one of these fails, the model is fitted
    again without a trend.

    Source
    ------
    Farrington et al. 1996, section 3.4; Noufaily et al. 2013, section 3.
    """
    found = fit_robustly(past, trend=rule.trend, threshold=rule.weights_threshold)
    if rule.trend:
        flat = np.flatnonzero(~_keeps_trend(found, past, rule))
        if flat.size:
            found.put(flat, fit_robustly(past.only(flat), trend=False, threshold=rule.weights_threshold))
    dispersion = np.maximum(found.dispersion, 1.0)
    unit = found.relative_dispersion if rule.relative else dispersion
    with np.errstate(all="ignore"):
        variance = unit * found.unit_variance
    return Expectation(found.log_mean, variance, dispersion, found.converged)


def _keeps_trend(found: RobustFit, past: Past, rule: Rule) -> NDArray[np.bool_]:
    with np.errstate(all="ignore"):
        kept = found.converged & (np.exp(found.log_mean) <= found.highest)
        if rule.trend_threshold < 1.0:
            unit = found.relative_dispersion if rule.relative else found.dispersion
            statistic = found.slope * np.sqrt(found.slope_information / unit)
            design = past.reference.design
            freedom = len(design.time) - design.blocks - 1
            kept &= 2.0 * special.stdtr(freedom, -np.abs(statistic)) < rule.trend_threshold
    return np.asarray(kept)
