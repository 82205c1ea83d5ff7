"""Functions of each count that its regressions need: many look at the same count."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.aberration.design import Floats

ADDED_AT_START = 0.1  # R 4.2, quasipoisson()$initialize: the first means are the counts plus this


class Tables(NamedTuple):
    """Hold functions of each count; every array has the shape of the counts, (series, time)."""

    counts: Floats
    working: Floats  # weight times working response of the first least squares
    saturated: Floats  # y log y - y
    start: Floats  # deviance of the first means
    two_thirds: Floats

    @classmethod
    def of(cls, counts: NDArray[np.int64]) -> Tables:
        """Compute the tables of counts."""
        count = counts.astype(np.float64)
        start = count + ADDED_AT_START
        log_start = np.log(start)
        working = start * log_start - ADDED_AT_START
        saturated = count * np.log(np.maximum(count, 1.0)) - count
        deviance = 2.0 * (saturated - count * log_start + start)
        return cls(count, working, saturated, deviance, np.cbrt(count) ** 2)
