"""Time `estimate_r` on 1,000 series on one core; beside EpiEstim in the same run, where R has it."""

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
from broadstreet.analysis.renewal import Reproduction, estimate_r

DAYS, SERIES = 32, 1000
RUNS = 11
R_SERIES = 100
"""EpiEstim is timed on so many of the series."""
# Cori et al. 2013: influenza in a school in 2009 (EpiEstim's Flu2009)
INTERVAL = [0.0, 0.233, 0.359, 0.198, 0.103, 0.053, 0.027, 0.014, 0.007, 0.003, 0.002, 0.001]
PROBABILITIES = [0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975]
"""What EpiEstim computes in each call."""
R_SCRIPT = Path(__file__).with_suffix(".R")


def main() -> None:
    incidence = epidemics()
    alone = median_seconds(lambda: estimate_r(incidence, INTERVAL))
    whole = median_seconds(lambda: with_quantiles(incidence))
    figures: dict[str, float | str] = {
        f"estimate_r, {SERIES:,} series x {DAYS} days: CPU ms": round(alone * 1e3, 2),
        f"estimate_r with 7 quantiles, {SERIES:,} series x {DAYS} days: CPU ms": round(whole * 1e3, 2),
    }
    print(
        f"{SERIES:,} series of {DAYS} days: {alone * 1e3:.1f} ms of CPU; with 7 quantiles {whole * 1e3:.1f}"
    )
    if (theirs := epiestim_seconds(incidence)) is not None:
        version, seconds = theirs
        ratio = seconds * SERIES / whole
        figures[f"EpiEstim {version}, one series: CPU ms"] = round(seconds * 1e3, 2)
        figures["estimate_r with 7 quantiles: times faster"] = round(ratio)
        print(
            f"EpiEstim {version}: {seconds * 1e3:.1f} ms each, {seconds * SERIES:.1f} s in all: x {ratio:.0f}"
        )
    print(f"kept in {keep('renewal', figures)}")


def epidemics() -> NDArray[np.int64]:
    """Return epidemics that grow and shrink at different rates, from a few cases to many."""
    generator = np.random.default_rng(1854)
    day = np.arange(DAYS)[:, np.newaxis]
    peak, width = generator.uniform(8, 30, SERIES), generator.uniform(4, 12, SERIES)
    height = np.exp(generator.uniform(1.0, 6.0, SERIES))
    incidence = generator.poisson(height * np.exp(-(((day - peak) / width) ** 2)))
    incidence[0] += 1
    return incidence


def with_quantiles(incidence: NDArray[np.int64]) -> Reproduction:
    found = estimate_r(incidence, INTERVAL)
    found.quantile(PROBABILITIES)
    return found


def median_seconds(work: Callable[[], object]) -> float:
    work()
    seconds = []
    for _ in range(RUNS):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


def epiestim_seconds(incidence: NDArray[np.int64]) -> tuple[str, float] | None:
    """Return EpiEstim's version and its CPU seconds a series."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        print("no Rscript here: without EpiEstim beside")
        return None
    sample = "\n".join(",".join(map(str, row)) for row in incidence[:, :R_SERIES])
    done = subprocess.run([rscript, str(R_SCRIPT)], input=sample, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"R gave no figures: {done.stderr.strip()[-200:]}")
        return None
    version, _, seconds = done.stdout.splitlines()[-1].partition("\t")
    return version, float(seconds)


if __name__ == "__main__":
    main()
