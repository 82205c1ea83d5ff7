"""Is a source that sends too little out of order, or is it chance?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from broadstreet.analysis import settings
from broadstreet.analysis.aberration.circumstances import Reported
from broadstreet.analysis.aberration.outlooks import Scene, look_out
from broadstreet.analysis.aberration.points import HIGHEST_COUNT
from broadstreet.analysis.aberration.series import checked_counts, checked_times

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Counts = NDArray[np.int64]

_UNKNOWN = 1e-4  # share of the reports of a time that says nothing: too little to weigh in a fit
_POISSON_BELOW = 1.001
_LEAST_CHANCE = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class Silences:
    """Hold what :func:`silence` found; arrays of shape (evaluated, sources), NaN where there is no history.

    Attributes
    ----------
    expected : ndarray
        Volume expected at each time.
    alarm : ndarray
        1.0 where the newest volumes are too low for chance, else 0.0.
    score : ndarray
        How improbable they are, on the scale of the standard normal distribution; larger = lower volume.
    reporting : ndarray
        Share of the expected volume that came while there is an alarm, at most 1; 1 where there is none.
    """

    expected: Floats
    alarm: Floats
    score: Floats
    reporting: Floats

    def share(self, usual: ArrayLike) -> Floats:
        """Return the share of the usual volume of each stratum that is still reported.

        Parameters
        ----------
        usual : array_like, shape (sources, strata)
            Cases that each source usually has in each stratum.

        Returns
        -------
        ndarray of float64, shape (evaluated, strata)
            1 for a stratum that has no usual volume: what :func:`detect` takes as `reporting`.

        Raises
        ------
        ValueError
            If `usual` does not have a row for each source, or holds what is no volume.
        """
        volumes = np.asarray(usual, np.float64)
        sources = self.expected.shape[1]
        if volumes.ndim != 2 or len(volumes) != sources or not (volumes >= 0.0).all():
            raise ValueError(
                f"usual must be volumes of 0 or more, shape ({sources}, strata) (it has {volumes.shape})"
            )
        total = volumes.sum(axis=0)
        known = np.where(np.isnan(self.reporting), 1.0, self.reporting) @ volumes
        return np.where(total > 0.0, known / np.maximum(total, _LEAST_CHANCE), 1.0)


def silence(
    volume: ArrayLike,
    evaluate: ArrayLike,
    *,
    frequency: int = 365,
    dates: ArrayLike | None = None,
    holidays: ArrayLike | None = None,
    delays: ArrayLike | None = None,
    alpha: float = 0.001,
) -> Silences:
    r"""Find sources whose volume falls below what is expected of them.

    What is expected is that of :func:`detect`. Over the newest :math:`w = 1, \ldots, W` times together (7 of
    daily, else 3) the probability of so little or less is :math:`p_w`, that of a negative binomial count; the
    chance is :math:`\min(1, h \min_w p_w)` with :math:`h = \sum_{w=1}^W 1/w`, the number of windows that are
    as good as independent. The error of what is expected widens the distribution.

    Times of an alarm tell nothing of a source's usual volume, and are left out of its history: a source that
    is dead stays silent until it sends again. Found are those that are evaluated, and those before them with
    at most half of the usual volume in a window.

    Parameters
    ----------
    volume : array_like of int, shape (time,) or (time, sources)
        Messages or visits of each source, of all kinds together.
    evaluate : array_like of int, shape (evaluated,)
        0-based indices of the times to test.
    frequency, dates, holidays, delays
        As in :func:`detect`.
    alpha : float
        Chance below which there is an alarm.

    Returns
    -------
    Silences

    Raises
    ------
    ValueError
        As :func:`detect` does.

    Source
    ------
    Ours.
    """
    table = checked_counts(volume, most=HIGHEST_COUNT)
    times = checked_times(evaluate, length=len(table))
    scene = Scene.of(table.shape, frequency, dates, holidays, Reported.of(delays, *table.shape))
    limit = settings.probability("alpha", alpha)
    watched = np.union1d(times, _low(table, int(times.max(initial=0)), scene.pace.window))
    found = _found(table, watched, scene, limit)[:, np.searchsorted(watched, times)]
    return Silences(*found)


def _low(table: Counts, until: int, window: int) -> Integers:
    """Return the times before `until` with at most half of the volume that any source had before."""
    total = np.cumsum(np.pad(table[:until], ((1, 0), (0, 0))), axis=0)
    sums = total[window:] - total[:-window]
    usual = np.cumsum(sums, axis=0) / np.arange(1, len(sums) + 1)[:, np.newaxis]
    return np.flatnonzero((sums <= usual / 2).any(axis=1)) + window - 1


def _found(table: Counts, times: Integers, scene: Scene, limit: float) -> Floats:
    """Return what there is to say, shape (4, times, sources): with what is silent left out, until no more is
    found."""
    found = np.empty((4, len(times), table.shape[1]))
    silent = np.zeros(table.shape, np.bool_)
    sources = np.arange(table.shape[1])
    while sources.size:
        found[:, :, sources] = _tested(
            table[:, sources], silent[:, sources], times, scene.only(sources), limit
        )
        lost = (found[1] == 1.0) & ~silent[times]
        silent[times] |= lost
        sources = np.flatnonzero(lost.any(axis=0))
    return found


def _tested(table: Counts, silent: NDArray[np.bool_], times: Integers, scene: Scene, limit: float) -> Floats:
    """Return expected, alarm, score and reporting, with the silent times left out of the history."""
    share = np.where(silent, _UNKNOWN, 1.0)
    known = replace(scene, reported=scene.reported.where(share, *table.shape))
    outlooks = look_out(np.where(silent, 0, table), times, known, None)
    at = np.maximum(times[:, np.newaxis] - np.arange(scene.pace.window), 0)
    shares = share[at].transpose(0, 2, 1)
    means, spreads = outlooks.means / shares, 1.0 + (outlooks.spreads[..., :1] - 1.0) / shares[..., :1]
    counts = np.where(np.isnan(means), 0.0, table[at].transpose(0, 2, 1)).cumsum(axis=2)
    total = np.nan_to_num(means).cumsum(axis=2)
    spread = spreads + outlooks.uncertainty[..., np.newaxis] * total
    each = np.where(np.isnan(means), 1.0, _chance_of_less(counts, np.maximum(total, 1e-9), spread))
    chance = np.minimum(1.0, each.min(axis=2) * (1.0 / np.arange(1, means.shape[2] + 1)).sum())
    lost = chance < limit
    reached = np.minimum(1.0, counts / np.maximum(total, 1e-9))
    lowest = np.take_along_axis(reached, each.argmin(axis=2)[..., np.newaxis], axis=2)[..., 0]
    score = -special.ndtri(np.maximum(chance, _LEAST_CHANCE))
    expected = means[..., 0]
    told = np.array([expected, lost, score, np.where(lost, lowest, 1.0)])
    return np.asarray(np.where(np.isnan(expected), np.nan, told))


def _chance_of_less(count: Floats, mean: Floats, dispersion: Floats) -> Floats:
    """Return the probability of so few cases, or fewer."""
    over = np.maximum(dispersion, _POISSON_BELOW)
    chance = special.betainc(mean / (over - 1.0), count + 1.0, 1.0 / over)
    return np.asarray(np.where(dispersion < _POISSON_BELOW, special.pdtr(count, mean), chance))
