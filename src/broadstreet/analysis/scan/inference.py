"""How often would chance alone make such a cluster somewhere?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from broadstreet.analysis.scan.circles import Circles
from broadstreet.analysis.scan.maxima import group_circles, search
from broadstreet.analysis.scan.observed import TIE
from broadstreet.analysis.scan.study import Study
from broadstreet.analysis.scan.windows import Windows

_LANES = 256  # replicates side by side
_FEWEST_LANES = 32
_BLOCK_BYTES = 256 * 2**20
_SPREAD = 2.0  # standard deviations by which circles taken together may differ: measured, any value is right


@dataclass(frozen=True)
class NullDistribution:
    """The highest statistic of each replicate."""

    maxima: NDArray[np.float64]

    def monte_carlo(self, statistic: float) -> float:
        """Return the rank of the statistic among the replicates', of all: Dwass 1957; Kulldorff 1997."""
        return float((1 + (self.maxima >= statistic - TIE).sum()) / (self.maxima.size + 1))

    def gumbel(self, statistic: float) -> float | None:
        """Return the tail of a Gumbel distribution with the replicates' mean and standard deviation.

        None where fewer than two replicates, or none that differ, say nothing about it.

        Source
        ------
        Abrams, Kleinman, Kulldorff 2010, Int J Health Geogr 9:61, doi:10.1186/1476-072X-9-61.
        """
        if self.maxima.size < 2 or self.maxima.std(ddof=1) <= TIE:
            return None
        scale = self.maxima.std(ddof=1) * np.sqrt(6.0) / np.pi
        mode = self.maxima.mean() - np.euler_gamma * scale
        return float(-special.expm1(-np.exp(-(statistic - mode) / scale)))


def simulate(
    study: Study,
    measure: NDArray[np.float64],
    circles: Circles,
    windows: Windows,
    *,
    min_cases: int,
    replicates: int,
    seed: int | None,
) -> NullDistribution:
    """Return the highest statistic of each of `replicates` data sets under equal risk."""
    cases = study.cases
    size = np.uint16 if cases < 2**16 else np.uint32
    draw = study.drawer(windows.bin_of_step)
    seeds = np.random.SeedSequence(seed).generate_state(replicates, np.uint64).astype(np.uint64)
    group_end = group_circles(measure[:, -1], circles.places, circles.centre_end, circles.circle_end, _SPREAD)
    place_count, bins = len(measure), measure.shape[1] - 1
    lanes = _lanes(place_count * bins * np.dtype(size).itemsize + 2 * cases, replicates)
    counts = np.zeros((place_count, bins * lanes), size)
    maxima = np.zeros(replicates)
    for first in range(0, replicates, lanes):
        block = slice(first, min(first + lanes, replicates))
        draw(counts, lanes, seeds[block])
        search(
            maxima[block], counts, lanes, measure, circles.places, circles.centre_end,
            circles.circle_end, group_end, windows.bounds, cases, study.individuals, min_cases,
        )  # fmt: skip
    return NullDistribution(maxima)


def _lanes(bytes_per_lane: int, replicates: int) -> int:
    affordable = _BLOCK_BYTES // bytes_per_lane // _FEWEST_LANES * _FEWEST_LANES
    wanted = -(-replicates // _FEWEST_LANES) * _FEWEST_LANES
    return int(max(_FEWEST_LANES, min(_LANES, affordable, wanted)))
