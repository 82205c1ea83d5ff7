from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.store.committer import Committer
from broadstreet.store.entry import Draft, IndexRows
from broadstreet.store.sqlite import SqliteStore
from broadstreet.store.transaction import Transaction, Wants

START = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Do:
    """A work that calls a function."""

    call: Any
    reads: Wants = field(default_factory=Wants)
    weight: int = 1
    size: int = 100

    def wants(self) -> Wants:
        return self.reads

    def apply(self, tx: Transaction) -> Any:
        return self.call(tx)


def draft(id: str = "p1", body: bytes | None = b"{}", key: str = "k1", **more: Any) -> Draft:
    return Draft(**{"type": "fhir/Patient", "id": id, "body": body, "source": "test", "key": key} | more)


def tokens(*values: int) -> IndexRows:
    return IndexRows(tokens=tuple((1, value) for value in values))


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock(START)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "log.db")
    yield store
    store.close()


@pytest.fixture
def committer(store: SqliteStore, clock: DrivenClock) -> Iterator[Committer]:
    committer = Committer(store, clock, SeededIds(clock, 1))
    yield committer
    committer.close()
