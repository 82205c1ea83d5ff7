"""Score `detect`, R's Farrington flexible and an oracle on the weekly benchmark of Noufaily et al. 2013.

The oracle knows the true mean and dispersion and tests the sum of two weeks. Thresholds of the oracle and of
`detect` are chosen on generated series of other seeds, so that the false positive rate is that of R: with
its rule of five cases, and without. Of the shared series R's own answers are scored; of generated ones those
of our `farrington_flexible`, which agrees with it.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bench.results import keep
from broadstreet.analysis.aberration import detect, farrington_flexible
from broadstreet.analysis.evaluation import (
    Benchmark,
    Performance,
    noufaily_2013,
    performance,
    weekly_benchmark,
)

Floats = NDArray[np.float64]
SHARED = Path(os.environ.get("BROADSTREET_SHARED", Path(__file__).resolve().parents[2] / "shared"))
FOLDER = SHARED / "data" / "noufaily42"
CALIBRATED_ON, SCORED_ON = (101, 102), 1854  # seeds; 840 series each
REPETITIONS = 20
HISTORY = 8
SHORT_RATE = 0.019  # aimed at, so that at most 2 % come out
ROW = "{:<42} {:>13} {:>15} {:>15}"


def main() -> None:
    calibration = [weekly_benchmark(REPETITIONS, seed=seed) for seed in CALIBRATED_ON]
    scored = {f"generated, seed {SCORED_ON}": weekly_benchmark(REPETITIONS, seed=SCORED_ON)}
    if FOLDER.is_dir():
        scored = {"shared": shared()} | scored
    methods: dict[str, Callable[[Benchmark], Floats]] = {"oracle": oracle, "detect": scores_of}
    ready = {name: [method(made) for made in calibration] for name, method in methods.items()}
    figures: dict[str, object] = {}
    print(ROW.format("", "false pos. %", "detected %", "sensitivity %"))
    for name, made in scored.items():
        ours = {method: score(made) for method, score in methods.items()}
        for rule, alarm in r_alarms(name, made).items():
            found = {"R": performance(alarm, made.outbreaks)}
            rate = found["R"].false_positive_rate.value
            for method, scores in ours.items():
                limit = threshold(ready[method], calibration, rate)
                found[method] = performance((scores > limit).astype(float), made.outbreaks)
            figures |= told(f"{name}, {rule}", found)
        alarms = performance(detect(made.counts, made.evaluate).alarm, made.outbreaks)
        figures |= row(f"{name}, detect at alpha 0.01", alarms)
    figures |= short_histories(calibration, scored)
    print(f"kept in {keep('detect_weekly', figures)}")


def scores_of(made: Benchmark) -> Floats:
    return detect(made.counts, made.evaluate).score


def shared() -> Benchmark:
    """Return the shared series."""
    with gzip.open(FOLDER / "noufaily42_series.csv.gz", "rt") as file:
        rows = np.array([[int(each) for each in line] for line in list(csv.reader(file))[1:]])
    series, weeks = int(rows[:, 0].max()), int(rows[:, 1].max())
    counts, current = np.zeros((2, weeks, series), np.int64)
    counts[rows[:, 1] - 1, rows[:, 0] - 1] = rows[:, 2]
    current[rows[:, 1] - 1, rows[:, 0] - 1] = rows[:, 3]
    with (FOLDER / "noufaily42_meta.csv").open() as text:
        scenario = np.array([int(line["scenario"]) for line in csv.DictReader(text)])
    return Benchmark(counts, current, scenario, np.arange(575, 624))


def r_alarms(name: str, made: Benchmark) -> dict[str, Floats]:
    if name == "shared":
        alarm, score = np.zeros((2, len(made.evaluate), made.counts.shape[1]))
        with gzip.open(FOLDER / "R_farringtonFlexible_reference.csv.gz", "rt") as file:
            for line in csv.DictReader(file):
                at = int(line["week"]) - 576, int(line["series"]) - 1
                alarm[at] = line["alarm"] == "1"
                score[at] = -1.0 if line["score"] == "NA" else float(line["score"])
    else:
        found = farrington_flexible(made.counts, made.evaluate, years_back=5)
        alarm, score = np.nan_to_num(found.alarm), np.nan_to_num(found.score, nan=-1.0)
    return {"five cases": alarm, "no rule of cases": (score >= 1.0).astype(float)}


def oracle(made: Benchmark) -> Floats:
    """Return how improbable the sum of two weeks is, by the true mean and dispersion."""
    mean = np.column_stack([truth(number)[0] for number in made.scenario])
    phi = np.maximum([truth(number)[1] for number in made.scenario], 1.0001)
    count, expected = (each[made.evaluate] + each[made.evaluate - 1] for each in (made.counts, mean))
    size = expected / (phi - 1.0)
    above = special.betainc(count + 1.0, size, 1.0 - 1.0 / phi)
    as_many = special.betainc(np.maximum(count, 1.0), size, 1.0 - 1.0 / phi)
    chance = (above + np.where(count > 0, as_many, 1.0)) / 2.0
    return np.asarray(-special.ndtri(np.clip(chance, 1e-300, 1.0 - 1e-12)))


def truth(number: int) -> tuple[Floats, float]:
    family, (trend, harmonics) = (
        noufaily_2013._FAMILIES[(number - 1) // 6],
        noufaily_2013._FORMS[(number - 1) % 6],
    )
    return noufaily_2013._mean(family, trend=trend, harmonics=harmonics), family.phi


def threshold(scores: list[Floats], made: list[Benchmark], rate: float) -> float:
    quiet = [s[each.outbreaks == 0] for s, each in zip(scores, made, strict=True)]
    return float(np.quantile(np.concatenate(quiet), 1.0 - rate))


def told(name: str, found: dict[str, Performance]) -> dict[str, object]:
    figures: dict[str, object] = {}
    for method, each in found.items():
        figures |= row(f"{name}, {method}", each)
    for what in ("probability_of_detection", "sensitivity"):
        low, high, ours = (getattr(found[method], what).value for method in ("R", "oracle", "detect"))
        closed = round(100 * (ours - low) / (high - low))
        figures[f"{name}: closed of the gap, {what}, %"] = closed
        print(f"{'':<42} closed of the gap in {what.replace('_', ' ')}: {closed} %")
    return figures


def row(name: str, found: Performance) -> dict[str, object]:
    figures = {
        what: f"{100 * getattr(found, what).value:.2f} ({100 * getattr(found, what).standard_error:.2f})"
        for what in ("false_positive_rate", "probability_of_detection", "sensitivity")
    }
    print(ROW.format(name, *figures.values()), flush=True)
    return {f"{name}: {what}, %": figure for what, figure in figures.items()}


def short_histories(calibration: list[Benchmark], scored: dict[str, Benchmark]) -> dict[str, object]:
    """Score what is found after 8 weeks: before every tested week, and before the first of them."""
    ways: dict[str, Callable[[Benchmark], Floats]] = {
        "8 weeks before each": each_alone,
        "8 weeks, growing": growing,
    }
    figures: dict[str, object] = {}
    for way, method in ways.items():
        limit = threshold([method(made) for made in calibration], calibration, SHORT_RATE)
        for name, made in scored.items():
            alarm = (method(made) > limit).astype(float)
            figures |= row(f"{name}, {way}", performance(alarm, made.outbreaks))
    return figures


def each_alone(made: Benchmark) -> Floats:
    windows = np.concatenate(list(_windows(made)), axis=1)
    return detect(windows, [HISTORY]).score.reshape(len(made.evaluate), -1)


def _windows(made: Benchmark) -> Iterator[NDArray[np.int64]]:
    for week in made.evaluate:
        yield made.counts[week - HISTORY : week + 1]


def growing(made: Benchmark) -> Floats:
    first = int(made.evaluate[0]) - HISTORY
    return detect(made.counts[first:], made.evaluate - first).score


if __name__ == "__main__":
    main()
