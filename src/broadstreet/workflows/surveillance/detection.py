"""The reactor that tests counts and emits what stands out as signals."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

import msgspec

from broadstreet.model import records
from broadstreet.model.records import Evidence, Signal, Stratum
from broadstreet.store.entry import Entry
from broadstreet.store.follower import Emission, Projection
from broadstreet.store.tables import Between, OneOf, TableReader
from broadstreet.workflows.surveillance import arrivals
from broadstreet.workflows.surveillance.arrivals import Arrivals
from broadstreet.workflows.surveillance.budget import LEARNS_FROM, Budget
from broadstreet.workflows.surveillance.counts import Counts
from broadstreet.workflows.surveillance.days import date_of, number_of
from broadstreet.workflows.surveillance.dismissals import GROWN, Dismissed, Excess
from broadstreet.workflows.surveillance.due import AGAIN, Due, due_of, standing_on
from broadstreet.workflows.surveillance.evidence import Witness
from broadstreet.workflows.surveillance.keys import Key, key_of
from broadstreet.workflows.surveillance.lives import (
    QUIET,
    Life,
    Standing,
    apart,
    lives,
    span,
    status_of,
    strongest,
)
from broadstreet.workflows.surveillance.news import EMITTED, TESTS, TYPES
from broadstreet.workflows.surveillance.outages import Outages
from broadstreet.workflows.surveillance.places import NOWHERE, Places
from broadstreet.workflows.surveillance.rule import Rule, warm
from broadstreet.workflows.surveillance.scanning import AREA, days_to_scan
from broadstreet.workflows.surveillance.sheet import Sheet
from broadstreet.workflows.surveillance.strata import Series
from broadstreet.workflows.surveillance.tables import SIGNAL, VISITS, Held
from broadstreet.workflows.surveillance.testing import Testing, silent_days
from broadstreet.workflows.surveillance.verdicts import dismissed_of, signal_of
from broadstreet.workflows.surveillance.versions import Versions

ALIVE = ("opened", "growing", "fading")


class Tests:
    """Tests the counts of every closed day, tests again what changes, and looks at the day that is not over.

    Whatever speaks for the same visits (series of syndromes, places and ages; the scan) is one signal.

    Parameters
    ----------
    over
        The counts.
    rule
        How a day is tested.
    places
        Where the districts are; without them nothing is scanned.
    budget
        False alarms a month that are allowed in the whole city.
    """

    __test__ = False
    name = TESTS
    version = 2
    types = TYPES

    def __init__(
        self,
        over: Counts,
        rule: Rule = Rule(),  # noqa: B008 - it is frozen
        places: Places = NOWHERE,
        budget: float = 1.0,
    ) -> None:
        self.over: Projection | None = over
        self._counts, self.rule, self.places = over, rule, places
        self._budget = Budget(budget, has_scan=bool(places.by_code))
        self._sheet = Sheet(over.strata)
        self._arrivals: tuple[int, Arrivals] | None = None
        self._versions = Versions()

    def react(self, entries: Sequence[Entry], tables: TableReader) -> list[Emission]:
        """Return each signal that is new or not as it should be."""
        warm(self.rule)
        due = due_of(entries, tables)
        displaced = list(self._versions.displaced(entries))
        if due is None or not (due.cells or due.days or due.told):
            return []
        again = due.look_again(displaced)
        self._sheet.follow(tables, due.closed, due.changed)
        held = self._held(tables, due)
        scans = days_to_scan(tables, due.closed) if due.closings and self.places.by_code else []
        scans += again if self.places.by_code else []
        cells = standing_on(due, held) | self._cells(due)
        batch = _Batch(due, cells, tuple(held), frozenset(scans))
        testing = self._testing(tables, due)
        fresh = list(self._tested(batch, testing))
        told = _Telling(due, batch.causes, {each.id: each for each in held})
        return told.emissions(lives(*self._placed(batch, fresh)))

    # -- what to test ----------------------------------------------------------------------------

    def _cells(self, due: Due) -> dict[tuple[Series, int], int]:
        cells = dict(due.cells)
        watched = [*self._sheet.tested(), *self._sheet.feeds()]
        began = self._sheet.began
        for day, seq in due.days.items():
            if day >= began:
                for series in watched:
                    cells[series, day] = max(seq, cells.get((series, day), 0))
        return cells

    def _held(self, tables: TableReader, due: Due) -> list[Held]:
        """Return the signals that what is due may touch, and those whose life goes on."""
        days = [*due.days, *(day for _, day in due.cells)]
        rows = tables.select(SIGNAL, {"status": OneOf(ALIVE)})
        if days:
            rows += tables.select(SIGNAL, {"until": Between(min(days) - QUIET, max(days) + AGAIN)})
        rows += tables.select(SIGNAL, {"id": OneOf(sorted(due.told))}) if due.told else []
        rows += tables.select(SIGNAL, {"stream": VISITS})
        found = {str(row[0]): Held._make(row) for row in rows}
        return [found[id] for id in sorted(found) if found[id].origin == TESTS]

    def _placed(self, batch: _Batch, fresh: Sequence[Evidence]) -> tuple[list[Standing], list[Evidence]]:
        """Return the signals with what speaks for them now, and what is in none of them yet."""
        found = {key_of(each): each for each in fresh}
        taken: set[Key] = set()
        standing = []
        signals = [each for each in batch.signals.values() if not each.joined]
        for signal in sorted(signals, key=lambda each: each.id not in batch.dismissed):
            dismissed = batch.dismissed.get(signal.id)
            kept = [each for each in signal.evidence if not batch.is_due(each)]
            kept += _still_found(signal, dismissed, found, taken)
            standing.append(Standing(signal, tuple(kept), dismissed))
        standing.sort(key=lambda each: (each.signal.since, each.signal.id))
        return standing, [each for key, each in found.items() if key not in taken]

    # -- testing ---------------------------------------------------------------------------------

    def _testing(self, tables: TableReader, due: Due) -> Testing:
        rows = [Held._make(row) for row in tables.select(SIGNAL, {"finding": "dismissed"})]
        recent = [held for held in rows if held.until > due.closed - LEARNS_FROM]
        lived = due.closed - self._sheet.begin(due.closed)
        streams = {series.stream for series in self._sheet.tested()}
        corrections = self._budget.corrections(map(signal_of, recent), lived, streams)
        excess = Excess(filter(None, map(dismissed_of, recent)))
        witness, late = Witness(tables), self._arrived(tables, due.closed)
        return Testing(self._sheet, witness, self.rule, self._budget, self.places, corrections, late, excess)

    def _arrived(self, tables: TableReader, closed: int) -> Arrivals:
        """Return how late visits come, as it was known when that day was closed."""
        if self._arrivals is None or self._arrivals[0] != closed:
            self._arrivals = closed, arrivals.observed(tables, self._sheet, closed)
        return self._arrivals[1]

    def _tested(self, batch: _Batch, testing: Testing) -> Iterator[Evidence]:
        due, sheet = batch.due, self._sheet
        standing = [e for e in batch.kept if e.where.stream == VISITS]
        feeds = {cell for cell in batch.cells if cell[0].stream == VISITS and cell[1] <= due.closed}
        silent = testing.silences(feeds, batch.outages(standing))
        again = batch.silences_change(silent)
        yield from silent
        for day, seq in again.items():
            batch.add(((series, day) for series in sheet.tested()), seq)
        cells = [cell for cell in batch.cells if cell[0].stream != VISITS]
        yield from testing.rises(cells, silent_days([*standing, *silent]))
        for day in sorted(batch.scans):
            yield from testing.clusters(day)


def _still_found(
    signal: Signal, dismissed: Dismissed | None, found: dict[Key, Evidence], taken: set[Key]
) -> Iterator[Evidence]:
    """Yield the tests of a signal that still stand out, as they are now, and note that they are taken.

    Of one that has grown since it was dismissed, what was dismissed stays; what is found now is left.
    """
    for key in map(key_of, signal.evidence):
        if key not in found:
            continue
        if dismissed is None or dismissed.explains(found[key]):
            if key not in taken:
                taken.add(key)
                yield found[key]
        elif key in dismissed.seen:
            yield dismissed.seen[key]


class _Batch:
    """What one batch tests (cells, and days that are scanned), against what stood before it."""

    def __init__(
        self, due: Due, cells: dict[tuple[Series, int], int], held: Sequence[Held], scans: frozenset[int]
    ) -> None:
        self.due, self.cells, self.scans = due, cells, scans
        self.signals = {each.id: signal_of(each) for each in held}
        self.dismissed = {each.id: said for each in held if (said := dismissed_of(each))}
        self._before = [e for signal in self.signals.values() for e in signal.evidence]
        if due.closings:
            self.add(self._recent(), due.closings[-1].seq)

    @property
    def causes(self) -> dict[Key, int]:
        """The entry because of which each cell is tested."""
        return {(*series, day): seq for (series, day), seq in self.cells.items()}

    def _recent(self) -> Iterator[tuple[Series, int]]:
        """Yield what stood out of late: more of those days is known by now, so more is expected of them."""
        for each in self._before:
            stream, place, stratum, day = key_of(each)
            if day > self.due.closed - arrivals.LONGEST and not place.startswith(AREA):
                yield Series(stream, place, stratum), day

    @property
    def kept(self) -> list[Evidence]:
        """What stands whatever this batch finds."""
        return [each for each in self._before if not self.is_due(each)]

    def outages(self, silent: Iterable[Evidence]) -> Outages:
        """Return the silent days of sources that stand whatever this batch finds."""
        found = Outages(self.signals.values(), self.dismissed)
        for each in sorted(silent, key=lambda evidence: evidence.day):
            found.add(each)
        return found

    def is_due(self, evidence: Evidence) -> bool:
        """Return whether a test is made again: its cell is, or it is an area's and its day is scanned."""
        key = key_of(evidence)
        if evidence.where.place.startswith(AREA):
            return key[3] in self.scans
        return (Series(*key[:3]), key[3]) in self.cells

    def add(self, cells: Iterable[tuple[Series, int]], seq: int) -> None:
        """Test these as well."""
        for cell in cells:
            self.cells[cell] = max(seq, self.cells.get(cell, 0))

    def silences_change(self, silent: Sequence[Evidence]) -> dict[int, int]:
        """Return the days on which a source is silent now and was not, or the other way: all else is compared
        anew."""
        before = {key_of(e) for e in self._before if e.where.stream == VISITS and self.is_due(e)}
        now = {key_of(each) for each in silent}
        return {key[3]: self.cells[Series(*key[:3]), key[3]] for key in before ^ now}


