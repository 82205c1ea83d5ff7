"""Nowcast: how many cases of the last days there are, of which only some are reported yet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from broadstreet.analysis import settings
from broadstreet.analysis.renewal.incidence import Floats
from broadstreet.analysis.renewal.prediction import MOST_DRAWS, Prediction, overdispersed
from broadstreet.analysis.renewal.triangle import Triangle

_SMOOTHINGS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_PRIOR_SHAPE = 0.5  # Jeffreys' prior of a Poisson mean, where nothing else is known
_LEAST_RATE = 1e-9
_LENGTHS_LOOKED_AT = 2  # of the longest delay


@dataclass(frozen=True, slots=True, eq=False)
class Nowcast(Prediction):
    """Hold draws of the cases of each day, reported or not.

    Attributes
    ----------
    reported : ndarray of float64, shape (time,)
        Cases reported so far: no draw is lower.
    reported_share : ndarray of float64, shape (delay,)
        Expected share of cases that is reported by each delay; 1 at the longest.
    dispersion : float
        Variance of the reports over their mean, at least 1.
    smoothing : float
        How much of the knowledge of a day holds for the next.
    """

    reported: Floats
    reported_share: Floats
    dispersion: float
    smoothing: float


def nowcast(
    reports: ArrayLike,
    *,
    as_of: int | None = None,
    recent: int | None = None,
    smoothing: float | None = None,
    draws: int = 2000,
    seed: int | None = None,
) -> Nowcast:
    r"""Correct the counts of the last days for cases that are not reported yet.

    Short delays are seen more often than long ones (right truncation): delays are estimated by reverse-time
    hazards :math:`g_d = P(D = d \mid D \le d)`, each from the days for which :math:`d` is over;
    :math:`F(d) = \prod_{k>d} (1 - g_k)`. A day's mean :math:`\lambda_t` is gamma distributed, from its
    reports, Poisson with mean :math:`\lambda_t F`, and from the days before, the less the longer ago.

    Parameters
    ----------
    reports : array_like of int, shape (time, delay)
        Cases by day of onset and delay of their report; NaN or 0 where time + delay lies after the last time.
    as_of : int, optional
        Time to look from, by default the last; later reports are set aside.
    recent : int, optional
        Delays are estimated from so many last days; by default from all.
    smoothing : float, optional
        From 0 (each day for itself) to below 1; by default what predicts the days so far best.
    draws, seed : int
        How many are drawn, and the seed (at random by default).

    Returns
    -------
    Nowcast

    Raises
    ------
    ValueError
        If reports are negative, not whole, missing or from after the last time, there are fewer days than
        delays or no report at all, or a setting is out of its range.

    Source
    ------
    Lawless 1994, Can J Stat 22:15-31; Höhle and an der Heiden 2014, Biometrics 70:993-1002,
    doi:10.1111/biom.12194; Smith 1979, J R Stat Soc B 41:375-387 (smoothing).
    """
    triangle = Triangle.checked(reports, as_of)
    number = settings.whole_number("draws", draws, least=1, most=MOST_DRAWS)
    delays = _Delays.of(triangle, recent)
    known = np.minimum(len(triangle.counts) - 1 - np.arange(len(triangle.counts)), len(delays.hazard) - 1)
    typical = delays.share(delays.hazard)
    dispersion = _dispersion(triangle, typical, known)
    counts, exposure = triangle.reported / dispersion, typical[known] / dispersion
    discount = _best_smoothing(counts, exposure) if smoothing is None else _checked_smoothing(smoothing)
    generator = np.random.default_rng(seed)
    share = delays.share(delays.drawn(generator, number, dispersion))[:, known]
    shape, rate = _filtered(counts, share / dispersion, discount)
    missing = overdispersed(generator, generator.gamma(shape, 1.0 / rate) * (1.0 - share), dispersion)
    missing[:, known == len(delays.hazard) - 1] = 0.0
    return Nowcast(triangle.reported + missing, triangle.reported, typical, dispersion, discount)


@dataclass(frozen=True, slots=True)
class _Delays:
    """Reports with exactly and with at most each delay, from the days for which it is over."""

    exactly: Floats
    at_most: Floats

    @classmethod
    def of(cls, triangle: Triangle, recent: int | None) -> _Delays:
        time, delay = triangle.counts.shape
        if time < delay:
            raise ValueError(
                f"reports must have as many days as delays at least ({time} days, {delay} delays): "
                "the longest delay was never seen; cut delays off"
            )
        first = 0
        if recent is not None:
            first = time - settings.whole_number("recent", recent, least=delay, most=10**6)
        counts, known = triangle.counts[max(first, 0) :], triangle.known[max(first, 0) :]
        exactly = counts.sum(axis=0)
        if not exactly.any():
            raise ValueError("reports must hold a case at least: without one no delay is known")
        return cls(exactly, (np.cumsum(counts, axis=1) * known).sum(axis=0))

    @property
    def hazard(self) -> Floats:
        """Expected reverse-time hazards; that of delay 0 is 1."""
        prior = 1.0 / len(self.exactly)
        within = prior * np.arange(1, len(self.exactly) + 1)
        return np.asarray((self.exactly + prior) / (self.at_most + within))

    def drawn(self, generator: np.random.Generator, draws: int, dispersion: float) -> Floats:
        """Draw hazards from their generalised Dirichlet posterior, shape (draws, delay)."""
        prior = 1.0 / len(self.exactly)
        others = (self.at_most - self.exactly) / dispersion + prior * np.arange(len(self.exactly))
        found = np.ones((draws, len(self.exactly)))
        found[:, 1:] = generator.beta(
            self.exactly[1:] / dispersion + prior, others[1:], (draws, len(self.exactly) - 1)
        )
        return found

    @staticmethod
    def share(hazard: Floats) -> Floats:
        """Return the share reported by each delay, along the last axis."""
        later = np.cumprod(1.0 - hazard[..., :0:-1], axis=-1)[..., ::-1]
        return np.concatenate([later, np.ones((*hazard.shape[:-1], 1))], axis=-1)


def _dispersion(triangle: Triangle, share: Floats, known: np.ndarray) -> float:
    """Return Pearson's dispersion of the reports about day times delay, at least 1.

    It is that of the last days: with the number of cases it grows, where delays vary from day to day.
    """
    last = slice(-_LENGTHS_LOOKED_AT * len(share), None)
    counts = triangle.counts[last]
    chance = np.diff(share, prepend=0.0)
    expected = np.outer(counts.sum(axis=1) / share[known[last]], chance) * triangle.known[last]
    told = expected > 0.0
    parameters = np.count_nonzero(counts.any(axis=1)) + np.count_nonzero(counts.any(axis=0)) - 1
    freedom = np.count_nonzero(told) - parameters
    if freedom < 1:
        return 1.0
    return max(1.0, float(((counts - expected)[told] ** 2 / expected[told]).sum() / freedom))


def _filtered(count: Floats, exposure: Floats, discount: float) -> tuple[Floats, Floats]:
    """Return shape and rate of the gamma mean of each day; exposures are `(..., time)`."""
    shape, rate = np.empty_like(exposure), np.empty_like(exposure)
    a, b = np.full(exposure.shape[:-1], _PRIOR_SHAPE), np.full(exposure.shape[:-1], _LEAST_RATE)
    for day, seen in enumerate(count):
        a = np.maximum(discount * a, _PRIOR_SHAPE * (discount == 0.0)) + seen
        b = np.maximum(discount * b, _LEAST_RATE) + exposure[..., day]
        shape[..., day], rate[..., day] = a, b
    return shape, rate


def _checked_smoothing(smoothing: float) -> float:
    if not 0.0 <= smoothing < 1.0:
        raise ValueError(f"smoothing must be from 0 to below 1 (it is {smoothing})")
    return float(smoothing)


def _best_smoothing(count: Floats, exposure: Floats) -> float:
    return max(_SMOOTHINGS, key=lambda discount: _likelihood(count, exposure, discount))


def _likelihood(count: Floats, exposure: Floats, discount: float) -> float:
    """Return the log-likelihood of the days, each as predicted from those before it."""
    shape, rate = _filtered(count, exposure, discount)
    size, before = discount * shape[:-1], np.maximum(discount * rate[:-1], _LEAST_RATE)
    seen, own = count[1:], exposure[1:]
    size = np.maximum(size, 1e-9)
    likelihood = special.gammaln(size + seen) - special.gammaln(size)
    likelihood += size * np.log(before / (before + own)) + seen * np.log(own / (before + own))
    return float(likelihood.sum())
