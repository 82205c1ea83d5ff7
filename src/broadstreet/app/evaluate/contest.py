"""Run detectors over the same series, and put how they did beside each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis import aberration
from broadstreet.analysis.aberration import Aberrations
from broadstreet.analysis.evaluation import Estimate, Performance, performance

Detector = Callable[[NDArray[np.int64], NDArray[np.intp], int, float], Aberrations]

METHODS: dict[str, Detector] = {
    "detect": lambda counts, at, frequency, alpha: aberration.detect(
        counts, at, frequency=frequency, alpha=alpha
    ),
    "farrington-flexible": lambda counts, at, frequency, alpha: aberration.farrington_flexible(
        counts, at, frequency=frequency, years_back=_years(at, frequency, 5), alpha=alpha
    ),
    "ears-c1": lambda counts, at, _, alpha: aberration.ears(counts, at, method="C1", alpha=alpha),
    "ears-c2": lambda counts, at, _, alpha: aberration.ears(counts, at, method="C2", alpha=alpha),
    "ears-c3": lambda counts, at, _, alpha: aberration.ears(counts, at, method="C3", alpha=alpha),
    "rki": lambda counts, at, frequency, _: aberration.rki(
        counts, at, frequency=frequency, years_back=_years(at, frequency, 2)
    ),
    "bayes": lambda counts, at, frequency, alpha: aberration.bayes(
        counts, at, frequency=frequency, alpha=alpha
    ),
}
"""What can be compared. RKI has a level of its own."""
MEASURES = {
    "FPR": "false_positive_rate",
    "POD": "probability_of_detection",
    "sensitivity": "sensitivity",
    "PPV": "positive_predictive_value",
    "specificity": "specificity",
    "timeliness": "timeliness",
}
_FEWEST_YEARS = 1


@dataclass(frozen=True)
class Entrant:
    """A method with how it did, and the processor seconds that it took."""

    method: str
    result: Performance
    seconds: float

    def estimates(self) -> dict[str, Estimate]:
        """Return each measure by its short name."""
        return {short: getattr(self.result, name) for short, name in MEASURES.items()}


def contest(
    counts: NDArray[np.int64],
    outbreaks: NDArray[np.int64],
    evaluate: NDArray[np.intp],
    methods: Sequence[str],
    *,
    frequency: int,
    alpha: float,
) -> Iterator[Entrant]:
    """Yield each method with how it did.

    Parameters
    ----------
    counts, outbreaks
        Shape (time, series) and (evaluated, series).
    evaluate
        The times that are tested.
    methods
        Names of `METHODS`.
    frequency
        Times a year.
    alpha
        Level of each test.
    """
    for name in methods:
        began = time.process_time()
        found = METHODS[name](counts, evaluate, frequency, alpha)
        seconds = time.process_time() - began
        yield Entrant(name, performance(found.alarm, outbreaks), seconds)


def _years(at: NDArray[np.intp], frequency: int, most: int) -> int:
    """Return how many whole years lie before the first time, at most so many; a method needs one."""
    return max(min(int(at.min()) // frequency - _FEWEST_YEARS, most), _FEWEST_YEARS)


def plain(entrant: Entrant) -> dict[str, Any]:
    """Return an entrant as data: each measure with its standard error."""
    told = {short: [each.value, each.standard_error, each.of] for short, each in entrant.estimates().items()}
    return {"method": entrant.method, "seconds": entrant.seconds, **told}
