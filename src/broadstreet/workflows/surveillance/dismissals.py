"""What an officer has dismissed, and which tests say no more than that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cached_property

from broadstreet.model.records import Evidence
from broadstreet.workflows.surveillance.days import number_of
from broadstreet.workflows.surveillance.keys import Key, key_of
from broadstreet.workflows.surveillance.strata import Series
from broadstreet.workflows.surveillance.tables import ALL, CITY, VISITS

GROWN = 1.25
"""Visits have grown where there are so many times as many; fewer are no news."""
LEAST_GROWTH = 3
"""Visits: where few were dismissed, one or two more are no news."""
WEIGH = 6
"""Days after its own on which what a day had too many of still weighs as evidence (`detect` takes seven
together)."""
MORE_MISSING = 0.25
"""A source of which so much more of the usual volume is missing than was dismissed is silent anew."""


class Dismissed:
    """What a signal rested on when an officer dismissed it.

    Parameters
    ----------
    evidence
        Its tests, as they were then.
    """

    def __init__(self, evidence: Iterable[Evidence]) -> None:
        self.seen: dict[Key, Evidence] = {key_of(each): each for each in evidence}
        self.last = max((key[3] for key in self.seen), default=0)

    def explains(self, test: Evidence) -> bool:
        """Whether a test says no more than was dismissed.

        The same test does unless it has grown; another one if it would not stand out without the visits
        that were dismissed. Of a silent source, every further day does on which no more is missing.
        """
        if test.where.stream == VISITS:
            return self._is_as_silent(test)
        seen = self.seen.get(key_of(test))
        if seen is not None:
            return not has_grown(test.observed, seen.observed)
        known = sum(id in self._visits for id in test.visits) if self._has_days_of(test) else 0
        if not known:
            return False
        rest = test.observed * (1.0 - known / len(test.visits))
        return rest <= max(test.upper, test.expected)

    @cached_property
    def _visits(self) -> frozenset[str]:
        return frozenset(id for each in self.seen.values() for id in each.visits)

    @cached_property
    def _first(self) -> int:
        return min((number_of(each.since or each.day) for each in self.seen.values()), default=0)

    def _has_days_of(self, test: Evidence) -> bool:
        return number_of(test.since or test.day) <= self.last and self._first <= number_of(test.day)

    def _is_as_silent(self, test: Evidence) -> bool:
        seen = self.seen.get(key_of(test))
        of_it = [seen] if seen else [each for each in self.seen.values() if each.where == test.where]
        is_little = test.expected - test.observed < LEAST_GROWTH
        return bool(of_it) and (is_little or _missing([test]) <= _missing(of_it) + MORE_MISSING)


def has_grown(observed: int, before: int) -> bool:
    """Return whether there are notably more visits than before."""
    return observed >= GROWN * before and observed - before >= LEAST_GROWTH


class Excess:
    """The visits that were dismissed, beyond what was expected: they are no evidence of the days after.

    What a district or an age had too many of, the city and everybody had as well.

    Parameters
    ----------
    dismissed
        What officers have dismissed.
    """

    def __init__(self, dismissed: Iterable[Dismissed]) -> None:
        self._seen: set[Key] = set()
        self._of: Counter[tuple[Series, int]] = Counter()
        for each in dismissed:
            self._seen |= each.seen.keys()
            self._of += Counter(_excess_of(each))

    def before(self, day: int) -> list[tuple[Series, int, int]]:
        """Return the series with days before one that still weigh in its evidence, and their excess.

        A test that was dismissed itself stays as it was seen.
        """
        return [
            (series, past, more)
            for (series, past), more in self._of.items()
            if day - WEIGH <= past < day and (*series, day) not in self._seen
        ]


def _excess_of(dismissed: Dismissed) -> dict[tuple[Series, int], int]:
    found: dict[tuple[Series, int], int] = {}
    for (stream, place, stratum, day), test in dismissed.seen.items():
        more = round(test.observed - test.expected)
        if stream == VISITS or test.places or more <= 0:
            continue
        for wider in {Series(stream, p, s) for p in (place, CITY) for s in (stratum, ALL)}:
            found[wider, day] = max(more, found.get((wider, day), 0))
    return found


def _missing(tests: Iterable[Evidence]) -> float:
    """Return the share of the usual volume that did not come."""
    each = list(tests)
    expected = sum(test.expected for test in each)
    return 1.0 - sum(test.observed for test in each) / expected if expected > 0.0 else 1.0
