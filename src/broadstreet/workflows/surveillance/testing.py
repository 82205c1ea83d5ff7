"""Runs the tests that are due: sources first, then series against what the reporting sources let expect, and
the scan."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from broadstreet.model.records import Evidence
from broadstreet.workflows.surveillance.arrivals import Arrivals
from broadstreet.workflows.surveillance.budget import Budget
from broadstreet.workflows.surveillance.days import number_of
from broadstreet.workflows.surveillance.dismissals import Excess
from broadstreet.workflows.surveillance.evidence import Witness
from broadstreet.workflows.surveillance.feeds import LEAST_REPORTING, RUNS, Reporting, Silence, silences
from broadstreet.workflows.surveillance.keys import Key
from broadstreet.workflows.surveillance.outages import Outages
from broadstreet.workflows.surveillance.places import Places
from broadstreet.workflows.surveillance.rule import Rule, Tested, promising, test_day
from broadstreet.workflows.surveillance.scanning import WINDOW, scanned
from broadstreet.workflows.surveillance.sheet import Sheet
from broadstreet.workflows.surveillance.strata import Series
from broadstreet.workflows.surveillance.tables import FACILITY_PLACE

ACTIVE = 56
"""Days: a series without a visit for so long is not counted among the tests of a night."""
Silent = dict[str, dict[int, float]]
"""Of each source, by id: the share of its visits that came on the days of its silences."""


class Testing:
    """The tests of one batch.

    Parameters
    ----------
    sheet, witness
        The counts, and the visits behind them.
    rule, budget, places
        The settings.
    corrections
        Of the budget, by stream.
    arrivals
        How late visits come.
    excess
        What was dismissed of the days before.
    """

    __test__ = False

    def __init__(
        self,
        sheet: Sheet,
        witness: Witness,
        rule: Rule,
        budget: Budget,
        places: Places,
        corrections: Mapping[str, float],
        arrivals: Arrivals,
        excess: Excess,
    ) -> None:
        self._sheet, self._witness, self._rule = sheet, witness, rule
        self._budget, self._places, self._corrections = budget, places, corrections
        self._arrivals, self._excess = arrivals, excess
        self._begins: dict[int, int] = {}
        self._expected: dict[int, Tested] = {}

    def silences(self, cells: Collection[tuple[Series, int]], outages: Outages) -> list[Evidence]:
        """Return those of the cells whose sources are silent, each as evidence; `outages` takes them in."""
        feeds = self._sheet.feeds()
        found: list[Evidence] = []
        # counts of days before history began anew are compared with nothing
        days = sorted({day for _, day in cells if self._sheet.first <= day <= self._sheet.last})
        for day in days if feeds else ():
            for silence in self._silences(feeds, day, outages):
                if (silence.series, day) in cells:
                    found.append(self._witness.of_silence(silence))
                    outages.add(found[-1])
        return found

    def _silences(self, feeds: Sequence[Series], day: int, outages: Outages) -> list[Silence]:
        days = [day - ago for ago in range(max(RUNS)) if day - ago >= self._sheet.first]
        tested = [self._volumes(feeds, each, outages) for each in days]
        ongoing = {series for series in feeds if outages.is_ongoing(series, day)}
        return silences(self._sheet, feeds, day, tested, self._budget.a_month, ongoing)

    def _volumes(self, feeds: Sequence[Series], day: int, outages: Outages) -> Tested:
        """Return what is expected of the sources on a day, as the days let expect on which they sent."""
        if day not in self._expected:
            counts = self._up_to(day)[:, [self._sheet.columns[series] for series in feeds]]
            delays, begin = self._arrivals.of(feeds, day), self._begins[day]
            known = outages.known(feeds, begin, day)
            self._expected[day] = test_day(counts, begin, self._rule, 0.01, delays, known)
        return self._expected[day]

    def rises(self, cells: Iterable[tuple[Series, int]], silent: Silent) -> list[Evidence]:
        """Return those of the cells that stand out, each as evidence."""
        by_day: defaultdict[int, list[Series]] = defaultdict(list)
        for series, day in cells:
            if series in self._sheet.columns and self._sheet.first <= day <= self._sheet.last:
                by_day[day].append(series)
        reporting = Reporting(self._sheet, silent)
        return [each for day in sorted(by_day) for each in self._rises(day, sorted(by_day[day]), reporting)]

    def clusters(self, day: int) -> list[Evidence]:
        """Return the areas that stand out on a day."""
        streams = sorted({series.stream for series in self._sheet.tested()})
        if not self._places.by_code or not streams:
            return []
        level = self._budget.level_of_scan(len(streams))
        first = max(day - WINDOW + 1, self._sheet.first)
        return [
            self._witness.of_area(found, first, day)
            for found in scanned(self._sheet, day, self._places, streams)
            if found.chance < level / self._corrections.get(found.stream, 1.0)
        ]

    def _rises(self, day: int, series: Sequence[Series], reporting: Reporting) -> list[Evidence]:
        by_level: defaultdict[float, list[Series]] = defaultdict(list)
        for each in series:
            by_level[self._level(each)].append(each)
        return [
            evidence
            for level, some in by_level.items()
            for evidence in self._rises_at(level, day, some, reporting)
        ]

    def _rises_at(
        self, level: float, day: int, series: Sequence[Series], reporting: Reporting
    ) -> list[Evidence]:
        """Return what stands out among series of one level: all in one test, as dear as that of one."""
        counts, comparable = self._as_reported(day, series, reporting)
        delays = self._arrivals.of(series, day)
        may = comparable & promising(counts, self._rule, delays)
        if not may.any():
            return []
        some = list(itertools.compress(series, may.tolist()))
        delays = None if delays is None else delays[:, may]
        tested = test_day(counts[:, may], self._begins[day], self._rule, level, delays, None)
        return self._evidence(day, some, tested)

    def _as_reported(
        self, day: int, series: Sequence[Series], reporting: Reporting
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return counts as they would be with the reports of a day, and which of them can be told at all."""
        counts = self._up_to(day)[:, [self._sheet.columns[each] for each in series]]
        self._take_dismissed_away(counts, day, series)
        comparable = np.ones(len(series), np.bool_)
        by_place: defaultdict[str, list[int]] = defaultdict(list)
        for column, each in enumerate(series):
            by_place[each.place].append(column)
        for place, columns in by_place.items():
            whole = reporting.share(place)
            if whole is not None:
                share = whole[self._rows(day)]
                comparable[columns] = share[-1] >= LEAST_REPORTING
                counts[:, columns] = compared(counts[:, columns], share)
        return counts, comparable

    def _take_dismissed_away(self, counts: NDArray[np.int64], day: int, series: Sequence[Series]) -> None:
        dismissed = self._excess.before(day)
        at = {each: column for column, each in enumerate(series)} if dismissed else {}
        for each, past, more in dismissed:
            row = past - self._begins[day]
            if each in at and row >= 0:
                counts[row, at[each]] = max(counts[row, at[each]] - more, 0)

    def _evidence(self, day: int, series: Sequence[Series], tested: Tested) -> list[Evidence]:
        columns = (tested.expected, tested.upper, tested.score, tested.chance)
        return [
            self._witness.of_series(
                series[at], day, self._sheet.at(series[at], day),
                tuple(float(each[at]) for each in columns), tested.method,  # type: ignore[arg-type]
            )
            for at in np.flatnonzero(tested.alarm).tolist()
        ]  # fmt: skip

    def _level(self, series: Series) -> float:
        return self._budget.level_of_series(self._tests) / self._corrections.get(series.stream, 1.0)

    @cached_property
    def _tests(self) -> int:
        return active_tests(self._sheet)

    def _up_to(self, day: int) -> NDArray[np.int64]:
        return self._sheet.table[self._rows(day)]

    def _rows(self, day: int) -> slice:
        """Return the rows of the history of a day, itself the last."""
        if day not in self._begins:
            self._begins[day] = self._sheet.begin(day)
        return slice(self._begins[day] - self._sheet.first, day + 1 - self._sheet.first)


