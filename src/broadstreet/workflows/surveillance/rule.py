"""How a day's counts are tested: by which method, and how strong the evidence must be."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from broadstreet.workflows.surveillance.holidays import ORDINARY, Holidays

Counted = NDArray[np.int64]
Floats = NDArray[np.float64]
Method = Literal["detect", "C1", "C2", "C3"]

SILENCE = 28
"""Days: after a longer silence of the whole city history begins anew. So a visit dated wrongly by years makes
no baseline of zeros."""
WEEK = 7
DAYS_A_YEAR = 365
EVIDENCE = "evidence over the newest days (detect)"
# Days of history that a method needs beyond its baseline (analysis.aberration.ears).
_BEYOND = {"C1": 0, "C2": 2, "C3": 4}
_SHORTEST = 3


@dataclass(frozen=True)
class Rule:
    """The setting of the tests.

    Attributes
    ----------
    method
        `detect` of `analysis.aberration`, at the level that the budget of false alarms allows; or one of its
        `ears`, at a level of its own.
    minimum
        So many visits are needed at least: of `detect` in a week, of EARS on a day.
    history
        So many days of history are needed, for `detect`.
    alpha
        Level of EARS, for normal counts; None is the method's own. Small counts are not normal: hence a level
        far below the usual 0.001.
    baseline
        Length in days of the longest baseline of EARS; see `baselines`.
    holidays
        The days that have a level of their own, for `detect`.
    """

    method: Method = "detect"
    minimum: int = 3
    history: int = 7
    alpha: float | None = 1e-6
    baseline: int = 28
    holidays: Holidays = field(default=ORDINARY)

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise ValueError(f"method must be one of {', '.join(get_args(Method))} (it is {self.method!r})")
        if self.minimum < 1:
            raise ValueError(f"minimum must be 1 or more (it is {self.minimum})")
        if self.history < 1:
            raise ValueError(f"history must be 1 day or more (it is {self.history})")
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

    `chance` is how likely evidence as strong is without an outbreak; `alarm` is true where the day stands out
    by the rule. The others are of `Aberrations`; all are NaN where there is too little history.
    """

    method: str
    expected: Floats
    upper: Floats
    score: Floats
    chance: Floats
    dispersion: Floats
    alarm: NDArray[np.bool_]


def test_day(
    counts: Counted,
    first: int,
    rule: Rule,
    level: float,
    delays: Floats | None,
    known: NDArray[np.bool_] | None,
) -> Tested:
    """Test the last day of many series.

    Parameters
    ----------
    counts : ndarray of int64, shape (days, series)
        From the first day that anybody reported to the day that is tested.
    first
        The day of the first row, as days since 1970-01-01.
    rule
        The setting.
    level
        Chance of a false alarm that is allowed in one test.
    delays : ndarray of float64, shape (delays, series), or None
        How many past visits came how many days after their own: what is expected of the newest days is
        lowered to what is known of them by now. EARS takes the counts as they are.
    known : ndarray of bool, shape (days, series), or None
        False on days that say nothing of what is usual, and are left out of the history; True on the last.

    Returns
    -------
    Tested
        A count is an alarm if it is above the upper bound and half a root above what is expected, there are
        as many visits as the rule needs, and history is long enough; of EARS, if its baseline is not
        constant.
    """
    if rule.method != "detect":
        return _ears(counts if known is None else filled(counts, known), rule)
    return _evidence(counts, first, rule, level, delays, known)


def promising(counts: Counted, rule: Rule, delays: Floats | None = None) -> NDArray[np.bool_]:
    """Return which series may stand out on their last day at all: most do not, and need no test.

    Without `detect` it suffices that there are enough visits. With it, either the day or the week must lie
    one and a half roots of the usual above the usual, which is the mean of the four weeks before, or of their
    same weekdays where that is lower; of both, the share that is known by now.
    """
    today, week = counts[-1], counts[-WEEK:].sum(axis=0)
    if rule.method != "detect":
        return np.asarray(today >= rule.minimum)
    enough = np.asarray((today > 0) & (week >= rule.minimum))
    if len(counts) <= rule.history:
        return np.zeros_like(enough)
    past = counts[-5 * WEEK : -WEEK]
    if len(past) < WEEK:
        return enough
    usual, on_weekday = past.mean(axis=0), counts[-1 - WEEK :: -WEEK][:4].mean(axis=0)
    known = _known(delays)
    lower, weekly = known[0] * np.minimum(usual, on_weekday), known.sum(axis=0) * usual
    above = today > lower + 1.5 * np.sqrt(lower)
    of_week = week > weekly + 1.5 * np.sqrt(weekly)
    return np.asarray(enough & (above | of_week))


