"""What would have been seen on a day, with what had arrived by then; and what was told on it.

The log is read up to the end of that day, and counted and tested anew in a folder of its own by the settings
of today: nothing is written to the store. What officers have said plays no part, since they said it of what
was told then.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec

from broadstreet.app.followers import surveillance_of
from broadstreet.app.settings import Settings
from broadstreet.model import records
from broadstreet.model.records import Signal, Verdict
from broadstreet.store.entry import Entry
from broadstreet.store.follower import Emission, source_of
from broadstreet.store.protocol import Batch, Reader, StoreError
from broadstreet.store.sqlite import SqliteStore
from broadstreet.workflows.surveillance import closed_days, closing_of, signals
from broadstreet.workflows.surveillance.news import TESTS

SIGNAL = records.entry_type(Signal)
AT_ONCE = 1_000


def as_of(store: Reader, settings: Settings, day: date) -> list[Signal]:
    """Return the signals as they would have stood once a day was over.

    Raises
    ------
    StoreError
        If that day was not closed.
    """
    position = _position(store, day)
    counts, tests = surveillance_of(settings)
    with tempfile.TemporaryDirectory(prefix="bs-") as folder:
        beside = SqliteStore(Path(folder) / "log.db")
        try:
            writer = beside.writer()
            writer.define(counts.tables)
            for batch in _batches(store, position, counts.types, counts.barriers):
                writer.write(Batch(changes=counts.project(batch, beside)))
                emitted = [_entry(each, source_of(tests)) for each in tests.react(batch, beside)]
                if emitted:
                    writer.write(Batch(changes=counts.project(emitted, beside)))
            return signals(beside)
        finally:
            beside.close()


def told_by(store: Reader, day: date) -> list[Signal]:
    """Return the signals as they were told once a day was over, verdicts of that time included.

    Raises
    ------
    StoreError
        If that day was not closed.
    """
    position = _position(store, day)
    newest: dict[str, Signal] = {}
    said: dict[str, Verdict | None] = {}
    after = 0
    while entries := store.entries(after, types=[SIGNAL], limit=AT_ONCE):
        after = entries[-1].seq
        for entry in entries:
            if not entry.body or _known_by(entry) > position:
                continue
            signal = records.decode(entry.body)
            assert isinstance(signal, Signal)
            if not _is_test(entry):
                said[entry.id] = signal.verdict
            newest[entry.id] = msgspec.structs.replace(signal, verdict=said.get(entry.id))
    return sorted(newest.values(), key=lambda signal: (signal.since, signal.id))


def _known_by(entry: Entry) -> int:
    """Return the position by which a version was known: what the tests say follows from its cause, what an
    officer says is known when it is said."""
    return entry.cause or 0 if _is_test(entry) else entry.seq


def _is_test(entry: Entry) -> bool:
    return entry.source.partition("@")[0] == TESTS


def _position(store: Reader, day: date) -> int:
    seq = closing_of(store, day)
    if seq is None:
        first, last = closed_days(store) or (None, None)
        which = f"those from {first} to {last} were" if first else "none is yet"
        raise StoreError(f"expected a day that was closed ({which}), got {day}")
    return seq


def _batches(
    store: Reader, to: int, types: frozenset[str], barriers: frozenset[str]
) -> Iterator[list[Entry]]:
    """Yield what the followers see, cut where they wait; without what was emitted and judged then."""
    after = 0
    while entries := store.entries(after, to=to, types=types - {SIGNAL}, limit=AT_ONCE):
        cut = next((n for n, entry in enumerate(entries, 1) if entry.type in barriers), len(entries))
        after = entries[cut - 1].seq
        yield entries[:cut]


def _entry(emission: Emission, source: str) -> Entry:
    key = f"{emission.cause}:{emission.ordinal}"
    return Entry(
        emission.cause, 0, emission.type, emission.id, 1, None, None, source, key, emission.cause, 0,
        emission.body,
    )  # fmt: skip
