"""Sums of the counts before a time, and about its anniversaries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis import settings
from broadstreet.analysis.aberration.design import Floats, Indices


@dataclass(frozen=True, slots=True)
class Baseline:
    """Hold which counts a count is compared with.

    Attributes
    ----------
    frequency : int
        Times a year.
    years_back : int
        So many anniversaries are taken, each with the times around it.
    window : int
        Times on either side of an anniversary, and before the evaluated time.
    recent : bool
        Whether the times just before the evaluated one are taken.
    """

    frequency: int
    years_back: int
    window: int
    recent: bool

    @classmethod
    def checked(cls, frequency: int, years_back: int, window: int, *, recent: bool) -> Baseline:
        """Return the settings if they go together.

        Raises
        ------
        ValueError
            If one is out of its range, or no count is left to compare with.
        """
        baseline = cls(
            settings.whole_number("frequency", frequency, least=1),
            settings.whole_number("years_back", years_back, least=0, most=1000),
            settings.whole_number("window", window, least=1),
            bool(recent),
        )
        if baseline.years_back == 0 and not baseline.recent:
            raise ValueError(
                "years_back must be at least 1, or recent True: there is nothing to compare with"
            )
        if baseline.years_back and baseline.window >= baseline.frequency:
            raise ValueError(
                f"window must be shorter than a year of {baseline.frequency} times (it is {baseline.window})"
            )
        return baseline

    @property
    def history(self) -> int:
        """Number of times that must lie before an evaluated one."""
        return self.years_back * self.frequency + self.window

    @property
    def size(self) -> int:
        """Number of counts compared with."""
        return self.recent * self.window + self.years_back * (2 * self.window + 1)

    def sums(self, values: NDArray[np.int64], times: Indices) -> NDArray[np.int64]:
        """Return the sum over the baseline of each time, shape (times, series).

        Raises
        ------
        ValueError
            If a time has too short a history.
        """
        if times.size and int(times.min()) < self.history:
            shortest = int(times.min())
            raise ValueError(
                f"{self.years_back} years back and a window of {self.window} need {self.history} times "
                f"before each evaluated one (time {shortest} has {shortest}); evaluate later times, lower "
                "years_back or window, or use ears, which needs 7"
            )
        running = np.zeros((len(values) + 1, values.shape[1]), np.int64)
        np.cumsum(values, axis=0, out=running[1:])
        total = np.zeros((len(times), values.shape[1]), np.int64)
        if self.recent:
            total += running[times] - running[times - self.window]
        for year in range(1, self.years_back + 1):
            anniversary = times - year * self.frequency
            total += running[anniversary + self.window + 1] - running[anniversary - self.window]
        return total


def consecutive_times(times: Indices, *, method: str) -> Indices:
    """Return the times if each follows the one before, and a history lies before the first.

    Raises
    ------
    ValueError
        If not: a chart adds up over the times that it is given.
    """
    if times.size == 0:
        return times
    if (np.diff(times) != 1).any():
        raise ValueError(
            f"evaluate must be consecutive times in order: {method} adds up from one to the next"
        )
    return times


def mean_before(counts: NDArray[np.int64], first: int) -> tuple[Floats, Floats]:
    """Return mean and variance of the counts before a time, each of shape (series,); variance is NaN for one.

    Raises
    ------
    ValueError
        If there is no count before it.
    """
    if first < 1:
        raise ValueError(
            "evaluate must start at 1 or later where the mean is taken from the history before it"
        )
    past = counts[:first].astype(np.float64)
    variance = past.var(axis=0, ddof=1) if first > 1 else np.full(past.shape[1], np.nan)
    return past.mean(axis=0), variance
