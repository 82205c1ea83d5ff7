"""Time the aberration methods on one core; beside R surveillance in the same run, where R is installed."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one core, as for R

import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.results import keep
from broadstreet.analysis.aberration import bayes, cusum, ewma, farrington, farrington_flexible, rki

WEEKS, SERIES = 624, 420
RUNS = 5
R_SCRIPT = Path(__file__).with_suffix(".R")
METHODS: dict[str, Callable[[NDArray[np.int64], NDArray[np.intp]], object]] = {
    "farringtonFlexible b=5": lambda counts, times: farrington_flexible(counts, times, years_back=5),
    "farringtonFlexible b=3": lambda counts, times: farrington_flexible(counts, times, years_back=3),
    "farrington b=5": farrington,
    "cusum": cusum,
    "bayes": bayes,
    "rki": rki,
    "ewma": ewma,
}


def main() -> None:
    counts = weekly_counts()
    times = np.arange(WEEKS - 49, WEEKS)
    ours = {name: points_per_second(method, counts, times) for name, method in METHODS.items()}
    theirs = r_points_per_second(counts)
    figures = {}
    print(f"{'evaluated points/s, one core':<28} {'Broad Street':>14} {'R surveillance':>16} {'ratio':>8}")
    for name, speed in ours.items():
        r = theirs.get(name)
        beside = f"{r:>16,.0f} {speed / r:>8,.0f}" if r else f"{'-':>16} {'-':>8}"
        print(f"{name:<28} {speed:>14,.0f} {beside}")
        figures[f"{name}: evaluated points/s"] = round(speed)
        if r:
            figures[f"{name}, R surveillance: evaluated points/s"] = round(r)
    long_run = np.random.default_rng(1854).poisson(5, 1_000_000)
    for name, method in (("cusum", cusum), ("bayes", bayes)):
        speed = points_per_second(method, long_run[:, np.newaxis], np.arange(100, len(long_run)))
        figures[f"{name}, 1,000,000 times x 1 series: evaluated points/s"] = round(speed)
        print(f"{name + ', one long series':<28} {speed:>14,.0f}")
    print(f"kept in {keep('aberration', figures)}")


def weekly_counts() -> NDArray[np.int64]:
    """Return seasonal, overdispersed series from sparse to large: 42 kinds, 10 of each."""
    generator = np.random.default_rng(1854)
    week = np.arange(WEEKS)[:, np.newaxis]
    level = np.tile(np.linspace(-2.0, 5.0, 42), SERIES // 42)
    mean = np.exp(level + 0.4 * np.cos(2 * np.pi * week / 52) + 0.0005 * week)
    dispersion = np.tile([1.1, 1.5, 2.0, 3.0, 5.0, 1.2], SERIES // 6)
    return generator.negative_binomial(mean / (dispersion - 1.0), 1.0 / dispersion)


def points_per_second(
    method: Callable[..., object], counts: NDArray[np.int64], times: NDArray[np.intp]
) -> float:
    method(counts[:, :1], times)
    seconds = []
    for _ in range(RUNS):
        start = time.process_time()
        method(counts, times)
        seconds.append(time.process_time() - start)
    return float(times.size * counts.shape[1] / statistics.median(seconds))


def r_points_per_second(counts: NDArray[np.int64]) -> dict[str, float]:
    """Run the R script on a sample of the series: each 42nd of a kind."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        print("no Rscript here: without R beside")
        return {}
    sample = "\n".join(",".join(map(str, row)) for row in counts[:, :42:3])
    done = subprocess.run([rscript, str(R_SCRIPT)], input=sample, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"R gave no figures: {done.stderr.strip()[-200:]}")
        return {}
    lines = (line.rpartition("\t") for line in done.stdout.splitlines())
    return {name: float(speed) for name, _, speed in lines}


if __name__ == "__main__":
    main()
