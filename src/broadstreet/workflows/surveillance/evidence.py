"""What speaks for a signal: each test that stands out, with the visits that were counted."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

from broadstreet.model.records import Evidence, Stratum
from broadstreet.store.tables import Between, TableReader
from broadstreet.workflows.surveillance.days import date_of
from broadstreet.workflows.surveillance.feeds import Silence
from broadstreet.workflows.surveillance.scanning import AREA, METHOD, Found
from broadstreet.workflows.surveillance.strata import Series
from broadstreet.workflows.surveillance.tables import ALL, CITY, DISTRICT, VISIT, Visit

MOST_VISITS = 500
"""So many visits are named for each test at most; `observed` says how many there were."""
MOST_PLACES = 500
"""So many places are named for an area."""
SILENT = "expected volume of the source"


class Witness:
    """Finds the visits behind counts, and writes evidence.

    Parameters
    ----------
    tables
        The visits.
    """

    def __init__(self, tables: TableReader) -> None:
        self._tables = tables
        self._of_day: dict[int, list[Visit]] = {}

    def of_series(
        self, series: Series, day: int, observed: int, found: tuple[float, float, float, float], method: str
    ) -> Evidence:
        """Return a test of one series on a day; `found` is expected, upper, score and chance."""
        expected, upper, score, chance = found
        return Evidence(
            where=Stratum(stream=series.stream, place=series.place, stratum=series.stratum),
            day=date_of(day),
            observed=observed,
            expected=expected,
            upper=upper,
            score=score if math.isfinite(score) else None,
            chance=chance if math.isfinite(chance) else None,
            method=method,
            visits=_named(v.id for v in self._visits([day]) if is_in(v, series)),
        )

    def of_area(self, found: Found, first: int, day: int) -> Evidence:
        """Return a cluster of the scan; its steps count from the day `first`."""
        cluster, codes = found.cluster, frozenset(found.codes)
        start = first + int(cluster.start or 0)
        visits = (
            v.id
            for v in self._visits(range(start, day + 1))
            if v.district in codes and found.stream in v.syndromes.split()
        )
        return Evidence(
            where=Stratum(stream=found.stream, place=AREA + found.codes[0], stratum=ALL),
            day=date_of(day),
            since=date_of(start),
            observed=cluster.observed,
            expected=cluster.expected,
            upper=cluster.expected,
            score=cluster.statistic,
            chance=found.chance,
            method=METHOD,
            visits=_named(visits),
            places=found.codes[:MOST_PLACES],
        )

    def of_silence(self, silence: Silence) -> Evidence:
        """Return a day on which a source was silent."""
        stream, place, stratum = silence.series
        return Evidence(
            where=Stratum(stream=stream, place=place, stratum=stratum),
            day=date_of(silence.day),
            since=date_of(silence.since) if silence.since < silence.day else None,
            observed=silence.observed,
            expected=silence.expected,
            upper=silence.lower,
            chance=silence.chance,
            method=SILENT,
        )

    def _visits(self, days: Collection[int]) -> list[Visit]:
        missing = [day for day in days if day not in self._of_day]
        if missing:
            rows = self._tables.select(VISIT, {"day": Between(min(missing), max(missing))})
            fresh: dict[int, list[Visit]] = {day: [] for day in missing}
            for visit in map(Visit._make, rows):
                if visit.day in fresh:
                    fresh[visit.day].append(visit)
            self._of_day |= fresh
        return [visit for day in days for visit in self._of_day[day]]


def is_in(visit: Visit, series: Series) -> bool:
    """Return whether a visit is counted in a series of a syndrome."""
    stream, place, stratum = series
    return (
        place in (CITY, f"{DISTRICT}{visit.district}")
        and stream in visit.syndromes.split()
        and stratum in (ALL, visit.band)
    )


def _named(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(ids)[:MOST_VISITS])
