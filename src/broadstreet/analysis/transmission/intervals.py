"""Intervals between events as probabilities of whole days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from broadstreet.analysis.settings import is_number

Floats = NDArray[np.float64]
Given = Any  # (mean, sd), probabilities by day from 0, or a frozen distribution of scipy

_TAIL = 1e-5
_MOST_DAYS = 1000
_SUM_TOLERANCE = 0.01
# How narrow infectiousness can be around its mean: where the serial interval is hardly wider than the
# incubation period, subtraction of variances says nothing. Half of the mean is narrow for a respiratory
# infection (He et al. 2020, Nat Med 26:672, COVID-19; Klinkenberg and Nishiura 2011, J Theor Biol 284:52,
# measles).
_LEAST_VARIATION = 0.5


@dataclass(frozen=True)
class Interval:
    """Probabilities `p` of the days `first`, `first + 1`, ...; days may be negative.

    `gamma` says that a gamma distribution was given by its mean and standard deviation.
    """

    first: int
    p: Floats
    gamma: bool = False

    @property
    def days(self) -> NDArray[np.int64]:
        """Return the days."""
        return np.arange(self.first, self.first + len(self.p))

    @property
    def mean(self) -> float:
        """Return the mean, days."""
        return float(self.p @ self.days)

    @property
    def sd(self) -> float:
        """Return the standard deviation, days."""
        return float(np.sqrt(self.p @ (self.days - self.mean) ** 2))

    def then(self, other: Interval) -> Interval:
        """Return the interval that is followed by another: their sum."""
        return _trimmed(self.first + other.first, np.convolve(self.p, other.p))

    def probabilities(self, days: NDArray[np.int64], mean: Floats, sd: Floats) -> Floats:
        """Return probabilities of days, were mean and deviation others: shape (means, days).

        A gamma distribution stays one; another is moved and stretched.
        """
        edges = np.append(days - 0.5, days[-1] + 0.5)
        if self.gamma:
            shape, scale = (mean / sd) ** 2, sd**2 / mean
            below = stats.gamma.cdf(edges, shape[:, np.newaxis], scale=scale[:, np.newaxis])
        else:
            back = self.mean + (edges - mean[:, np.newaxis]) * (self.sd / sd[:, np.newaxis])
            below = np.interp(
                back, np.append(self.days - 0.5, self.days[-1] + 0.5), np.append(0.0, self.cumulative())
            )
        found = np.diff(below, axis=1) * (days >= min(self.first, 0))
        return np.asarray(found / np.maximum(found.sum(axis=1, keepdims=True), 1e-300))

    def moved(self, mean: float, sd: float) -> Interval:
        """Return the interval with another mean and standard deviation."""
        reach = int(np.ceil(abs(mean - self.mean) + len(self.p) * abs(sd / self.sd - 1.0))) + 1
        low = self.first - reach if self.first < 0 else min(self.first, 0)
        days = np.arange(low, self.first + len(self.p) + reach)
        moved = _trimmed(low, self.probabilities(days, np.array([mean]), np.array([sd]))[0])
        return Interval(moved.first, moved.p, self.gamma)

    def mirrored(self) -> Interval:
        """Return the interval with its sign changed."""
        return Interval(1 - self.first - len(self.p), self.p[::-1].copy())

    def cumulative(self) -> Floats:
        """Return the probability of at most each day."""
        return np.cumsum(self.p)

    def at(self, days: NDArray[Any]) -> Floats:
        """Return the probability of each whole day."""
        position = np.asarray(days, np.int64) - self.first
        inside = (position >= 0) & (position < len(self.p))
        return np.where(inside, self.p[np.clip(position, 0, len(self.p) - 1)], 0.0)


def read_interval(name: str, given: Given) -> Interval:
    """Return an interval from what a user may pass.

    Parameters
    ----------
    name : str
        What it is called in errors.
    given : (mean, sd), array_like or frozen distribution
        A pair in days: a gamma distribution, or, where the mean is not above 0, a normal one. Probabilities
        by day from 0. A distribution of `scipy.stats` with its parameters, which may reach below 0.

    Raises
    ------
    ValueError
        If it is none of these, or its probabilities do not sum to 1.
    """
    if isinstance(given, stats.rv_continuous | stats.rv_discrete):
        raise ValueError(
            f"{name} must be a distribution with its parameters, such as stats.gamma(6.25, scale=0.8) (it is "
            f"stats.{given.name} without)"
        )
    if hasattr(given, "cdf") or hasattr(given, "pmf"):
        return _of_distribution(name, given)
    if isinstance(given, tuple) and len(given) == 2:
        found = _of_moments(name, *given)
        return Interval(found.first, found.p, gamma=given[0] > 0.0)
    return _of_probabilities(name, given)


def of_moments(mean: float, sd: float) -> Interval:
    """Return a gamma distributed interval; a normal one where the mean is not above 0."""
    if mean > 0.0:
        return _of_distribution("interval", stats.gamma((mean / sd) ** 2, scale=sd**2 / mean))
    return _of_distribution("interval", stats.norm(mean, sd))


def infectiousness(serial: Interval, incubation: Interval) -> Interval:
    """Return when, after onset, a case infects: the serial interval less the incubation period.

    Mean and variance are the differences of theirs. It is a gamma distribution from onset on where that is
    far enough above 0, else normal: then cases infect before their onset.
    """
    mean = serial.mean - incubation.mean
    least = max(1.0, _LEAST_VARIATION * abs(mean))
    sd = float(np.sqrt(max(serial.sd**2 - incubation.sd**2, least**2)))
    if serial.first >= 0 and mean > 0.0 and sd <= mean:
        return of_moments(mean, sd)
    profile = _of_distribution("infectiousness", stats.norm(mean, sd))
    # no one infects before being infected
    earliest = -int(incubation.first + len(incubation.p) - 1)
    keep = profile.days >= earliest
    return _trimmed(int(profile.days[keep][0]), profile.p[keep])


def _of_moments(name: str, mean: float, sd: float) -> Interval:
    if not (is_number(mean) and is_number(sd)):
        raise ValueError(f"{name} must be (mean, sd), two numbers of days (it is {(mean, sd)!r})")
    if not (np.isfinite(mean) and np.isfinite(sd) and sd > 0.0):
        raise ValueError(f"{name} must be (mean, sd) in days with sd above 0 (it is {(mean, sd)})")
    if abs(mean) > _MOST_DAYS or sd > _MOST_DAYS:
        raise ValueError(f"{name} must be at most {_MOST_DAYS} days (it is {(mean, sd)})")
    return of_moments(float(mean), float(sd))


def _of_distribution(name: str, given: Any) -> Interval:
    low, high = float(given.ppf(_TAIL)), float(given.ppf(1.0 - _TAIL))
    if not (np.isfinite(low) and np.isfinite(high)) or max(abs(low), abs(high)) > _MOST_DAYS:
        raise ValueError(f"{name} must lie within {_MOST_DAYS} days (it goes from {low:g} to {high:g})")
    days = np.arange(int(np.floor(low + 0.5)), int(np.ceil(high - 0.5)) + 1)
    if hasattr(given, "pmf") and not hasattr(given, "pdf"):
        return _trimmed(int(days[0]), given.pmf(days))
    return _trimmed(int(days[0]), given.cdf(days + 0.5) - given.cdf(days - 0.5))


def _of_probabilities(name: str, given: ArrayLike) -> Interval:
    try:
        array = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        array = np.zeros((0, 0))
    if array.ndim != 1 or not array.size:
        raise ValueError(
            f"{name} must be (mean, sd) in days, probabilities by day from 0, or a frozen distribution of "
            f"scipy (it is {given!r})"
        )
    if not np.isfinite(array).all() or (array < 0.0).any():
        raise ValueError(f"{name} must be probabilities, none missing or below 0")
    if abs(array.sum() - 1.0) > _SUM_TOLERANCE and len(array) == 2 and array.max() > 1.0:
        raise ValueError(
            f"{name} must sum to 1 as probabilities by day (sums to {array.sum():.6g}); mean and sd are a "
            f"tuple: ({array[0]:g}, {array[1]:g})"
        )
    if abs(array.sum() - 1.0) > _SUM_TOLERANCE:
        raise ValueError(f"{name} must sum to 1 (sums to {array.sum():.6g})")
    if len(array) > _MOST_DAYS:
        raise ValueError(f"{name} must have at most {_MOST_DAYS} days (has {len(array)})")
    return _trimmed(0, array)


def _trimmed(first: int, p: Floats) -> Interval:
    held = np.flatnonzero(p > 1e-9)
    p = np.ascontiguousarray(p[held[0] : held[-1] + 1])
    return Interval(first + int(held[0]), p / p.sum())
