"""Search a store of the corpus in `bench/corpus.py`, each kind of condition, alone and two together.

`python -m bench.search --resources 1000000` for the kept result; `python -m bench search` is a quick look.
`--store ADDRESS` (again for another) searches a store that is there: a file, or the URL of a server.
One that is empty is filled first. Without it, a file is made and removed.

Each search is a page of 50 with its bodies, in a store whose pages the system has in its memory. Values are
drawn from the resources of the store. Where others work on the machine the tail is theirs: the time of the
processor in this process is told as well, which is all that there is on SQLite.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from bench.corpus import BEGIN, LOINC, MRN, UCUM, resources
from bench.index import A_WORK, Puts
from bench.results import keep
from broadstreet.model import fhir
from broadstreet.model.clock import SystemClock, microseconds
from broadstreet.model.ids import RandomIds
from broadstreet.store.committer import Committer
from broadstreet.store.opening import is_server, open_store
from broadstreet.store.protocol import Store
from broadstreet.store.query import ANY, Condition, Dated, Quantity, Refers, Text, Token, TooBroad

QUICK = 50_000
SEARCHES = 200
DAY = 86_400_000_000
TEMPERATURE, PULSE = (Token("code", LOINC, code) for code in ("8310-5", "8867-4"))
FEVER = Quantity("value-quantity", "gt", Decimal("38.5"), UCUM, "Cel")
Ask = tuple[str, list[Condition]]


class Draw:
    """Draws values to search for from what is in a store."""

    def __init__(self, store: Store, seed: int = 1) -> None:
        self._store, self._chance = store, random.Random(seed)
        self._head = store.head()
        last = store.entries(self._head - 1)[0]
        while last.type != "fhir/Observation":
            last = store.entries(last.seq - 2, limit=1)[0]
        observed: Any = fhir.decode(last.body or b"")
        when = observed.effectiveDateTime
        self._days = max((microseconds(datetime.fromisoformat(when)) - microseconds(BEGIN)) // DAY, 1)

    def one(self, type: str) -> Any:
        """Return any resource of a type."""
        while True:
            for entry in self._store.entries(self._chance.randrange(self._head), limit=30):
                if entry.type == f"fhir/{type}" and entry.body is not None:
                    return fhir.decode(entry.body)

    def moment(self, prefix: Any, days: int, after: int = 0) -> Dated:
        """Return a bound on dates so many days from the beginning."""
        low = microseconds(BEGIN) + (days + after) * DAY
        return Dated("date", prefix, low, low + (DAY if prefix == "eq" else 1))

    def day(self) -> int:
        """Return a day within the corpus."""
        return self._chance.randrange(self._days)

    def name(self, first: str, last: str, characters: int) -> str:
        """Return how a family name begins, of those whose first letter lies between two."""
        while True:
            family: str = self.one("Patient").name[0].family
            if first <= family[0] <= last:
                return family[:characters]


KINDS: dict[str, Callable[[Draw], Ask]] = {
    "token: identifier": lambda d: (
        "Patient",
        [Token("identifier", MRN, d.one("Patient").identifier[0].value)],
    ),
    "token: diagnosis": lambda d: ("Condition", [Token("code", ANY, d.one("Condition").code.coding[0].code)]),
    "token: half of all": lambda d: ("Encounter", [Token("status", ANY, d.one("Encounter").status)]),
    "reference: patient": lambda d: (
        "Observation",
        [Refers("patient", d.one("Encounter").subject.reference)],
    ),
    "date: one day": lambda d: ("Observation", [d.moment("eq", d.day())]),
    "date: window of 2 days": lambda d: (
        "Encounter",
        [d.moment("ge", day := d.day()), d.moment("lt", day, 2)],
    ),
    "date: all since": lambda d: ("Observation", [d.moment("ge", d.day() // 2)]),
    "string: 김 and others": lambda d: ("Patient", [Text("family", d.name("가", "힣", 1))]),
    "string: Latin prefix": lambda d: ("Patient", [Text("family", d.name("A", "Z", 2))]),
    "quantity: fever": lambda _: ("Observation", [FEVER]),
    "all of a type": lambda _: ("Condition", []),
    "two: patient, code": lambda d: (
        "Observation",
        [TEMPERATURE, Refers("patient", d.one("Encounter").subject.reference)],
    ),
    "two: diagnosis, day": lambda d: (
        "Condition",
        [
            Token("code", ANY, d.one("Condition").code.coding[0].code),
            replace(d.moment("eq", d.day()), parameter="recorded-date"),
        ],
    ),
    "two: code, day": lambda d: ("Observation", [TEMPERATURE, d.moment("eq", d.day())]),
    "two: name, half of all": lambda d: (
        "Patient",
        [Text("family", d.name("가", "힣", 1)), Token("gender", ANY, "female")],
    ),
    "two: fever, day": lambda d: ("Observation", [FEVER, d.moment("eq", d.day())]),
    "two: broad, none in both": lambda _: ("Observation", [TEMPERATURE, PULSE]),
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--resources", type=int, default=QUICK)
    arguments.add_argument("--store", action="append", default=[])
    arguments.add_argument("--folder", type=Path, default=None, help="on the disk to be measured")
    chosen, _ = arguments.parse_known_args()
    folder = Path(tempfile.mkdtemp(dir=chosen.folder))
    try:
        figures: dict[str, Any] = {}
        for address in chosen.store or [str(folder / "log.db")]:
            name = "postgresql" if is_server(address) else "sqlite"
            store = open_store(address)
            fill(store, chosen.resources)
            figures[name] = {"resources": store.head(), **measure(store)}
            store.close()
        show(figures)
        print(f"kept in {keep('search', figures, folder)}")
    finally:
        shutil.rmtree(folder)


def fill(store: Store, count: int) -> None:
    """Put the corpus into a store that is empty."""
    if store.head():
        return
    clock = SystemClock()
    committer = Committer(store, clock, RandomIds(clock))
    corpus, number = islice(resources(), count), 0
    while some := [(each, fhir.encode(each)) for each in islice(corpus, A_WORK * 20)]:
        works = [Puts(number + at, some[at : at + A_WORK]) for at in range(0, len(some), A_WORK)]
        for done in [committer.submit(work) for work in works]:
            done.result()
        number += len(some)
        if number % 100_000 == 0:
            print(f"{number:>10,} resources", flush=True)
    committer.close()


def measure(store: Store) -> dict[str, Any]:
    """Time each kind of search; return milliseconds."""
    figures: dict[str, Any] = {"load average, before": round(os.getloadavg()[0], 1)}
    for kind, ask in KINDS.items():
        draw = Draw(store)
        asked = [ask(draw) for _ in range(SEARCHES)]
        for each in asked[: SEARCHES // 4]:
            searched(store, each)
        timed = [searched(store, each) for each in asked]
        seconds = sorted(took for took, _, _ in timed)
        processor = sorted(used for _, used, _ in timed)
        figures[kind] = {
            **{f"p{p}": round(seconds[SEARCHES * p // 100] * 1e3, 2) for p in (50, 95, 99)},
            "p95, processor": round(processor[SEARCHES * 95 // 100] * 1e3, 2),
            "found": round(sum(found for _, _, found in timed) / SEARCHES, 1),
        }
    figures["load average, after"] = round(os.getloadavg()[0], 1)
    return figures


def searched(store: Store, ask: Ask) -> tuple[float, float, int]:
    """Search once; return the seconds, those of this process's processor, and how many were found."""
    begun, used = time.perf_counter(), time.process_time()
    try:
        found = len(store.search(*ask).entries)
    except TooBroad:
        found = 0
    return time.perf_counter() - begun, time.process_time() - used, found


def show(figures: dict[str, Any]) -> None:
    """Print the back ends side by side: p50, p95 and p99 in milliseconds."""
    names = list(figures)
    print(" " * 28 + "".join(f"{name:>36}" for name in names))
    for kind in KINDS:
        cells = [figures[name][kind] for name in names]
        line = "".join(
            f"{cell['p50']:>9.2f}{cell['p95']:>9.2f}{cell['p99']:>9.2f}{cell['found']:>9.1f}"
            for cell in cells
        )
        print(f"{kind:<28}{line}")


if __name__ == "__main__":
    main()
