"""Which sources have fallen silent, and what is missing of each place's counts for it.

The volume of each source is a series itself. Where one reports less than its own past lets expect, that is a
signal of its own; and since its visits are then missing, whatever else is tested is compared with what the
sources that do report let expect.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.workflows.surveillance.budget import MONTH
from broadstreet.workflows.surveillance.rule import Tested
from broadstreet.workflows.surveillance.sheet import CITY_VISITS, Sheet
from broadstreet.workflows.surveillance.strata import REPORTER, Series
from broadstreet.workflows.surveillance.tables import CITY, FACILITY_PLACE, VISITS

RUNS = (1, 2, 3)
"""Days over which a source's visits are added up: one that sends little is found silent after some days. Each
day has its own expectation: a Sunday is not a Monday."""
SHARE_OVER = 56
"""Days from which a source's share of a place is taken: the last ones on which it reported."""
LEAST_EXPECTED = 1.0
"""Visits in a run: of a source that hardly sends, nobody can say that it is silent."""
RETURNED = 0.75
"""A source is no longer silent once a day, or two or three together, have so much of the usual visits."""
LEAST_REPORTING = 0.25
"""Share of a place's usual visits; where less is left, it is not tested."""

Floats = NDArray[np.float64]


class Silence(NamedTuple):
    """A source whose visits are too few: since when, what came and what was expected on the day tested."""

    series: Series
    day: int
    since: int
    observed: int
    expected: float
    lower: float
    chance: float


def silences(
    sheet: Sheet,
    feeds: Sequence[Series],
    day: int,
    tested: Sequence[Tested],
    a_month: float,
    ongoing: Collection[Series] = (),
) -> list[Silence]:
    """Return the sources that are silent on a day.

    Parameters
    ----------
    sheet, feeds
        The counts, and the series of the sources.
    day
        The day.
    tested
        What is expected of each of them on that day and on those before it, the newest first, and how it
        spreads.
    a_month
        False alarms of silence that are allowed in a month.
    ongoing
        The sources that were silent before: they are until their volume has come back.
    """
    level = a_month / MONTH / max(len(feeds), 1) / len(RUNS)
    found = []
    for number, series in enumerate(feeds):
        means = [float(each.expected[number]) for each in tested]
        spread = float(tested[0].dispersion[number])
        if not np.isfinite(means[0]) or not np.isfinite(spread):
            continue
        row = day - sheet.first
        counts = sheet.of(series)[max(row + 1 - max(RUNS), 0) : row + 1]
        volume = _Volume(series, day, counts, means, spread)
        silence = volume.lasting(level) if series in ongoing else volume.begun(level)
        if silence is not None:
            found.append(silence)
    return found


@dataclass(frozen=True)
class _Volume:
    """What a source sent on a day and on those before it; `means` is what was expected, the newest first."""

    series: Series
    day: int
    counts: NDArray[np.int64]
    means: Sequence[float]
    spread: float

    def begun(self, level: float) -> Silence | None:
        """Return the silence, if there is so little that chance hardly brings it."""
        if self.counts[-1] > self.means[0] / 2:
            return None
        runs = (self._run(days, level) for days in RUNS)
        return next((each for each in runs if each is not None and each.chance < level), None)

    def lasting(self, level: float) -> Silence | None:
        """Return the silence, unless a run of days has nearly all of its usual visits again."""
        came = [(int(self.counts[-days:].sum()), sum(self.means[:days])) for days in RUNS]
        if any(observed and observed > RETURNED * mean for observed, mean in came):
            return None
        runs = [each for days in RUNS if (each := self._run(days, level)) is not None]
        least = min((each.chance for each in runs), default=1.0)
        lower = float(_least(level, self.means[0], self.spread))
        return Silence(
            self.series, self.day, self.day, int(self.counts[-1]), self.means[0], lower, least
        )  # fmt: skip

    def _run(self, days: int, level: float) -> Silence | None:
        mean, observed = sum(self.means[:days]), int(self.counts[-days:].sum())
        if not mean >= LEAST_EXPECTED:  # too little, or a day without an expectation
            return None
        chance = _at_most(observed, mean, self.spread)
        lower = float(_least(level, mean, self.spread)) / days
        since, newest = self.day - days + 1, int(self.counts[-1])
        return Silence(self.series, self.day, since, newest, self.means[0], lower, chance)


