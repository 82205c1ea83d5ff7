"""How far pairs of cases are apart, as it is needed again and again: a sample, and kernels over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_DISTANCES, _REACHES = 10_000, 24


@dataclass(frozen=True)
class Distances:
    """Known distances of pairs (of very many an even selection), and what each reach makes of them.

    reaches : a grid of reaches
    kernel : for each, the mean of the kernel `exp(-distance / reach)` over pairs
    """

    known: Floats
    reaches: Floats
    kernel: Floats

    def first_guess(self) -> float:
        """Return a reach to begin with."""
        apart = self.known[self.known > 0.0]
        reach = float(np.quantile(apart, 0.02)) if apart.size else 1.0
        return reach if reach > 0.0 else 1.0

    def mean_kernel(self, reach: float) -> float:
        """Return the mean of the kernel over pairs; 0 where no distance is known."""
        return float(np.exp(-self.known / reach).mean()) if self.known.size else 0.0

    def likeliest(self, links: float, total: float, otherwise: float) -> float:
        """Return the reach under which links by nearness, so far apart in total, are likeliest."""
        if not self.reaches.size or links < 1.0:
            return otherwise
        score = -total / self.reaches - links * np.log(np.maximum(self.kernel, 1e-300))
        return float(self.reaches[np.argmax(score)])


def between_any(points: Floats) -> Floats:
    """Return distances of random pairs of cases: of too many pairs the nearest are looked at first."""
    one, other = np.random.default_rng(0).integers(0, len(points), (2, _DISTANCES))
    apart = (points[one] - points[other])[one != other]
    return np.asarray(np.hypot(apart[:, 0], apart[:, 1]))


def sampled(distance: Floats) -> Distances:
    """Return distances of pairs as a sample; NaN are unknown."""
    known = distance[:: max(1, len(distance) // _DISTANCES)]
    known = known[np.isfinite(known)]
    apart = known[known > 0.0]
    if not apart.size:
        return Distances(known, np.zeros(0), np.zeros(0))
    low, high = np.quantile(apart, [0.002, 0.9])
    reaches = np.geomspace(max(low, high * 1e-4), high, _REACHES)
    # in single precision: ten times faster, and a reach is chosen from a grid
    decay = np.exp(known.astype(np.float32) * (-1.0 / reaches[:, np.newaxis]).astype(np.float32))
    return Distances(known, reaches, decay.mean(axis=1, dtype=np.float64))
