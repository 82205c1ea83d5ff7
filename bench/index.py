"""Append, supersede and rebuild with the whole search index, on a corpus as clinics would send it.

`python -m bench.index --resources 1000000` for the kept result; `python -m bench index` for a quick look.

What is timed begins with resources and their bodies in memory, and ends when they are durable: index rows are
computed in it, the corpus is made outside of it. Where the index is beside the log, as under a hub, a stretch
has ended when all of it can be searched, and the processor's time is that of the committer's process alone.
Timings are noisy where others work on the machine, so the
processor's time is told as well.
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bench.corpus import resources
from bench.results import keep
from broadstreet.app.hub import GARBAGE
from broadstreet.app.indexing import IndexProcess, rebuild_index
from broadstreet.app.stores import Place
from broadstreet.model import fhir
from broadstreet.model.clock import SystemClock
from broadstreet.model.ids import RandomIds
from broadstreet.store.committer import Committer
from broadstreet.store.entry import Draft
from broadstreet.store.index import Indexer
from broadstreet.store.protocol import Store
from broadstreet.store.seal import Keyring
from broadstreet.store.sqlite import SqliteStore
from broadstreet.store.sqlite.beside import place
from broadstreet.store.transaction import Transaction, Wants

QUICK = 50_000
STRETCH = 10_000  # resources that are made, then timed
A_WORK = 50
UNDER_WAY = 40
SUPERSEDED = 20_000
EACH = 300  # of a type, to time extraction


@dataclass(frozen=True)
class Backend:
    """A back end to be measured: how a store is opened, how many bytes it has on the disk, who indexes it."""

    name: str
    open: Callable[[], Store]
    bytes: Callable[[], int]
    follow: Callable[[], AbstractContextManager[None]] = nullcontext


@dataclass(frozen=True)
class Puts:
    """The work of putting resources, index and all."""

    first: int
    resources: Sequence[tuple[fhir.Resource, bytes]]
    source: str = "bench"

    @property
    def weight(self) -> int:
        return len(self.resources)

    @property
    def size(self) -> int:
        return sum(len(body) for _, body in self.resources)

    def wants(self) -> Wants:
        numbers = range(self.first, self.first + len(self.resources))
        return Wants(
            keys=tuple((self.source, str(n)) for n in numbers),
            resources=tuple((f"fhir/{type(each).__name__}", each.id or "") for each, _ in self.resources),
        )

    def apply(self, tx: Transaction) -> None:
        for number, (resource, body) in enumerate(self.resources, self.first):
            draft = Draft(
                type=f"fhir/{type(resource).__name__}",
                id=resource.id or "",
                body=body,
                source=self.source,
                key=str(number),
                subjects=subjects(resource),
                rows=tx.indexer.rows(resource),
            )
            tx.put(draft)


def subjects(resource: Any) -> tuple[str, ...]:
    """Return the id of the patient that a resource of the corpus is about."""
    if isinstance(resource, fhir.Patient):
        return (resource.id or "",)
    return (resource.subject.reference.removeprefix("Patient/"),)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--resources", type=int, default=QUICK)
    arguments.add_argument("--folder", type=Path, default=None, help="on the disk to be measured")
    chosen, _ = arguments.parse_known_args()
    folder = Path(tempfile.mkdtemp(dir=chosen.folder))
    gc.freeze()
    gc.set_threshold(*GARBAGE)  # as the hub does
    try:
        figures: dict[str, Any] = {"extraction": extraction()}
        for backend in (beside(folder / "hub"), within(folder)):
            print(backend.name)
            figures[backend.name] = measure(backend, chosen.resources)
        print(f"kept in {keep('index', figures, folder)}")
    finally:
        shutil.rmtree(folder)


def within(folder: Path) -> Backend:
    """Return the back end on one file: each commit writes the index."""
    path = folder / "log.db"
    return Backend("sqlite, index within the commit", lambda: SqliteStore(path), lambda: path.stat().st_size)


def beside(folder: Path) -> Backend:
    """Return the back end as a hub has it: a process beside it writes the index."""
    path, keys = folder / "log.db", folder / "keys"
    Keyring(keys).close()

    @contextmanager
    def follow() -> Iterator[None]:
        process = IndexProcess(Place(str(path), keys))
        try:
            yield
        finally:
            process.stop()

    return Backend(
        "sqlite, index beside the log",
        lambda: SqliteStore(path, index_beside=True),
        lambda: path.stat().st_size + place(path).stat().st_size,
        follow,
    )


def measure(backend: Backend, count: int) -> dict[str, Any]:
    """Measure one back end; print each figure as it is there."""
    figures: dict[str, Any] = {"resources": count, "load average, before": round(os.getloadavg()[0], 1)}
    store, committer = _open(backend)
    with backend.follow():
        figures |= _told(append(store, committer, count))
    committer.close()
    store.close()
    figures |= _told({"bytes on disk a resource, log and index": round(backend.bytes() / count)})
    store, committer = _open(backend)
    with backend.follow():
        figures |= _told(supersede(store, committer, min(SUPERSEDED, count // 2)))
    figures |= _told(rebuild(store, committer, backend.open))
    committer.close()
    store.close()
    figures["load average, after"] = round(os.getloadavg()[0], 1)
    return figures


def append(store: Store, committer: Committer, count: int) -> dict[str, Any]:
    """Put the corpus, stretch by stretch."""
    rates, processor, rows, size = [], [], 0, 0
    indexer = Indexer(store.indexer.keys.key)
    for number, stretch in enumerate(_stretches(count)):
        seconds, used = timed(store, committer, number * STRETCH, stretch, "bench")
        rates.append(len(stretch) / seconds)
        processor.append(used / len(stretch) * 1e6)
        size += sum(len(body) for _, body in stretch)
        if number == 0:
            rows = sum(sum(map(len, indexer.rows(each).by_kind)) for each, _ in stretch)
        done = number * STRETCH + len(stretch)
        if done % 100_000 < STRETCH:
            print(
                f"{done:>10,} resources: {rates[-1]:>7,.0f}/s, {processor[-1]:.0f} us of processor",
                flush=True,
            )
    tenth = max(len(rates) // 10, 1)
    return {
        "index rows a resource": round(rows / min(STRETCH, count), 1),
        "bytes of a body": round(size / count),
        "append: resources/s": round(_overall(rates)),
        f"append: resources/s, the first {STRETCH:,}": round(rates[0]),
        "append: resources/s, the last tenth": round(_overall(rates[-tenth:])),
        "append: processor us a resource": round(sum(processor) / len(processor), 1),
        "append: processor us a resource, the last tenth": round(sum(processor[-tenth:]) / tenth, 1),
    }


def supersede(store: Store, committer: Committer, count: int) -> dict[str, Any]:
    """Put a second version of resources, all through the corpus's beginning."""
    changed = []
    for stretch in _stretches(count):
        for resource, _ in stretch:
            newer = msgspec.structs.replace(resource, language="ko")
            changed.append((newer, fhir.encode(newer)))
    seconds, used = timed(store, committer, 0, changed, "bench-again")
    return {
        "supersede: resources/s": round(count / seconds),
        "supersede: processor us a resource": round(used / count * 1e6, 1),
    }


