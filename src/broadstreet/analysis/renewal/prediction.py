"""Counts that are not known yet, as draws from their distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broadstreet.analysis import settings
from broadstreet.analysis.renewal.incidence import Floats

MOST_DRAWS = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Hold draws of counts.

    Attributes
    ----------
    draws : ndarray of float64, shape (draws, time) or (draws, time, series)
        One possible course each.
    """

    draws: Floats

    @property
    def mean(self) -> Floats:
        """Mean of the draws, shape (time,) or (time, series)."""
        return np.asarray(self.draws.mean(axis=0))

    def quantile(self, probability: ArrayLike) -> Floats:
        """Return quantiles of the draws; several probabilities are the first axis.

        Raises
        ------
        ValueError
            If a probability is not between 0 and 1.
        """
        asked = np.asarray(probability, np.float64)
        if not ((asked > 0.0) & (asked < 1.0)).all():
            raise ValueError(f"probability must lie between 0 and 1 (it is {probability!r})")
        return np.asarray(np.quantile(self.draws, asked, axis=0, method="inverted_cdf"))

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Return the ends of the central interval of a level, each of the shape of `mean`.

        Raises
        ------
        ValueError
            If the level is not between 0 and 1.
        """
        outside = (1.0 - settings.probability("level", level)) / 2.0
        low, high = self.quantile([outside, 1.0 - outside])
        return low, high


def overdispersed(generator: np.random.Generator, mean: Floats, dispersion: Floats | float) -> Floats:
    """Draw counts of given means whose variance is `dispersion` times their mean; Poisson where that is 1."""
    excess = np.broadcast_to(np.asarray(dispersion, np.float64) - 1.0, mean.shape)
    wide = (excess > 1e-9) & (mean > 0.0)
    rate: NDArray[np.float64] = mean.copy()
    rate[wide] = generator.gamma(mean[wide] / excess[wide], excess[wide])
    return generator.poisson(rate).astype(np.float64)
