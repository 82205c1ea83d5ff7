"""What officers are told of simulated cities: false alarms against the budget, and how soon outbreaks show.

The visits of each city go into the counts and tests of the hub as resources, day by day, without messages.
A signal is false if no test of it is of the outbreak's place and time; an outbreak is found with the first
test of its syndrome in its district, an area with it, or the city.

    python -m bench signals [first seed] [number of cities]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from datetime import time as moment
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from bench.results import keep
from broadstreet.app.demo.verdict import Verdict, judge
from broadstreet.model import records
from broadstreet.model.records import Timer
from broadstreet.simulation import Exercise
from broadstreet.simulation.population.defaults import DISTRICTS
from broadstreet.store.entry import Entry
from broadstreet.store.protocol import Batch
from broadstreet.store.sqlite import SqliteStore
from broadstreet.workflows.surveillance import Counts, Place, Places, Rule, Tests, signals

SEEDS = range(100, 124)
encode = msgspec.json.encode
PLACES = Places({d.code: Place(d.code, d.name, d.x, d.y) for d in DISTRICTS})
RULES = {
    "detect, budget 1 a month": (Rule(), PLACES, 1.0),
    "EARS C2, growing baseline, 1e-6": (Rule(method="C2"), Places(), 1.0),
}


def main() -> None:
    wanted = [int(each) for each in sys.argv[1:] if each.isdecimal()]
    seeds = range(wanted[0], wanted[0] + (wanted[1] if len(wanted) > 1 else 1)) if wanted else SEEDS
    figures: dict[str, Any] = {"cities": len(seeds), "days": 120}
    cities = {seed: Exercise(seed) for seed in seeds}
    logs = {seed: list(log(city)) for seed, city in cities.items()}
    for name, setting in RULES.items():
        runs = []
        for seed, city in cities.items():
            began = time.process_time()
            verdict = judge(city.truth, run(city, logs[seed], *setting))
            runs.append((verdict, time.process_time() - began))
            print(seed, name, told(verdict), f"{runs[-1][1]:.1f} s", flush=True)
        figures[name] = summary(runs)
        print(
            name, *(f"  {what:<52} {figure}" for what, figure in figures[name].items()), sep="\n", flush=True
        )
    if not wanted:
        print(f"kept in {keep('signals', figures)}")


def summary(runs: list[tuple[Verdict, float]]) -> dict[str, Any]:
    false = [len(verdict.others) for verdict, _ in runs]
    late = [verdict.first.late for verdict, _ in runs if verdict.first]
    return {
        "false alarms in 120 days, mean": round(statistics.mean(false), 2),
        "false alarms in 120 days, fewest and most": f"{min(false)} to {max(false)}",
        "false alarms a month, mean": round(statistics.mean(false) / 120 * 30.44, 2),
        "outbreaks found": f"{len(late)} of {len(runs)}",
        "days from the first visit to the close of the alarm day, mean": round(statistics.mean(late), 2),
        "signals of an outbreak, mean": round(
            statistics.mean(len(v.found) + len(v.echoes) for v, _ in runs), 2
        ),
        "processor seconds a city": round(statistics.mean(seconds for _, seconds in runs), 1),
    }


def told(verdict: Verdict) -> str:
    first = verdict.first
    found = f"found after {first.late} d" if first else "missed"
    others = ", ".join(
        f"{s.where.stream[:9]}/{s.where.place}/{s.where.stratum}@{s.since}" for s in verdict.others
    )
    numbers = f"{len(verdict.found)} of it, {len(verdict.echoes)} echoes, {len(verdict.others)} false"
    return f"{found}; {numbers}: {others}"


def run(
    city: Exercise, entries: list[Entry], rule: Rule, places: Places, budget: float
) -> list[records.Signal]:
    counts = Counts(ZoneInfo(city.zone))
    tests = Tests(counts, rule, places, budget)
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "log.db")
        writer = store.writer()
        writer.define(counts.tables)
        batch: list[Entry] = []
        for entry in entries:
            batch.append(entry)
            if entry.type == "bs/Timer":
                writer.write(Batch(changes=counts.project(batch, store)))
                emitted = [
                    _entry(e.cause, e.type, e.id, e.body, "surveillance.tests@2")
                    for e in tests.react(batch, store)
                ]
                if emitted:
                    writer.write(Batch(changes=counts.project(emitted, store)))
                batch = []
        found = signals(store)
        store.close()
    return found


def log(city: Exercise) -> Iterator[Entry]:
    """Yield the resources of every visit, and the timer that closes each day."""
    clinics = [city.clinic(number) for number in range(city.clinics)]
    seq = 0
    for day in range(city.days):
        for clinic in clinics:
            for visit in clinic.visits(day):
                for kind, id, body in resources(visit):
                    seq += 1
                    yield _entry(seq, f"fhir/{kind}", id, encode(body))
        seq += 1
        on = city.date_of(day)
        due = datetime.combine(on + timedelta(days=1), moment(), ZoneInfo(city.zone)).astimezone(UTC)
        timer = Timer(id=f"day-closed-{on}", name="day-closed", due=due, status="due", day=on)
        yield _entry(seq, "bs/Timer", timer.id, records.encode(timer))


def resources(visit: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield what a registry keeps of a visit."""
    person, id = visit.person, f"{visit.facility.code}-{visit.number}"
    yield (
        "Patient",
        f"p{id}",
        {"birthDate": f"{person.born}", "address": [{"district": person.district.code}]},
    )
    yield (
        "Encounter",
        f"e{id}",
        {
            "status": "finished",
            "subject": {"reference": f"Patient/p{id}"},
            "period": {"start": visit.arrived.isoformat()},
            "reasonCode": [{"text": visit.complaint}],
            "serviceProvider": {"reference": f"Organization/{visit.facility.code}"},
        },
    )
    about = {"encounter": {"reference": f"Encounter/e{id}"}}
    if visit.diagnosis:
        coding = {"system": "http://hl7.org/fhir/sid/icd-10", "code": visit.diagnosis[0]}
        yield "Condition", f"c{id}", {"code": {"coding": [coding]}, **about}
    if visit.temperature is not None:
        code = {"coding": [{"system": "http://loinc.org", "code": "8310-5"}]}
        value = {"value": visit.temperature, "code": "Cel"}
        yield "Observation", f"o{id}", {"status": "final", "code": code, "valueQuantity": value, **about}


def _entry(seq: int, type: str, id: str, body: bytes | None, source: str = "bench") -> Entry:
    return Entry(seq, 0, type, id, 1, None, None, source, f"{seq}:{id}", None, 0, body)


if __name__ == "__main__":
    main()
