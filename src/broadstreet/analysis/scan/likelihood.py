"""How much better does a higher risk inside explain a cylinder's cases than equal risk everywhere?"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.compiled import compiled

# Cells of the threshold table are even in the square root of the expected count, so that they are as wide
# as about a sixteenth of its standard deviation.
_CELLS_PER_ROOT = 32.0


@compiled
def log_likelihood_ratio(observed: float, expected: float, cases: float, individuals: float) -> float:
    """Return the log likelihood ratio of a cylinder, 0 where no more cases than expected lie in it.

    Parameters
    ----------
    observed, expected : float
        Cases inside, and what equal risk would let one expect.
    cases, individuals : float
        All cases; all cases and controls (Bernoulli), or infinity (Poisson and permutation).

    Source
    ------
    Kulldorff 1997, Commun Stat Theory Methods 26(6):1481-1496, sections 4.1 (Bernoulli) and 4.2 (Poisson).
    """
    if observed <= expected:
        return 0.0
    outside = cases - observed
    ratio = observed * math.log(observed / expected) if expected > 0.0 else math.inf
    if outside > 0.0:
        ratio += outside * math.log(outside / (cases - expected))
    if individuals == math.inf:
        return ratio
    inside = expected * individuals / cases
    share = 1.0 - cases / individuals
    controls_inside = inside - observed
    if controls_inside < -0.5:
        return math.inf
    if controls_inside > 0.5:
        ratio += controls_inside * math.log(controls_inside / (inside * share))
    controls_outside = individuals - inside - outside
    if controls_outside > 0.5:
        ratio += controls_outside * math.log(controls_outside / ((individuals - inside) * share))
    return ratio


@compiled
def threshold_table(cases: int) -> NDArray[np.int64]:
    """Return an empty table for `fill_thresholds`."""
    return np.zeros(int(math.sqrt(cases) * _CELLS_PER_ROOT) + 2, np.int64)


@compiled
def fill_thresholds(
    table: NDArray[np.int64], level: float, cases: int, individuals: float, min_cases: int
) -> None:
    """Set, for each cell of expected counts, the highest count that cannot exceed a log likelihood ratio.

    The ratio falls as the expected count grows, so what holds at the lower edge of a cell holds in it.
    """
    count = min_cases - 1
    for cell in range(table.size):
        expected = (cell / _CELLS_PER_ROOT) ** 2
        while count < cases and log_likelihood_ratio(count + 1, expected, cases, individuals) <= level:
            count += 1
        table[cell] = count


@compiled
def threshold(table: NDArray[np.int64], expected: float) -> int:
    """Return the highest count at `expected` that cannot exceed the table's level."""
    return int(table[int(math.sqrt(max(expected, 0.0)) * _CELLS_PER_ROOT)])
