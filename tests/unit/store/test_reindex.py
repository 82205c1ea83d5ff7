"""The index is the same, however many processes compute it and however it is cut into slices."""

from __future__ import annotations

import pytest

from bench.corpus import first
from bench.index import Puts
from broadstreet.model import fhir
from broadstreet.store import reindex as rebuilding
from broadstreet.store.committer import Committer
from broadstreet.store.protocol import Store, StoreError
from broadstreet.store.reindex import reindex
from broadstreet.store.tables import Row

from .conftest import Do, draft


def index_of(store: Store) -> dict[str, list[Row]]:
    return {table.name: list(store.rows(table)) for table in store.index_tables()}


@pytest.mark.parametrize("processes", [0, 2])
def test_a_rebuilt_index_equals_the_one_that_was_kept(
    store: Store, committer: Committer, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    monkeypatch.setattr(rebuilding, "SLICE", 7)
    monkeypatch.setattr(rebuilding, "TOGETHER", 3)
    resources = [(each, fhir.encode(each)) for each in first(100)]
    committer.commit(Puts(0, resources))
    kept = index_of(store)
    assert sum(map(len, kept.values())) > 800
    assert reindex(store, committer, processes=processes) == 100
    assert index_of(store) == kept


@pytest.mark.parametrize("processes", [0, 2])
def test_a_body_that_cannot_be_read_is_told_and_the_index_stays_refused(
    store: Store, committer: Committer, processes: int
) -> None:
    committer.commit(Do(lambda tx: tx.put(draft(body=b"{"))))
    with pytest.raises(StoreError, match=r"entry 1 \(fhir/Patient/p1\) cannot be indexed"):
        reindex(store, committer, processes=processes)
    assert not store.indexed()
