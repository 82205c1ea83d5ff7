"""Time 60 days of COVID-19 in cities of 100,000 and 1 million, beside Covasim; and visit rows.

Each run is a process of its own, so that its peak of memory is its own. Covasim (hybrid population, no
explicit places) runs where the variable BROADSTREET_COVASIM names a Python that has it, of an environment
apart.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import replace

from bench.results import keep
from broadstreet.model.pathogens import pathogen_named
from broadstreet.simulation.days import stream_visits, visits
from broadstreet.simulation.epidemic import Import, Scenario, run
from broadstreet.simulation.population import METROPOLIS, build, configuration
from broadstreet.simulation.threads import threads

DAYS, SEED = 60, 1854
SIZES = (100_000, 1_000_000)
MOST = 10_000_000
_COVASIM = """
import json, resource, sys, time, warnings
warnings.filterwarnings("ignore")
import covasim
people, infected, days = map(int, sys.argv[1:])
start = time.perf_counter()
sim = covasim.Sim(
    pop_size=people, pop_type="hybrid", pop_infected=infected, n_days=days, rand_seed=1, verbose=0
)
sim.run()
print(json.dumps({
    "seconds": time.perf_counter() - start, "CPU seconds": time.process_time(),
    "memory GB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    "infected": float(sim.summary["cum_infections"]),
}))
"""
Figures = dict[str, float]


def main() -> None:
    if len(sys.argv) > 2 and sys.argv[1] in ONE:
        print(json.dumps(ONE[sys.argv[1]](int(sys.argv[2]))))
        return
    kept: dict[str, float] = {"threads": threads()}
    ours("epidemic", 2_000)  # what is compiled is kept for the runs that count
    ours("rows", 2_000)
    for people in SIZES:
        _tell(kept, f"{people:,} people x {DAYS} days", "Broad Street", ours("epidemic", people))
        if peer := covasim(people):
            _tell(kept, f"{people:,} people x {DAYS} days", "Covasim", peer)
    _tell(kept, "visit rows of 1,000,000 people", "Broad Street", ours("rows", 1_000_000))
    _tell(kept, f"visit rows of {MOST:,} people, streamed", "Broad Street", ours("streamed", MOST))
    print(f"kept in {keep('city', kept)}")


def _tell(kept: Figures, what: str, who: str, figures: Figures) -> None:
    shown = ", ".join(f"{name} {value:,.2f}" for name, value in figures.items())
    print(f"{what:<42} {who:<13} {shown}", flush=True)
    kept.update({f"{what}, {who}: {name}": round(value, 3) for name, value in figures.items()})


def ours(kind: str, people: int) -> Figures:
    command = [sys.executable, "-m", "bench.city", kind, str(people)]
    return _last_line(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def covasim(people: int) -> Figures | None:
    python = os.environ.get("BROADSTREET_COVASIM")
    if not python:
        print(f"{people:,} people: no Covasim (BROADSTREET_COVASIM names no Python)")
        return None
    command = [python, "-c", _COVASIM, str(people), str(_imported(people)), str(DAYS)]
    return _last_line(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _last_line(text: str) -> Figures:
    figures: Figures = json.loads(text.strip().splitlines()[-1])
    return figures


def _imported(people: int) -> int:
    return people // 5_000 or 1


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def epidemic(people: int) -> Figures:
    run(build(configuration("demo", 1_000), SEED), _scenario(10, days=4))  # loads the compiled code
    start, busy = time.perf_counter(), time.process_time()
    city = build(configuration("demo", people), SEED)
    built = time.perf_counter() - start
    outcome = run(city, _scenario(_imported(people), days=DAYS))
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "CPU seconds": time.process_time() - busy,
        "of which building": built,
        "memory GB": _memory(),
        "infected": len(outcome.truth),
    }


def _scenario(imported: int, days: int) -> Scenario:
    covid = pathogen_named("covid19")
    return Scenario(pathogens=(covid,), imports=(Import(pathogen="covid19", count=imported),), days=days)


def rows(people: int) -> Figures:
    city = build(configuration("demo", people), SEED)
    visits(city, 0)
    start, busy = time.perf_counter(), time.process_time()
    count = sum(len(visits(city, day)) for day in range(1, 4))
    return {
        "million rows a second": count / (time.perf_counter() - start) / 1e6,
        "million rows a CPU second": count / (time.process_time() - busy) / 1e6,
        "rows a person and day": count / 3 / people,
    }


def streamed(people: int) -> Figures:
    start = time.perf_counter()
    city = build(replace(METROPOLIS, name="megacity", population=people), SEED)
    built = time.perf_counter() - start
    count = sum(len(part) for part in stream_visits(city, 1))
    seconds = time.perf_counter() - start - built
    return {
        "million rows a second": count / seconds / 1e6,
        "building seconds": built,
        "memory GB": _memory(),
    }


ONE = {"epidemic": epidemic, "rows": rows, "streamed": streamed}


if __name__ == "__main__":
    main()
