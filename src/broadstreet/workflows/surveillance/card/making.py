"""Puts a card together from the counts, the signals and the log's history of the signal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from broadstreet.model import records
from broadstreet.model.clock import instant
from broadstreet.model.records import Evidence, Signal, Verdict
from broadstreet.store.entry import Entry
from broadstreet.store.tables import TableReader
from broadstreet.workflows.surveillance import arrivals
from broadstreet.workflows.surveillance.card import telling
from broadstreet.workflows.surveillance.card.data import Agreement, Card, Origin, Point
from broadstreet.workflows.surveillance.card.focus import Focus, focus_of, focus_on
from broadstreet.workflows.surveillance.card.limits import Known, limits
from broadstreet.workflows.surveillance.card.names import Names, stream, who
from broadstreet.workflows.surveillance.card.past import nearest
from broadstreet.workflows.surveillance.card.rarity import Nightly, rarity_of
from broadstreet.workflows.surveillance.card.shares import shares_of
from broadstreet.workflows.surveillance.card.sureness import Ground, sureness_of
from broadstreet.workflows.surveillance.counts import Counts
from broadstreet.workflows.surveillance.days import date_of, number_of
from broadstreet.workflows.surveillance.detection import Tests
from broadstreet.workflows.surveillance.feeds import Reporting
from broadstreet.workflows.surveillance.lives import apart
from broadstreet.workflows.surveillance.reading import facilities, history, signals
from broadstreet.workflows.surveillance.sheet import Sheet
from broadstreet.workflows.surveillance.tables import CITY, CLOSED, DISTRICT
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


def _in_city(verdict: Verdict | None, zone: ZoneInfo) -> Verdict | None:
    """Return a verdict with its time as the city's clocks had it."""
    return None if verdict is None else msgspec.structs.replace(verdict, at=verdict.at.astimezone(zone))


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
    names = Names(facilities(tables), {c: p.name for c, p in places.by_code.items()})
    focus, first = _focus(signal, versions), number_of(signal.since)
    past = first - sheet.begin(first - 1)
    shares = shares_of(tables, focus, first, max(min(USUAL, past), 1))
    points = _points(making, focus, signal)
    ground = Ground(closed, past, _nightly(making, sheet))
    known_signals = signals(tables)
    into = next((each for each in known_signals if each.id == signal.joined), None)
    rare = rarity_of(signal, ground.nightly)
    sure, reasons = sureness_of(signal, rare, ground)
    is_rise = signal.kind == "rise"
    known = Known(
        closed,
        arrivals.observed(tables, sheet, closed).share(focus.members[0], number_of(signal.until)),
        _missing(tables, sheet, signal, closed),
        bool(places.by_code),
        bool(making.tests.rule.holidays.kinds),
        len(shares.inside) if is_rise else signal.observed,
        past,
    )
    return Card(
        id=signal.id, kind=signal.kind, status=signal.status, joined=signal.joined,
        verdict=_in_city(signal.verdict, making.counts.zone),
        title=telling.title(signal, focus, names),
        lead=telling.lead(signal, focus, sure, names, into, points),
        what=telling.what(signal), where=names.where(focus), who=who(signal.where.stratum),
        districts=tuple(map(names.district, focus.districts)), days=focus.days,
        since=signal.since, until=signal.until,
        opened=instant(versions[0].at if versions else 0).astimezone(making.counts.zone),
        observed=signal.observed, expected=signal.expected, sureness=sure,
        once_in=rare.days if rare else None, reasons=reasons,
        series=points, agreements=_agreements(signal, names), usual_days=shares.known,
        sources=shares.sources(names), ages=shares.ages(making.counts.strata.bands),
        spots=shares.spots(places, _raised(signal)) if is_rise else (), off_map=shares.off_map(places),
        on_globe=places.on_globe,
        limits=limits(signal, known, names),
        past=nearest(signal, known_signals, names),
        origin=_origin(focus, versions),
    )  # fmt: skip


