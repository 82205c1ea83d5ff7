"""What every aberration method answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Aberrations:
    """Hold what a method found at each evaluated time of each series.

    Every array is `float64` of shape `(evaluated, series)`, rows in the order in which the times were asked
    for, and NaN where the method gives no value (each method says when). A single series `(time,)` is one
    column.

    Attributes
    ----------
    expected
        Count expected in the absence of an outbreak.
    upper
        Highest count that raises no alarm.
    alarm
        1.0 if the count is above `upper`, else 0.0; NaN where `upper` is.
    score
        How unusual the count is, on the method's own scale (each method says which).
    dispersion
        Variance of the baseline relative to its mean (1 for Poisson counts, 0 for a constant baseline).
    """

    expected: NDArray[np.float64]
    upper: NDArray[np.float64]
    alarm: NDArray[np.float64]
    score: NDArray[np.float64]
    dispersion: NDArray[np.float64]
