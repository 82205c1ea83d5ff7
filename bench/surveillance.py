"""Time the counts and the tests: a clinic's resources from the log to committed counts, on one core.

The tests are timed on the last day of the log, and on a batch of visits that come after their days were
closed, spread over all days: the worst case, for it touches every series.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from bench.results import keep
from broadstreet.model import records
from broadstreet.model.records import Timer
from broadstreet.store.entry import Entry
from broadstreet.store.protocol import Batch
from broadstreet.store.sqlite import SqliteStore
from broadstreet.workflows.surveillance import Counts, Tests

ZONE = ZoneInfo("Asia/Seoul")
FIRST = date(2026, 1, 5)
DAYS, VISITS_A_DAY, BATCH = 60, 200, 1_000
COMPLAINTS = (
    "fever and cough",
    "headache",
    "vomiting",
    "back pain",
    "shortness of breath",
    "cough",
    "sprain",
)
CODES = ("J11.1", "A09.9", "I10", "M54.5", "J18.9", "R50.9", "S93.4")
encode = msgspec.json.encode


def main() -> None:
    entries = list(log())
    runs = [run(entries) for _ in range(5)]
    computing, all_of_it, closing, late = (statistics.median(each) for each in zip(*runs, strict=True))
    shares = Counter(entry.type for entry in entries)
    figures = {
        "counts, projecting: entries/s": round(len(entries) / computing),
        "counts, projecting and committing: entries/s": round(len(entries) / all_of_it),
        f"tests, closing a day after {DAYS} days: ms": round(closing * 1e3, 1),
        f"tests, {BATCH} late entries over {DAYS} days: ms": round(late * 1e3, 1),
        "entries": len(entries),
        "shares": {type: round(n / len(entries), 3) for type, n in shares.most_common()},
        "batch": BATCH,
    }
    for name, figure in figures.items():
        print(f"{name:<46} {figure}")
    print(f"kept in {keep('surveillance', figures)}")


def run(entries: list[Entry]) -> tuple[float, float, float, float]:
    """Return seconds of computing counts, of that with committing, of testing a day, of testing late days."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "log.db")
        writer = store.writer()
        projection = Counts(ZONE)
        writer.define(projection.tables)
        computing, begin = 0.0, time.perf_counter()
        for first in range(0, len(entries), BATCH):
            start = time.perf_counter()
            changes = projection.project(entries[first : first + BATCH], store)
            computing += time.perf_counter() - start
            writer.write(Batch(changes=changes))
        elapsed = time.perf_counter() - begin
        closing = _testing(projection, entries[-1:], store)
        again = [each for each in entries if each.type == "fhir/Encounter"]
        moved = [_entry(len(entries) + n, e.type, f"{e.id}x", e.body or b"") for n, e in enumerate(again, 1)]
        batch = moved[:: len(moved) // BATCH][:BATCH]
        writer.write(Batch(changes=projection.project(batch, store)))
        late = _testing(projection, batch, store)
        store.close()
    return computing, elapsed, closing, late


def _testing(counts: Counts, entries: list[Entry], store: SqliteStore) -> float:
    tests, start = Tests(counts), time.perf_counter()
    tests.react(entries, store)
    return time.perf_counter() - start


def log() -> Iterator[Entry]:
    """Yield a visit's resources as a registry sends them: new, with a diagnosis, corrected, moved, merged."""
    draw, seq = random.Random(1854), 0
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        for visit in range(VISITS_A_DAY):
            for type, id, body in _resources(draw, f"{number:03d}-{visit:04d}", day):
                seq += 1
                yield _entry(seq, f"fhir/{type}", id, encode({"resourceType": type, "id": id, **body}))
        seq += 1
        due = datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)
        timer = Timer(id=f"day-closed-{day}", name="day-closed", due=due, status="due", day=day)
        yield _entry(seq, "bs/Timer", timer.id, records.encode(timer))


def _resources(draw: random.Random, id: str, day: date) -> Iterator[tuple[str, str, dict[str, object]]]:
    home, clinic = f"D{draw.randrange(12):02d}", f"C{draw.randrange(20):02d}"
    patient: dict[str, object] = {
        "identifier": [{"system": f"urn:{clinic}", "value": id}],
        "name": [{"family": "Kim", "given": ["Min"]}],
        "gender": "female",
        "birthDate": "1980-02-03",
        "address": [{"line": ["1 Broad Street"], "city": "Seoul", "district": home, "country": "KOR"}],
    }
    encounter: dict[str, object] = {
        "identifier": [{"system": f"urn:{clinic}:visit", "value": id}],
        "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER"},
        "subject": {"reference": f"Patient/p{id}"},
        "period": {"start": f"{day}T{draw.randrange(24):02d}:{draw.randrange(60):02d}:00+09:00"},
        "reasonCode": [{"text": draw.choice(COMPLAINTS)}],
        "location": [{"location": {"reference": f"Location/l{clinic}"}, "status": "active"}],
        "serviceProvider": {"reference": f"Organization/{clinic}"},
    }
    about = {"subject": {"reference": f"Patient/p{id}"}, "encounter": {"reference": f"Encounter/e{id}"}}
    yield "Patient", f"p{id}", patient
    yield "Encounter", f"e{id}", encounter
    if draw.random() < 0.85:
        coding = {
            "system": "http://hl7.org/fhir/sid/icd-10",
            "code": draw.choice(CODES),
            "display": "A title",
        }
        yield "Condition", f"c{id}", {"code": {"coding": [coding]}, **about}
    if draw.random() < 0.3:
        code = {"coding": [{"system": "http://loinc.org", "code": "8310-5", "display": "Body temperature"}]}
        value = {"value": round(36 + 4 * draw.random(), 1), "unit": "degree Celsius", "code": "Cel"}
        yield "Observation", f"o{id}", {"status": "final", "code": code, "valueQuantity": value, **about}
    if draw.random() < 0.6:
        yield "Encounter", f"e{id}", encounter | {"status": "finished"}
    if draw.random() < 0.02:
        yield "Encounter", f"e{id}", encounter | {"status": "cancelled"}
    if draw.random() < 0.02:
        link = [{"other": {"reference": f"Patient/p{id[:3]}-0000"}, "type": "replaced-by"}]
        yield "Patient", f"p{id}", patient | {"active": False, "link": link}


def _entry(seq: int, type: str, id: str, body: bytes) -> Entry:
    return Entry(seq, 0, type, id, 1, None, None, "bench", str(seq), None, 0, body)


if __name__ == "__main__":
    main()
