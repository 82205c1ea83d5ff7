"""Puts a card together from the counts, the signals and the log's history of the signal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from broadstreet.model.clock import instant
from broadstreet.model.records import Evidence, Signal
from broadstreet.store.entry import Entry
from broadstreet.store.tables import Between, TableReader
from broadstreet.workflows.surveillance import arrivals
from broadstreet.workflows.surveillance.card import telling
from broadstreet.workflows.surveillance.card.data import (
    Agreement,
    Band,
    Card,
    Origin,
    Point,
    Source,
    Spot,
)
from broadstreet.workflows.surveillance.card.past import nearest
from broadstreet.workflows.surveillance.card.rarity import Nightly, rarity_of
from broadstreet.workflows.surveillance.card.sureness import Ground, sureness_of
from broadstreet.workflows.surveillance.counts import Counts
from broadstreet.workflows.surveillance.days import date_of, number_of
from broadstreet.workflows.surveillance.detection import Tests
from broadstreet.workflows.surveillance.evidence import is_in
from broadstreet.workflows.surveillance.feeds import Reporting
from broadstreet.workflows.surveillance.lives import apart
from broadstreet.workflows.surveillance.reading import facilities, history, signals
from broadstreet.workflows.surveillance.scanning import AREA
from broadstreet.workflows.surveillance.sheet import Sheet
from broadstreet.workflows.surveillance.strata import Series
from broadstreet.workflows.surveillance.tables import (
    ALL,
    CITY,
    CLOSED,
    DISTRICT,
    VISIT,
    Visit,
)
from broadstreet.workflows.surveillance.testing import active_tests, silent_days

SHOWN = 56
"""Days of the series that a card shows before the signal."""
USUAL = 28
"""Days before the signal from which the usual numbers of sources, ages and districts are taken."""
AFTER = 7
"""Days after the signal that are shown."""


@dataclass(frozen=True)
class Making:
    """What cards are made with: the counts and tests of this hub, and its tables.

    Attributes
    ----------
    counts, tests
        The followers, for their settings.
    tables
        The counts and signals.
    """

    counts: Counts
    tests: Tests
    tables: TableReader


def card_of(making: Making, signal: Signal, versions: Sequence[Entry]) -> Card:
    """Return the card of a signal, without single visits.

    Parameters
    ----------
    making
        What it is made with.
    signal
        Its newest version.
    versions
        The entries of all its versions, oldest first.
    """
    tables, places = making.tables, making.tests.places
    closed = _closed(tables)
    sheet = Sheet(making.counts.strata)
    sheet.follow(tables, closed, ())
    names = telling.Names(facilities(tables), {c: p.name for c, p in places.by_code.items()})
    series = _shown_series(signal)
    first, last = number_of(signal.since), number_of(signal.until)
    points = _points(making, series, signal)
    known = max(min(USUAL, first - sheet.begin(first - 1)), 1)
    visits = _visits(tables, first - known, last, signal)
    ground = Ground(closed, first - sheet.begin(first - 1), _nightly(making, sheet))
    known_signals = signals(tables)
    into = next((each for each in known_signals if each.id == signal.joined), None)
    rare = rarity_of(signal, ground.nightly)
    sure, reasons = sureness_of(signal, rare, ground)
    known_of_it = telling.Known(
        closed,
        arrivals.observed(tables, sheet, closed).share(series, last),
        _missing(tables, sheet, signal, closed),
        bool(places.by_code),
        bool(making.tests.rule.holidays.kinds),
    )
    return Card(
        id=signal.id, kind=signal.kind, status=signal.status, joined=signal.joined, verdict=signal.verdict,
        title=telling.title(signal, names), lead=telling.lead(signal, sure, names, into),
        what=telling.what(signal), where=names.place(signal.where.place),
        who=telling.who(signal.where.stratum),
        since=signal.since, until=signal.until, opened=instant(versions[0].at) if versions else instant(0),
        observed=signal.observed, expected=signal.expected, sureness=sure,
        once_in=rare.days if rare else None, reasons=reasons,
        series=points, agreements=_agreements(signal, names), sources=_sources(visits, first, known, names),
        ages=_ages(visits, first, making), spots=_spots(making, sheet, signal),
        on_globe=places.on_globe,
        limits=telling.limits(signal, points, known_of_it, names),
        past=nearest(signal, known_signals, names),
        origin=Origin(
            signal=tuple(each.seq for each in versions),
            causes=tuple(each.cause for each in versions if each.cause is not None),
            counts=" / ".join(series),
        ),
    )  # fmt: skip


def _closed(tables: TableReader) -> int:
    rows = tables.select(CLOSED, order=("-seq",), limit=1)
    return int(rows[0][0] or 0) if rows else 0


def _nightly(making: Making, sheet: Sheet) -> Nightly:
    """Return how many tests of each kind a night makes."""
    streams = {series.stream for series in sheet.tested()} if making.tests.places.by_code else ()
    return Nightly(active_tests(sheet), len(streams), len(sheet.feeds()))


def _shown_series(signal: Signal) -> Series:
    """Return the series that stands for the signal: of an area, that of the city."""
    stream, place, stratum = signal.where.stream, signal.where.place, signal.where.stratum
    return Series(stream, CITY if place.startswith(AREA) else place, stratum)


def _points(making: Making, series: Series, signal: Signal) -> tuple[Point, ...]:
    first, last = number_of(signal.since), number_of(signal.until)
    found = history(making.tables, *series, rule=making.tests.rule, since=date_of(first - SHOWN))
    of_it = [each for each in signal.evidence if each.where == signal.where]
    alarms = {day for each in of_it for day in _days_of(each)}
    days = found.days.tolist()
    return tuple(
        Point(
            day=day,
            observed=int(found.counts[at]),
            expected=_known(found.expected[at]),
            low=_known(found.usual[0, at]),
            high=_known(found.usual[1, at]),
            upper=_known(found.upper[at]),
            alarm=day in alarms,
        )
        for at, day in enumerate(days)
        if first - SHOWN <= number_of(day) <= last + AFTER
    )


def _days_of(evidence: Evidence) -> list[date]:
    since = evidence.since if evidence.where.place.startswith(AREA) and evidence.since else evidence.day
    return [date_of(day) for day in range(number_of(since), number_of(evidence.day) + 1)]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _visits(tables: TableReader, first: int, last: int, signal: Signal) -> list[Visit]:
    """Return the visits of the signal's syndrome and place, from the weeks before it to its end."""
    rows = map(Visit._make, tables.select(VISIT, {"day": Between(first, last)}))
    areas = [frozenset(e.places) for e in signal.evidence if e.where == signal.where and e.places]
    if areas:
        return [v for v in rows if v.district in areas[-1] and signal.where.stream in v.syndromes.split()]
    series = Series(signal.where.stream, signal.where.place, signal.where.stratum)
    return [visit for visit in rows if is_in(visit, series)]


