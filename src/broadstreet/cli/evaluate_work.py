"""What `evaluate` does: detectors let loose on counts with known outbreaks, and compared."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from broadstreet.analysis.evaluation import Estimate, daily_benchmark, weekly_benchmark
from broadstreet.app.evaluate.contest import MEASURES, METHODS, Entrant, contest, plain
from broadstreet.app.evaluate.labelled import Labelled, read_labelled
from broadstreet.app.reading.table import Unusable
from broadstreet.cli.program import Mistake, console, show_table

WEEKS, DAYS = 52, 364
"""Times a year of the benchmarks: their years have 52 weeks."""
_USUAL = ("detect", "farrington-flexible", "ears-c2")


def compare(
    what: str,
    method: Sequence[str],
    *,
    alpha: float,
    repetitions: int,
    seed: int,
    history: int,
    frequency: int,
    as_json: bool,
) -> None:
    """Let detectors find known outbreaks, and show how often and how soon they do."""
    methods = [name.replace("_", "-") for name in method] or list(_USUAL)
    if unknown := [name for name in methods if name not in METHODS]:
        raise Mistake(f"expected methods among {', '.join(METHODS)}, got {', '.join(unknown)}")
    series, times = _series(what, repetitions, seed, history, frequency)
    found = list(
        contest(
            series.counts, series.outbreaks[series.evaluate], series.evaluate, methods,
            frequency=times, alpha=alpha,
        )
    )  # fmt: skip
    if as_json:
        console.print_json(json.dumps([plain(each) for each in found]))
        return
    shape = series.counts.shape
    console.print(f"{shape[1]:,} series of {shape[0]:,} times, {len(series.evaluate):,} of them tested.")
    show_table(_table(found))


def _series(what: str, repetitions: int, seed: int, history: int, frequency: int) -> tuple[Labelled, int]:
    if what in ("weekly", "daily"):
        made = (weekly_benchmark if what == "weekly" else daily_benchmark)(repetitions, seed=seed)
        outbreaks = (made.outbreak_cases > 0).astype(np.int64)
        return Labelled(made.counts, outbreaks, made.evaluate), WEEKS if what == "weekly" else DAYS
    path = Path(what)
    if not path.is_file():
        raise Mistake(f"expected `weekly`, `daily`, `hub` or a CSV file, found nothing at {what}")
    try:
        return read_labelled(path, history), frequency
    except Unusable as error:
        raise Mistake(str(error)) from error


def _table(found: list[Entrant]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column("method", no_wrap=True)
    for heading in (*MEASURES, "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in found:
        cells = (_told(estimate) for estimate in each.estimates().values())
        table.add_row(each.method, *cells, f"{each.seconds:.1f}")
    return table


def _told(estimate: Estimate) -> str:
    if math.isnan(estimate.value):
        return "-"
    error = "" if math.isnan(estimate.standard_error) else f" ±{estimate.standard_error:.3f}"
    return f"{estimate.value:.3f}{error}"
