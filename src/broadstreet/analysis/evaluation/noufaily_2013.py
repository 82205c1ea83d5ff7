"""The 42 weekly scenarios of Noufaily et al. 2013."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from broadstreet.analysis.evaluation.benchmark import (
    Benchmark,
    Counts,
    Floats,
    checked_choice,
    noisy_counts,
    outbreak,
)

# Noufaily et al. 2013, section 4.1: 624 weeks, of which the last 49 are tested; four past outbreaks in weeks
# 313 to 575 and one to be detected, starting in weeks 576 to 624.
_WEEKS = 624
_PAST = range(312, 575)
_TESTED = range(575, 624)
_PAST_OUTBREAKS = 4
_PAST_SIZES = (0, 2, 3, 5, 10)  # standard deviations of the week in which they start
_SIZES = range(1, 11)
_WEEKS_A_YEAR = 52


@dataclass(frozen=True, slots=True)
class _Family:
    """A row of the paper's table 1 in its six forms: with a trend or without, and 0, 1 or 2 harmonics."""

    theta: float
    beta: float
    gamma_1: float
    gamma_2: float
    phi: float


# Noufaily et al. 2013, table 1. Scenarios 1 to 6 are the forms of the first row, and so on.
_FAMILIES = (
    _Family(0.1, 0.0025, 0.6, 0.6, 1.5),
    _Family(-2.0, 0.005, 0.1, 0.3, 2.0),
    _Family(1.5, 0.003, 0.2, -0.4, 1.0),
    _Family(0.5, 0.002, 0.5, 0.5, 5.0),
    _Family(2.5, 0.001, 1.0, 0.1, 3.0),
    _Family(3.75, 0.001, 0.1, -0.1, 1.1),
    _Family(5.0, 0.0001, 0.05, 0.01, 1.2),
)
_FORMS = tuple(product((False, True), (0, 1, 2)))  # trend, harmonics
SCENARIOS = len(_FAMILIES) * len(_FORMS)


def weekly_benchmark(
    repetitions: int = 100, *, scenarios: Sequence[int] | None = None, seed: int | None = None
) -> Benchmark:
    r"""Generate weekly series with outbreaks.

    The mean is :math:`\mu(t) = \exp(\theta + \beta t + \sum_{j=1}^m (\gamma_1 \cos(2 \pi j t / 52) + \gamma_2
    \sin(2 \pi j t / 52)))` in week :math:`t`, and counts are negative binomial with variance
    :math:`\phi \mu(t)`. The size of an outbreak is Poisson with mean :math:`k \sqrt{\phi \mu}` in the week it
    starts, at least 2 cases, with log-normal delays (mean 0 and standard deviation 0.5 of the logarithm, in
    weeks). Each series has four past outbreaks of one :math:`k` from 0, 2, 3, 5, 10, and one of :math:`k`
    from 1 to 10 in the last 49 weeks, which is to be detected.

    Parameters
    ----------
    repetitions : int
        Series of each scenario.
    scenarios : sequence of int, optional
        Numbers from 1 to 42; all by default.
    seed : int, optional
        The same seed gives the same series.

    Returns
    -------
    Benchmark
        Series in the order of repetitions, then scenarios.

    Raises
    ------
    ValueError
        If a scenario is unknown, or there are no repetitions.

    Source
    ------
    Noufaily et al. 2013, Stat Med 32(7):1206-1222, section 4.1 and table 1, doi:10.1002/sim.5595.
    """
    if repetitions < 1:
        raise ValueError(f"repetitions must be at least 1 (it is {repetitions})")
    numbers = checked_choice(scenarios, SCENARIOS, "scenarios") * repetitions
    generator = np.random.default_rng(seed)
    counts = np.empty((_WEEKS, len(numbers)), np.int64)
    current = np.zeros_like(counts)
    for column, number in enumerate(numbers):
        family, (trend, harmonics) = _FAMILIES[(number - 1) // 6], _FORMS[(number - 1) % 6]
        mean = _mean(family, trend=trend, harmonics=harmonics)
        deviation = np.sqrt(family.phi * mean)
        past = _past_outbreaks(deviation, generator)
        start = int(generator.choice(_TESTED))
        size = generator.choice(_SIZES) * deviation[start]
        current[:, column] = outbreak(start, size, _WEEKS, generator)
        counts[:, column] = noisy_counts(mean, family.phi, generator) + past + current[:, column]
    return Benchmark(counts, current, np.array(numbers, np.int64), np.array(_TESTED, np.intp))


def _mean(family: _Family, *, trend: bool, harmonics: int) -> Floats:
    week = np.arange(1, _WEEKS + 1)
    exponent = family.theta + trend * family.beta * week
    for harmonic in range(1, harmonics + 1):
        turn = 2.0 * np.pi * harmonic * week / _WEEKS_A_YEAR
        exponent = exponent + family.gamma_1 * np.cos(turn) + family.gamma_2 * np.sin(turn)
    return np.asarray(np.exp(exponent))


def _past_outbreaks(deviation: Floats, generator: np.random.Generator) -> Counts:
    size = generator.choice(_PAST_SIZES)
    cases = np.zeros(_WEEKS, np.int64)
    if size:
        for start in generator.choice(_PAST, _PAST_OUTBREAKS, replace=False):
            past = outbreak(int(start), size * deviation[start], _WEEKS, generator)
            past[_TESTED.start :] = 0
            cases += past
    return cases
