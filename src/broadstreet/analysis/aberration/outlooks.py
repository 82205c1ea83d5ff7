"""What many series let expect, alone or informed by their group."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broadstreet.analysis.aberration import rhythm
from broadstreet.analysis.aberration.circumstances import Pace, Reported, checked_holidays
from broadstreet.analysis.aberration.watch import Many, Outlook, Priors, watch_many

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Counts = NDArray[np.int64]
Item = TypeVar("Item")
Result = TypeVar("Result")

MEMORY_YEARS = 5.0  # after so long the past counts half: levels drift
_GROUP_DEVIATION = 0.1  # by which a season's coefficients differ within a group
_GROUP_CASES = 40.0  # weight of the group's days of the week
_GROUP_TIMES = 30.0  # weight of the group's dispersion
_CELLS_AT_A_TIME = 30_000


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
    cycle : int
        Times a week, or 1.
    """

    counts: Floats
    means: Floats
    spreads: Floats
    uncertainty: Floats
    cycle: int


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

    def only(self, series: Integers) -> Scene:
        """Return the scene of some of the series."""
        return replace(self, reported=self.reported.only(series))

    def many(self, counts: Counts, series: Integers) -> Many:
        """Return some of the series in their circumstances."""
        length, share = len(counts), self.reported.share
        rows = series if share.shape[1] > 1 else series[:1] * 0
        return Many(
            np.ascontiguousarray(counts[:, series].T, np.float64),
            np.ascontiguousarray(share[:, rows].T), np.ascontiguousarray(self.reported.doubt[:, rows].T),
            self.holiday, int(self.holiday.max(initial=0)) + 1, self.basis, self.pace.cycle,
            self.pace.window, 0.5 ** (np.arange(length - 1, -1, -1) / (MEMORY_YEARS * self.pace.frequency)),
        )  # fmt: skip

    def together(self, counts: Counts, members: Integers, first: int) -> Many:
        """Return the sum of a group's series, its reported share weighted by their counts before `first`."""
        whole = self.many(counts, members)
        cases = whole.counts[:, : max(first, 1)].sum(axis=1) + rhythm.HALF_A_CASE
        weight = cases / cases.sum() if len(whole.exposure) > 1 else np.ones(1)
        exposure, doubt = (weight[np.newaxis, :] @ each for each in (whole.exposure, whole.doubt))
        return whole._replace(counts=whole.counts.sum(axis=0, keepdims=True), exposure=exposure, doubt=doubt)

    def outlook(self, series: int, evaluated: int) -> Outlook:
        """Return outlooks to be filled, one a row."""
        shape, coefficients = (series, evaluated), self.basis.shape[1]
        return Outlook(
            np.full((*shape, self.pace.window), np.nan), np.full(shape, np.nan),
            np.full((*shape, 3), np.nan), np.zeros((*shape, coefficients)),
            np.zeros((*shape, coefficients)), np.ones((*shape, self.pace.cycle)),
            np.zeros((*shape, self.pace.window)),
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
    alone = scene.prior(len(times))
    found = scene.outlook(counts.shape[1], len(times))

    first = int(times.min(initial=len(counts)))

    def follow_group(members: Integers) -> Priors:
        outlook = scene.outlook(1, len(times))
        watch_many(scene.together(counts, members, first), times, alone, outlook)
        return scene.prior_of_group(Outlook(*(each[0] for each in outlook)))

    def follow(part: tuple[Integers, Priors]) -> None:
        series, priors = part
        outlooks = scene.outlook(len(series), len(times))
        watch_many(scene.many(counts, series), times, priors, outlooks)
        for whole, some in zip(found, outlooks, strict=True):
            whole[series] = some

    label = np.zeros(counts.shape[1], np.int64) if groups is None else groups
    members = [np.flatnonzero(label == group) for group in range(int(label.max(initial=-1)) + 1)]
    priors = [alone] * len(members) if groups is None else side_by_side(follow_group, members)
    side_by_side(follow, list(_parts(members, priors, len(counts))))
    return _together(counts, times, scene, found, groups)


def _parts(
    groups: Sequence[Integers], priors: Sequence[Priors], length: int
) -> Iterator[tuple[Integers, Priors]]:
    """Yield a few series at a time, with what is likely of them: as many as fit the cache."""
    step = max(_CELLS_AT_A_TIME // max(length, 1), 1)
    for members, prior in zip(groups, priors, strict=True):
        for first in range(0, len(members), step):
            yield members[first : first + step], prior


def side_by_side(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return what a function that leaves the interpreter's lock makes of each item."""
    if len(items) < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, items))


def _together(
    counts: Counts, times: Integers, scene: Scene, found: Outlook, groups: Integers | None
) -> Outlooks:
    at = np.maximum(times[:, np.newaxis] - np.arange(scene.pace.window), 0)
    spread = found.spread.swapaxes(0, 1)
    dispersion = spread[..., 0] if groups is None else _pooled(spread, groups)
    share = np.broadcast_to(scene.reported.share, counts.shape)[at].transpose(0, 2, 1)
    # Of cases that are reported with probability p: the variance of a negative binomial count, thinned
    spreads = 1.0 + share * (dispersion[..., np.newaxis] - 1.0) + found.day_error.swapaxes(0, 1)
    return Outlooks(
        counts[at].transpose(0, 2, 1).astype(np.float64), np.ascontiguousarray(found.means.swapaxes(0, 1)),
        np.maximum(spreads, 1.0), np.ascontiguousarray(found.uncertainty.T), scene.pace.cycle,
    )  # fmt: skip


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
