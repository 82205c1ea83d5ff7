"""Score `detect` and daily Farrington flexible on the daily benchmark of Noufaily et al. 2019.

Farrington flexible is our function, which agrees with R's, on days: years of 364 days, so that anniversaries
are the same day of the week. The lead of an outbreak is the day of its first alarm there minus that of
`detect`; one that is missed counts as found the day after its last case. `detect` is compared at
specificities chosen on generated series of another seed: that of Farrington flexible, and 97.5 %.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.detect_weekly import row, threshold
from bench.results import keep
from broadstreet.analysis.aberration import detect, farrington_flexible
from broadstreet.analysis.evaluation import Benchmark, daily_benchmark, performance

Floats = NDArray[np.float64]
REPETITIONS, CALIBRATED_ON, SCORED_ON = 20, 101, 1854
YEAR = 364
AIMED_AT = 0.025  # false positives; at most 3 % are asked for
DRAWS = 10_000


def main() -> None:
    made, other = (daily_benchmark(REPETITIONS, seed=seed) for seed in (SCORED_ON, CALIBRATED_ON))
    theirs = farrington(made)
    figures = row("Farrington flexible", performance(theirs, made.outbreaks))
    rate = performance(theirs, made.outbreaks).false_positive_rate.value
    scores, ready = (detect(each.counts, each.evaluate, frequency=YEAR).score for each in (made, other))
    for name, wanted in (("97.5 %", AIMED_AT), ("that of Farrington", rate)):
        alarm = (scores > threshold([ready], [other], wanted)).astype(float)
        figures |= row(f"detect, specificity {name}", performance(alarm, made.outbreaks))
        figures |= leads(f"specificity {name}", first_alarm(theirs, made), first_alarm(alarm, made))
    print(f"kept in {keep('detect_daily', figures)}")


def farrington(made: Benchmark) -> Floats:
    found = farrington_flexible(
        made.counts,
        made.evaluate,
        frequency=YEAR,
        years_back=5,
        window=3,
        periods=10,
        past_weeks_excluded=182,
    )
    return np.nan_to_num(found.alarm)


def first_alarm(alarm: Floats, made: Benchmark) -> Floats:
    """Return the day of the first alarm within each outbreak; for one missed, the day after its last case."""
    day = np.arange(len(alarm))[:, np.newaxis]
    ill = made.outbreaks > 0
    last = np.where(ill, day, -1).max(axis=0)
    seen = np.where(ill & (alarm == 1.0), day, np.inf).min(axis=0)
    return np.asarray(np.minimum(seen, last + 1.0)[last >= 0])


def leads(name: str, theirs: Floats, ours: Floats) -> dict[str, object]:
    lead = theirs - ours
    draws = np.random.default_rng(0).integers(len(lead), size=(DRAWS, len(lead)))
    median, mean = np.median(lead[draws], axis=1), lead[draws].mean(axis=1)
    figures: dict[str, object] = {
        f"{name}: median lead, days": f"{np.median(lead):.1f} ({interval(median)})",
        f"{name}: mean lead, days": f"{lead.mean():.2f} ({interval(mean)})",
        f"{name}: outbreaks earlier, as early, later": [int((np.sign(lead) == s).sum()) for s in (1, 0, -1)],
    }
    for what, figure in figures.items():
        print(f"  {what:<58} {figure}")
    return figures


def interval(draws: Floats) -> str:
    low, high = np.quantile(draws, [0.025, 0.975])
    return f"95 % interval {low:.2f} to {high:.2f}"


if __name__ == "__main__":
    main()
