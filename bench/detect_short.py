"""What `detect` does with little history: how often it rings in quiet series, which lasting rises it finds.

Quiet are independent negative binomial counts of one mean. A rise is 1.6 times the usual for 14 days of
Poisson counts; it is found if the highest score of these days is above what 2 % of quiet series reach in 14
days. The rule beside it is the sum of 7 days against all days before, calibrated alike: it knows that nothing
else varies, so it is about what can be reached.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.results import keep
from broadstreet.analysis.aberration import detect

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
SERIES, RISING = 4_000, 800
ALPHA = 0.01
KINDS = ((1, 1.0), (10, 1.0), (10, 2.0), (10, 5.0), (100, 1.0), (100, 5.0), (1000, 20.0))
HISTORIES = ((52, 8), (52, 26), (365, 8), (365, 28))
RISES = ((56, 5), (56, 20), (120, 5), (220, 5), (400, 5))
DAYS, TIMES, FALSE = 14, 1.6, 0.02


def main() -> None:
    figures = {}
    for frequency, history in HISTORIES:
        for mean, dispersion in KINDS:
            name = (
                f"{'weeks' if frequency == 52 else 'days'} {history}, mean {mean}, dispersion {dispersion:g}"
            )
            figures[f"{name}: alarms at alpha 1 %, %"] = round(
                100 * quiet(frequency, history, mean, dispersion), 2
            )
    for history, mean in RISES:
        ours, theirs = found(history, mean)
        figures[f"days {history}, {mean} a day, a rise: found by detect, %"] = round(100 * ours, 1)
        figures[f"days {history}, {mean} a day, a rise: found by the sum of 7 days, %"] = round(
            100 * theirs, 1
        )
    for name, figure in figures.items():
        print(f"{name:<68} {figure}")
    print(f"kept in {keep('detect_short', figures)}")


def quiet(frequency: int, history: int, mean: int, dispersion: float) -> float:
    """Return the share of quiet series that ring after so much history."""
    rng = np.random.default_rng([frequency, history, mean])
    shape = (history + 1, SERIES)
    if dispersion > 1.0:
        counts = rng.negative_binomial(mean / (dispersion - 1.0), 1.0 / dispersion, shape)
    else:
        counts = rng.poisson(mean, shape)
    return float(detect(counts, [history], frequency=frequency, alpha=ALPHA).alarm.mean())


def found(history: int, mean: float) -> tuple[float, float]:
    """Return the shares of rises found by `detect` and by the sum of seven days."""
    rng, days = np.random.default_rng(5), np.arange(history, history + DAYS)
    usual = rng.poisson(mean, (history + DAYS, 1_000))
    risen = rng.poisson(mean, (history + DAYS, RISING))
    risen[history:] = rng.poisson(TIMES * mean, (DAYS, RISING))
    shares = [
        float((highest(risen, days) > np.quantile(highest(usual, days), 1.0 - FALSE)).mean())
        for highest in (of_detect, of_sum)
    ]
    return shares[0], shares[1]


def of_detect(counts: Counts, days: NDArray[np.int64]) -> Floats:
    return np.asarray(detect(counts, days, frequency=365).score.max(axis=0))


def of_sum(counts: Counts, days: NDArray[np.int64]) -> Floats:
    """Return the highest of the square root residuals of seven days against all before."""
    scores = []
    for day in days:
        seen, before = counts[day - 6 : day + 1].sum(axis=0), day - 6
        usual = counts[:before].sum(axis=0) * 7 / before
        scores.append(2 * (np.sqrt(seen + 0.375) - np.sqrt(usual + 0.375)) / np.sqrt(1 + 7 / before))
    return np.asarray(np.max(scores, axis=0))


if __name__ == "__main__":
    main()
