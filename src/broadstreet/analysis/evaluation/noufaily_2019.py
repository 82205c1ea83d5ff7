"""The 16 daily signals of Noufaily et al. 2019."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from broadstreet.analysis.evaluation.benchmark import (
    Benchmark,
    Counts,
    Floats,
    checked_choice,
    noisy_counts,
    outbreak,
)

# Noufaily et al. 2019, section 2.4: 7 years of 52 weeks; the last 49 weeks are tested.
_YEARS = 7
_WEEKS_A_YEAR = 52
_TESTED_WEEKS = 49
_SPIKE_SIZE = 5  # standard deviations of the day in which it starts, times the days of a week
_SPIKE_STEP = 0.25  # units of the log-normal delay a day: a spike lasts about a week
_SEASON_STEP = 0.02  # a season lasts months
_SEASON_SIZE = 3
_STARTS = 20  # a season starts on one of so many days
# How much more of an outbreak is reported on each day of the week, from the first day of the series.
_REPORTED = {5: (1.5, 1.1, 1.0, 1.0, 1.1), 7: (1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0)}


@dataclass(frozen=True, slots=True)
class _Signal:
    days: int  # of a week on which there are reports
    yearly: int  # harmonics of the year
    weekly: int  # harmonics of the week
    alpha: float
    beta: float
    gamma: tuple[float, float, float, float]  # cosine and sine of the year, then of the week
    phi: float
    shift: int
    scale: float = 1.0
    season: tuple[int, int] | None = None  # first day on which a season may start, and its size


# Noufaily et al. 2019, section 2.4, and the simulation code of its supplement. The signals imitate syndromes
# of Public Health England's telephone, general practice, out-of-hours and emergency department systems.
_SIGNALS = {
    1: _Signal(7, 1, 2, 6, 0, (0.2, 0.2, 0.5, 0.4), 2, 29),
    3: _Signal(7, 1, 2, 0.5, 0, (1.5, 1.4, 0.5, 0.4), 1, -167),
    4: _Signal(7, 0, 2, 5.5, 0, (0, 0, 0.3, 0.25), 1, 1),
    5: _Signal(7, 0, 2, 2, 0, (0, 0, 0.3, 0.25), 1, 1),
    6: _Signal(5, 1, 1, 6, 0, (0.3, 2, 0.3, 0.5), 1.5, -50, 0.1, (0, 80)),
    7: _Signal(5, 1, 1, 1, 0, (0.1, 2, 0.05, 0.05), 1, -50, 1, (0, 50)),
    8: _Signal(5, 0, 1, 6, 0.0001, (0, 0, 0.6, 0.9), 1.5, 0, 0.1),
    9: _Signal(5, 1, 1, 3, 0, (1.5, 0.1, 0.2, 0.3), 1, -150),
    10: _Signal(5, 1, 1, 3, 0, (0.2, 0.1, 0.05, 0.15), 1, -200),
    11: _Signal(5, 1, 1, 5, 0, (0.2, 0.1, 0.05, 0.1), 1, 0),
    12: _Signal(5, 2, 1, 0.5, 0, (0.4, 0, 0.05, 0.15), 1, 0),
    13: _Signal(5, 1, 1, 9, 0, (0.5, 0.2, 0.2, 0.5), 1, 0, 0.01),
    14: _Signal(7, 1, 2, 2, 0.0005, (0.8, 0.8, 0.8, 0.4), 4, 57),
    15: _Signal(7, 4, 1, 0.05, 0, (0.01, 0.01, 1.8, 0.1), 1, -85),
    16: _Signal(7, 1, 2, 3, 0, (0.8, 0.8, 0.8, 0.4), 4, 29, 1, (209, 150)),
    17: _Signal(7, 0, 2, 6, 0, (0, 0, 0.8, 0.4), 4, 1),
}


def daily_benchmark(
    repetitions: int = 100,
    *,
    signals: Sequence[int] | None = None,
    size: float = _SPIKE_SIZE,
    seed: int | None = None,
) -> Benchmark:
    r"""Generate daily series with weekday patterns, seasons and one spike to be detected.

    The mean of a reporting day is :math:`\exp(\alpha + \beta t' + \ldots)` with harmonics of the year (52
    weeks) and of the week of :math:`t' = t + \text{shift}`; counts are negative binomial with variance
    :math:`\phi \mu`, then scaled and rounded. Three signals have a large outbreak each year, which is part of
    the season. In the last 49 weeks a spike starts, of Poisson size with mean `size` standard deviations
    times the days of the week, at least 2 cases, with log-normal delays of about a week. Signals of 5 days
    have no cases on the 6th and 7th.

    Parameters
    ----------
    repetitions : int
        Series of each signal.
    signals : sequence of int, optional
        Numbers from 1 to 17 but 2, as in the paper; all 16 by default.
    size : float
        Size of the spike.
    seed : int, optional
        The same seed gives the same series.

    Returns
    -------
    Benchmark
        Days in rows, 2,548 of them; series in the order of repetitions, then signals.

    Raises
    ------
    ValueError
        If a signal is unknown, there are no repetitions, or `size` is not above 0.

    Source
    ------
    Noufaily et al. 2019, Bioinformatics 35(17):3110-3118, section 2.4, doi:10.1093/bioinformatics/bty997. Of
    the paper's model, bank holidays are left out.
    """
    if repetitions < 1:
        raise ValueError(f"repetitions must be at least 1 (it is {repetitions})")
    if not size > 0.0:
        raise ValueError(f"size must be above 0 (it is {size})")
    numbers = [*_SIGNALS] if signals is None else checked_choice(signals, max(_SIGNALS), "signals")
    if 2 in numbers:
        raise ValueError("signals must be numbers from 1 to 17 but 2: the paper has no signal 2")
    generator = np.random.default_rng(seed)
    made = [_series(_SIGNALS[number], size, generator) for _ in range(repetitions) for number in numbers]
    counts, spikes = (np.column_stack(part) for part in zip(*made, strict=True))
    days = 7 * _WEEKS_A_YEAR * _YEARS
    evaluate = np.arange(days - 7 * _TESTED_WEEKS, days, dtype=np.intp)
    return Benchmark(counts, spikes, np.array(numbers * repetitions, np.int64), evaluate)


def _series(signal: _Signal, size: float, generator: np.random.Generator) -> tuple[Counts, Counts]:
    mean = _mean(signal)
    length = len(mean)
    deviation = np.sqrt(signal.phi * mean)
    baseline = signal.scale * noisy_counts(mean, signal.phi, generator)
    if signal.season:
        earliest, cases = signal.season
        for year in range(_YEARS):
            start = year * _WEEKS_A_YEAR * signal.days + earliest + int(generator.integers(_STARTS))
            expected = _SEASON_SIZE * signal.days * cases * deviation[start]
            baseline = baseline + _reported(
                outbreak(start, expected, length, generator, step=_SEASON_STEP), signal
            )
    start = length - _TESTED_WEEKS * signal.days + int(generator.integers(_TESTED_WEEKS * signal.days))
    expected = size * signal.days * deviation[start]
    spike = np.rint(_reported(outbreak(start, expected, length, generator, step=_SPIKE_STEP), signal))
    return _whole_weeks(np.rint(baseline) + spike, signal), _whole_weeks(spike, signal)


def _mean(signal: _Signal) -> Floats:
    day = np.arange(1, _YEARS * _WEEKS_A_YEAR * signal.days + 1) + signal.shift
    exponent = signal.alpha + signal.beta * day
    cosine, sine, weekly_cosine, weekly_sine = signal.gamma
    for harmonic in range(1, signal.yearly + 1):
        turn = 2.0 * np.pi * harmonic * day / (_WEEKS_A_YEAR * signal.days)
        exponent = exponent + cosine * np.cos(turn) + sine * np.sin(turn)
    for harmonic in range(1, signal.weekly + 1):
        turn = 2.0 * np.pi * harmonic * day / signal.days
        exponent = exponent + weekly_cosine * np.cos(turn) + weekly_sine * np.sin(turn)
    return np.asarray(np.exp(exponent))


def _reported(cases: Counts, signal: _Signal) -> Floats:
    return np.asarray(cases * np.resize(np.array(_REPORTED[signal.days]), len(cases)), np.float64)


def _whole_weeks(cases: Floats, signal: _Signal) -> Counts:
    """Add the days of the week without reports."""
    weeks = cases.reshape(-1, signal.days)
    return np.pad(weeks, ((0, 0), (0, 7 - signal.days))).ravel().astype(np.int64)
