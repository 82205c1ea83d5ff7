"""Time `detect` for one night: the newest day of 10,000 daily series of five years."""

from __future__ import annotations

import time

import numpy as np

from bench.results import keep
from broadstreet.analysis.aberration import detect

SERIES, DAYS = 10_000, 5 * 365 + 1
RUNS = 3


def main() -> None:
    rng = np.random.default_rng(1854)
    day = np.arange(DAYS)[:, np.newaxis]
    level = np.linspace(-2.0, 4.0, SERIES)
    week = np.log(np.tile([1.3, 1.1, 1.0, 1.0, 1.0, 0.8, 0.7], DAYS // 7 + 1)[:DAYS, np.newaxis])
    counts = rng.poisson(np.exp(level + 0.4 * np.cos(2 * np.pi * day / 365.25) + week))
    detect(counts[:, :1], [DAYS - 1], frequency=365)
    wall, processor = [], []
    for _ in range(RUNS):
        start, used = time.perf_counter(), time.process_time()
        detect(counts, [DAYS - 1], frequency=365)
        wall.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    figures = {
        "10,000 daily series of 5 years, one night: s": round(min(wall), 2),
        "the same, all runs: s": [round(each, 2) for each in wall],
        "the same, processor, all cores: s": round(min(processor), 2),
    }
    for name, figure in figures.items():
        print(f"{name:<48} {figure}")
    print(f"kept in {keep('detect_night', figures)}")


if __name__ == "__main__":
    main()
