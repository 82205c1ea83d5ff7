"""What generated benchmarks share: series with labelled outbreaks, and how outbreaks are spread over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

# Noufaily et al. 2013, section 4.1, and 2019, section 2.4: delays of cases are log-normal.
_LOG_MEAN = 0.0
_LOG_DEVIATION = 0.5
FEWEST_CASES = 2


@dataclass(frozen=True, slots=True, eq=False)
class Benchmark:
    """Hold generated series.

    Attributes
    ----------
    counts : ndarray of int64, shape (time, series)
        All cases.
    outbreak_cases : ndarray of int64, shape (time, series)
        Those of the one outbreak that is to be detected.
    scenario : ndarray of int64, shape (series,)
        Number of the scenario or signal, from 1.
    evaluate : ndarray of intp
        0-based times to test.
    """

    counts: Counts
    outbreak_cases: Counts
    scenario: Counts
    evaluate: NDArray[np.intp]

    @property
    def outbreaks(self) -> Counts:
        """Labels for :func:`performance`: 1 where an evaluated time has a case of the outbreak, else 0."""
        return (self.outbreak_cases[self.evaluate] > 0).astype(np.int64)


def noisy_counts(mean: Floats, dispersion: float, generator: np.random.Generator) -> Counts:
    """Draw counts of a mean, negative binomial with variance `dispersion * mean`, Poisson at 1."""
    if dispersion <= 1.0:
        return np.asarray(generator.poisson(mean), np.int64)
    size = mean / (dispersion - 1.0)
    return np.asarray(generator.negative_binomial(size, 1.0 / dispersion), np.int64)


def outbreak(
    start: int, expected: float, length: int, generator: np.random.Generator, *, step: float = 1.0
) -> Counts:
    """Draw an outbreak of Poisson size; cases after the end of the series are lost.

    Parameters
    ----------
    start : int
        Time of the first cases.
    expected : float
        Expected number of cases; fewer than 2 are drawn again, as long as more can be hoped for.
    length : int
        Length of the series.
    step : float
        Units of the log-normal delay that pass in one time.

    Returns
    -------
    ndarray of int64, shape (length,)
    """
    size = 0
    while size < FEWEST_CASES:
        size = int(generator.poisson(max(expected, 0.1)))
    delay = generator.lognormal(_LOG_MEAN, _LOG_DEVIATION, size)
    time = start + np.floor(delay / step).astype(np.int64)
    return np.bincount(time[time < length], minlength=length).astype(np.int64)


def checked_choice(chosen: object, known: int, name: str) -> list[int]:
    """Return the numbers of the scenarios chosen; all of them for None.

    Raises
    ------
    ValueError
        If one is not between 1 and `known`.
    """
    numbers = list(range(1, known + 1)) if chosen is None else [int(each) for each in np.ravel(chosen)]  # type: ignore[call-overload]
    wrong = [number for number in numbers if not 1 <= number <= known]
    if wrong or not numbers:
        raise ValueError(f"{name} must be numbers from 1 to {known} (one is {wrong[0] if wrong else 'none'})")
    return numbers
