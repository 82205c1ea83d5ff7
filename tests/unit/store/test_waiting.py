"""Whoever reads in another process is woken when the log grows."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

from broadstreet.app.indexing import IndexProcess
from broadstreet.app.stores import Place
from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.store.committer import Committer
from broadstreet.store.protocol import Store
from broadstreet.store.seal import Keyring, SealedStore
from tests.backends import Backend

from .conftest import say

LONG = 60.0
WAITS = """
import sys
from broadstreet.store.opening import open_store
store = open_store(sys.argv[1], create=False)
print("waits", flush=True)
print(store.wait(beyond=int(sys.argv[2]), timeout=60.0), flush=True)
"""


def test_another_process_is_woken_by_a_commit(committer: Committer, backend: Backend) -> None:
    say(committer, "t/one")
    command = [sys.executable, "-c", WAITS, backend.address(), "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "waits\n"
        say(committer, "t/two")
        assert other.stdout.readline() == "2\n"


def test_what_is_there_already_is_not_waited_for(committer: Committer, store: Store) -> None:
    say(committer, "t/one", "t/two")
    assert store.wait(beyond=1, timeout=LONG) == 2


def test_a_wait_ends_when_its_time_is_up(committer: Committer, store: Store) -> None:
    say(committer, "t/one")
    assert store.wait(beyond=1, timeout=0.05) == 1


def test_several_threads_wait_at_once(committer: Committer, store: Store) -> None:
    heads: list[int] = []
    waiting = [threading.Thread(target=lambda: heads.append(store.wait(0, LONG))) for _ in range(3)]
    for thread in waiting:
        thread.start()
    say(committer, "t/one")
    for thread in waiting:
        thread.join()
    assert heads == [1, 1, 1]


def test_the_process_that_keeps_the_index_is_woken_and_ends_with_its_hub(
    backend: Backend, tmp_path: Path, clock: DrivenClock
) -> None:
    store = SealedStore(backend.open(index_beside=True), Keyring(tmp_path / "keys"))
    committer = Committer(store, clock, SeededIds(clock, 1))
    process = IndexProcess(Place(backend.address(), tmp_path / "keys"))
    try:
        for expected in (1, 2, 3):
            say(committer, f"t/{expected}")
            while store.searchable() < expected:
                assert process.running
                time.sleep(0.01)
    finally:
        process.stop()
    assert not process.running
    committer.close()
    store.close()
