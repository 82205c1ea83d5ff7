"""The process that keeps the search index: `python -m broadstreet.app.indexing STORE KEYS`.

The hub starts it, and it ends when its standard input does. It has the second processor of a small machine,
and none of the hub's time: a message is acknowledged without waiting for it.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from broadstreet.app.collector import spare_the_collector
from broadstreet.app.stores import Place
from broadstreet.store.committer import Committer
from broadstreet.store.index import Indexer
from broadstreet.store.index.building import FEW, Opening
from broadstreet.store.index.following import SLICE, Indexing
from broadstreet.store.protocol import (
    IndexGone,
    IndexSide,
    Store,
    StoreError,
    StoreLocked,
    StoreUnavailable,
)
from broadstreet.store.reindex import reindex

GATHER = 0.3
"""In seconds; so long entries are waited for that come one after another, to be indexed together: a slice
of few costs hardly less than one of many."""
LONGEST_WAIT = 0.1
"""In seconds; so soon the process looks whether it is to end."""
PAUSE_AFTER_FAULT = 5.0
"""In seconds; a full disk is tried again, and a resource that cannot be read is told of again."""
NICENESS = 10
"""Doors go before: they have someone waiting."""
SWITCH = 0.0005
"""In seconds; so soon the thread that computes lets the one go on that writes, which waits for it often."""
ENDS_WITHIN = 10.0

_log = logging.getLogger(__name__)


def rebuild_index(
    store: Store, committer: Committer, log: Opening, progress: Callable[[int, int], None] = lambda *_: None
) -> None:
    """Make the search index again from the whole log, beside the log or not; the hub must not run.

    Parameters
    ----------
    store, committer
        The store, opened by whoever may write to it.
    log
        Opens it again, in the processes that compute rows.
    progress
        Is told `(done, all)` in entries.

    Raises
    ------
    StoreError
        If an entry's body cannot be read.
    """
    side = store.index_side()
    if side is None:
        reindex(store, committer, progress=progress)
        return
    with closing(side):
        committer.between(lambda writer: writer.drop_index())
        side.make_anew(log, progress)
        for rows in side.identities():
            committer.between(lambda writer, rows=rows: writer.reindex([rows]))  # type: ignore[misc]
        committer.between(lambda writer: writer.finish_index())


def catch_up_index(store: Store, log: Place) -> None:
    """Bring the search index up to the log, where no process keeps it.

    Raises
    ------
    StoreLocked
        If a process keeps it nevertheless.
    StoreError
        If an entry's body cannot be read.
    """
    side = store.index_side()
    if side is None:
        return
    with closing(side):
        if _is_far_behind(store.head(), side.cursor[0]):
            side.make_anew(log)
        Indexing(store, side, Indexer(store.indexer.keys.key)).catch_up()


class IndexProcess:
    """The process, as the hub sees it."""

    def __init__(self, log: Place) -> None:
        self._log = log
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
        command = [
            sys.executable,
            "-P",
            "-m",
            "broadstreet.app.indexing",
            self._log.address,
            str(self._log.keys),
        ]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)  # noqa: S603 - ours


def run(log: Place) -> None:
    """Keep the index of a log until standard input ends.

    Raises
    ------
    StoreError
        If the store cannot be opened, or another process keeps its index.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the hub, which sees to an end in order
    os.nice(NICENESS)
    sys.setswitchinterval(SWITCH)
    store = log()
    side = _opened(store)
    if side is None:
        return
    try:
        if _is_far_behind(store.head(), side.cursor[0]):
            side.make_anew(log, _go_on_or_end)
        indexing = Indexing(store, side, Indexer(store.indexer.keys.key))
        spare_the_collector()
        pause = 0.0
        while not _told_to_end(pause):
            if not _stepped(indexing):
                store.wait(indexing.position, LONGEST_WAIT)
            pause = GATHER if store.head() - indexing.position < SLICE else 0.0
        indexing.written()
    finally:
        side.close()
        store.close()


def _opened(store: Store) -> IndexSide | None:
    """Open the index; of a hub that was killed, the old process may still be at its last slice."""
    while True:
        try:
            return store.index_side()
        except StoreLocked:
            if _told_to_end(LONGEST_WAIT):
                return None


def _is_far_behind(head: int, reached: int) -> bool:
    """Say whether making the index anew is quicker than following the log up to its end."""
    return head - reached > max(FEW, head // 2)


def _go_on_or_end(*_: int) -> None:
    if _told_to_end(0.0):
        sys.exit(0)


def _stepped(indexing: Indexing) -> bool:
    try:
        return indexing.step()
    except (IndexGone, StoreUnavailable):
        raise
    except StoreError as error:
        _log.error("%s (tried again)", error)
        time.sleep(PAUSE_AFTER_FAULT)
        return False


def _told_to_end(wait: float) -> bool:
    return bool(select.select([sys.stdin], [], [], wait)[0])


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s index: %(message)s")
    try:
        run(Place(sys.argv[1], Path(sys.argv[2])))
    except StoreError as error:  # the hub starts it again
        sys.exit(str(error))
