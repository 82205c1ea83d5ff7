"""Print how often series without an outbreak reach evidence of each strength.

The table of `analysis/aberration/calibration.py` comes from here. The series are of all kinds that `detect`
is for: from a case in ten times to hundreds, Poisson to five times as variable, with seasons and trends or
without, histories from one year to ten.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.aberration.circumstances import Reported
from broadstreet.analysis.aberration.detect import judged
from broadstreet.analysis.aberration.outlooks import Scene, look_out

CHANCE = [0.9999, 0.99, 0.9, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005]
YEARS = (1, 2, 3, 5, 10)
SERIES = {52: 160, 365: 60}  # for each history
TESTED = {52: 52, 365: 182}


def main() -> None:
    """Print a row for each pace, and one for each length of history."""
    print("chance   ", *(f"{each:>8}" for each in CHANCE))
    for frequency in SERIES:
        found = np.concatenate([ratios(frequency, years) for years in YEARS])
        print(f"{frequency:<9}", *(f"{each:8.2f}" for each in np.quantile(found, 1.0 - np.array(CHANCE))))
        for part, name in zip(np.split(found, len(YEARS)), YEARS, strict=True):
            tail = np.quantile(part, 1.0 - np.array(CHANCE))
            print(f"  {name:>2} years", *(f"{each:8.2f}" for each in tail), flush=True)


def ratios(frequency: int, years: int) -> NDArray[np.float64]:
    """Return log ratios of series without an outbreak."""
    rng = np.random.default_rng([frequency, years])
    series, tested = SERIES[frequency], TESTED[frequency]
    length = years * frequency + tested
    time = np.arange(length)[:, np.newaxis] / frequency
    season = rng.uniform(0.0, 0.6, series) * np.cos(2 * np.pi * (time - rng.uniform(0.0, 1.0, series)))
    mean = np.exp(rng.uniform(-2.3, 5.5, series) + season + rng.normal(0.0, 0.1, series) * (time - years))
    if frequency == 365:
        mean *= np.exp(rng.normal(0.0, 0.3, (7, series)))[np.arange(length) % 7]
    dispersion = rng.choice([1.0001, 1.2, 1.5, 2.0, 3.0, 5.0], series)
    counts = rng.negative_binomial(mean / (dispersion - 1.0), 1.0 / dispersion)
    scene = Scene.of(counts.shape, frequency, None, None, Reported.of(None, *counts.shape))
    outlooks = look_out(counts, np.arange(length - tested, length), scene, None)
    return judged(outlooks, np.inf)[0].ravel()


if __name__ == "__main__":
    main()