class _Telling:
    """Decides what is emitted, and because of which entry."""

    def __init__(self, due: Due, causes: dict[Key, int], held: dict[str, Held]) -> None:
        self._due, self._causes, self._held = due, causes, held
        self._ordinals: Counter[int] = Counter()

    def emissions(self, found: Iterable[Life]) -> list[Emission]:
        """Return what is to be told of these lives."""
        emitted: list[Emission] = []
        for life in found:
            cause = self._cause(life)
            if cause:
                emitted += self._of_life(life, cause)
        return emitted

    def _of_life(self, life: Life, cause: int) -> Iterator[Emission]:
        before = life.before
        id = before.id if before else signal_id(cause, self._ordinals[cause])
        signal = told(id, before, life.evidence, self._due.closed)
        if self._is_news(before, signal):
            yield self._emission(cause, signal)
        for other in life.joined:
            status = msgspec.structs.replace(other, status="withdrawn", evidence=(), joined=id)
            yield self._emission(cause, status)

    def _is_news(self, before: Signal | None, signal: Signal) -> bool:
        if before is None:
            return True
        if records.encode(signal) == self._held[signal.id].body:
            return False
        closed, is_again = self._due.closed, signal.id in self._due.told or bool(self._due.closings)
        if is_again or number_of(signal.until) <= closed or signal.status != before.status:
            return True
        same = {key_of(e) for e in signal.evidence} == {key_of(e) for e in before.evidence}
        return not same or signal.observed >= GROWN * before.observed or signal.observed < before.observed

    def _cause(self, life: Life) -> int:
        """Return the newest of the entries that a life may have changed by; 0 if there is none."""
        before = life.before.evidence if life.before else ()
        seqs = [self._causes.get(key_of(each), 0) for each in (*before, *life.evidence)]
        seqs += [self._due.told.get(each.id, 0) for each in (life.before, *life.joined) if each]
        seqs += [timer.seq for timer in self._due.closings[-1:]]
        return max(seqs, default=0)

    def _emission(self, cause: int, signal: Signal) -> Emission:
        ordinal = self._ordinals[cause]
        self._ordinals[cause] += 1
        return Emission(cause, ordinal, EMITTED, signal.id, records.encode(signal))


