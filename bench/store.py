"""Append resources to a store, start it again, follow it, and time single commits.

`python -m bench.store --entries 1000000` for the kept result; `python -m bench store` for a quick look.

The corpus is Observations of 600 bytes, each with three index rows: one of 200 codes (token), one of 200,000
patients (reference), and its second (date). On top, as the worst case for an index, resources whose
tokens and references are all different: each row lands on a page of its own, at random.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.results import keep
from broadstreet.model.clock import SystemClock
from broadstreet.model.ids import RandomIds
from broadstreet.model.search import parts_of
from broadstreet.model.search.parts import TYPE_NUMBERS
from broadstreet.store.committer import Committer
from broadstreet.store.entry import Draft, Entry, IndexRows
from broadstreet.store.followers import Followers
from broadstreet.store.sqlite import SqliteStore
from broadstreet.store.tables import Change, Increment, Table, TableReader
from broadstreet.store.transaction import Transaction, Wants

QUICK = 200_000
REPORT = 100_000
A_WORK = 50
UNDER_WAY = 40
BODY = b'{"resourceType":"Observation","note":"%s"}' % (b"x" * 560)
CODES, PATIENTS = 200, 200_000
(CODE,), (DATE,), (SUBJECT,) = (
    [part.number for part in parts_of("Observation", name)] for name in ("code", "date", "subject")
)
WRITERS = (1, 64)
COMMITS = 20_000
TALLY = Table("bench_tally", {"type": "text", "n": "integer"}, key=("type",))


class Tally:
    """Counts the entries: about the least that a projection can do."""

    name = "bench-tally"
    version = 1
    types = frozenset({"fhir/Observation"})
    tables: tuple[Table, ...] = (TALLY,)
    barriers = frozenset[str]()

    def project(self, entries: Sequence[Entry], tables: TableReader) -> list[Change]:  # noqa: ARG002
        return [Increment(TALLY, [("fhir/Observation", len(entries))])]


FOLLOWERS = (Tally(),)


@dataclass(frozen=True)
class Observations:
    """The work of putting `number` new resources with a token, a date and a reference each."""

    first: int
    number: int
    all_different: bool = False

    @property
    def weight(self) -> int:
        return self.number

    @property
    def size(self) -> int:
        return self.number * len(BODY)

    def wants(self) -> Wants:
        return Wants(keys=tuple(("bench", str(n)) for n in self._numbers()))

    def apply(self, tx: Transaction) -> None:
        hashed = tx.indexer.hashed
        for n in self._numbers():
            code, patient = (n, n) if self.all_different else (n * 7919 % CODES, n * 7919 % PATIENTS)
            rows = IndexRows(
                tokens=((CODE, hashed(str(code)), hashed("http://loinc.org")),),
                dates=((DATE, 0, n * 1_000_000, (n + 1) * 1_000_000),),
                references=((SUBJECT, hashed(f"Patient/{patient}"), TYPE_NUMBERS["Patient"]),),
            )
            draft = Draft(
                type="fhir/Observation", id=tx.new_id(), body=BODY, source="bench", key=str(n), rows=rows
            )
            tx.put(draft)

    def _numbers(self) -> range:
        return range(self.first, self.first + self.number)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--entries", type=int, default=QUICK)
    arguments.add_argument("--folder", type=Path, default=None, help="on the disk to be measured")
    chosen, _ = arguments.parse_known_args()
    folder = Path(tempfile.mkdtemp(dir=chosen.folder))
    try:
        figures = measure(folder / "log.db", chosen.entries)
        print(f"kept in {keep('store', figures, folder)}")
    finally:
        shutil.rmtree(folder)


def measure(database: Path, entries: int) -> dict[str, Any]:
    """Measure on one file; print each figure as it is there."""
    figures: dict[str, Any] = {"entries": entries, "bytes of a body": len(BODY)}
    figures["load average, before"] = [round(load, 1) for load in os.getloadavg()]
    store, committer = _open(database)
    figures |= told(append(committer, range(entries), "append, 3 index rows each"))
    killed = _copy_as_a_kill_leaves_it(database)
    committer.close()
    store.close()
    figures |= told({"bytes on disk an entry, index included": round(database.stat().st_size / entries)})
    figures |= told({f"restart: {name}": figure for name, figure in restart(database).items()})
    wal = killed.with_name(killed.name + "-wal").stat().st_size // 2**20
    once = restart(killed, runs=1)
    figures |= told(
        {f"restart after a kill, WAL of {wal} MB: {name}": figure for name, figure in once.items()}
    )
    store, committer = _open(database)
    figures |= told(follow(store, committer))
    for writers in WRITERS:
        figures |= told(asyncio.run(latency(committer, entries, writers)))
        entries += COMMITS
    worst = range(entries, entries + REPORT)
    figures |= told(
        append(committer, worst, "append, all tokens and references different", all_different=True)
    )
    committer.close()
    store.close()
    figures["load average, after"] = [round(load, 1) for load in os.getloadavg()]
    return figures


def append(committer: Committer, numbers: range, name: str, *, all_different: bool = False) -> dict[str, Any]:
    """Put resources as fast as the committer takes them."""
    under_way: deque[Any] = deque()
    processor = time.process_time()
    begun = last = time.perf_counter()
    rates = []
    for first in numbers[::A_WORK]:
        under_way.append(committer.submit(Observations(first, A_WORK, all_different)))
        if len(under_way) >= UNDER_WAY:
            under_way.popleft().result()
        done = first + A_WORK - numbers.start
        if done % REPORT == 0:
            now = time.perf_counter()
            rates.append(round(REPORT / (now - last)))
            last = now
            print(f"{done:>10,} resources: {rates[-1]:>7,}/s", flush=True)
    for future in under_way:
        future.result()
    return {
        f"{name}: resources/s": round(len(numbers) / (time.perf_counter() - begun)),
        f"{name}: resources/s for each {REPORT:,}": rates,
        f"{name}: processor us a resource": round((time.process_time() - processor) / len(numbers) * 1e6, 1),
    }


def restart(database: Path, runs: int = 5) -> dict[str, Any]:
    """Open store, committer and followers; the file is in the system's cache."""
    seconds = []
    for _ in range(runs):
        begun = time.perf_counter()
        store, committer = _open(database)
        Followers.begun(store, committer, FOLLOWERS)
        seconds.append(time.perf_counter() - begun)
        committer.close()
        store.close()
    return {"store + committer + followers, s": round(statistics.median(seconds), 4)}


