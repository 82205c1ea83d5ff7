"""What many series let expect, alone or informed by their group."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broadstreet.analysis.aberration import rhythm
from broadstreet.analysis.aberration.circumstances import Pace, Reported, checked_holidays
from broadstreet.analysis.aberration.watch import Outlook, Priors, Series, watch

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Counts = NDArray[np.int64]
Item = TypeVar("Item")
Result = TypeVar("Result")

MEMORY_YEARS = 5.0  # after so long the past counts half: levels drift
_GROUP_DEVIATION = 0.1  # by which a season's coefficients differ within a group
_GROUP_CASES = 40.0  # weight of the group's days of the week
_GROUP_TIMES = 30.0  # weight of the group's dispersion


@dataclass(frozen=True, slots=True, eq=False)
class Outlooks:
    """Hold what is expected.

    Attributes
    ----------
    counts, means : ndarray, shape (evaluated, series, window)
        Newest first; means are NaN where there is nothing to expect them from, and before the series begins.
    spreads : ndarray, shape (evaluated, series, window)
        Dispersion of the counts about the means.
    uncertainty : ndarray, shape (evaluated, series)
        Variance of the log of the means' common error.
    """

    counts: Floats
    means: Floats
    spreads: Floats
    uncertainty: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Hold what the series share: the pace, the calendar, how complete the counts are."""

    pace: Pace
    basis: Floats
    holiday: Integers
    reported: Reported

    @classmethod
    def of(
        cls,
        shape: tuple[int, int],
        frequency: int,
        dates: ArrayLike | None,
        holidays: ArrayLike | None,
        reported: Reported,
    ) -> Scene:
        """Check and hold what is known about the times."""
        pace = Pace.of(frequency)
        return cls(pace, pace.basis(shape[0], dates), checked_holidays(holidays, shape[0]), reported)

    def series(self, counts: Counts, share: Floats, doubt: Floats) -> Series:
        """Return one series in its circumstances."""
        time = np.arange(len(counts))
        return Series(
            counts.astype(np.float64), share, doubt, time % self.pace.cycle, self.holiday,
            int(self.holiday.max(initial=0)) + 1, self.basis, self.pace.cycle, self.pace.window,
            MEMORY_YEARS * self.pace.frequency,
        )  # fmt: skip

    def outlook(self, evaluated: int) -> Outlook:
        """Return an outlook to be filled."""
        coefficients = self.basis.shape[1]
        return Outlook(
            np.full((evaluated, self.pace.window), np.nan), np.full(evaluated, np.nan),
            np.full((evaluated, 3), np.nan), np.zeros((evaluated, coefficients)),
            np.zeros((evaluated, coefficients)), np.ones((evaluated, self.pace.cycle)),
        )  # fmt: skip

    def prior(self, evaluated: int) -> Priors:
        """Return what is likely before any data, alike for each series."""
        harmonics = self.pace.harmonics
        season = (rhythm.SEASON_DEVIATION / np.arange(1, harmonics + 1)) ** 2
        return Priors(
            np.zeros((evaluated, self.basis.shape[1])), np.full(evaluated, rhythm.TREND_DEVIATION**2),
            np.tile(season, (evaluated, 1)), np.ones((evaluated, self.pace.cycle)), rhythm.FACTOR_CASES,
        )  # fmt: skip

    def prior_of_group(self, total: Outlook) -> Priors:
        """Return what the sum of a group's series lets expect of each of them."""
        harmonics = self.pace.harmonics
        within = (_GROUP_DEVIATION / np.arange(1, harmonics + 1)) ** 2
        season = within + total.variance[:, 2:].reshape(-1, harmonics, 2).mean(axis=2)
        trend = _GROUP_DEVIATION**2 + total.variance[:, 1]
        return Priors(total.beta, trend, season, total.week, _GROUP_CASES)


def look_out(counts: Counts, times: Integers, scene: Scene, groups: Integers | None) -> Outlooks:
    """Return what is expected of each series at each of the times, which increase."""
    alone = [scene.prior(len(times))]
    label = np.zeros(counts.shape[1], np.int64) if groups is None else groups
    share, doubt = scene.reported.share, scene.reported.doubt

    def follow(own: Counts, column: int, prior: Priors) -> Outlook:
        at = min(column, share.shape[1] - 1)
        outlook = scene.outlook(len(times))
        watch(scene.series(own, share[:, at].copy(), doubt[:, at].copy()), times, prior, outlook)
        return outlook

    def follow_group(group: int) -> Priors:
        members = np.flatnonzero(label == group)
        total = counts[:, members].sum(axis=1)
        return scene.prior_of_group(follow(total, int(members[0]), alone[0]))

    priors = alone if groups is None else _side_by_side(follow_group, range(int(label.max(initial=-1)) + 1))
    found = _side_by_side(
        lambda column: follow(counts[:, column], column, priors[label[column]]), range(counts.shape[1])
    )
    return _together(counts, times, scene, found, groups)


def _side_by_side(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, items))


def _together(
    counts: Counts, times: Integers, scene: Scene, found: list[Outlook], groups: Integers | None
) -> Outlooks:
    series, window = counts.shape[1], scene.pace.window
    shape = (len(times), series)
    means, spread = np.empty((*shape, window)), np.empty((*shape, 3))
    uncertainty = np.empty(shape)
    for column, outlook in enumerate(found):
        means[:, column], spread[:, column] = outlook.means, outlook.spread
        uncertainty[:, column] = outlook.uncertainty
    at = np.maximum(times[:, np.newaxis] - np.arange(window), 0)
    dispersion = spread[..., 0] if groups is None else _pooled(spread, groups)
    share = np.broadcast_to(scene.reported.share, counts.shape)[at].transpose(0, 2, 1)
    # Of cases that are reported with probability p: the variance of a negative binomial count, thinned
    spreads = 1.0 + share * (dispersion[..., np.newaxis] - 1.0)
    return Outlooks(
        counts[at].transpose(0, 2, 1).astype(np.float64), means, np.maximum(spreads, 1.0), uncertainty
    )


def _pooled(spread: Floats, groups: Integers) -> Floats:
    """Draw each dispersion towards the geometric mean of its group, by what it rests on."""
    own, rests_on = spread[..., 1], np.nan_to_num(spread[..., 2])
    logs = np.log(np.maximum(spread[..., 0], 1.0))
    pooled = np.empty(own.shape)
    for group in range(int(groups.max(initial=-1)) + 1):
        members = groups == group
        weight = rests_on[:, members] + 1e-9
        mean = (weight * np.nan_to_num(logs[:, members])).sum(axis=1) / weight.sum(axis=1)
        total = rests_on[:, members] + _GROUP_TIMES
        drawn = rests_on[:, members] * own[:, members] + _GROUP_TIMES * np.exp(mean)[:, np.newaxis]
        pooled[:, members] = drawn / total
    return np.maximum(pooled, 1.0)
