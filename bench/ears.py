"""Time EARS on a year of daily counts of 3,000 series; and on one long series."""

from __future__ import annotations

import statistics
import time

import numpy as np
from numpy.typing import NDArray

from bench.results import keep
from broadstreet.analysis.aberration import ears
from broadstreet.analysis.aberration.ears import Method

METHODS: tuple[Method, ...] = ("C1", "C2", "C3")
SHAPES = {"365 days x 3,000 series": (365, 3000), "1,000,000 times x 1 series": (1_000_000, 1)}


def main() -> None:
    figures = {}
    for name, shape in SHAPES.items():
        counts = np.random.default_rng(1854).negative_binomial(2, 0.2, size=shape)
        for method in METHODS:
            speed = points_per_second(counts, method)
            figures[f"EARS {method}, {name}: evaluated points/s"] = round(speed)
            print(f"{method}  {name:<28} {speed:>14,.0f} evaluated points/s")
    print(f"kept in {keep('ears', figures)}")


def points_per_second(counts: NDArray[np.int64], method: Method, runs: int = 7) -> float:
    times = np.arange(11, len(counts))
    seconds = []
    for _ in range(runs):
        start = time.process_time()
        ears(counts, times, method=method)
        seconds.append(time.process_time() - start)
    evaluated: int = times.size * counts.shape[1]
    return evaluated / statistics.median(seconds)


if __name__ == "__main__":
    main()
