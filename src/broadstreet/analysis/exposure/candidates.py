"""What cases and controls say about every place between two days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.exposure.asked import Asked
from broadstreet.analysis.exposure.visited import Visited
from broadstreet.analysis.transmission.intervals import Interval

Floats = NDArray[np.float64]

_KAPPA = 10.0  # controls that the common rate of a place counts for, beside those of a case's own stratum
_TOGETHER = 0.5  # how likely a member of a home or workplace comes along, where another one reports a place


@dataclass(frozen=True)
class Window:
    """Days before onset in which a case can have been infected, and how probable each is."""

    first: int
    last: int
    incubation: Interval | None

    def probability(self, days_before: NDArray[np.int64]) -> Floats:
        """Return how probable an onset so many days after infection is."""
        inside = (days_before >= self.first) & (days_before <= self.last)
        if self.incubation is None:
            return inside / (self.last - self.first + 1.0)
        return np.where(inside, self.incubation.at(days_before), 0.0)


@dataclass(frozen=True)
class Span:
    """Days, both included, counted from the first that is looked at."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """Number of days."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class Sight:
    """All places between two days.

    Attributes
    ----------
    span : Span
    reported : ndarray of bool, shape (cases, places)
        Whether a case reports a visit on a day on which it can have been infected.
    expected : ndarray, shape (cases, places)
        Probability that a person like the case does.
    controls : ndarray, shape (places,)
        Controls that report a visit, of the cases' windows on average.
    timing : ndarray, shape (cases, places)
        Density of the onset, had the case been infected there then.
    """

    span: Span
    reported: NDArray[np.bool_]
    expected: Floats
    controls: Floats
    timing: Floats


def spans(days: int, longest: int) -> Iterator[Span]:
    """Yield every run of days up to a length."""
    for length in range(1, min(longest, days) + 1):
        for first in range(days - length + 1):
            yield Span(first, first + length - 1)


class Sights:
    """Look at all places between two days, again and again."""

    def __init__(self, asked: Asked, visited: Visited, window: Window) -> None:
        self._asked, self._visited, self._window = asked, visited, window
        self._onset = asked.onset - visited.first_day
        self._cases = _CaseVisits.of(visited, self._onset, window)
        self._is_control = visited.person >= asked.cases
        self._strata = int(asked.stratum.max()) + 1
        self._in_stratum = np.bincount(asked.stratum[asked.cases :], minlength=self._strata)
        self._rates_of: dict[tuple[int, int], tuple[Floats, Floats]] = {}
        self._company = list(_company(asked))

    def at(self, span: Span) -> Sight:
        """Return what is known about all places in a span."""
        asked, places = self._asked, len(self._visited.places)
        reported, timing = self._cases.between(span, places)
        first = np.maximum(span.first, self._onset - self._window.last)
        last = np.minimum(span.last, self._onset - self._window.first)
        expected, controls = np.zeros((asked.cases, places)), np.zeros((asked.cases, places))
        for begin, end in {*zip(first.tolist(), last.tolist(), strict=True)}:
            if end >= begin:
                who = np.flatnonzero((first == begin) & (last == end))
                rate, count = self._rates(begin, end)
                expected[who], controls[who] = rate[asked.stratum[who]], count
        for members in self._company:
            _come_along(expected, reported, members)
        inside = last >= first
        mean = controls[inside].mean(axis=0) if inside.any() else np.zeros(places)
        return Sight(span, reported, expected, mean, timing)

    def _rates(self, begin: int, end: int) -> tuple[Floats, Floats]:
        """Return the share of each stratum that visits each place, drawn to that of all; how many do."""
        if (begin, end) not in self._rates_of:
            there = self._visited.between(begin, end) & self._is_control
            person, place = self._visited.person[there], self._visited.place[there]
            places = len(self._visited.places)
            cell = self._asked.stratum[person] * places + place
            seen = np.bincount(cell, minlength=self._strata * places).reshape(self._strata, places)
            count = seen.sum(axis=0).astype(np.float64)
            common = (count + 0.5) / (self._asked.controls + 1.0)
            rate = (seen + _KAPPA * common) / (self._in_stratum[:, np.newaxis] + _KAPPA)
            self._rates_of[begin, end] = rate, count
        return self._rates_of[begin, end]


@dataclass(frozen=True)
class _CaseVisits:
    """Days on which cases were at places and can have been infected, summed up from the first day on.

    `days` and `density` have the shape (pairs of case and place, days + 1), `all_days` and `all_density`
    (cases, days + 1), these for every day of the case's window, visited or not.
    """

    case: NDArray[np.int64]
    place: NDArray[np.int64]
    days: Floats
    density: Floats
    all_days: Floats
    all_density: Floats

    @classmethod
    def of(cls, visited: Visited, onset: NDArray[np.int64], window: Window) -> _CaseVisits:
        """Sum up the visits of cases."""
        pairs = np.flatnonzero(visited.person < len(onset))
        case, day = visited.person[pairs], np.arange(visited.days)
        before = onset[:, np.newaxis] - day
        inside = (before >= window.first) & (before <= window.last)
        density = window.probability(before)
        there = (visited.following[pairs, :-1] == day) & inside[case]
        return cls(
            case,
            visited.place[pairs],
            _summed(there),
            _summed(there * density[case]),
            _summed(inside),
            _summed(density),
        )

    def between(self, span: Span, places: int) -> tuple[NDArray[np.bool_], Floats]:
        """Return which cases report which places in a span, and the density of their onset if infected there.

        Where a visit is reported it is the mean over the days of the visits, else over all days.
        """
        cases = len(self.all_days)
        mean = _mean(self.all_density, self.all_days, span)
        timing = np.repeat(mean[:, np.newaxis], places, axis=1)
        reported = np.zeros((cases, places), bool)
        seen = (self.days[:, span.last + 1] - self.days[:, span.first]) > 0.0
        reported[self.case[seen], self.place[seen]] = True
        timing[self.case[seen], self.place[seen]] = _mean(self.density[seen], self.days[seen], span)
        return reported, timing


def _summed(values: NDArray[Any]) -> Floats:
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)


def _mean(total: Floats, number: Floats, span: Span) -> Floats:
    summed = total[:, span.last + 1] - total[:, span.first]
    days = number[:, span.last + 1] - number[:, span.first]
    return np.divide(summed, days, out=np.zeros(len(total)), where=days > 0.0)


def _company(asked: Asked) -> Iterator[NDArray[np.int64]]:
    """Yield the cases that share a home or a workplace, in the order of their onset."""
    for number in asked.shared.values():
        groups = number[: asked.cases]
        for group in np.flatnonzero(np.bincount(groups[groups >= 0]) > 1):
            members = np.flatnonzero(groups == group)
            yield members[np.argsort(asked.onset[members], kind="stable")]


def _come_along(expected: Floats, reported: NDArray[np.bool_], members: NDArray[np.int64]) -> None:
    """Take who lives or works with an earlier case that reports a place as likely to come along."""
    before = np.zeros(reported.shape[1], bool)
    for member in members:
        expected[member, before] = np.maximum(expected[member, before], _TOGETHER)
        before |= reported[member]