def rebuild(store: Store, committer: Committer, log: Callable[[], Store]) -> dict[str, Any]:
    """Empty the index and fill it again from the log."""
    begun = time.perf_counter()
    rebuild_index(store, committer, log)
    head = store.head()
    seconds = time.perf_counter() - begun
    return {"rebuild: versions/s": round(head / seconds), "rebuild: s": round(seconds, 1)}


def extraction() -> dict[str, Any]:
    """Time the computing of index rows alone, hashes remembered as in a hub that runs."""
    indexer = Indexer(bytes(32))
    by_type: dict[str, list[fhir.Resource]] = {}
    for each in resources():
        if len(several := by_type.setdefault(type(each).__name__, [])) < EACH:
            several.append(each)
        if len(by_type) == 4 and all(len(several) == EACH for several in by_type.values()):
            break
    found = {}
    for name, several in by_type.items():
        times = []
        for _ in range(7):
            begun = time.process_time()
            for each in several:
                indexer.rows(each)
            times.append((time.process_time() - begun) / EACH * 1e6)
        found[f"{name}: us"] = round(sorted(times)[3], 1)
    return _told(found)


def timed(
    store: Store,
    committer: Committer,
    first: int,
    prepared: Sequence[tuple[fhir.Resource, bytes]],
    source: str,
) -> tuple[float, float]:
    """Put resources as fast as the committer takes them; return seconds and those of the processor.

    The seconds end when all of them can be searched.
    """
    works = [
        Puts(first + start, prepared[start : start + A_WORK], source)
        for start in range(0, len(prepared), A_WORK)
    ]
    under_way: deque[Future[Any]] = deque()
    processor, begun = time.process_time(), time.perf_counter()
    for work in works:
        under_way.append(committer.submit(work))
        if len(under_way) >= UNDER_WAY:
            under_way.popleft().result()
    for future in under_way:
        future.result()
    while store.searchable() < committer.head:
        time.sleep(0.005)
    return time.perf_counter() - begun, time.process_time() - processor


def _stretches(count: int) -> Iterator[list[tuple[fhir.Resource, bytes]]]:
    made = resources()
    for start in range(0, count, STRETCH):
        taken = [next(made) for _ in range(min(STRETCH, count - start))]
        yield [(each, fhir.encode(each)) for each in taken]


def _overall(rates: Sequence[float]) -> float:
    """Return the rate over stretches of the same length."""
    return len(rates) / sum(1 / rate for rate in rates)


def _told(figures: dict[str, Any]) -> dict[str, Any]:
    for name, figure in figures.items():
        print(f"{name:<50} {figure:>12,}", flush=True)
    return figures


def _open(backend: Backend) -> tuple[Store, Committer]:
    store, clock = backend.open(), SystemClock()
    return store, Committer(store, clock, RandomIds(clock))


if __name__ == "__main__":
    main()
