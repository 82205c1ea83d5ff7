"""The most likely cylinder around each centre."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.compiled import compiled
from broadstreet.analysis.scan.circles import Circles
from broadstreet.analysis.scan.likelihood import log_likelihood_ratio
from broadstreet.analysis.scan.windows import Windows

# Ratios closer than this are equal: the same places summed up in another order.
TIE = 1e-9


@dataclass(frozen=True)
class Cylinder:
    """A centre's cylinder: the positions of its places in `Circles`, its window, and what it holds."""

    centre: int
    first: int
    end: int
    window: int
    observed: int
    expected: float
    statistic: float


def most_likely(
    counts: NDArray[np.int64],
    measure: NDArray[np.float64],
    circles: Circles,
    windows: Windows,
    *,
    individuals: float,
    min_cases: int,
) -> list[Cylinder]:
    """Return each centre's most likely cylinder with more cases than expected, the most likely first.

    `counts` and `measure` are cumulated over bins of time, with a column of zeros before. Of equals the
    smaller circle and the shorter window win.
    """
    total = int(counts[:, -1].sum())
    found = np.zeros((len(circles.centre), 5))
    _best_of_each(
        found, counts, measure, circles.places, circles.centre_end, circles.circle_end, windows.bounds,
        total, individuals, min_cases,
    )  # fmt: skip
    begins = np.concatenate([[0], circles.centre_end[:-1]])
    cylinders = [
        Cylinder(centre, int(begins[centre]), int(end), int(window), int(cases), expected, ratio)
        for centre, (ratio, end, window, cases, expected) in enumerate(found.tolist())
        if ratio > TIE
    ]
    return sorted(cylinders, key=lambda c: (-round(c.statistic / TIE), circles.distance[c.end - 1], c.centre))


@compiled
def _best_of_each(  # noqa: PLR0913, PLR0917  a compiled loop takes arrays, not objects
    found: NDArray[np.float64],
    counts: NDArray[np.int64],
    measure: NDArray[np.float64],
    places: NDArray[np.int32],
    centre_end: NDArray[np.int64],
    circle_end: NDArray[np.int64],
    windows: NDArray[np.int64],
    total: int,
    individuals: float,
    min_cases: int,
) -> None:
    # (c - m)^2 total / (m (total - m)) / share of controls is never below the ratio: it spares logarithms.
    spread = 1.0 if individuals == math.inf else 1.0 - total / individuals
    inside = np.zeros(counts.shape[1], np.int64)
    expected = np.zeros(counts.shape[1])
    position = 0
    for centre in range(centre_end.size):
        inside[:] = 0
        expected[:] = 0.0
        best = 0.0
        while position < centre_end[centre]:
            inside += counts[places[position]]
            expected += measure[places[position]]
            position += 1
            if circle_end[position - 1] != position:
                continue
            for window in range(len(windows)):
                first, last = windows[window]
                cases = inside[last] - inside[first]
                mean = expected[last] - expected[first]
                excess = cases - mean
                if cases < min_cases or excess <= 0.0:
                    continue
                if excess * excess * total <= best * mean * (total - mean) * spread:
                    continue
                ratio = log_likelihood_ratio(cases, mean, total, individuals)
                if ratio > best + 1e-9:
                    best = ratio
                    found[centre, 0] = ratio
                    found[centre, 1] = position
                    found[centre, 2] = window
                    found[centre, 3] = cases
                    found[centre, 4] = mean
