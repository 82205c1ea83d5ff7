"""A store of a million resources on each back end: append, search, supersede, rebuild, disk, side by side.

`python -m bench.index --resources 1000000` for the kept result; `python -m bench index` for a quick look.
`--only sqlite` or `--only postgresql` measures one; what was kept of the other stays, each with its own day
and number of resources. PostgreSQL's programs are those that the tests find; its server is made beside the
other data, with the settings of docs/store/postgresql.md.

What is timed begins with resources and their bodies in memory, and ends when all of them are durable and can
be searched: a process beside the committer's keeps the index, as under a hub. The corpus is made outside of
it, 50,000 resources at a time; a hub never stops to wait for its index, so that the wait for the last of them
is counted each time. Bodies are not sealed. The processor's time is that of the committer's process alone.
A server is searched once its own vacuum has ended.

A machine that others share is half as fast in one minute as in the next, so that the first and the last of a
million tell little of the store. Whether it slows down as it grows is told by stretches that go alternately
into the store of a million and into a new one; before the rebuild, which leaves pages without room.
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
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from bench.corpus import resources
from bench.results import keep, kept
from broadstreet.app.collector import GARBAGE
from broadstreet.app.indexing import IndexProcess, rebuild_index
from broadstreet.app.stores import Place
from broadstreet.model import fhir
from broadstreet.model.clock import SystemClock
from broadstreet.model.ids import RandomIds
from broadstreet.store.committer import Committer
from broadstreet.store.entry import Draft
from broadstreet.store.index import Indexer
from broadstreet.store.index.building import Opening
from broadstreet.store.opening import open_store
from broadstreet.store.protocol import Store
from broadstreet.store.seal import Keyring
from broadstreet.store.sqlite.beside import place
from broadstreet.store.transaction import Transaction, Wants
from tests.postgres import Server

QUICK = 50_000
STRETCH = 50_000  # resources that are made, then timed
A_WORK = 50
UNDER_WAY = 40
SUPERSEDED = 20_000
A_NAP = 60  # seconds between the looks of a server at what it should vacuum
EACH = 300  # of a type, to time extraction
ROUNDS = 5  # stretches that go alternately into the whole store and into new ones
SERVER_SETTINGS = """
shared_buffers = 2GB
max_wal_size = 8GB
checkpoint_timeout = 15min
wal_compression = on
"""
APPEND = "append until searchable: resources/s"
FIRST = f"append: resources/s, the first {STRETCH:,}"
LAST = "append: resources/s, the last tenth"
NEW, GROWN = (
    "append, alternately: resources/s, a new store",
    "append, alternately: resources/s, the whole store",
)
DISK = "bytes on disk a resource, log and index"
REBUILD = "rebuild: versions/s"
ASKED_OF_ONE = {"sqlite": "< 2", "postgresql": "< 4"}
ASKED_OF_TWO = {"sqlite": "< 10", "postgresql": "< 10"}
# What issue and house ask: in words, of each back end, and how it is taken from the figures.
ASKED: list[tuple[str, dict[str, str], Callable[[dict[str, Any]], float]]] = [
    (APPEND, {"sqlite": ">= 10,000", "postgresql": ">= 8,000"}, lambda f: f[APPEND]),
    (
        "append: slower than into a new store, %",
        {"sqlite": "< 20", "postgresql": "< 20"},
        lambda f: round(100 * (1 - _median(f[GROWN]) / _median(f[NEW]))),
    ),
    (REBUILD, {"sqlite": ">= 15,000", "postgresql": ">= 15,000"}, lambda f: f[REBUILD]),
    (DISK, {"sqlite": "told", "postgresql": "told"}, lambda f: f[DISK]),
]


@dataclass(frozen=True)
class Backend:
    """A back end to be measured: where its store is, and how many bytes it has on the disk."""

    name: str
    log: Place
    bytes: Callable[[], int]
    beside: Callable[[int], Place]
    """Where a further store of its kind is."""

    def open(self) -> tuple[Store, Committer]:
        """Open it as a hub does."""
        store, clock = open_store(self.log.address, index_beside=True), SystemClock()
        return store, Committer(store, clock, RandomIds(clock))

    @contextmanager
    def following(self) -> Iterator[None]:
        """Let a process keep the index."""
        process = IndexProcess(self.log)
        try:
            yield
        finally:
            process.stop()


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
    arguments.add_argument("--only", choices=("sqlite", "postgresql"), default=None)
    chosen, _ = arguments.parse_known_args()
    folder = Path(tempfile.mkdtemp(dir=chosen.folder))
    folder.chmod(0o755)  # the server may run as another user
    gc.freeze()
    gc.set_threshold(*GARBAGE)  # as the hub does
    Keyring(folder / "keys").close()
    figures: dict[str, Any] = {"extraction": extraction()}
    try:
        for name, backend in (("sqlite", on_a_file), ("postgresql", on_a_server)):
            if chosen.only in (None, name):
                with backend(folder) as measured:
                    figures[name] = measure(measured, chosen.resources)
        if chosen.only is not None:
            figures = kept("index") | figures
        print(table_of(figures))
        print(f"kept in {keep('index', figures, folder)}")
    finally:
        shutil.rmtree(folder)


@contextmanager
def on_a_file(folder: Path) -> Iterator[Backend]:
    """Yield the back end of one file, with its index beside it."""
    path = folder / "hub" / "log.db"
    yield Backend(
        "sqlite",
        Place(str(path), folder / "keys"),
        lambda: path.stat().st_size + place(path).stat().st_size,
        lambda number: Place(str(folder / f"new{number}" / "log.db"), folder / "keys"),
    )


@contextmanager
def on_a_server(folder: Path) -> Iterator[Backend]:
    """Yield the back end of a server, which is started for it."""
    server = Server(folder / "server")
    server.make(SERVER_SETTINGS)
    server.start()
    try:
        address = server.address("bench")
        yield Backend(
            "postgresql",
            Place(address, folder / "keys"),
            lambda: _bytes_of(address),
            lambda number: Place(server.address(f"new{number}"), folder / "keys"),
        )
    finally:
        server.stop()


def _bytes_of(address: str) -> int:
    with closing(open_store(address, create=False)) as store:
        return sum(store.volume().bytes.values())


def measure(backend: Backend, count: int) -> dict[str, Any]:
    """Measure one back end; print each figure as it is there."""
    from bench import search  # noqa: PLC0415 - it takes its works from here

    print(backend.name, flush=True)
    figures: dict[str, Any] = {
        "measured": time.strftime("%Y-%m-%d"),
        "resources": count,
        "load average, before": round(os.getloadavg()[0], 1),
    }
    stretches = _stretches(count + ROUNDS * STRETCH)
    store, committer = backend.open()
    with backend.following():
        figures |= _told(append(store, committer, count, stretches))
    committer.close()
    store.close()
    figures |= _told({DISK: round(backend.bytes() / count)})
    store, committer = backend.open()
    _rest(store)
    figures["search"] = search.measure(store)
    with backend.following():
        figures |= _told(supersede(store, committer, min(SUPERSEDED, count // 2)))
        figures |= grown(backend, store, committer, count, stretches)
    figures |= _told(rebuild(store, committer, backend.log))
    committer.close()
    store.close()
    figures["load average, after"] = round(os.getloadavg()[0], 1)
    return figures


def _rest(store: Store) -> None:
    """Wait until a server has come to the end of its own vacuum, which it begins once a minute."""
    if store.files():
        return
    time.sleep(A_NAP)
    working = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'"
    while store.run(working, [])[0][0]:
        time.sleep(1)


def table_of(figures: dict[str, Any]) -> str:
    """Return what is asked of a store and what was measured, back ends side by side."""
    names = [name for name in ("sqlite", "postgresql") if name in figures]
    lines = [f"{'':<44}" + "".join(f"{name:>14}{'asked':>10}" for name in names)]
    for told, asked, value in ASKED:
        cells = "".join(f"{value(figures[n]):>14,}{asked[n]:>10}" for n in names)
        lines.append(f"{told:<44}{cells}")
    for kind in [kind for kind, each in figures[names[0]]["search"].items() if isinstance(each, dict)]:
        asked_of = ASKED_OF_TWO if kind.startswith("two") else ASKED_OF_ONE
        cells = "".join(f"{figures[n]['search'][kind]['p95']:>14.2f}{asked_of[n]:>10}" for n in names)
        lines.append(f"{'search, p95 in ms: ' + kind:<44}{cells}")
    return "\n".join(lines)


Prepared = Sequence[tuple[fhir.Resource, bytes]]


def append(store: Store, committer: Committer, count: int, stretches: Iterator[Prepared]) -> dict[str, Any]:
    """Put the corpus, stretch by stretch."""
    rates, processor, rows, size = [], [], 0, 0
    indexer = Indexer(store.indexer.keys.key)
    _wait_for_the_process(store, committer)
    for number, stretch in enumerate(islice(stretches, -(-count // STRETCH))):
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
        APPEND: round(_overall(rates)),
        FIRST: round(rates[0]),
        LAST: round(_overall(rates[-tenth:])),
        "append: processor us a resource": round(sum(processor) / len(processor), 1),
        "append: processor us a resource, the last tenth": round(sum(processor[-tenth:]) / tenth, 1),
    }


def grown(
    backend: Backend, store: Store, committer: Committer, count: int, stretches: Iterator[Prepared]
) -> dict[str, Any]:
    """Put each further stretch into a new store and into the whole one, and time both."""
    rates: dict[str, list[int]] = {NEW: [], GROWN: []}
    for number, stretch in enumerate(stretches):
        one = replace(backend, log=backend.beside(number))
        fresh, writing = one.open()
        with one.following():
            _wait_for_the_process(fresh, writing)
            seconds, _ = timed(fresh, writing, 0, stretch, "bench")
        writing.close()
        fresh.close()
        rates[NEW].append(round(len(stretch) / seconds))
        seconds, _ = timed(store, committer, count + number * STRETCH, stretch, "bench")
        rates[GROWN].append(round(len(stretch) / seconds))
    for name, found in rates.items():
        print(f"{name:<50} {', '.join(f'{rate:,}' for rate in found)}", flush=True)
    return dict(rates)


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


def rebuild(store: Store, committer: Committer, log: Opening) -> dict[str, Any]:
    """Empty the index and fill it again from the log."""
    begun = time.perf_counter()
    rebuild_index(store, committer, log)
    head = store.head()
    seconds = time.perf_counter() - begun
    return {REBUILD: round(head / seconds), "rebuild: s": round(seconds, 1)}


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
    prepared: Prepared,
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


def _median(rates: Sequence[float]) -> float:
    return sorted(rates)[len(rates) // 2]


def _overall(rates: Sequence[float]) -> float:
    """Return the rate over stretches of the same length."""
    return len(rates) / sum(1 / rate for rate in rates)


def _told(figures: dict[str, Any]) -> dict[str, Any]:
    for name, figure in figures.items():
        print(f"{name:<50} {figure:>12,}", flush=True)
    return figures


def _wait_for_the_process(store: Store, committer: Committer) -> None:
    """Put one resource, and wait until it can be searched: the process that keeps the index has started."""
    resource = fhir.decode(b'{"resourceType":"Patient","id":"first"}')
    committer.commit(Puts(0, [(resource, fhir.encode(resource))], "bench-first"))
    while store.searchable() < committer.head:
        time.sleep(0.005)


if __name__ == "__main__":
    main()
