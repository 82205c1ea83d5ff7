"""When a day's count is an alarm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.aberration import ears
from broadstreet.analysis.aberration.ears import Method

Days = NDArray[np.int64]
Counted = NDArray[np.int64]
Floats = NDArray[np.float64]

SILENCE = 28
"""A baseline counts as complete if the city had a visit in so many days up to its first one. So it begins
after the first day that anybody reported, and a visit dated wrongly by years makes no baseline of zeros."""
# Days of history that a method needs beyond its baseline (analysis.aberration.ears).
_BEYOND = {"C1": 0, "C2": 2, "C3": 4}
_STRIDE, _OFFSET = 1 << 20, 1 << 18  # a series' days lie apart from the next one's, negative ones included


@dataclass(frozen=True)
class Rule:
    """The setting of the tests.

    Attributes
    ----------
    method, alpha, baseline
        Of `analysis.aberration.ears`.
    minimum
        So many visits a day are needed at least.
    """

    method: Method = "C1"
    minimum: int = 3
    alpha: float | None = None
    baseline: int = 7

    def __post_init__(self) -> None:
        if self.method not in _BEYOND:
            raise ValueError(f"method must be one of {', '.join(_BEYOND)} (it is {self.method!r})")
        if self.minimum < 1:
            raise ValueError(f"minimum must be 1 or more (it is {self.minimum})")

    @property
    def reach(self) -> int:
        """How many days before a day its test looks at."""
        return self.baseline + _BEYOND[self.method]


@dataclass(frozen=True, eq=False)
class Tested:
    """What the tests of some cells found; each array has one value a cell.

    `alarm` is true where the day stands out by the rule; the others are of `Aberrations`.
    """

    observed: Counted
    expected: Floats
    upper: Floats
    score: Floats
    alarm: NDArray[np.bool_]


def apply_rule(
    series: Days, days: Days, counts: Counted, at: tuple[Days, Days], reported: Days, rule: Rule
) -> Tested:
    """Test days of many series at once.

    Parameters
    ----------
    series, days, counts : ndarray of int64, shape (n,)
        The counts that are not 0, sorted by series (a small number) and day (days since 1970-01-01).
    at : (ndarray, ndarray) of int64, shape (cells,)
        Series and day of each cell to test.
    reported : ndarray of int64, sorted
        The days on which anybody in the city reported a visit.
    rule
        The setting.

    Returns
    -------
    Tested
        Arrays of shape (cells,). A cell is an alarm if its count is above the upper bound and not below
        the minimum, its baseline is not constant, and its baseline is complete.
    """
    wanted, back = _key(*at), np.arange(rule.reach, -1, -1)[:, np.newaxis]
    table = _looked_up(_key(series, days), counts, wanted[np.newaxis, :] - back)
    found = ears(table, [rule.reach], method=rule.method, baseline=rule.baseline, alpha=rule.alpha)
    observed, upper = table[-1], found.upper[0]
    with np.errstate(invalid="ignore"):
        alarm = (observed > upper) & (observed >= rule.minimum) & (found.dispersion[0] > 0)
    alarm &= _is_complete(at[1] - rule.reach, reported)
    return Tested(observed, found.expected[0], upper, found.score[0], alarm)


def _key(series: Days, days: Days) -> Days:
    return series * _STRIDE + days + _OFFSET


def _looked_up(keys: Days, counts: Counted, wanted: Days) -> Counted:
    if keys.size == 0:
        return np.zeros(wanted.shape, np.int64)
    places = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
    return np.where(keys[places] == wanted, counts[places], 0)


def _is_complete(first: Days, reported: Days) -> NDArray[np.bool_]:
    """Whether anybody reported in the `SILENCE` days that end with a baseline's first day."""
    until = np.searchsorted(reported, first, side="right")
    since = np.searchsorted(reported, first - SILENCE, side="right")
    return np.asarray(until > since)
