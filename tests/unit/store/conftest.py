from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.store.committer import Committer
from broadstreet.store.entry import Draft, IndexRows
from broadstreet.store.protocol import Store
from broadstreet.store.transaction import Transaction, Wants
from tests.backends import Backend

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


def identified(tx: Transaction, system: str, *codes: str) -> IndexRows:
    return IndexRows(
        tokens=tuple(
            key for code in codes for key in tx.indexer.tokens("Patient", "identifier", system, code)
        )
    )


class JumpingClock:
    """A clock that can be set to any time, back as well."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def say(committer: Committer, *types: str) -> list[int]:
    """Append one entry of each type, in one commit; return their seqs."""

    def append(tx: Transaction) -> list[int]:
        ids = [tx.new_id() for _ in types]
        drafts = [draft(id=id, type=type, key=id) for id, type in zip(ids, types, strict=True)]
        return [seq for each in drafts if (seq := tx.append(each)) is not None]

    seqs: list[int] = committer.commit(Do(append))
    return seqs


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock(START)


@pytest.fixture
def store(backend: Backend) -> Iterator[Store]:
    store = backend.open()
    yield store
    store.close()


@pytest.fixture
def committer(store: Store, clock: DrivenClock) -> Iterator[Committer]:
    committer = Committer(store, clock, SeededIds(clock, 1))
    yield committer
    committer.close()