def active_tests(sheet: Sheet) -> int:
    """Return how many series are tested in a night: those with a visit in the last weeks."""
    recent = np.asarray(sheet.table[-ACTIVE:].any(axis=0))
    return sum(bool(recent[sheet.columns[series]]) for series in sheet.tested())


def compared(counts: NDArray[np.int64], share: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the counts of the past as they would be with the reports of the last day.

    A day with the share e of its usual reports is scaled by e(last) / e; a day of which next to nothing was
    reported takes the mean of the same weekday of other weeks.

    Parameters
    ----------
    counts : ndarray of int64, shape (days, series)
        The last day is the one that is tested; it stays as it is.
    share : ndarray of float64, shape (days,)
        Of the usual reports.
    """
    known = share >= LEAST_REPORTING
    scaled = counts * (share[-1] / np.where(known, share, 1.0))[:, np.newaxis]
    for weekday in range(7):
        same = (len(counts) - 1 - np.arange(len(counts))) % 7 == weekday
        if (same & known).any():
            scaled[same & ~known] = scaled[same & known].mean(axis=0)
    told = np.asarray(np.rint(scaled), np.int64)
    told[-1] = counts[-1]
    return told


def silent_days(evidence: Iterable[Evidence]) -> Silent:
    """Return what share of its visits each source sent on the days that it was silent."""
    silent: defaultdict[str, dict[int, float]] = defaultdict(dict)
    for each in evidence:
        source = each.where.place[len(FACILITY_PLACE) :]
        share = min(each.observed / each.expected, 1.0) if each.expected > 0 else 1.0
        for day in range(number_of(each.since or each.day), number_of(each.day)):
            silent[source].setdefault(day, share)
        silent[source][number_of(each.day)] = share
    return dict(silent)


def keys_of(cells: Iterable[tuple[Series, int]]) -> set[Key]:
    """Return the cells as keys of evidence."""
    return {(*series, day) for series, day in cells}
