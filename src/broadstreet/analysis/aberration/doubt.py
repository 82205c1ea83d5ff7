"""Past times that look like outbreaks count for less."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.compiled import compiled

Floats = NDArray[np.float64]

SUSPECT = 2.58  # Noufaily et al. 2013, section 3.2: residuals above it count for less
MOST_SUSPECTS = 0.1  # of the past: more is no outbreak but how the counts are
LEAST_MEAN = 1e-9
_BINS, _BINS_A_UNIT = 64, 8.0


@compiled
def doubt(
    counts: Floats, means: Floats, belief: Floats, dispersion: float, span: int, weight: Floats
) -> None:
    """Fill the weights: `belief`, less where a time or the `span` times about it have too many cases.

    Source: Noufaily et al. 2013, section 3.2 (weights in proportion to the inverse square of the residual).
    """
    suspicion = np.empty(len(counts))
    _suspect(counts, means, dispersion, span, suspicion)
    limit = _limit(suspicion)
    for time in range(len(counts)):
        share = 1.0 if suspicion[time] <= limit else (limit / suspicion[time]) ** 2
        weight[time] = belief[time] * share


@compiled
def _suspect(counts: Floats, means: Floats, dispersion: float, span: int, suspicion: Floats) -> None:
    half, length = span // 2, len(counts)
    count, mean = counts[: min(half, length)].sum(), means[: min(half, length)].sum()
    for time in range(length):
        if time + half < length:
            count += counts[time + half]
            mean += means[time + half]
        if time - half - 1 >= 0:
            count -= counts[time - half - 1]
            mean -= means[time - half - 1]
        alone = _anscombe(counts[time], means[time], dispersion)
        suspicion[time] = max(alone, _anscombe(count, mean, dispersion))


@compiled
def _anscombe(count: float, mean: float, dispersion: float) -> float:
    """Return the Anscombe residual where it is of interest: McCullagh and Nelder 1989, section 2.4.2."""
    mean = max(mean, LEAST_MEAN)
    above = count - mean
    if above <= 0.0 or above * above <= SUSPECT * SUSPECT * dispersion * mean:
        return 0.0  # no larger than Pearson's, for the power 2/3 is concave
    root = math.sqrt(mean)
    return float(1.5 * (np.cbrt(count * count) / np.cbrt(root) - root) / math.sqrt(dispersion))


@compiled
def _limit(suspicion: Floats) -> float:
    """Return from where on times are doubted, so that these are not too many."""
    histogram, above = np.zeros(_BINS), 0
    for time in range(len(suspicion)):
        if suspicion[time] > SUSPECT:
            above += 1
            histogram[min(int((suspicion[time] - SUSPECT) * _BINS_A_UNIT), _BINS - 1)] += 1.0
    limit = SUSPECT
    for place in range(_BINS):
        if above <= MOST_SUSPECTS * len(suspicion):
            break
        above -= int(histogram[place])
        limit = SUSPECT + (place + 1) / _BINS_A_UNIT
    return limit