def _known(delays: Floats | None) -> Floats:
    """Return what share is known of each of the newest days, the last one first, shape (7, series or 1)."""
    if delays is None:
        return np.ones((WEEK, 1))
    shares = delays.cumsum(axis=0) / delays.sum(axis=0)
    return np.asarray(shares[np.minimum(np.arange(WEEK), len(shares) - 1)])


@cache
def warm(rule: Rule) -> None:
    """Make ready what is compiled at its first use, before a visit has to wait for it."""
    test_day(np.ones((rule.history + 1, 1), np.int64), 0, rule, 0.001, None, None)


def untested(width: int) -> Tested:
    """Return what is known of so many series without history."""
    nothing = np.full((5, width), np.nan)
    return Tested("", *nothing, alarm=np.zeros(width, np.bool_))  # type: ignore[misc]


def filled(counts: Counted, known: NDArray[np.bool_]) -> Counted:
    """Return the counts with the mean of the same weekday's other days in place of those that say nothing."""
    told = counts.astype(np.float64)
    for weekday in range(WEEK):
        same = told[weekday::WEEK]
        days = known[weekday::WEEK].sum(axis=0)
        mean = (same * known[weekday::WEEK]).sum(axis=0) / np.maximum(days, 1)
        told[weekday::WEEK] = np.where(known[weekday::WEEK] | (days == 0), same, mean)
    return np.asarray(np.rint(told), np.int64)


def _evidence(
    counts: Counted,
    first: int,
    rule: Rule,
    level: float,
    delays: Floats | None,
    known: NDArray[np.bool_] | None,
) -> Tested:
    row = len(counts) - 1
    if row < rule.history:
        return untested(counts.shape[1])
    from scipy import special

    from broadstreet.analysis.aberration import detect

    days = np.arange(first, first + row + 1).astype("datetime64[D]")
    found = detect(
        counts if known is None else np.where(known, counts, 0), [row],
        frequency=DAYS_A_YEAR, dates=days, holidays=rule.holidays.of(first, row + 1), delays=delays,
        reporting=None if known is None else known.astype(np.float64), alpha=level,
    )  # fmt: skip
    usual = found.expected[0] + 0.5 * np.sqrt(
        found.expected[0]
    )  # a quiet day adds nothing to a week's evidence
    enough = (counts[-1] > usual) & (counts[-WEEK:].sum(axis=0) >= rule.minimum)
    alarm = np.asarray((counts[-1] > found.upper[0]) & enough)
    chance = np.asarray(special.ndtr(-found.score[0]))
    return Tested(
        EVIDENCE, found.expected[0], found.upper[0], found.score[0], chance, found.dispersion[0], alarm
    )


def _ears(counts: Counted, rule: Rule) -> Tested:
    row = len(counts) - 1
    lengths = [length for length in rule.baselines if rule.reach(length) <= row]
    if not lengths:
        return untested(counts.shape[1])
    from scipy import special

    from broadstreet.analysis.aberration import ears

    reach = rule.reach(lengths[-1])
    assert rule.method != "detect"
    found = ears(counts[row - reach :], [reach], method=rule.method, baseline=lengths[-1], alpha=rule.alpha)
    expected, upper, score, dispersion = (
        each[0] for each in (found.expected, found.upper, found.score, found.dispersion)
    )
    with np.errstate(invalid="ignore"):
        alarm = (counts[-1] > upper) & (counts[-1] >= rule.minimum) & (dispersion > 0)
    name = f"EARS {rule.method}, baseline of {lengths[-1]} days"
    return Tested(name, expected, upper, score, special.ndtr(-score), dispersion, np.asarray(alarm))
