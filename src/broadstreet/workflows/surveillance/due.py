"""What a batch of entries makes it necessary to test, and because of which entry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from broadstreet.model import records
from broadstreet.model.records import Evidence, Signal
from broadstreet.store.entry import Entry
from broadstreet.store.tables import Between, Row, TableReader
from broadstreet.workflows.surveillance.arrivals import LONGEST
from broadstreet.workflows.surveillance.keys import key_of
from broadstreet.workflows.surveillance.news import EMITTED, TESTS
from broadstreet.workflows.surveillance.rule import SILENCE
from broadstreet.workflows.surveillance.scanning import AREA
from broadstreet.workflows.surveillance.sheet import CITY_VISITS, HISTORY
from broadstreet.workflows.surveillance.strata import Series
from broadstreet.workflows.surveillance.tables import CHANGED, CLOSED, VISITS, Changed, Closed, Held
from broadstreet.workflows.surveillance.verdicts import signal_of

SOON = 6
"""So many closed days after one that changed are tested again with the batch: its visits weigh in their
evidence (`detect` looks at seven days together)."""
AGAIN = 28
"""So many are tested again, for the change lies in their baselines: those that stand out with the batch, the
others with the next closing. One visit says little there, and a feed that sends weeks of the past would have
all of them tested with each batch."""


class Due(NamedTuple):
    """What is to be tested.

    `cells` has series and days with the entry because of which, `days` the days of which every series is
    tested; `changed` are the days whose counts changed, `past` the closed ones of them with their series and
    the entry, `closings` the timers in the batch, `told` the signals that the batch has versions of.
    """

    closed: int
    cells: dict[tuple[Series, int], int]
    days: dict[int, int]
    changed: frozenset[int]
    past: tuple[Changed, ...]
    closings: tuple[Closed, ...]
    told: dict[str, int]

    def look_again(self, evidence: Iterable[tuple[Evidence, int]]) -> list[int]:
        """Mark the series and days of some evidence as due; return the days of it to scan again."""
        scans = set()
        for each, seq in evidence:
            stream, place, stratum, day = key_of(each)
            if place.startswith(AREA):
                scans.add(day)
            else:
                _mark(self.cells, [(Series(stream, place, stratum), day)], seq)
        return sorted(scans)


def due_of(entries: Sequence[Entry], tables: TableReader) -> Due | None:
    """Return what the entries make due; None before the first day is closed."""
    last = tables.select(CLOSED, order=("-seq",), limit=1)
    if not last:
        return None
    closed = Closed._make(last[0]).day
    here = Between(entries[0].seq, entries[-1].seq)
    changed = [Changed._make(row) for row in tables.select(CHANGED, {"seq": here})]
    closings = tuple(Closed._make(row) for row in tables.select(CLOSED, {"seq": here}, order=("seq",)))
    told = {entry.id: entry.seq for entry in entries if entry.type == EMITTED}
    past = tuple(each for each in changed if each.day <= closed and each[:3] != CITY_VISITS)
    due = Due(closed, {}, {}, frozenset(each.day for each in changed), past, closings, told)
    for each in changed:
        if each.day > closed:
            _mark(due.cells, [(Series(*each[:3]), each.day)], each.seq)
    for each in past:
        _mark(due.cells, _after(each, SOON, closed), each.seq)
    for timer in closings:
        before = tables.select(CLOSED, {"seq": Between(0, timer.seq - 1)}, order=("-seq",), limit=1)
        _mark(due.days, _newly_closed(before, timer), timer.seq)
        if before:
            _mark_baselines(due, tables, Closed._make(before[0]), timer)
    for entry in entries:
        if entry.type == EMITTED and entry.body is not None:
            _mark(due.cells, _told_of(entry, closed), entry.seq)
    return due


def standing_on(due: Due, held: Iterable[Held]) -> dict[tuple[Series, int], int]:
    """Return what stands out already, and has a day in its baseline that changed."""
    changed: defaultdict[Series, list[Changed]] = defaultdict(list)
    for each in due.past:
        changed[Series(*each[:3])].append(each)
    tests = {key_of(each) for signal in held for each in signal_of(signal).evidence} if changed else set()
    found = {}
    for *series, day in tests:
        seqs = [each.seq for each in changed[Series(*series)] if each.day <= day <= each.day + AGAIN]
        if seqs:
            found[Series(*series), day] = max(seqs)
    return found


def _told_of(entry: Entry, closed: int) -> Iterator[tuple[Series, int]]:
    """Yield what a version of a signal rests on.

    What was emitted lies later in the log than what was tested meanwhile: that saw the version before, and
    may have put it back. So each version is tested again where it is read (of a long silence only the newest
    days: each costs the tests of all sources); after a verdict also the days in whose evidence it weighs.
    """
    signal = records.decode(entry.body or b"")
    assert isinstance(signal, Signal)
    is_verdict = entry.source.partition("@")[0] != TESTS
    for each in signal.evidence:
        stream, place, stratum, day = key_of(each)
        is_long_ago = stream == VISITS and day <= closed - LONGEST
        if not place.startswith(AREA) and (is_verdict or not is_long_ago):
            series = Series(stream, place, stratum)
            yield series, day
            yield from ((series, later) for later in range(day + 1, _weighs_until(day, closed, is_verdict)))


def _weighs_until(day: int, closed: int, is_verdict: bool) -> int:
    return min(day + SOON, closed) + 1 if is_verdict else 0


def _mark_baselines(due: Due, tables: TableReader, before: Closed, timer: Closed) -> None:
    """Mark the days in whose baselines lies what has changed since the closing before.

    Where the city got its first visit of a day, or lost its last one, histories may begin elsewhere: every
    series is tested again.
    """
    for row in tables.select(CHANGED, {"seq": Between(before.seq, timer.seq)}):
        each = Changed._make(row)
        if each[:3] == CITY_VISITS:
            days = range(each.day, min(each.day + SILENCE + AGAIN, before.day) + 1)
            _mark(due.days, days, each.seq)
        else:
            _mark(due.cells, _after(each, AGAIN, before.day), each.seq)


def _after(changed: Changed, days: int, closed: int) -> Iterator[tuple[Series, int]]:
    series = Series(*changed[:3])
    return ((series, day) for day in range(changed.day, min(changed.day + days, closed) + 1))


def _newly_closed(before: Sequence[Row], timer: Closed) -> range:
    after = int(before[0][0] or 0) if before else timer.day - HISTORY
    return range(min(after + 1, timer.day), timer.day + 1)


def _mark(causes: dict, keys: Iterable, seq: int) -> None:  # type: ignore[type-arg]
    for key in keys:
        causes[key] = max(seq, causes.get(key, 0))
