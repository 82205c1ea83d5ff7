"""How far what commands read lags behind the log."""

from __future__ import annotations

from pathlib import Path

from broadstreet.app.reach import hub_of
from broadstreet.app.settings import Settings
from broadstreet.app.words import counted
from broadstreet.store.protocol import Reader, StoreError
from broadstreet.workflows.surveillance import Counts, Tests

SURVEILLANCE = (Counts.name, Tests.name)
"""The followers whose tables tell of signals."""


def behind(reader: Reader) -> int:
    """Return how many entries the tables of surveillance have not seen yet."""
    cursors = reader.cursors()
    return reader.head() - min(cursors[name].seq if name in cursors else 0 for name in SURVEILLANCE)


def unindexed(reader: Reader) -> int:
    """Return how many entries the search index has not seen yet."""
    return max(reader.head() - reader.searchable(), 0)


def behind_in_words(entries: int, folder: Path) -> str:
    """Return that the tables lag behind the log, and what makes them catch up."""
    lag = counted(entries, "entry", "entries")
    return f"the tables are {lag} behind: start the hub (`broadstreet serve --data {folder}`)"


def require_seen(settings: Settings, reader: Reader) -> None:
    """Refuse tables that lag behind their log where no hub lets them catch up.

    Raises
    ------
    StoreError
        If they do: they would say of what they have not seen that it is not there.
    """
    entries = behind(reader)
    hub = hub_of(settings) if entries else None
    if hub is not None:
        hub.close()
    elif entries:
        raise StoreError(behind_in_words(entries, settings.folder))
