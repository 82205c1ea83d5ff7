"""Time the samples of the city: pings to Parquet, 10 million people streamed, the others in rows a second.

`python -m bench.samples` prints all; `--people N` takes another city for the stream (10 million take
minutes and about 10 GB of disk for the time of the run). Each figure is of a fresh process; compilation is
not in it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.results import keep
from broadstreet.app.city.exporting import TABLES, Wish
from broadstreet.app.city.writing import Columns, write_table
from broadstreet.model.pathogens import pathogen_named
from broadstreet.simulation.epidemic import Import, Scenario, run
from broadstreet.simulation.population import build, configuration

RUNS = 5
PEOPLE, STREAMED = 200_000, 10_000_000
AIM_PINGS, AIM_MEMORY = 3e6, 4.0
_MIB, _GIB = 2**20, 2**30
SAMPLES = ("pings", "payments", "checkins", "sightings", "encounters", "visits")


def main(people: int = STREAMED) -> None:
    figures: dict[str, Any] = {}
    figures |= _alone(_rows_a_second)
    figures |= _alone(_pings_to_parquet)
    figures |= _alone(_streamed, people)
    print(f"kept in {keep('samples', figures)}")


def wish_of(people: int) -> Wish:
    """Return a city of so many people on its first day, with one imported case."""
    city = build(configuration("demo", people), 1)
    scenario = Scenario(pathogens=(pathogen_named("covid19"),), imports=(Import(pathogen="covid19"),), days=1)
    return Wish(run(city, scenario))


def _rows_a_second() -> dict[str, Any]:
    wish, figures = wish_of(PEOPLE), {}
    for name in SAMPLES:
        list(TABLES[name](wish_of(1_000)))  # compiled
        speeds = []
        for _ in range(RUNS if name != "encounters" else 1):
            began = time.process_time()
            rows = sum(map(_length, TABLES[name](wish)))
            speeds.append(rows / (time.process_time() - began))
        figures[f"{name}, million rows a second of CPU"] = _told(speeds)
        print(f"{name:<11} {_told(speeds)} million rows/s of CPU, visits made with them", flush=True)
    return figures


def _pings_to_parquet() -> dict[str, Any]:
    wish, speeds = wish_of(PEOPLE), []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pings.parquet"
        write_table(path, TABLES["pings"](wish_of(1_000)))
        for _ in range(RUNS):
            began = time.perf_counter()
            rows = write_table(path, TABLES["pings"](wish))
            speeds.append(rows / (time.perf_counter() - began))
        size = path.stat().st_size / rows
    told = _told(speeds)
    print(f"pings to Parquet: {told} million/s (aim: {AIM_PINGS / 1e6:.0f}), {size:.1f} bytes", flush=True)
    return {"pings to Parquet, million/s": told, "pings, bytes each": round(size, 1), "pings in a run": rows}


def _streamed(people: int) -> dict[str, Any]:
    began = time.perf_counter()
    wish = wish_of(people)
    built = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pings.parquet"
        began = time.perf_counter()
        rows = write_table(path, TABLES["pings"](wish))
        seconds, size = time.perf_counter() - began, path.stat().st_size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _GIB
    print(
        f"{people:,} people, 1 day: {rows:,} pings in {seconds:.0f} s ({rows / seconds / 1e6:.1f} million/s),"
        f" {size / _GIB:.1f} GiB; city built in {built:.0f} s;"
        f" peak memory {peak:.2f} GiB (aim: {AIM_MEMORY:.0f})",
        flush=True,
    )  # fmt: skip
    return {
        "streamed: people": people,
        "streamed: pings": rows,
        "streamed: million/s": round(rows / seconds / 1e6, 2),
        "streamed: peak memory, GiB": round(peak, 2),
        "streamed: city built, s": round(built, 1),
    }


def _length(columns: Columns) -> int:
    return len(next(iter(columns.values())))


def _told(speeds: list[float]) -> str:
    millions = sorted(speed / 1e6 for speed in speeds)
    return f"{statistics.median(millions):.2f} ({millions[0]:.2f} to {millions[-1]:.2f})"


def _alone(work: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """Run in a process of its own, so that its peak of memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def _parsed() -> Iterator[int]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=STREAMED)
    yield parser.parse_args().people


if __name__ == "__main__":
    main(*_parsed())
