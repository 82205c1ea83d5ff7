"""What follows the log: projections, which can be rebuilt, and reactors, which emit.

A follower reads the entries it is handed and its own tables, and nothing else: no clock, no
network. What it makes of a batch is committed together with its cursor, so that its output is
there exactly once, whatever dies in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from broadstreet.store.entry import Draft, Entry
from broadstreet.store.tables import Change, Table, TableReader

NOTHING: tuple[str, ...] = ()


@runtime_checkable
class Projection(Protocol):
    """Keeps tables that say something about the log.

    Attributes
    ----------
    name, version
        A new version's tables are emptied and built again from the first entry.
    types
        The entry types it wants to see.
    tables
        The tables it owns; no other follower writes them.
    barriers
        Entry types after which it waits until the reactors over it have run.
    """

    name: str
    version: int
    types: frozenset[str]
    tables: tuple[Table, ...]
    barriers: frozenset[str]

    def project(self, entries: Sequence[Entry], tables: TableReader) -> list[Change]:
        """Return the changes that the entries make; they come in order, each exactly once."""
        ...


@dataclass(frozen=True)
class Emission:
    """A resource or record that a reactor emits because of an entry; `ordinal` tells several apart."""

    cause: int
    ordinal: int
    type: str
    id: str
    body: bytes | None
    subjects: tuple[str, ...] = ()


@runtime_checkable
class Reactor(Protocol):
    """Emits entries because of entries.

    Attributes
    ----------
    name, version
        A new version begins in shadow (what it would emit is kept beside the log) until promoted.
    types
        The entry types it wants to see.
    over
        The projection whose tables it reads, or None. It then runs after each of the projection's
        batches, on the same entries, and the projection does not run ahead of it past a barrier.
    """

    name: str
    version: int
    types: frozenset[str]
    over: Projection | None

    def react(self, entries: Sequence[Entry], tables: TableReader) -> list[Emission]:
        """Return what is to be emitted; the same entries and tables give the same emissions."""
        ...


Follower = Projection | Reactor


def source_of(follower: Follower) -> str:
    """Return name and version: the `source` of what a reactor emits."""
    return f"{follower.name}@{follower.version}"


def draft_of(emission: Emission, source: str) -> Draft:
    """Return the draft of an emission; its key makes sure that a replay emits nothing twice."""
    return Draft(
        type=emission.type,
        id=emission.id,
        body=emission.body,
        source=source,
        key=f"{emission.cause}:{emission.ordinal}",
        cause=emission.cause,
        subjects=emission.subjects,
    )
