"""What a batch of entries makes it necessary to test, and because of which entry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from broadstreet.model import records
from broadstreet.model.records import Signal
from broadstreet.store.entry import Entry
from broadstreet.store.tables import Between, TableReader
from broadstreet.workflows.surveillance.lives import key_of
from broadstreet.workflows.surveillance.news import EMITTED
from broadstreet.workflows.surveillance.rule import SILENCE
from broadstreet.workflows.surveillance.scanning import AREA
from broadstreet.workflows.surveillance.sheet import CITY_VISITS, HISTORY
from broadstreet.workflows.surveillance.strata import Series
from broadstreet.workflows.surveillance.tables import CHANGED, CLOSED, Changed, Closed

AGAIN = 28
"""So many closed days after one that changed are tested again: the change lies in their baselines."""


class Due(NamedTuple):
    """What is to be tested.

    `cells` has series and days with the entry because of which, `days` the days of which every series is
    tested; `changed` are the days whose counts changed, `closings` the timers in the batch, `told` the
    signals that the batch has versions of.
    """

    closed: int
    cells: dict[tuple[Series, int], int]
    days: dict[int, int]
    changed: frozenset[int]
    closings: tuple[Closed, ...]
    told: dict[str, int]


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
    due = Due(closed, {}, {}, frozenset(each.day for each in changed), closings, told)
    for each in changed:
        series = Series(*each[:3])
        if each.day > closed:
            _mark(due.cells, [(series, each.day)], each.seq)
        elif series == CITY_VISITS:
            _mark(due.days, range(each.day, min(each.day + SILENCE + AGAIN, closed) + 1), each.seq)
        else:
            _mark(due.cells, ((series, day) for day in _again(each.day, closed)), each.seq)
    for timer in closings:
        _mark(due.days, _newly_closed(tables, timer), timer.seq)
    for entry in entries:
        if entry.type == EMITTED and entry.body is not None:
            _mark(due.cells, _told_of(entry.body), entry.seq)
    return due


def _told_of(body: bytes) -> Iterator[tuple[Series, int]]:
    """Yield what a version of a signal rests on.

    What was emitted lies later in the log than what was tested meanwhile: that saw the version before, and
    may have put it back. So each version is tested again where it is read.
    """
    signal = records.decode(body)
    assert isinstance(signal, Signal)
    for each in signal.evidence:
        stream, place, stratum, day = key_of(each)
        if not place.startswith(AREA):
            yield Series(stream, place, stratum), day


def _again(day: int, closed: int) -> range:
    return range(day, min(day + AGAIN, closed) + 1)


def _newly_closed(tables: TableReader, timer: Closed) -> range:
    before = tables.select(CLOSED, {"seq": Between(0, timer.seq - 1)}, order=("-seq",), limit=1)
    after = int(before[0][0] or 0) if before else timer.day - HISTORY
    return range(min(after + 1, timer.day), timer.day + 1)


def _mark(causes: dict, keys: Iterable, seq: int) -> None:  # type: ignore[type-arg]
    for key in keys:
        causes[key] = max(seq, causes.get(key, 0))