def told(id: str, before: Signal | None, evidence: tuple[Evidence, ...], closed: int) -> Signal:
    """Return a signal as it should be; what an officer has said of it stays, and without evidence its last
    numbers."""
    status = status_of(evidence, closed)
    if not evidence:
        assert before is not None
        return msgspec.structs.replace(before, status=status, evidence=())
    where = _told_by(before, evidence)
    of_it = apart(each for each in evidence if each.where == where)
    since, until = span(evidence)
    return Signal(
        id=id,
        status=status,
        kind="silence" if where.stream == VISITS else "rise",
        where=where,
        since=since,
        until=until,
        observed=sum(each.observed for each in of_it),
        expected=sum(each.expected for each in of_it),
        evidence=evidence,
        verdict=before.verdict if before else None,
        known=before.known if before else date_of(closed + 1),
    )


def _told_by(before: Signal | None, evidence: tuple[Evidence, ...]) -> Stratum:
    """Return the series that stands for a signal: the strongest one, or still that which was dismissed."""
    is_dismissed = before is not None and before.state == "dismissed"
    if before is not None and is_dismissed and any(each.where == before.where for each in evidence):
        return before.where
    return strongest(evidence)


def signal_id(cause: int, ordinal: int) -> str:
    """Return the id of a signal first emitted so: a UUID of version 8 (RFC 9562, section 5.8)."""
    drawn = blake2b(f"{TESTS}:{cause}:{ordinal}".encode(), digest_size=16).digest()
    value = int.from_bytes(drawn, "big") & ~(0xF << 76) | 0x8 << 76
    return str(uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62))
