"""A hub whose files may not grow: `python -m tests.crash.full_disk DATABASE BYTES`.

It prints `key seq` for what is durable, and `full key` for each work that found no room; then there
is room again, and it sends all of that once more: `again key seq`. In the end it prints the faults
of its followers.
"""

from __future__ import annotations

import os
import resource
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from broadstreet.model.clock import SystemClock
from broadstreet.model.ids import RandomIds
from broadstreet.store.committer import Committer
from broadstreet.store.followers import Followers, settle
from broadstreet.store.protocol import StoreFull
from broadstreet.store.sqlite import SqliteStore
from tests.crash.city import Alarms, Arrive, Tally

WRITERS = 16
LONGEST = 50_000
FULL = 20
"""Each writer stops after so many refusals."""


def write(committer: Committer, writer: int) -> list[str]:
    """Write until there is no room; return the keys that were refused."""
    refused: list[str] = []
    number = 0
    while len(refused) < FULL:
        key, number = f"{writer}-{number}", number + 1
        try:
            say(f"{key} {committer.commit(Arrive(key, LONGEST))}")
        except StoreFull:
            say(f"full {key}")
            refused.append(key)
    return refused


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def main(database: str, limit: str) -> None:
    store, clock = SqliteStore(Path(database)), SystemClock()
    committer = Committer(store, clock, RandomIds(clock))
    tally = Tally()
    followers = Followers.begun(store, committer, [tally, Alarms(tally)])
    followers.start()
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), hard))  # Python ignores SIGXFSZ
    with ThreadPoolExecutor(WRITERS) as pool:
        refused = [key for keys in pool.map(lambda n: write(committer, n), range(WRITERS)) for key in keys]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    for key in refused:
        say(f"again {key} {committer.commit(Arrive(key, LONGEST))}")
    assert settle(followers, committer, timeout=60)
    say(f"faults {len(followers.faults)}")
    followers.stop()
    committer.close()
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
