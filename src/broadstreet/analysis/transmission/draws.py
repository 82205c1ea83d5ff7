"""Whole sets of infectors, drawn from probabilities of links that do not depend on each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.compiled import compiled
from broadstreet.analysis.transmission.pairs import Pairs
from broadstreet.analysis.transmission.posterior import Posterior

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_DRAWS = 500


def independent_draws(pairs: Pairs, posterior: Posterior, seed: int | None) -> Ints:
    """Return infectors drawn case by case, shape (draws, cases), -1 for none of the list."""
    chance = np.random.default_rng(seed).random((pairs.size, _DRAWS))
    return _drawn(pairs.start, pairs.infector, posterior.pair, chance).T


@compiled
def _drawn(start: Ints, infector: NDArray[np.int32], pair: Floats, chance: Floats) -> Ints:
    found = np.full(chance.shape, -1, np.int64)
    for case in range(start.size - 1):
        first, last = start[case], start[case + 1]
        cumulative = np.cumsum(pair[first:last])
        for draw in range(chance.shape[1]):
            at = np.searchsorted(cumulative, chance[case, draw], "right")
            if at < last - first:
                found[case, draw] = infector[first + at]
    return found
