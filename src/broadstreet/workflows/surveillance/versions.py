"""The versions of signals as they are read, and what is lost where one did not know the one before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from broadstreet.model import records
from broadstreet.model.records import Evidence, Signal
from broadstreet.store.entry import Entry
from broadstreet.workflows.surveillance.news import EMITTED

MOST = 10_000
"""Signals whose newest version is remembered."""


class _Read(NamedTuple):
    seq: int
    evidence: tuple[Evidence, ...]


class Versions:
    """Remembers the newest version of each signal that was read.

    A version is emitted after the entries that it follows from, and what is tested meanwhile does not know
    it. So the next version can be made without the evidence of this one, which has to be looked for again.
    """

    def __init__(self) -> None:
        self._read: dict[str, _Read] = {}

    def displaced(self, entries: Iterable[Entry]) -> Iterator[tuple[Evidence, int]]:
        """Yield what was read in versions that the next ones did not know, with the position of the next."""
        for entry in entries:
            if entry.type != EMITTED or entry.body is None:
                continue
            signal = records.decode(entry.body)
            assert isinstance(signal, Signal)
            before = self._read.pop(entry.id, None)
            if before and entry.cause is not None and entry.cause < before.seq:
                yield from ((each, entry.seq) for each in before.evidence)
            self._read[entry.id] = _Read(entry.seq, signal.evidence)
        while len(self._read) > MOST:
            del self._read[next(iter(self._read))]
