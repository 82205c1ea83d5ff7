"""Time the space-time permutation scan with all 999 replications, in CPU seconds of one core."""

from __future__ import annotations

import statistics
import time

import numpy as np
from numpy.typing import NDArray

from bench.results import keep
from broadstreet.analysis.scan import space_time

DAYS, REPLICATES = 30, 999
RUNS = 3
SIZES = ((200, 12_000), (1_000, 60_000))
# SaTScan 10.3.2, one thread, on two shared cores: 12,100 cases in 200 places, and 60,000 in 1,000.
SATSCAN_SECONDS = {200: 1.09, 1_000: 13.4}
SCANS: dict[str, dict[str, bool | int]] = {
    "prospective, the last 1 to 7 days": {"prospective": True, "max_duration": 7},
    "prospective, the last 1 to 15 days": {"prospective": True},
    "retrospective, any 1 to 15 days": {},
}


def main() -> None:
    figures: dict[str, float] = {}
    figures["first call in a process, machine code kept: CPU s"] = round(first_call(), 2)
    print(f"{'CPU seconds, one core, 999 replications':<64} {'Broad Street':>12} {'SaTScan':>8}")
    for places, cases in SIZES:
        tables = city(places, cases)
        for name, settings in SCANS.items():
            seconds = statistics.median(cpu_seconds(tables, settings) for _ in range(RUNS))
            title = f"{places:,} places x {DAYS} days x {cases:,} cases, {name}"
            print(f"{title:<64} {seconds:>12.2f} {SATSCAN_SECONDS[places]:>8.2f}", flush=True)
            figures[f"{title}: CPU s"] = round(seconds, 3)
    print(f"kept in {keep('scan', figures)}")


def city(places: int, cases: int) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
    """Return cases spread evenly over places and days, and places spread over a square."""
    generator = np.random.default_rng(1854)
    points = generator.random((places, 2)) * 50
    return (
        {"place": generator.integers(0, places, cases), "time": generator.integers(0, DAYS, cases)},  # type: ignore[dict-item]
        {"place": np.arange(places), "x": points[:, 0], "y": points[:, 1]},  # type: ignore[dict-item]
    )


def first_call() -> float:
    """Return the CPU time of a tiny scan: what it takes to compile, or to load what was compiled before."""
    return cpu_seconds(city(20, 200), {})


def cpu_seconds(
    tables: tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]],
    settings: dict[str, bool | int],
) -> float:
    start = time.process_time()
    space_time(*tables, replicates=REPLICATES, seed=1, distance="euclidean", **settings)  # type: ignore[arg-type]
    return time.process_time() - start


if __name__ == "__main__":
    main()
