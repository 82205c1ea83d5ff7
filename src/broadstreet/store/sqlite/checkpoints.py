"""Checkpoints: what the write-ahead log holds is moved into the database beside the writer.

A checkpoint copies some ten thousand pages and waits for the disk twice. In the writer's own thread it
stops every commit meanwhile (measured: 140 to 440 ms, each half second under load). Here a thread with its
own connection does the copying. The log can begin anew only when nothing of it is left to copy, which a
thread beside a busy writer never sees; so the writer copies the little that came in meanwhile.

Source: https://sqlite.org/wal.html#ckpt
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path

from broadstreet.store.sqlite.connection import connect

MOST_ROWS = 40_000
"""So many rows are written before a checkpoint begins: each changes about one page, many the same."""

PASSES = 2
"""The second copies what was written during the first: a small part of it."""

_log = logging.getLogger(__name__)


class Checkpointer:
    """Runs checkpoints on a thread of its own, each once enough rows were written."""

    def __init__(self, path: Path, most_rows: int | None = None) -> None:
        self._connection = connect(path, read_only=False)
        self._rows, self._most = 0, most_rows
        self._due = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
        self._thread.start()
        self.nearly_done = False

    def committed(self, rows: int) -> None:
        """Take note that a commit wrote so many rows."""
        self._rows += rows
        if self._rows >= (self._most or MOST_ROWS) and not self.nearly_done:
            self._rows = 0
            self._due.set()

    def finish(self, connection: sqlite3.Connection) -> None:
        """Copy what is left, on the writer's connection, so that the log begins anew."""
        self.nearly_done = False
        checkpoint(connection)

    def close(self) -> None:
        """Stop, once the checkpoint at hand has ended."""
        self._stopping = True
        self._due.set()
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            if self._stopping:
                return
            for _ in range(PASSES):
                checkpoint(self._connection)
            self.nearly_done = True


def checkpoint(connection: sqlite3.Connection) -> None:
    """Copy what no reader or writer needs any more; a failure costs nothing but room in the log."""
    try:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    except sqlite3.Error as error:
        _log.warning("a checkpoint failed (it is tried again): %s", error)
