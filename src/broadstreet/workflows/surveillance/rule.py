"""How a day's counts are tested: by which method, and how strong the evidence must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from broadstreet.analysis.aberration import ears

Counted = NDArray[np.int64]
Floats = NDArray[np.float64]
Method = Literal["C1", "C2", "C3"]

SILENCE = 28
"""Days: after a longer silence of the whole city history begins anew. So a visit dated wrongly by years makes
no baseline of zeros."""
# Days of history that a method needs beyond its baseline (analysis.aberration.ears).
_BEYOND = {"C1": 0, "C2": 2, "C3": 4}
_SHORTEST = 3


@dataclass(frozen=True)
class Rule:
    """The setting of the tests.

    Attributes
    ----------
    method
        Of `analysis.aberration.ears`.
    minimum
        So many visits a day are needed at least.
    alpha
        Level of EARS, for normal counts; None is the method's own. Small counts are not normal: hence a level
        far below the usual 0.001.
    baseline
        Length in days of the longest baseline of EARS; see `baselines`.
    """

    method: Method = "C2"
    minimum: int = 3
    alpha: float | None = 1e-6
    baseline: int = 28

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise ValueError(f"method must be one of {', '.join(get_args(Method))} (it is {self.method!r})")
        if self.minimum < 1:
            raise ValueError(f"minimum must be 1 or more (it is {self.minimum})")
        if self.baseline < _SHORTEST:
            raise ValueError(f"baseline must be {_SHORTEST} days or more (it is {self.baseline})")
        if self.alpha is not None and not 0 < self.alpha < 1:
            raise ValueError(f"alpha must lie between 0 and 1 (it is {self.alpha})")

    @property
    def baselines(self) -> tuple[int, ...]:
        """A week, two, four and so on up to the longest: a day is tested with the longest complete one."""
        lengths = [7 << doubled for doubled in range(12)]
        return (*(length for length in lengths if length < self.baseline), self.baseline)

    def reach(self, baseline: int) -> int:
        """Return how many days before a day its test with a baseline of this length looks at."""
        return baseline + _BEYOND[self.method]


@dataclass(frozen=True, eq=False)
class Tested:
    """What the tests of one day found: arrays of shape `(series,)`.

    `chance` is how likely a count as high is without an outbreak; `alarm` is true where the day stands out by
    the rule. The others are of `Aberrations`; all are NaN where there is too little history.
    """

    method: str
    expected: Floats
    upper: Floats
    score: Floats
    chance: Floats
    dispersion: Floats
    alarm: NDArray[np.bool_]


def test_day(counts: Counted, rule: Rule, level: float) -> Tested:  # noqa: ARG001
    """Test the last day of many series.

    Parameters
    ----------
    counts : ndarray of int64, shape (days, series)
        From the first day that anybody reported to the day that is tested.
    rule
        The setting.
    level
        Chance of a false alarm that is allowed in one test.

    Returns
    -------
    Tested
        A count is an alarm if it is above the upper bound and not below the minimum, its baseline is complete
        and not constant.
    """
    row = len(counts) - 1
    lengths = [length for length in rule.baselines if rule.reach(length) <= row]
    if not lengths:
        return untested(counts.shape[1])
    reach = rule.reach(lengths[-1])
    found = ears(counts[row - reach :], [reach], method=rule.method, baseline=lengths[-1], alpha=rule.alpha)
    expected, upper, score, dispersion = (
        each[0] for each in (found.expected, found.upper, found.score, found.dispersion)
    )
    with np.errstate(invalid="ignore"):
        alarm = (counts[-1] > upper) & (counts[-1] >= rule.minimum) & (dispersion > 0)
    name = f"EARS {rule.method}, baseline of {lengths[-1]} days"
    return Tested(name, expected, upper, score, stats.norm.sf(score), dispersion, np.asarray(alarm))


def untested(width: int) -> Tested:
    """Return what is known of so many series without history."""
    nothing = np.full((5, width), np.nan)
    return Tested("", *nothing, alarm=np.zeros(width, np.bool_))  # type: ignore[misc]
