"""Commit one work after the other, each acknowledged on a line: `python -m tests.crash.writer DATABASE N`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from broadstreet.model.clock import SystemClock
from broadstreet.model.ids import RandomIds
from broadstreet.store.committer import Committer
from broadstreet.store.sqlite import SqliteStore
from tests.crash.city import Arrive


def main(database: str, number: str) -> None:
    store, clock = SqliteStore(Path(database)), SystemClock()
    committer = Committer(store, clock, RandomIds(clock))
    for n in range(int(number)):
        seq = committer.commit(Arrive(f"one-{n}"))
        os.write(1, f"one-{n} {seq}\n".encode())
    committer.close()
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
