"""The process that keeps the search index: `python -m broadstreet.app.indexing FILE KEYS`.

The hub starts it, and it ends when its standard input does. It has the second processor of a small machine,
and none of the hub's time: a message is acknowledged without waiting for it.
"""

from __future__ import annotations

import gc
import logging
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from broadstreet.store.committer import Committer
from broadstreet.store.index import Indexer
from broadstreet.store.index.following import Indexing
from broadstreet.store.protocol import Store, StoreError, StoreLocked
from broadstreet.store.reindex import reindex
from broadstreet.store.seal import Keyring, SealedStore
from broadstreet.store.sqlite import SqliteStore
from broadstreet.store.sqlite.beside import IndexFile

PAUSE = 0.2
"""In seconds; so soon new entries are looked for."""
PAUSE_AFTER_FAULT = 5.0
"""In seconds; a full disk is tried again, and a resource that cannot be read is told of again."""
NICENESS = 5
"""Doors go before: they have someone waiting."""
GARBAGE = (100_000, 20, 100)
ENDS_WITHIN = 10.0

_log = logging.getLogger(__name__)


def rebuild_index(store: Store, committer: Committer, progress: Callable[[int, int], None]) -> None:
    """Empty the search index, beside the log or not, and make it again; the hub must not run.

    Raises
    ------
    StoreError
        If an entry's body cannot be read.
    """
    reindex(store, committer, progress=progress)
    side = store.index_side()
    if side is not None:
        with closing(side):
            side.clear()
            Indexing(store, side, Indexer(store.indexer.keys.key)).catch_up(progress)


class IndexProcess:
    """The process, as the hub sees it."""

    def __init__(self, database: Path, keys: Path) -> None:
        self._database, self._keys = database, keys
        self._process = self._started()

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def keep(self) -> None:
        """Start it again if it has ended."""
        if not self.running:
            _log.error("the process that keeps the search index has ended (%s)", self._process.returncode)
            self._process = self._started()

    def stop(self) -> None:
        """Let it end after the slice at hand."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "broadstreet.app.indexing", str(self._database)]
        command.append(str(self._keys))
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)  # noqa: S603 - ours


def run(database: Path, keys: Path) -> None:
    """Keep the index of a log's file until standard input ends.

    Raises
    ------
    StoreError
        If the store cannot be opened, or another process keeps its index.
    """
    os.nice(NICENESS)
    store = SealedStore(SqliteStore(database, create=False), Keyring(keys, create=False))
    side = _opened(database)
    if side is None:
        return
    try:
        indexing = Indexing(store, side, Indexer(store.indexer.keys.key))
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GARBAGE)
        while not _told_to_end(0.0 if _stepped(indexing) else PAUSE):
            pass
    finally:
        side.close()
        store.close()


def _opened(database: Path) -> IndexFile | None:
    """Open the index; of a hub that was killed, the old process may still be at its last slice."""
    while True:
        try:
            return IndexFile(database)
        except StoreLocked:
            if _told_to_end(PAUSE):
                return None


def _stepped(indexing: Indexing) -> bool:
    try:
        return indexing.step()
    except StoreError as error:
        _log.error("%s (tried again)", error)
        time.sleep(PAUSE_AFTER_FAULT)
        return False


def _told_to_end(wait: float) -> bool:
    return bool(select.select([sys.stdin], [], [], wait)[0])


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s index: %(message)s")
    run(Path(sys.argv[1]), Path(sys.argv[2]))