def _agreements(signal: Signal, names: telling.Names) -> tuple[Agreement, ...]:
    groups: defaultdict[tuple[str, str, str], list[Evidence]] = defaultdict(list)
    for each in signal.evidence:
        groups[each.where.stream, each.where.place, each.where.stratum].append(each)
    found = [
        Agreement(
            what=telling.stream(stream), where=names.place(place), who=telling.who(stratum),
            method=tests[-1].method, days=tuple(each.day for each in tests),
            observed=sum(each.observed for each in apart(tests)),
            expected=sum(each.expected for each in apart(tests)),
            chance=min((each.chance for each in tests if each.chance is not None), default=None),
        )
        for (stream, place, stratum), tests in groups.items()
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda each: (each.chance is None, each.chance or 0.0)))


def _sources(visits: Sequence[Visit], first: int, known: int, names: telling.Names) -> tuple[Source, ...]:
    now = Counter(v.facility for v in visits if (v.day or 0) >= first and v.facility)
    before = Counter(v.facility for v in visits if (v.day or 0) < first and v.facility)
    days = len({v.day for v in visits if (v.day or 0) >= first}) or 1
    found = [
        Source(id=id, name=names.source(id), observed=n, usual=before[id] / known * days)
        for id, n in now.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.observed, each.id)))


def _ages(visits: Sequence[Visit], first: int, making: Making) -> tuple[Band, ...]:
    now = Counter(v.band for v in visits if (v.day or 0) >= first and v.band)
    before = Counter(v.band for v in visits if (v.day or 0) < first and v.band)
    total = before.total() or 1
    bands = making.counts.strata.bands
    return tuple(
        Band(name=telling.who(band), observed=now[band], usual_share=before[band] / total)
        for band in (bands if now else ())
    )


def _spots(making: Making, sheet: Sheet, signal: Signal) -> tuple[Spot, ...]:
    """Return each district with its visits of the syndrome in the days of the signal, and the usual."""
    first, last = number_of(signal.since), number_of(signal.until)
    inside = {code for each in signal.evidence for code in each.places}
    inside |= {e.where.place[len(DISTRICT) :] for e in signal.evidence if e.where.place.startswith(DISTRICT)}
    places = making.tests.places.by_code
    if signal.kind == "silence":
        return ()
    spots = []
    for code, place in places.items():
        counts = sheet.of(Series(signal.where.stream, DISTRICT + code, ALL))
        at = first - sheet.first
        usual = counts[max(at - min(USUAL, first - sheet.begin(first - 1)), 0) : at]
        mean = float(usual.mean()) if usual.size else 0.0
        observed = int(counts[at : last + 1 - sheet.first].sum())
        if observed or mean or code in inside:
            spots.append(
                Spot(
                    code=code, name=place.name, x=place.x, y=place.y, observed=observed,
                    expected=mean * (last - first + 1), inside=code in inside,
                )
            )  # fmt: skip
    return tuple(spots)


def _missing(tables: TableReader, sheet: Sheet, signal: Signal, closed: int) -> dict[str, float]:
    """Return the sources that were silent on the signal's last day, with their share of its place."""
    if signal.kind == "silence":
        return {}
    silent = [e for s in signals(tables) if s.kind == "silence" for e in s.evidence]
    place = signal.where.place if signal.where.place.startswith(DISTRICT) else CITY
    day = min(number_of(signal.until), closed)
    return Reporting(sheet, silent_days(silent)).missing(place, day)
