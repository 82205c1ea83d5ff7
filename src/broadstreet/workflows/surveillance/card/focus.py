"""What the numbers at the top of a card are of: which visits, where, on which days.

Everything else that a card counts is counted of the same visits, so that it can be added up.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from broadstreet.model.records import Evidence, Signal, Stratum
from broadstreet.workflows.surveillance.lives import apart
from broadstreet.workflows.surveillance.strata import Series
from broadstreet.workflows.surveillance.tables import ALL, CITY, DISTRICT, Visit


class Focus(NamedTuple):
    """A series or an area on some days.

    Attributes
    ----------
    where
        The series, or the area as the scan names it.
    districts
        Codes of the districts of an area; empty for a series.
    days
        In order; without gaps for an area.
    """

    where: Stratum
    districts: tuple[str, ...]
    days: tuple[date, ...]

    @property
    def members(self) -> tuple[Series, ...]:
        """The series whose counts together are the focus's."""
        stream, place, stratum = self.where.stream, self.where.place, self.where.stratum
        places = [DISTRICT + code for code in self.districts] or [place]
        return tuple(Series(stream, each, stratum) for each in places)

    def is_whole_city(self) -> bool:
        """Return whether it is no smaller place."""
        return self.where.place == CITY

    def has_kind(self, visit: Visit) -> bool:
        """Return whether a visit is of its syndrome and age, wherever the patient lives."""
        stream, stratum = self.where.stream, self.where.stratum
        return stream in visit.syndromes.split() and stratum in (ALL, visit.band)

    def has_place(self, district: str | None) -> bool:
        """Return whether a district is part of it."""
        place = self.where.place
        return place in (CITY, f"{DISTRICT}{district}") or district in self.districts


def focus_of(signal: Signal) -> Focus:
    """Return what a signal's `observed` and `expected` are of; without evidence, its place and days."""
    tests = [each for each in signal.evidence if each.where == signal.where]
    if tests:
        return focus_on(tests)
    return Focus(signal.where, (), tuple(through(signal.since, signal.until)))


def focus_on(tests: Iterable[Evidence]) -> Focus:
    """Return what tests of one series or area are of whose numbers are added up."""
    counted = apart(tests)
    days = {day for each in counted for day in _days(each)}
    return Focus(counted[0].where, counted[0].places, tuple(sorted(days)))


def through(first: date, last: date) -> list[date]:
    """Return the days from one to another."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _days(test: Evidence) -> list[date]:
    """Return the days whose visits a test counts: an area's looks back, others have their own day alone."""
    return through(test.since, test.day) if test.places and test.since else [test.day]