def _focus(signal: Signal, versions: Sequence[Entry]) -> Focus:
    """Return what a signal's numbers are of; of one that was withdrawn, as its evidence last had it."""
    if not signal.evidence:
        for version in reversed(versions):
            told = records.decode(version.body) if version.body else None
            if isinstance(told, Signal) and told.evidence and told.where == signal.where:
                return focus_of(told)
    return focus_of(signal)


def _closed(tables: TableReader) -> int:
    rows = tables.select(CLOSED, order=("-seq",), limit=1)
    return int(rows[0][0] or 0) if rows else 0


def _nightly(making: Making, sheet: Sheet) -> Nightly:
    """Return how many tests of each kind a night makes."""
    streams = {series.stream for series in sheet.tested()} if making.tests.places.by_code else ()
    return Nightly(active_tests(sheet), len(streams), len(sheet.feeds()))


def _points(making: Making, focus: Focus, signal: Signal) -> tuple[Point, ...]:
    """Return the days of the focus's counts, an area's districts added up."""
    first, last = number_of(signal.since), number_of(signal.until)
    syndrome, _, stratum = focus.members[0]
    places = [series.place for series in focus.members]
    since = date_of(first - SHOWN)
    silent = [each.day for each in signal.evidence] if signal.kind == "silence" else []
    found = history(
        making.tables, syndrome, places, stratum, rule=making.tests.rule, since=since, left_out=silent
    )
    return tuple(
        Point(
            day=day,
            observed=int(found.counts[at]),
            expected=_known(found.expected[at]),
            low=_known(found.usual[0, at]),
            high=_known(found.usual[1, at]),
            upper=_known(found.upper[at]),
            alarm=bool(signal.evidence) and day in focus.days,
        )
        for at, day in enumerate(found.days.tolist())
        if first - SHOWN <= number_of(day) <= last + AFTER
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _agreements(signal: Signal, names: Names) -> tuple[Agreement, ...]:
    groups: defaultdict[tuple[str, str, str], list[Evidence]] = defaultdict(list)
    for each in signal.evidence:
        groups[each.where.stream, each.where.place, each.where.stratum].append(each)
    found = [_agreement(tests, names) for tests in groups.values()]
    return tuple(sorted(found, key=lambda each: (each.chance is None, each.chance or 0.0)))


def _agreement(tests: Sequence[Evidence], names: Names) -> Agreement:
    focus = focus_on(tests)
    return Agreement(
        what=stream(focus.where.stream), where=names.where(focus),
        districts=tuple(map(names.district, focus.districts)),
        who=who(focus.where.stratum), method=tests[-1].method, days=focus.days,
        observed=sum(each.observed for each in apart(tests)),
        expected=sum(each.expected for each in apart(tests)),
        chance=min((each.chance for each in tests if each.chance is not None), default=None),
    )  # fmt: skip


def _raised(signal: Signal) -> frozenset[str]:
    """Return the codes of the districts that tests speak of, by themselves or as an area."""
    alone = [e.where.place for e in signal.evidence if e.where.place.startswith(DISTRICT)]
    inside = {code for each in signal.evidence for code in each.places}
    return frozenset(inside | {place[len(DISTRICT) :] for place in alone})


def _missing(tables: TableReader, sheet: Sheet, signal: Signal, closed: int) -> dict[str, float]:
    """Return the sources that were silent on the signal's last day, with their share of its place."""
    if signal.kind == "silence":
        return {}
    silent = [e for s in signals(tables) if s.kind == "silence" for e in s.evidence]
    place = signal.where.place if signal.where.place.startswith(DISTRICT) else CITY
    day = min(number_of(signal.until), closed)
    return Reporting(sheet, silent_days(silent)).missing(place, day)


def _origin(focus: Focus, versions: Sequence[Entry]) -> Origin:
    syndrome, _, stratum = focus.members[0]
    places = " + ".join(series.place for series in focus.members)
    return Origin(
        signal=tuple(each.seq for each in versions),
        causes=tuple(each.cause for each in versions if each.cause is not None),
        counts=f"{syndrome} / {places} / {stratum}",
    )
