"""Find injected clusters in a city of 200 places, at one false alarm a year: ours beside two others.

Each run puts a cluster (all places within 3 km of one, a relative risk of 1.5, 2 or 3 for 7 days) into a
quiet time of the city. Beside it stand Farrington flexible on each place (the highest score of the city),
and SaTScan's space-time permutation scan of the last 30 days (the highest log likelihood ratio). For each
method the threshold is the one that gives one false alarm a year in years without a cluster; alarms within
a week are one. A cluster is found by an alarm within its seven days.

`python -m bench.detect_city 50` does 50 runs of each risk, instead of 500 in all.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.results import keep
from broadstreet.analysis.aberration import detect_nearby, farrington_flexible
from broadstreet.analysis.scan import space_time

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

PLACES, SIDE, RADIUS = 200, 20.0, 3.0  # kilometres
YEAR, HISTORY, QUIET = 364, 3, 6  # years before the quiet ones, and these
LENGTH = 7
RISKS = (1.5, 2.0, 3.0)
RUNS = 167  # of each risk: 501 in all
WEEK = np.array([1.25, 1.1, 1.05, 1.0, 1.0, 0.85, 0.75])
SCANNED = 30
DRAWS = 5_000
METHODS = ("detect_nearby", "Farrington by place", "permutation scan")


@dataclass(frozen=True, slots=True, eq=False)
class City:
    """Hold the counts of a city without a cluster."""

    points: Floats
    mean: Floats
    counts: Counts


def city(seed: int = 1854) -> City:
    """Return a city: a visit a day in a usual place, a season, days of the week, some overdispersion."""
    rng = np.random.default_rng(seed)
    day = np.arange((HISTORY + QUIET) * YEAR)
    rate = rng.lognormal(0.0, 0.6, PLACES)
    mean = np.outer(np.exp(0.3 * np.cos(2 * np.pi * day / YEAR)) * WEEK[day % 7], rate)
    counts = rng.negative_binomial(mean / 0.2, 1 / 1.2)
    return City(rng.uniform(0.0, SIDE, (PLACES, 2)), mean, counts)


def evidence(counts: Counts, days: NDArray[np.intp], points: Floats) -> Floats:
    return detect_nearby(
        counts, days, points, max_radius=RADIUS, distance="euclidean", frequency=YEAR
    ).evidence


def farrington(counts: Counts, days: NDArray[np.intp], _: Floats) -> Floats:
    found = farrington_flexible(
        counts, days, frequency=YEAR, years_back=2, window=10, periods=10, past_weeks_excluded=182,
        limit54=(0, 1),
    )  # fmt: skip
    excess = (counts[days] - found.expected) / (found.upper - found.expected)
    return np.asarray(np.nan_to_num(excess, nan=0.0, posinf=0.0).max(axis=1))


def scan(counts: Counts, days: NDArray[np.intp], points: Floats) -> Floats:
    places = {"place": np.arange(PLACES), "x": points[:, 0], "y": points[:, 1]}
    return np.array([_scanned(counts[day + 1 - SCANNED : day + 1], places) for day in days])


def _scanned(counts: Counts, places: Mapping[str, NDArray[Any]]) -> float:
    time, place = np.nonzero(counts)
    cases = {"place": place, "time": time, "count": counts[time, place]}
    found = space_time(
        cases, places, prospective=True, max_radius=RADIUS, max_duration=LENGTH, replicates=0,
        distance="euclidean", period=(0, SCANNED - 1),
    )  # fmt: skip
    return found[0].statistic if found else 0.0


SCORES: dict[str, Callable[[Counts, NDArray[np.intp], Floats], Floats]] = dict(
    zip(METHODS, (evidence, farrington, scan), strict=True)
)


def quiet(year: int) -> Floats:
    """Return the scores of a year without a cluster, shape (methods, days)."""
    here = city()
    days = np.arange(year * YEAR, (year + 1) * YEAR)
    past = here.counts[: days[-1] + 1]
    return np.array([score(past, days, here.points) for score in SCORES.values()])


def threshold(scores: Floats) -> float:
    """Return the score that is exceeded in one alarm a year, alarms within a week being one."""
    for limit in np.sort(scores)[::-1]:
        if alarms(scores > limit) >= QUIET:
            return float(limit)
    raise ValueError("no threshold gives so many alarms")


def alarms(above: NDArray[np.bool_]) -> int:
    days = np.flatnonzero(above)
    return int((np.diff(days, prepend=-LENGTH - 1) > LENGTH).sum())


def run(job: tuple[int, float]) -> Floats:
    """Return the scores of the days of one cluster, shape (methods, days)."""
    seed, risk = job
    here, rng = city(), np.random.default_rng([1854, seed])
    start = int(rng.integers((HISTORY + 1) * YEAR, (HISTORY + QUIET) * YEAR - LENGTH))
    away = np.hypot(*(here.points - here.points[rng.integers(PLACES)]).T)
    near = away <= RADIUS
    days = np.arange(start, start + LENGTH)
    counts = here.counts[start - HISTORY * YEAR : start + LENGTH].copy()
    added = rng.poisson((risk - 1.0) * here.mean[np.ix_(days, np.flatnonzero(near))])
    counts[-LENGTH:, near] += added
    newest = np.arange(len(counts) - LENGTH, len(counts))
    return np.array([score(counts, newest, here.points) for score in SCORES.values()])


def main() -> None:
    runs = next((int(each) for each in sys.argv[1:] if each.isdigit()), RUNS)
    with ProcessPoolExecutor() as pool:
        years = np.concatenate(list(pool.map(quiet, range(HISTORY, HISTORY + QUIET))), axis=1)
        limits = np.array([threshold(row) for row in years])
        print("thresholds", dict(zip(METHODS, limits.round(3), strict=True)), flush=True)
        figures: dict[str, object] = {"runs of each risk": runs, "years without a cluster": QUIET}
        days: list[Floats] = []
        for risk in RISKS:
            found = np.array(list(pool.map(run, [(seed, risk) for seed in range(runs)], chunksize=8)))
            days.append(first(found > limits[:, np.newaxis]))
            figures |= compared(f"risk {risk}", days[-1])
        figures |= compared("all risks", np.concatenate(days))
    print(f"kept in {keep('detect_city', figures)}")


def first(above: NDArray[np.bool_]) -> Floats:
    """Return the day of the first alarm, from 1; 8 for none."""
    return np.where(above.any(axis=2), above.argmax(axis=2) + 1.0, LENGTH + 1.0)


def compared(what: str, day: Floats) -> dict[str, object]:
    draws = np.random.default_rng(0).integers(len(day), size=(DRAWS, len(day)))
    figures: dict[str, object] = {}
    for at, method in enumerate(METHODS):
        seen = day[:, at] <= LENGTH
        figures[f"{what}, {method}: found, %"] = round(100 * float(seen.mean()), 1)
        figures[f"{what}, {method}: day of the alarm, mean (none: 8)"] = round(float(day[:, at].mean()), 2)
        if at:
            more = (day[:, 0] <= LENGTH).astype(float) - seen
            earlier = day[:, at] - day[:, 0]
            figures[f"{what}, more found than by {method}, %"] = interval(100 * more, draws)
            figures[f"{what}, days earlier than {method}"] = interval(earlier, draws)
    for name, figure in figures.items():
        print(f"{name:<64} {figure}", flush=True)
    return figures


def interval(paired: Floats, draws: NDArray[np.int64]) -> str:
    low, high = np.quantile(paired[draws].mean(axis=1), [0.025, 0.975])
    return f"{paired.mean():.2f} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    main()
