"""What it costs to find the values that a resource is searched by, and to compile the expressions.

The resources are those of `bench.fhir`: what a hub stores of a fever clinic's messages, each with its own
ids, dates and values. Each is asked once, so that caches hold nothing of it.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from bench.fhir import EXAMPLES, SHARES, Corpus
from bench.results import keep
from broadstreet.model import fhir, fhirpath, search
from broadstreet.model.clock import SystemClock
from broadstreet.store.index import Indexer

COUNT = 3_000
ROUNDS = 7
EXPRESSIONS = (
    "Patient.name.given",
    "Patient.telecom.where(system = 'phone').value",
    "Patient.name.where(use = 'official').select(given.first() & ' ' & family)",
    "Patient.birthDate <= today() - 65 years",
)


def microseconds_each(items: Sequence[Any], work: Callable[[Any], object]) -> float:
    """Return the processor time that one item takes."""
    start = time.process_time()
    for item in items:
        work(item)
    return (time.process_time() - start) / len(items) * 1e6


def measure_types() -> dict[str, Any]:
    """Return the cost by type, of all search parameters and of the hand-written index of three kinds."""
    figures: dict[str, Any] = {}
    for kind in SHARES:
        found: list[float] = []
        indexed: list[float] = []
        values = 0
        for seed in range(ROUNDS):
            corpus = Corpus(seed)
            make = getattr(corpus, "diagnostic_report" if kind == "DiagnosticReport" else kind.lower())
            resources = [make() for _ in range(COUNT)]
            search.every_value(resources[0])
            found.append(microseconds_each(resources, search.every_value))
            indexed.append(microseconds_each(resources, Indexer(b"bench").rows))
            values = sum(len(each) for resource in resources for _, each in search.every_value(resource))
        figures[kind] = {
            "parameters": len(search.parameters_of(kind)),
            "values each": round(values / COUNT, 1),
            "microseconds each, all values": round(statistics.median(found), 1),
            "microseconds each, hand-written index rows (with hashes)": round(statistics.median(indexed), 1),
        }
    return figures


def measure_expressions() -> dict[str, float]:
    """Return the cost of single expressions on a Patient."""
    patients = [Corpus(1854).patient() for _ in range(COUNT)]
    figures = {}
    for expression in EXPRESSIONS:
        program = fhirpath.compile(expression, "Patient", clock=SystemClock())
        times = [microseconds_each(patients, program) for _ in range(ROUNDS)]
        figures[expression] = round(statistics.median(times), 2)
    return figures


def measure_compilation() -> dict[str, Any]:
    """Return how long it takes to be ready for a type, and for all of them, in a fresh process."""
    figures = {}
    for name, types in (("Observation", "['Observation']"), ("all types", "fhir.RESOURCES")):
        code = (
            "import time; from broadstreet.model import fhir, search; "
            'from broadstreet.model.search import plan; fhir.decode(\'{"resourceType": "Basic", '
            '"code": {"text": "x"}}\'); start = time.perf_counter(); '
            f"[plan._plan(name) for name in {types}]; print(time.perf_counter() - start)"
        )
        times = [
            float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout)
            for _ in range(3)
        ]
        figures[f"milliseconds to compile the parameters of {name}"] = round(
            statistics.median(times) * 1000, 1
        )
    return figures


def measure_examples() -> dict[str, Any]:
    """Return the figures for the official examples."""
    if not EXAMPLES.is_dir():
        return {"official examples": "not there (run make fhir-examples)"}
    resources = []
    for path in sorted(EXAMPLES.glob("*.json")):
        if path.name != "package.json":
            with contextlib.suppress(fhir.Invalid):
                resources.append(fhir.decode(path.read_bytes()))
    for resource in resources:
        search.every_value(resource)
    times = [microseconds_each(resources, search.every_value) for _ in range(3)]
    return {
        "official examples": len(resources),
        "official examples, microseconds each, all values": round(statistics.median(times), 1),
        "official examples, values each": round(
            sum(len(found) for r in resources for _, found in search.every_value(r)) / len(resources), 1
        ),
    }


def main() -> None:
    """Measure, print and keep the figures."""
    figures: dict[str, Any] = {
        "search parameters": len(search.PARAMETERS),
        "by type": measure_types(),
        "microseconds for an expression on a Patient": measure_expressions(),
        **measure_compilation(),
        **measure_examples(),
    }
    for name, figure in figures.items():
        print(f"{name}: {figure}")
    keep("fhirpath", figures)


if __name__ == "__main__":
    main()