class Reporting:
    """How much of its usual reports each place has on each day.

    With w the visits that a source usually reports of a place, and r the share of them that came on a day (1
    unless the source is silent, 0 before it first reported), a place has the share Σ w r / Σ w.

    Parameters
    ----------
    sheet
        The counts.
    silent
        Of each source, by its id, the share that came on the days of its silences.
    """

    def __init__(self, sheet: Sheet, silent: Mapping[str, Mapping[int, float]]) -> None:
        self._sheet, self._silent = sheet, silent
        self._of_place: defaultdict[str, list[Series]] = defaultdict(list)
        for series in sheet.columns:
            if series.stream == VISITS and series.stratum.startswith(REPORTER):
                self._of_place[series.place].append(series)
        self._of_place[CITY] = [
            s for s in sheet.columns if s.stream == VISITS and s.place.startswith(FACILITY_PLACE)
        ]
        self._known: dict[str, Floats | None] = {}
        self._by_source: dict[str, Floats] = {}
        self._everything = np.ones(len(sheet.table))

    def share(self, place: str) -> Floats | None:
        """Return the share of each day, shape (days,); None where nothing is missing on any day."""
        if place not in self._known:
            self._known[place] = self._share(place)
        return self._known[place]

    def missing(self, place: str, day: int) -> dict[str, float]:
        """Return the sources that are silent on a day, each with its share of the place's usual visits."""
        weights = {
            _source(series): self._weight(series, self._came(series)) for series in self._of_place[place]
        }
        total = sum(weights.values()) or 1.0
        return {
            source: weight / total
            for source, weight in sorted(weights.items())
            if weight and day in self._silent.get(source, {})
        }

    def _share(self, place: str) -> Floats | None:
        came = {series: self._came(series) for series in self._of_place[place]}
        if all(each is self._everything for each in came.values()):
            return None
        weights = {series: self._weight(series, each) for series, each in came.items()}
        total = sum(weights.values())
        unnamed = self._unnamed(place, came)
        if total + unnamed <= 0.0:
            return None
        reported = sum((weights[series] * each for series, each in came.items()), np.zeros(1))
        return np.asarray((reported + unnamed) / (total + unnamed))

    def _came(self, series: Series) -> Floats:
        source = _source(series)
        if source not in self._by_source:
            self._by_source[source] = self._came_of(source)
        return self._by_source[source]

    def _came_of(self, source: str) -> Floats:
        counts = self._sheet.of(Series(VISITS, FACILITY_PLACE + source, "all"))
        began = np.flatnonzero(counts)
        anybody = np.flatnonzero(self._sheet.of(CITY_VISITS))
        is_new = began.size and anybody.size and began[0] - anybody[0] > NEW_AFTER
        if not is_new and source not in self._silent:
            return self._everything
        came = np.ones_like(self._everything)
        if is_new:
            came[: began[0]] = 0.0
        for day, share in self._silent.get(source, {}).items():
            if 0 <= day - self._sheet.first < len(came):
                came[day - self._sheet.first] = share
        return came

    def _weight(self, series: Series, came: Floats) -> float:
        """Return the visits a day that a source reports of a place while it reports."""
        counts, came = self._sheet.of(series), came[-len(self._sheet.table) :]
        reporting = np.flatnonzero(came == 1.0)[-SHARE_OVER:]
        return float(counts[reporting].mean()) if reporting.size else 0.0

    def _unnamed(self, place: str, came: Iterable[Series]) -> float:
        """Return the visits a day of a place that name no source."""
        all_of = self._sheet.of(Series(VISITS, place, "all"))[-SHARE_OVER:]
        named = sum((self._sheet.of(series)[-SHARE_OVER:] for series in came), np.zeros(1))
        return float(np.maximum(all_of - named, 0.0).mean())


NEW_AFTER = 7
"""A source whose first visit comes so many days after the city's first one is new; less may be chance."""


def _source(series: Series) -> str:
    if series.place.startswith(FACILITY_PLACE):
        return series.place[len(FACILITY_PLACE) :]
    return series.stratum[len(REPORTER) :]


def _at_most(count: int, mean: float, dispersion: float) -> float:
    """Return the chance of at most so many; negative binomial with variance `dispersion * mean`."""
    from broadstreet.analysis.aberration.quantiles import count_probability

    return float(count_probability(np.array([float(count)]), *_moments(mean, dispersion))[0])


def _least(level: float, mean: float, dispersion: float) -> float:
    from broadstreet.analysis.aberration.quantiles import count_quantile

    return float(count_quantile(level, *_moments(mean, dispersion))[0])


def _moments(mean: float, dispersion: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.array([mean]), np.array([max(dispersion, 1.0)])
