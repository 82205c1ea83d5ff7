"""What is believed of the serial interval: a prior over mean and deviation, and what links say of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.transmission.intervals import Interval
from broadstreet.analysis.transmission.timing import Timing

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_STEPS, _WIDE = 15, 2.5
_LEAST = 1e-7
UNKNOWN = -(10**6)


@dataclass(frozen=True)
class Belief:
    """A grid of means and deviations, `prior` the logarithm of what is believed of each before the data.

    table : shape (grid, days), logarithms of the probabilities of days from `first` on
    """

    given: Interval
    mean: Floats
    sd: Floats
    prior: Floats
    first: int
    table: Floats

    def counts(self, gaps: Ints, weight: Floats) -> Floats:
        """Return the weight of links by day, of those whose gap is known and within reach."""
        at = gaps - self.first
        held = (at >= 0) & (at < self.table.shape[1])
        return np.asarray(np.bincount(at[held], weight[held], minlength=self.table.shape[1]), np.float64)

    def posterior(self, counts: Floats) -> Floats:
        """Return the probability of each mean and deviation of the grid, given links by day.

        Parameters
        ----------
        counts : ndarray, shape (draws, days)

        Returns
        -------
        ndarray, shape (draws, grid)
        """
        score = counts @ self.table.T + self.prior
        chance = np.exp(score - score.max(axis=1, keepdims=True))
        return np.asarray(chance / chance.sum(axis=1, keepdims=True))

    def learned(self, counts: Floats) -> Interval:
        """Return the interval of the mean and deviation expected given links by day, shape (days,)."""
        chance = self.posterior(counts[np.newaxis])[0]
        return self.given.moved(float(chance @ self.mean), float(chance @ self.sd))


def believe(given: Interval, width: tuple[float, float]) -> Belief | None:
    """Return the belief that mean and deviation are those given but for a factor, log normal of that width.

    Parameters
    ----------
    given : Interval
    width : (float, float)
        Standard deviations of the logarithms of mean and deviation. None is returned where both are 0.
    """
    if not any(width) or len(given.p) < 2:
        return None
    steps = np.linspace(-_WIDE, _WIDE, _STEPS)
    one, other = (part.ravel() for part in np.meshgrid(steps, steps))
    # a mean about 0 moves by parts of the deviation, else by parts of itself
    unit = max(abs(given.mean), given.sd)
    mean, sd = given.mean + unit * np.expm1(one * width[0]), given.sd * np.exp(other * width[1])
    spread = int(np.ceil(_WIDE * width[0] * 2.0 * unit + 3.0 * given.sd))
    first = given.first - (spread if given.first < 0 else given.first)
    days = np.arange(first, given.first + len(given.p) + spread)
    table = given.probabilities(days, mean, sd)
    return Belief(given, mean, sd, -0.5 * (one**2 + other**2), first, np.log(np.maximum(table, _LEAST)))


def gaps_of(
    timing: Timing, known: NDArray[np.bool_], infector: NDArray[np.int32], case: NDArray[np.int32]
) -> Ints:
    """Return the days from onset to onset of pairs; `UNKNOWN` where an onset is missing."""
    onset = np.round(timing.onset).astype(np.int64)
    gap = onset[case] - onset[infector]
    if known.all():
        return gap
    return np.where(known[case] & known[infector], gap, UNKNOWN)
