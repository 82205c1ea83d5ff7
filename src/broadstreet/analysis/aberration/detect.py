"""The detector that surveillance uses by default."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broadstreet.analysis import settings
from broadstreet.analysis.aberration import calibration
from broadstreet.analysis.aberration.circumstances import Reported, checked_groups
from broadstreet.analysis.aberration.discoveries import q_values
from broadstreet.analysis.aberration.evidence import judge
from broadstreet.analysis.aberration.outlooks import Outlooks, Scene, look_out, side_by_side
from broadstreet.analysis.aberration.points import HIGHEST_COUNT
from broadstreet.analysis.aberration.result import Aberrations
from broadstreet.analysis.aberration.series import checked_counts, checked_times

Floats = NDArray[np.float64]

_AT_A_TIME = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Detections(Aberrations):
    """Hold what :func:`detect` found: the fields of :class:`Aberrations`, and one more.

    Attributes
    ----------
    q_value : ndarray of float64, shape (evaluated, series)
        Share of false alarms to expect if this series were signalled, and with it all of the same time that
        have as strong evidence. Holds for series that are independent, or vary together.
    """

    q_value: Floats


def detect(  # noqa: PLR0913  what may be known about the times
    counts: ArrayLike,
    evaluate: ArrayLike,
    *,
    frequency: int = 52,
    dates: ArrayLike | None = None,
    holidays: ArrayLike | None = None,
    delays: ArrayLike | None = None,
    reporting: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    alpha: float = 0.01,
) -> Detections:
    r"""Weigh the evidence for an outbreak that still goes on, over the newest times together.

    What is expected is a level with a trend, a season, days of the week and holidays, fitted to all that is
    past; past outbreaks count for less, and what little data cannot tell is taken from what is likely before
    any. The evidence :math:`\Lambda` is the log ratio of the probabilities of the newest counts (3, of daily
    counts 7) with an outbreak, averaged over starts and sizes, and without, each averaged over the error of
    what is expected.

    Parameters
    ----------
    counts : array_like of int, shape (time,) or (time, series)
        Cases in equal steps of time; complete, from 0 to 1,000,000,000.
    evaluate : array_like of int, shape (evaluated,)
        0-based indices of the times to test. Each uses what is before it and nothing after.
    frequency : int
        Times a year: 52 or 12, or 365 for days, of which each of the week has a level of its own.
    dates : array_like of dates, shape (time,), optional
        First days of the times, in steps of a week (`frequency` 52), day (365) or month (12): seasons are
        then those of the calendar.
    holidays : array_like of int or bool, shape (time,), optional
        0 where there is none, else the kind of holiday (to 30); each kind has a level of its own.
    delays : array_like of float, shape (delays,) or (delays, series), optional
        How many past cases were reported 0, 1, 2, ... times after their own: they also say how well that is
        known, so shares are to be multiplied by the cases that they come from. The counts are those
        known by the end of the last time; what is expected is lowered to the share that is known so far.
    reporting : array_like of float, shape (time,) or (time, series), optional
        Share of the usual sources that sent, from 0 to 1, such as :func:`silence` tells: what is expected is
        lowered to it, so that a silent source is no fall of the counts.
    groups : array_like, shape (series,), optional
        Label of each series, such as its syndrome. What the sum of a group's series tells about season, trend
        and days of the week is what is likely of each of them before its own data; dispersions are drawn
        together as well.
    alpha : float
        Probability of an alarm where there is no outbreak, on average over series.

    Returns
    -------
    Detections
        `score` is the evidence on the scale of the standard normal distribution: about a share `alpha` of
        the scores without an outbreak lies above its :math:`1 - \alpha` quantile. `expected` is the count
        that is expected to be reported so far; `dispersion` that of counts about it, estimated robustly;
        `upper` takes the counts just before as they are. All are NaN for the first time of the series, where
        there is no history, and nowhere else.

    Raises
    ------
    ValueError
        If counts or one of the others are not as above.

    Source
    ------
    Our own, from parts: the page of this method gives the mathematics, the sources and the limits.
    """
    table = checked_counts(counts, most=HIGHEST_COUNT)
    times = checked_times(evaluate, length=len(table))
    reported = Reported.of(delays, *table.shape).where(reporting, *table.shape)
    scene = Scene.of(table.shape, frequency, dates, holidays, reported)
    labels = checked_groups(groups, table.shape[1])
    limit = calibration.limit(settings.probability("alpha", alpha))
    distinct, place = np.unique(times, return_inverse=True)
    outlooks = look_out(table, distinct.astype(np.int64), scene, labels)
    ratio, upper = judged(outlooks, limit)[:, place]
    return Detections(
        expected=outlooks.means[place, :, 0],
        upper=upper,
        alarm=np.where(np.isnan(upper), np.nan, table[times] > upper),
        score=calibration.score(ratio),
        dispersion=np.where(np.isnan(upper), np.nan, outlooks.spreads[place, :, 0]),
        q_value=q_values(calibration.log_chance(ratio)),
    )


def judged(outlooks: Outlooks, limit: float) -> Floats:
    """Return log ratios and bounds, shape (2, evaluated, series)."""
    evaluated, series, window = outlooks.means.shape
    points = (evaluated * series, window)
    found = np.empty((points[0], 2))
    counts, means, spreads = (
        each.reshape(points) for each in (outlooks.counts, outlooks.means, outlooks.spreads)
    )
    uncertainty = outlooks.uncertainty.ravel()

    def judge_some(some: slice) -> None:
        judge(counts[some], means[some], spreads[some], uncertainty[some], outlooks.cycle, limit, found[some])

    side_by_side(judge_some, [slice(at, at + _AT_A_TIME) for at in range(0, points[0], _AT_A_TIME)])
    return found.T.reshape(2, evaluated, series)
