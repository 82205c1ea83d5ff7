"""Bring the search index up to the log, a slice of it at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from broadstreet.model import fhir, records
from broadstreet.model.records import Erasure
from broadstreet.model.search.parts import TYPES
from broadstreet.store.entry import NO_ROWS, UNKNOWN, Entry, IndexRows, Labels
from broadstreet.store.index.indexer import Indexer
from broadstreet.store.index.kinds import FOREVER, KINDS
from broadstreet.store.protocol import Erased, IndexSide, Reader, StoreError

SLICE = 12_000
"""Entries that are indexed at once: whoever is behind changes each page once for many of them."""

ERASURE = records.entry_type(Erasure)
FHIR_TYPES = frozenset(f"fhir/{name}" for name in TYPES)

Index = list[list[tuple[object, ...]]]
RowsOf = Callable[[Entry], IndexRows]

_log = logging.getLogger(__name__)


class Indexing:
    """Follows the log and writes the index.

    Parameters
    ----------
    log
        What is followed.
    side
        Where the rows go; whoever has it is the only one who writes them.
    indexer
        Turns resources into rows.
    """

    def __init__(self, log: Reader, side: IndexSide, indexer: Indexer) -> None:
        self._log, self._side, self._indexer = log, side, indexer
        seq, id = side.cursor
        if seq and not self._is_there(seq, id):
            _log.warning("the search index is of another log, or of more of it than there is: made anew")
            side.clear()
            seq = 0
        self.position = self._kept = seq
        self._is_lost = False
        self._writing: Future[None] | None = None

    def step(self) -> bool:
        """Index the next entries; return whether there were any.

        A whole slice is written while the next one is computed. What is written is so by the time that there
        are no more.

        Raises
        ------
        StoreError
            If a resource of the log cannot be read, or the index not be written: then it is gone on with from
            where it stands.
        """
        try:
            return self._step()
        except BaseException:
            self._wait()
            raise

    def _step(self) -> bool:
        if self._is_lost:
            self._find_position()
        entries = self._log.entries(self.position, limit=SLICE)
        if not entries:
            self.written()
            self._purge()
            self._side.compact()
            return False
        reached = entries[-1]
        before = self._log.predecessors(self.position, reached.seq)
        closing = [(before[entry.seq], entry.seq) for entry in entries if entry.seq in before]
        labels = self._log.labels(self.position, reached.seq)
        versions = [(e, FOREVER) for e in entries if e.type in FHIR_TYPES]
        index = self._side.prepare(index_of(versions, self._indexer, labels))
        erased = self._erased(entries)
        self.written()
        self._write(index, closing, (reached.seq, reached.id), erased)
        self.position = reached.seq
        if any(erased) or len(entries) < SLICE:
            self.written()
        if any(erased):
            self._side.compact()
        return True

    def _write(self, *slice: Any) -> None:
        """Write a slice on another thread: the database works outside of Python's lock."""
        pool = ThreadPoolExecutor(1, "index")
        self._writing = pool.submit(self._side.write, *slice)
        pool.shutdown(wait=False)

    def written(self) -> None:
        """Wait until what was handed over is written."""
        writing, self._writing = self._writing, None
        if writing is not None:
            try:
                writing.result()
            except BaseException:
                self.position, self._is_lost = self._kept, True
                with suppress(Exception):
                    self._find_position()
                raise
            self._kept = self.position

    def _find_position(self) -> None:
        """Take up the position of what is written; as long as it cannot be read, nothing is gone on with."""
        self.position = self._kept = self._side.cursor[0]
        self._is_lost = False

    def _wait(self) -> None:
        with suppress(Exception):
            self.written()

    def catch_up(self, progress: Callable[[int, int], None] = lambda *_: None) -> int:
        """Index all that is there, telling `progress` `(done, all)`; return the position reached."""
        while self.step():
            progress(self.position, self._log.head())
        return self.position

    def _erased(self, entries: Sequence[Entry]) -> Erased:
        """Return the labels of the residents that the entries erase, and all versions of what is deleted for
        that: one may have been about somebody else.
        """
        orders = [records.decode(e.body) for e in entries if e.type == ERASURE and e.body]
        erasures = [each for each in orders if isinstance(each, Erasure)]
        subjects = [self._indexer.hashed(id) for each in erasures for id in (each.resident, *each.also)]
        causes = {e.cause for e in entries if e.type in FHIR_TYPES and e.body is None and e.cause is not None}
        ordered = {seq for seq in causes if self._log.entries(seq - 1, limit=1)[0].type == ERASURE}
        deleted = [(e.type, e.id) for e in entries if e.cause in ordered and e.type in FHIR_TYPES]
        versions = [each.seq for type, id in deleted for each in self._log.history(type, id)]
        return Erased(subjects, versions)

    def _purge(self) -> None:
        oldest = self._log.oldest_position()
        if oldest > self._side.purged:
            self._side.purge(oldest)

    def _is_there(self, seq: int, id: str) -> bool:
        found = self._log.entries(seq - 1, to=seq)
        return bool(found) and found[0].id == id


def index_of(
    versions: Sequence[tuple[Entry, int]],
    indexer: Indexer,
    labels: Mapping[int, Labels],
    given: RowsOf | None = None,
) -> Index:
    """Return the rows of versions `(entry, until)`, whole, in the order of `KINDS`.

    `given` gives the rows of an entry; without it, the body is decoded as FHIR.
    """
    index: Index = [[] for _ in KINDS]
    for entry, until in versions:
        rows = rows_of(entry, indexer) if given is None else given(entry)
        after = (entry.seq, until, *_labels(entry, indexer, labels))
        for written, each in zip(index, rows.by_kind, strict=True):
            if each:
                written += [row + after for row in each]
    return index


def _labels(entry: Entry, indexer: Indexer, labels: Mapping[int, Labels]) -> tuple[int, ...]:
    subjects = (entry.subject,) if entry.subject else ()
    return indexer.labels(subjects, labels.get(entry.seq, UNKNOWN))


def rows_of(entry: Entry, indexer: Indexer) -> IndexRows:
    """Return the rows of a version of a FHIR resource; none for a deleted one.

    Raises
    ------
    StoreError
        If the body cannot be read.
    """
    if entry.body is None:
        return NO_ROWS
    try:
        return indexer.rows(fhir.decode(entry.body))
    except ValueError as error:
        raise StoreError(f"entry {entry.seq} ({entry.type}/{entry.id}) cannot be indexed: {error}") from error
