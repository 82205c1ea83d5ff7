"""What many regressions share: which block each observation lies in, and when it was.

Blocks are made of runs of consecutive times. Within a run, exp(beta t) follows from its first value by
multiplication, so the loops over observations need one exponential a run.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


class Design(NamedTuple):
    """Describe the observations of regressions that have the same blocks and times.

    Attributes
    ----------
    block : ndarray of intp, shape (observations,)
        0-based block of each observation; no block is empty.
    time : ndarray of float64, shape (observations,)
        Time of each observation, increasing; best relative to their middle.
    run : ndarray of intp, shape (runs + 1,)
        First observation of each run of one block in steps of 1, and the number of observations.
    blocks : int
    longest : int
        Observations of the longest run.
    """

    block: Indices
    time: Floats
    run: Indices
    blocks: int
    longest: int

    @classmethod
    def of(cls, block: Indices, time: Floats) -> Design:
        """Divide observations into runs."""
        breaks = (np.diff(block) != 0) | (np.diff(time) != 1.0)
        run = np.r_[0, np.flatnonzero(breaks) + 1, len(block)]
        return cls(block, time, run, int(block.max()) + 1, int(np.diff(run).max()))


class Outliers(NamedTuple):
    """Name observations that count for less: `share` is taken off the weight of each of `which`."""

    which: Indices
    share: Floats
