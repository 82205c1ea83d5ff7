from __future__ import annotations

import threading
from pathlib import Path

import pytest

from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.store.committer import Committer
from broadstreet.store.sqlite import SqliteStore, checkpoints
from broadstreet.store.sqlite.store import verify

from .conftest import START, Do, draft, identified

SALTS = slice(16, 24)
"""Of the header; they change when the log begins anew. Source: https://sqlite.org/fileformat2.html"""


def beginnings(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(32)[SALTS]


def test_the_write_ahead_log_begins_anew_under_a_load_that_never_pauses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "MOST_ROWS", 200)
    path, clock = tmp_path / "log.db", DrivenClock(START)
    store = SqliteStore(path)
    committer = Committer(store, clock, SeededIds(clock, 1))
    seen: set[bytes] = set()
    n = 0
    while len(seen) < 4:  # the test's time limit ends it where this never comes about
        committer.commit(
            Do(lambda tx, n=n: tx.put(draft(id=f"{n}", key=f"{n}", rows=identified(tx, "s", str(n)))))
        )
        seen.add(beginnings(path.with_name("log.db-wal")))
        n += 1
    committer.close()
    store.close()
    assert verify(path) == n


def test_a_closed_store_leaves_no_thread_and_no_log_behind(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "log.db")
    store.writer()
    assert any(thread.name == "checkpoints" for thread in threading.enumerate())
    store.close()
    assert not any(thread.name == "checkpoints" for thread in threading.enumerate())
    assert not (tmp_path / "log.db-wal").exists()
