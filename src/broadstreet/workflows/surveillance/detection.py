"""The reactor that tests closed days and emits what stands out as signals."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from broadstreet.model import records
from broadstreet.store.entry import Entry
from broadstreet.store.follower import Emission, Projection
from broadstreet.store.tables import Between, Condition, OneOf, Row, TableReader
from broadstreet.workflows.surveillance.counts import Counts
from broadstreet.workflows.surveillance.episodes import Alarm, grouped, matched
from broadstreet.workflows.surveillance.evidence import Series, Witness
from broadstreet.workflows.surveillance.news import EMITTED, TESTS, TYPES
from broadstreet.workflows.surveillance.overlay import selected
from broadstreet.workflows.surveillance.rule import SILENCE, Rule, apply_rule
from broadstreet.workflows.surveillance.tables import (
    ALL,
    CITY,
    CLOSED,
    COUNT,
    LATE,
    SIGNAL,
    VISITS,
    Cell,
    Closed,
    Held,
    Late,
    is_tested,
)

_EARLIEST, _MOST = -(1 << 18), 1 << 62


class Touched(NamedTuple):
    """The series to look at again, each with the entry because of which, and the cells that changed late."""

    series: dict[Series, int]
    changed: frozenset[Cell]


class Tests:
    """Tests each closed day of every syndrome in the city and its districts, and tests again what changes.

    What it emits follows from the counts: whenever something touches a series, all its alarm days are
    found anew, grouped into episodes, and compared with the signals that there are.

    Parameters
    ----------
    over
        The counts.
    rule
        When a day is an alarm.
    """

    name = TESTS
    version = 1
    types = TYPES

    def __init__(self, over: Counts, rule: Rule = Rule()) -> None:  # noqa: B008 - it is frozen
        self.over: Projection | None = over
        self._rule = rule

    def react(self, entries: Sequence[Entry], tables: TableReader) -> list[Emission]:
        """Return each signal that is new or not as it should be."""
        last = tables.select(CLOSED, order=("-seq",), limit=1)
        if not last:
            return []
        closed = Closed._make(last[0]).day
        touched = self._touched(entries, tables, closed)
        alarms = self._alarms(touched.series, tables, closed)
        held = _held(touched.series, tables)
        witness = Witness(tables, self._rule.method, closed, touched.changed)
        emissions: list[Emission] = []
        ordinals: Counter[int] = Counter()
        for series, cause in sorted(touched.series.items()):
            for episode, signal in matched(grouped(alarms[series]), held[series]):
                ordinal = ordinals[cause]
                id = signal.id if signal else signal_id(cause, ordinal)
                body = records.encode(witness.signal(id, series, episode, signal))
                if signal is None or body != signal.body:
                    emissions.append(Emission(cause, ordinal, EMITTED, id, body))
                    ordinals[cause] += 1
        return emissions

    # -- what to look at -------------------------------------------------------------------------

    def _touched(self, entries: Sequence[Entry], tables: TableReader, closed: int) -> Touched:
        here = Between(entries[0].seq, entries[-1].seq)
        late = [Late._make(row) for row in tables.select(LATE, {"seq": here})]
        late = [each for each in late if each.day <= closed]
        causes: dict[Series, int] = {}
        for each in late:
            stream, place, stratum, day, seq = each
            again = (
                [(stream, place, stratum)]
                if is_tested(stream, place)
                else self._on_baselines(tables, day, closed)
            )
            _cause(causes, again, seq)
        for row in tables.select(CLOSED, {"seq": here}):
            timer = Closed._make(row)
            _cause(causes, [*self._closing(tables, timer), *_open(tables)], timer.seq)
        seqs = {entry.id: entry.seq for entry in entries if entry.type == EMITTED}
        for signal in _ours(selected(tables, SIGNAL, "id", seqs.keys())):
            _cause(causes, [signal[1:4]], seqs[signal.id])
        return Touched(causes, frozenset(each[:4] for each in late))

    def _on_baselines(self, tables: TableReader, day: int, closed: int) -> list[Series]:
        """Return the series with days for whose baselines it matters whether anybody reported on `day`."""
        reaches = [self._rule.reach(baseline) for baseline in self._rule.baselines]
        return self._countable(tables, day + min(reaches), min(day + max(reaches) + SILENCE - 1, closed))

    def _closing(self, tables: TableReader, timer: Closed) -> list[Series]:
        """Return the series with days that this timer closes."""
        before = tables.select(CLOSED, {"seq": Between(0, timer.seq - 1)}, order=("-seq",), limit=1)
        after = int(before[0][0] or 0) if before else _EARLIEST
        return self._countable(tables, min(after + 1, timer.day), timer.day)

    def _countable(self, tables: TableReader, first: int, last: int) -> list[Series]:
        """Return the tested series that reach the minimum on one of these days."""
        where = {"day": Between(first, last), "n": Between(self._rule.minimum, _MOST)}
        rows = tables.select(COUNT, where)
        return [_series(row) for row in rows if is_tested(str(row[0]), str(row[1]))]

    # -- testing ---------------------------------------------------------------------------------

    def _alarms(
        self, wanted: Iterable[Series], tables: TableReader, closed: int
    ) -> defaultdict[Series, list[Alarm]]:
        """Return the alarm days of each series, in order."""
        alarms: defaultdict[Series, list[Alarm]] = defaultdict(list)
        numbers = {series: number for number, series in enumerate(sorted(wanted))}
        rows = sorted(_counts(tables, numbers, closed))
        table = np.array([(numbers[_series(row)], row[3], row[4]) for row in rows], np.int64).reshape(-1, 3)
        cells = table[table[:, 2] >= self._rule.minimum]
        if not len(cells):
            return alarms
        first = int(cells[:, 1].min()) - self._rule.reach(self._rule.baselines[-1]) - SILENCE
        reported = _reported(tables, first, closed)
        series, days, counts = table.T
        found = apply_rule(series, days, counts, (cells[:, 0], cells[:, 1]), reported, self._rule)
        names = list(numbers)
        for place in np.flatnonzero(found.alarm).tolist():
            number, day, observed = cells[place].tolist()
            expected, upper, score = (
                float(each[place]) for each in (found.expected, found.upper, found.score)
            )
            length = int(found.baseline[place])
            alarms[names[number]].append(Alarm(day, observed, expected, upper, score, length))
        return alarms


def signal_id(cause: int, ordinal: int) -> str:
    """Return the id of a signal first emitted so: a UUID of version 8 (RFC 9562, section 5.8)."""
    drawn = blake2b(f"{TESTS}:{cause}:{ordinal}".encode(), digest_size=16).digest()
    value = int.from_bytes(drawn, "big") & ~(0xF << 76) | 0x8 << 76
    return str(uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62))


def _counts(tables: TableReader, wanted: Iterable[Series], closed: int) -> list[Row]:
    """Return the counts of these series up to the last closed day."""
    places: defaultdict[str, set[str]] = defaultdict(set)
    for stream, place, _ in wanted:
        places[stream].add(place)
    rows: list[Row] = []
    for stream, some in places.items():
        where: dict[str, Condition] = {
            "stream": stream,
            "place": OneOf(sorted(some)),
            "day": Between(_EARLIEST, closed),
        }
        rows += tables.select(COUNT, where)
    series = set(wanted)
    return [row for row in rows if _series(row) in series]


def _reported(tables: TableReader, first: int, last: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    where: dict[str, Condition] = {
        "stream": VISITS,
        "place": CITY,
        "stratum": ALL,
        "day": Between(first, last),
    }
    return np.array([row[3] for row in tables.select(COUNT, where, order=("day",))], np.int64)


def _held(wanted: Iterable[Series], tables: TableReader) -> defaultdict[Series, list[Held]]:
    """Return the signals of these series."""
    held: defaultdict[Series, list[Held]] = defaultdict(list)
    series = set(wanted)
    for signal in _ours(selected(tables, SIGNAL, "stream", {stream for stream, _, _ in series})):
        if signal[1:4] in series:
            held[signal[1:4]].append(signal)
    return held


def _open(tables: TableReader) -> list[Series]:
    return [signal[1:4] for signal in _ours(tables.select(SIGNAL, {"status": "open"}))]


def _ours(rows: Iterable[Row]) -> list[Held]:
    """Return the signals that these tests made; other methods may signal too."""
    return [held for held in map(Held._make, rows) if held.origin == TESTS]


def _cause(causes: dict[Series, int], series: Iterable[Series], seq: int) -> None:
    for each in series:
        causes[each] = max(seq, causes.get(each, 0))


def _series(row: Row) -> Series:
    return str(row[0]), str(row[1]), str(row[2])
