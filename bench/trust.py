"""What trust costs: policy in each search, an access entry for each request, sealing of each body.

`python -m bench.trust --resources 1000000 --keep` for the kept result; without, a quick look at 50,000. Each
measurement alternates with and without, several rounds, so that the machine is the same for both, and tells
the median of the rounds. Searches are timed in processor time of this process, which is all that there is on
SQLite; requests and appends by the clock, since they wait for the disk.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import multiprocessing
import random
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import uvloop

from bench.corpus import resources
from bench.index import A_WORK, subjects
from bench.results import keep, kept
from bench.search import KINDS, Draw
from broadstreet.model import fhir
from broadstreet.model.clock import SystemClock
from broadstreet.model.ids import RandomIds
from broadstreet.store.committer import Committer
from broadstreet.store.entry import Draft
from broadstreet.store.protocol import Store
from broadstreet.store.query import Refers, TooBroad
from broadstreet.store.query.visible import Visible
from broadstreet.store.seal import Keyring, SealedStore
from broadstreet.store.sqlite import SqliteStore
from broadstreet.store.transaction import Transaction, Wants
from broadstreet.trust.awaiting import Answers
from broadstreet.trust.labels import labels_of
from broadstreet.trust.policy import standing
from broadstreet.trust.principals import Principal, Purpose
from broadstreet.trust.reading import PurposeReader, Recorder, Trust, recording
from broadstreet.trust.visible import Where, visible

QUICK = 50_000
ROUNDS = 5
EACH = 12
"""Searches of each kind in a round."""
CONNECTIONS = 64
REQUESTS = 6_400
SEALED = 20_000
ORGANISATIONS, DISTRICTS = 4, 8
ASKED = {
    "epidemiologist, city": (
        Principal("e", "person", frozenset({"epidemiologist"})),
        Purpose("public-health"),
    ),
    "clinician, a quarter of all": (
        Principal("c", "person", frozenset({"clinician"}), organisation="org-0"),
        Purpose("treatment"),
    ),
    "officer, an eighth of all": (
        Principal("d", "person", frozenset({"district-officer"}), district="D0"),
        Purpose("public-health"),
    ),
}


ABOUT_ONE = ("token: identifier", "reference: patient", "two: patient, code")


class Labelled:
    """The work of putting resources with the labels that policy decides on."""

    def __init__(self, number: int, some: Sequence[tuple[fhir.Resource, bytes]]) -> None:
        self.number, self.some = number, some

    @property
    def weight(self) -> int:
        """How many entries it adds."""
        return len(self.some)

    @property
    def size(self) -> int:
        """How many bytes."""
        return sum(len(body) for _, body in self.some)

    def wants(self) -> Wants:
        """Say what it will read."""
        return Wants(
            keys=tuple(("bench", str(self.number + n)) for n in range(len(self.some))),
            resources=tuple((f"fhir/{type(r).__name__}", r.id or "") for r, _ in self.some),
        )

    def apply(self, tx: Transaction) -> None:
        """Put them."""
        for number, (resource, body) in enumerate(self.some, start=self.number):
            about = subjects(resource)
            of = int.from_bytes(hashlib.sha256(about[0].encode()).digest()[:4], "big") if about else 0
            labels = labels_of(
                resource, tx.indexer, organisation=f"org-{of % ORGANISATIONS}", district=f"D{of % DISTRICTS}"
            )
            tx.put(
                Draft(
                    type=f"fhir/{type(resource).__name__}", id=resource.id or "", body=body, source="bench",
                    key=str(number), subjects=about, rows=tx.indexer.rows(resource), labels=labels,
                )
            )  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Measure the three; print them, and keep them if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resources", type=int, default=QUICK)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to be measured")
    parser.add_argument(
        "--only",
        action="append",
        choices=("policy", "access", "sealing"),
        help="measure it alone; what was kept of the others stays, each with its own day",
    )
    parser.add_argument("--keep", action="store_true", help="write bench/results/trust.json")
    chosen = parser.parse_args(arguments)
    before = kept("trust") if chosen.only else {}
    if chosen.keep and before.get("resources", chosen.resources) != chosen.resources:
        parser.error(f"what is kept is of {before['resources']:,} resources: measure as many, or all of it")
    folder = Path(tempfile.mkdtemp(dir=chosen.folder))
    figures: dict[str, Any] = before | {"resources": chosen.resources}
    try:
        clock = SystemClock()
        store = SealedStore(SqliteStore(folder / "log.db"), Keyring(folder / "keys"))
        committer = Committer(store, clock, RandomIds(clock))
        append(committer, chosen.resources)
        measures: dict[str, Callable[[], dict[str, Any]]] = {
            "policy": lambda: policy(store, chosen.rounds),
            "access": lambda: access(store, committer, chosen.rounds),
            "sealing": lambda: sealing(folder, chosen.rounds),
        }
        for name in chosen.only or measures:
            figures[name] = {"measured": time.strftime("%Y-%m-%d"), **measures[name]()}
            show(name, figures[name])
        committer.close()
        store.close()
        if chosen.keep:
            print(f"kept in {keep('trust', figures, folder)}")
    finally:
        shutil.rmtree(folder)


def show(what: str, figures: dict[str, Any]) -> None:
    """Print what was measured."""
    print(f"{what}:", flush=True)
    for name, figure in figures.items():
        print(f"  {name}: {figure}", flush=True)


def append(committer: Committer, count: int, seed: int = 1) -> float:
    """Put resources; return seconds."""
    corpus, number, took = islice(resources(seed), count), 0, 0.0
    while some := [(each, fhir.encode(each)) for each in islice(corpus, A_WORK * 20)]:
        begun = time.perf_counter()
        works = [Labelled(number + at, some[at : at + A_WORK]) for at in range(0, len(some), A_WORK)]
        for done in [committer.submit(work) for work in works]:
            done.result()
        took += time.perf_counter() - begun
        number += len(some)
        if number % 100_000 == 0:
            print(f"{number:>10,} resources", flush=True)
    return took


def policy(store: Store, rounds: int) -> dict[str, Any]:
    """Compare searches with what may be seen inside and without.

    Who sees a part of all has a page filled from more rows: that is the work of selecting, and no cost of the
    policy's being in the query; a filter afterwards would read as many.
    So searches about one resident, which find all that they look for, are told apart.
    """
    figures: dict[str, Any] = {}
    draw = Draw(store)
    asked = {kind: [ask(draw) for _ in range(EACH)] for kind, ask in KINDS.items()}
    for name, (principal, purpose) in ASKED.items():
        grants = standing().grants(principal, purpose)
        seen = visible(grants, Where(principal), store.indexer.hashed)
        sums: list[float] = []
        kinds: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for _ in range(rounds):
            pairs = {
                k: (_searched(store, each, None), _searched(store, each, seen)) for k, each in asked.items()
            }
            for kind, (without, within) in pairs.items():
                kinds[kind].append(within / without - 1)
            sums.append(sum(w for _, w in pairs.values()) / sum(w for w, _ in pairs.values()) - 1)
        figures[name] = {
            "all kinds, % of time more": _spread(sums),
            "about one resident, % more": _spread([statistics.median(kinds[kind]) for kind in ABOUT_ONE]),
            "by kind, %": {kind: round(100 * statistics.median(each), 1) for kind, each in kinds.items()},
        }
    return figures


def _searched(store: Store, asks: Sequence[Any], seen: Visible | None) -> float:
    begun = time.process_time()
    for type, conditions in asks:
        with suppress(TooBroad):
            store.search(type, conditions, visible=seen)
    return time.process_time() - begun


def access(store: Store, committer: Committer, rounds: int) -> dict[str, Any]:
    """Compare requests over 64 sockets that leave an access entry with the same that leave none.

    The requests come from another process. A request reads a patient, or searches what is about one, and its
    answer is the bodies; nothing more is done for it, so a real door's requests cost more, and the share of
    the access is smaller.
    """
    patients = _of_org(store)
    rates: dict[str, list[float]] = {"with": [], "without": []}
    used: dict[str, list[float]] = {"with": [], "without": []}
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for number in range(rounds):  # either goes first in turn: a machine that grows slower wrongs neither
            for name, kind in (("without", _Traceless), ("with", Trust))[:: -1 if number % 2 else 1]:
                trust = kind(store, recording(committer), SystemClock(), b"k" * 32)
                with _serving(trust, committer, patients) as port:
                    begun = time.process_time()
                    seconds = pool.apply(load, (port,))
                    used[name].append((time.process_time() - begun) / REQUESTS)
                    rates[name].append(REQUESTS / seconds)
    return {
        "rounds": rounds,
        "requests/s without": round(statistics.median(rates["without"])),
        "requests/s with": round(statistics.median(rates["with"])),
        "% of requests/s less": _spread(_less(rates)),
        "processor, us a request, without": round(1e6 * statistics.median(used["without"])),
        "processor, us a request, with": round(1e6 * statistics.median(used["with"])),
        "% of processor more": _spread(
            [w / o - 1 for w, o in zip(used["with"], used["without"], strict=True)]
        ),
    }


class _Traceless(Trust):
    """Answers alike, and leaves nothing behind: what an access is held against."""

    def noting(self, record: Recorder) -> Trust:  # noqa: ARG002
        return super().noting(lambda _: None)


def _less(rates: dict[str, list[float]]) -> list[float]:
    return [1 - w / o for w, o in zip(rates["with"], rates["without"], strict=True)]


def _of_org(store: Store) -> list[str]:
    found = []
    for entry in store.entries(0, types=["fhir/Patient"], limit=4_000):
        of = int.from_bytes(hashlib.sha256(entry.id.encode()).digest()[:4], "big")
        if of % ORGANISATIONS == 0:
            found.append(entry.id)
    random.Random(1).shuffle(found)
    return found


@contextmanager
def _serving(trust: Trust, committer: Committer, patients: Sequence[str]) -> Iterator[int]:
    """Answer lines with a number on a port, in an event loop on a thread, as a door does."""
    port: Future[int] = Future()
    loop = uvloop.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        answers = Answers(trust, committer)
        server = await asyncio.start_server(partial(_serve, answers, patients), "127.0.0.1", 0, backlog=256)
        port.set_result(server.sockets[0].getsockname()[1])
        await ended.wait()
        server.close()
        await answers.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield port.result(60)
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


async def _serve(
    answers: Answers, patients: Sequence[str], asked: asyncio.StreamReader, answered: asyncio.StreamWriter
) -> None:
    principal, purpose = ASKED["clinician, a quarter of all"]
    while line := await asked.readline():
        body = await answers.answer(principal, purpose, partial(_bodies, patients, int(line)))
        answered.write(len(body).to_bytes(4, "big") + body)
    answered.close()


def _bodies(patients: Sequence[str], number: int, reader: PurposeReader) -> bytes:
    patient = patients[number % len(patients)]
    if number % 4 == 0:
        read = reader.read("Patient", patient)
        return read.body if read else b""
    type = ("Encounter", "Condition", "Observation")[number % 3]
    page = reader.search(type, [Refers("patient", f"Patient/{patient}")])
    return b",".join(each.body for each in page.resources)


def load(port: int) -> float:
    """Send the requests over so many connections, one in flight on each; return seconds."""
    return asyncio.run(_load(port))


async def _load(port: int) -> float:
    async def connection(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for n in range(REQUESTS // CONNECTIONS):
            writer.write(b"%d\n" % (number * REQUESTS // CONNECTIONS + n))
            await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(connection(number) for number in range(CONNECTIONS)))
    return time.perf_counter() - begun


def sealing(folder: Path, rounds: int) -> dict[str, Any]:
    """Compare appends to a store that seals with those to one that does not."""
    rates: dict[str, list[float]] = {"with": [], "without": []}
    clock = SystemClock()
    for number in range(rounds):
        for name in ("without", "with"):
            place = folder / f"{name}-{number}"
            plain = SqliteStore(place / "log.db")
            store = SealedStore(plain, Keyring(place / "keys")) if name == "with" else plain
            committer = Committer(store, clock, RandomIds(clock))
            rates[name].append(SEALED / append(committer, SEALED, seed=number + 2))
            committer.close()
            store.close()
            shutil.rmtree(place)
    return {
        "resources/s without": round(statistics.median(rates["without"])),
        "resources/s with": round(statistics.median(rates["with"])),
        "% less": _spread(_less(rates)),
    }


def _spread(parts: Sequence[float]) -> dict[str, float]:
    return {
        "median": round(100 * statistics.median(parts), 1),
        "least": round(100 * min(parts), 1),
        "most": round(100 * max(parts), 1),
    }


if __name__ == "__main__":
    main()
