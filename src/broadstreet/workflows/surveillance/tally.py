"""Counting by difference: a change takes a visit's old contribution away and adds its new one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from broadstreet.store.tables import Change, TableReader
from broadstreet.workflows.surveillance.homes import Homes
from broadstreet.workflows.surveillance.ledger import Ledger
from broadstreet.workflows.surveillance.news import TESTS, News
from broadstreet.workflows.surveillance.overlay import Overlay
from broadstreet.workflows.surveillance.strata import Strata
from broadstreet.workflows.surveillance.tables import (
    CLOSED,
    FACILITY,
    FINDING,
    RESIDENT,
    SIGNAL,
    VISIT,
    Cell,
    Closed,
    Facility,
    Finding,
    Held,
    Resident,
    Visit,
)

Name = Callable[[str, tuple[str, ...]], str]
"""Names the syndromes of a complaint and codes, as words with spaces between."""
_NO_CELLS: frozenset[Cell] = frozenset()


class Tally:
    """The counts and what they rest on, as a batch of news finds and leaves them.

    Parameters
    ----------
    news
        In the order of the log. The rows that they touch are read at once, with one select a table and
        column; each is then taken by itself, so that it does not matter how the log is cut into batches.
    reader
        The stored tables.
    name
        Names syndromes.
    strata
        What is counted.
    """

    def __init__(self, news: Sequence[News], reader: TableReader, name: Name, strata: Strata) -> None:
        self._news, self._name, self._strata = news, name, strata
        self._visits = Overlay[str, Visit](VISIT, Visit._make, reader)
        self._findings = Overlay[str, Finding](FINDING, Finding._make, reader)
        self._facilities = Overlay[str, Facility](FACILITY, Facility._make, reader)
        self._signals = Overlay[str, Held](SIGNAL, Held._make, reader)
        self._visits_of: defaultdict[str | None, set[str]] = defaultdict(set)
        self._findings_of: defaultdict[str, set[str]] = defaultdict(set)
        self._ledger = Ledger(reader, strata)
        self._homes = Homes(reader, self._told(RESIDENT.name))
        self._load()

    def changes(self) -> list[Change]:
        """Take the news one by one; return what they change."""
        for said in self._news:
            _TAKE[said.table](self, said)
        parts = (
            self._homes, self._visits, self._findings, self._facilities, self._signals, self._ledger,
        )  # fmt: skip
        return [change for part in parts for change in part.changes()]

    def _load(self) -> None:
        rows = [said.row for said in self._news]
        self._findings.load("id", self._told(FINDING.name))
        encounters = {each.encounter for each in rows if isinstance(each, Finding)}
        encounters |= {each.encounter for each in self._findings.rows.values()}
        encounters |= self._told(VISIT.name)
        self._findings.load("encounter", encounters)
        self._visits.load("id", encounters)
        self._visits.load("patient", self._homes.affected)
        self._facilities.load("id", self._told(FACILITY.name))
        self._signals.load("id", self._told(SIGNAL.name))
        visits = [*self._visits.rows.values(), *(each for each in rows if isinstance(each, Visit))]
        self._homes.load(
            {visit.patient for visit in visits}, [each for each in rows if isinstance(each, Resident)]
        )
        for visit in self._visits.rows.values():
            self._visits_of[visit.patient].add(visit.id)
        for finding in self._findings.rows.values():
            self._findings_of[finding.encounter].add(finding.id)

    def _told(self, table: str) -> set[str]:
        return {said.key for said in self._news if said.table == table}

    def _take_resident(self, said: News) -> None:
        new = said.row if isinstance(said.row, Resident) else None
        for patient in self._homes.put(said.key, new):
            for visit in [self._visits.rows[id] for id in self._visits_of.get(patient, ())]:
                self._recount(said.seq, visit, self._of_resident(visit))

    def _take_visit(self, said: News) -> None:
        old = self._visits.rows.get(said.key)
        new = said.row if isinstance(said.row, Visit) else None
        if old is not None:
            self._visits_of[old.patient].discard(old.id)
        if new is not None:
            self._visits_of[new.patient].add(new.id)
            new = self._named(self._of_resident(new))
        self._recount(said.seq, old, new)

    def _take_finding(self, said: News) -> None:
        old = self._findings.rows.get(said.key)
        new = said.row if isinstance(said.row, Finding) else None
        if old == new:
            return
        if old is not None:
            self._findings_of[old.encounter].discard(old.id)
        if new is not None:
            self._findings_of[new.encounter].add(new.id)
        self._findings.set(said.key, new)
        for encounter in {each.encounter for each in (old, new) if each is not None}:
            visit = self._visits.rows.get(encounter)
            if visit is not None:
                self._recount(said.seq, visit, self._named(visit))

    def _take_facility(self, said: News) -> None:
        self._facilities.set(said.key, said.row if isinstance(said.row, Facility) else None)

    def _take_closed(self, said: News) -> None:
        assert isinstance(said.row, Closed)
        self._ledger.close(said.row)

    def _take_signal(self, told: News) -> None:
        new = told.row if isinstance(told.row, Held) else None
        old = self._signals.rows.get(told.key)
        if new is not None and old is not None:
            # What the reactor emits never takes an officer's verdict away.
            said = old if new.origin == TESTS else new
            new = new._replace(
                origin=old.origin, finding=said.finding, verdict=said.verdict, judged=said.judged
            )
        self._signals.set(told.key, new)

    def _recount(self, seq: int, old: Visit | None, new: Visit | None) -> None:
        if new == old:
            return
        one = old or new
        assert one is not None
        self._visits.set(one.id, new)
        self._ledger.move(seq, self._cells_of(old), self._cells_of(new))

    def _cells_of(self, visit: Visit | None) -> frozenset[Cell]:
        return _NO_CELLS if visit is None else self._strata.cells(visit)

    def _of_resident(self, visit: Visit) -> Visit:
        if visit.day is None:
            return visit
        home, born = self._homes.of(visit.patient)
        return visit._replace(district=home, band=self._strata.band(born, visit.day))

    def _named(self, visit: Visit) -> Visit:
        if visit.day is None:
            return visit
        known = self._findings_of.get(visit.id)
        if not known:
            return visit._replace(syndromes=self._name(visit.complaint, tuple(visit.codes.split())))
        findings = [self._findings.rows[id] for id in known]
        texts = [visit.complaint, *sorted(finding.text for finding in findings)]
        codes = {code for each in (visit.codes, *(f.codes for f in findings)) for code in each.split()}
        complaint = ". ".join(text for text in texts if text)
        return visit._replace(syndromes=self._name(complaint, tuple(sorted(codes))))


_TAKE: dict[str, Callable[[Tally, News], None]] = {
    RESIDENT.name: Tally._take_resident,
    VISIT.name: Tally._take_visit,
    FINDING.name: Tally._take_finding,
    FACILITY.name: Tally._take_facility,
    CLOSED.name: Tally._take_closed,
    SIGNAL.name: Tally._take_signal,
}
