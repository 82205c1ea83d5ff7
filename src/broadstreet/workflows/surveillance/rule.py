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
_SHORTEST = 3
_STRIDE, _OFFSET = 1 << 20, 1 << 18  # a series' days lie apart from the next one's, negative ones included


@dataclass(frozen=True)
class Rule:
    """The setting of the tests.

    The defaults were chosen on simulated cities and on New York's fever visits of November 2001, and
    measured on other cities (`python -m bench detection`): C2, since its gap of two days keeps an
    outbreak's first days out of its own baseline; a baseline that grows to four weeks, since a week
    tells the spread of small counts badly; an `alpha` far below the usual 0.001, since it is that of
    normal counts, which counts of one or two visits a day are not.

    Attributes
    ----------
    method, alpha
        Of `analysis.aberration.ears`; an `alpha` of None is the method's own.
    minimum
        So many visits a day are needed at least.
    baseline
        Length in days of the longest baseline; see `baselines`.
    """

    method: Method = "C2"
    minimum: int = 3
    alpha: float | None = 1e-6
    baseline: int = 28

    def __post_init__(self) -> None:
        if self.method not in _BEYOND:
            raise ValueError(f"method must be one of {', '.join(_BEYOND)} (it is {self.method!r})")
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
    """What the tests of some cells found; each array has one value a cell.

    `alarm` is true where the day stands out by the rule, `baseline` is the length that was complete; the
    others are of `Aberrations`.
    """

    observed: Counted
    expected: Floats
    upper: Floats
    score: Floats
    alarm: NDArray[np.bool_]
    baseline: Days


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
        the minimum, its baseline is not constant, and its baseline is complete. Where not even the
        shortest baseline is, `expected`, `upper` and `score` are NaN and `baseline` is 0.
    """
    keys, wanted = _key(series, days), _key(*at)
    observed = _looked_up(keys, counts, wanted)
    expected, upper, score, dispersion = np.full((4, wanted.size), np.nan)
    length = np.zeros(wanted.size, np.int64)
    for baseline in rule.baselines:
        reach = rule.reach(baseline)
        here = np.flatnonzero(_is_complete(at[1] - reach, reported))
        table = _looked_up(keys, counts, wanted[here] - np.arange(reach, -1, -1)[:, np.newaxis])
        found = ears(table, [reach], method=rule.method, baseline=baseline, alpha=rule.alpha)
        expected[here], upper[here], score[here] = found.expected[0], found.upper[0], found.score[0]
        dispersion[here], length[here] = found.dispersion[0], baseline
    with np.errstate(invalid="ignore"):
        alarm = (observed > upper) & (observed >= rule.minimum) & (dispersion > 0)
    return Tested(observed, expected, upper, score, alarm, length)


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