def follow(store: SqliteStore, committer: Committer) -> dict[str, Any]:
    """Let a trivial projection come from the first entry to the last."""
    followers = Followers.begun(store, committer, FOLLOWERS)
    begun = time.perf_counter()
    while followers.step():
        pass
    seconds = time.perf_counter() - begun
    assert store.select(TALLY) == [("fhir/Observation", committer.head)]
    return {"follower, trivial projection: entries/s": round(committer.head / seconds)}


async def latency(committer: Committer, first: int, writers: int) -> dict[str, Any]:
    """Time commits of one resource each, so many writers waiting at once."""
    numbers = iter(range(first, first + COMMITS))
    seconds: list[float] = []

    async def write() -> None:
        for n in numbers:
            begun = time.perf_counter()
            await committer.committed(Observations(n, 1))
            seconds.append(time.perf_counter() - begun)

    begun, batches = time.perf_counter(), committer.batches
    await asyncio.gather(*(write() for _ in range(writers)))
    rate = COMMITS / (time.perf_counter() - begun)
    seconds.sort()
    return {
        f"commit, {writers} waiting: ms p50": round(seconds[len(seconds) // 2] * 1e3, 3),
        f"commit, {writers} waiting: ms p99": round(seconds[len(seconds) * 99 // 100] * 1e3, 3),
        f"commit, {writers} waiting: works/s": round(rate),
        f"commit, {writers} waiting: works a commit": round(COMMITS / (committer.batches - batches), 1),
    }


def told(figures: dict[str, Any]) -> dict[str, Any]:
    """Print figures; return them."""
    for name, figure in figures.items():
        if not isinstance(figure, list):
            print(f"{name:<50} {figure:>12,}", flush=True)
    return figures


def _copy_as_a_kill_leaves_it(database: Path) -> Path:
    killed = database.with_name("killed.db")
    for rest in ("", "-wal"):
        shutil.copyfile(database.with_name(database.name + rest), killed.with_name(killed.name + rest))
    return killed


def _open(database: Path) -> tuple[SqliteStore, Committer]:
    store, clock = SqliteStore(database), SystemClock()
    return store, Committer(store, clock, RandomIds(clock))


if __name__ == "__main__":
    main()
