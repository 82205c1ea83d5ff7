"""Evidence for an outbreak somewhere: places near each other are looked at together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from broadstreet.analysis import settings
from broadstreet.analysis.aberration.circumstances import Reported, checked_groups
from broadstreet.analysis.aberration.evidence import judge
from broadstreet.analysis.aberration.outlooks import Outlooks, Scene, look_out
from broadstreet.analysis.aberration.points import HIGHEST_COUNT
from broadstreet.analysis.aberration.series import checked_counts, checked_times
from broadstreet.analysis.scan.places import Distance, Places

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_GROWTH = 1.4  # of the number of places from one circle about a centre to the next


@dataclass(frozen=True, slots=True, eq=False)
class Vicinities:
    """Hold what :func:`detect_nearby` found at each evaluated time.

    Attributes
    ----------
    evidence : ndarray, shape (evaluated,)
        Log ratio of the probabilities of the counts with an outbreak in one of the circles, each as likely
        before the data, and without. Had nobody an outbreak, it would exceed :math:`x` with a probability of
        at most :math:`e^{-x}` if the expectations were exact. NaN where there is no history.
    place_evidence : ndarray, shape (evaluated, places)
        The part of the evidence in circles that hold the place, on the same scale.
    centre : ndarray of int, shape (evaluated,)
        Centre of the circle with the most evidence; -1 where there is none.
    places : tuple of ndarray of int
        Those within this circle, nearest first.
    observed, expected : ndarray, shape (evaluated,)
        Counts of this circle at the evaluated time.
    """

    evidence: Floats
    place_evidence: Floats
    centre: Integers
    places: tuple[Integers, ...]
    observed: Floats
    expected: Floats


def detect_nearby(  # noqa: PLR0913  what may be known about the times
    counts: ArrayLike,
    evaluate: ArrayLike,
    points: ArrayLike,
    *,
    max_radius: float,
    distance: Distance = "great_circle",
    frequency: int = 365,
    dates: ArrayLike | None = None,
    holidays: ArrayLike | None = None,
    delays: ArrayLike | None = None,
    reporting: ArrayLike | None = None,
    pool: bool = True,
) -> Vicinities:
    r"""Weigh the evidence for an outbreak within some circle of places that still goes on.

    What is expected of each place is that of :func:`detect`. A circle's counts are the sums over its places,
    its evidence :math:`\Lambda_c` that of :func:`detect` for them, and
    :math:`\Lambda = \log \sum_c \pi_c e^{\Lambda_c}` with the same weight for each centre and, about one
    centre, for each circle.

    Parameters
    ----------
    counts : array_like of int, shape (time, places)
    evaluate : array_like of int, shape (evaluated,)
    points : array_like of float, shape (places, 2)
        Latitude and longitude in degrees, or x and y.
    max_radius : float
        Of the largest circles: kilometres, or the unit of x and y.
    distance : {"great_circle", "euclidean"}
        How far apart two points are.
    frequency : int
        As in :func:`detect`.
    dates, holidays, delays, reporting : array_like, optional
        As in :func:`detect`.
    pool : bool
        Whether the places inform each other about season, days of the week and dispersion, as `groups`
        of :func:`detect`.

    Returns
    -------
    Vicinities

    Raises
    ------
    ValueError
        If points are not one for each place, or as :func:`detect` does.

    Source
    ------
    Neill, Moore and Cooper 2006, Adv Neural Inf Process Syst 18:1003-1010 (a Bayesian scan statistic), with
    the evidence of :func:`detect` in place of gamma-Poisson marginals.
    """
    table = checked_counts(counts, most=HIGHEST_COUNT)
    times = checked_times(evaluate, length=len(table))
    where = _checked_points(points, table.shape[1], distance)
    circles = Circles.about(where, settings.positive("max_radius", max_radius))
    reported = Reported.of(delays, *table.shape).where(reporting, *table.shape)
    scene = Scene.of(table.shape, frequency, dates, holidays, reported)
    labels = checked_groups(np.zeros(table.shape[1], np.int64), table.shape[1]) if pool else None
    distinct, place = np.unique(times, return_inverse=True)
    outlooks = look_out(table, distinct.astype(np.int64), scene, labels)
    return circles.judged(outlooks, place.astype(np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class Circles:
    """Hold circles about each place, of growing size.

    Attributes
    ----------
    centre, size : ndarray of int, shape (circles,)
    near : ndarray of int, shape (places, most)
        Places by their distance from each; the first of them is the centre.
    inside : ndarray, shape (circles, places)
        1.0 where a circle holds a place.
    prior : ndarray, shape (circles,)
    """

    centre: Integers
    size: Integers
    near: Integers
    inside: Floats
    prior: Floats

    @classmethod
    def about(cls, places: Places, max_radius: float) -> Circles:
        """Return circles of at most this radius."""
        count = len(places.names)
        near, centre, size = np.empty((count, count), np.int64), [], []
        for place in range(count):
            away = places.distance_from(place)
            away[place] = -1.0  # before others at the same point
            near[place] = np.argsort(away, kind="stable")
            sizes = _sizes(int((away <= max_radius).sum()))
            centre += [place] * len(sizes)
            size += sizes
        centres, sizes_ = np.array(centre, np.int64), np.array(size, np.int64)
        inside = np.zeros((len(centres), count))
        for circle, (at, members) in enumerate(zip(centres, sizes_, strict=True)):
            inside[circle, near[at, :members]] = 1.0
        about_one = np.bincount(centres, minlength=count)
        return cls(centres, sizes_, near, inside, 1.0 / (count * about_one[centres]))

    def judged(self, outlooks: Outlooks, rows: Integers) -> Vicinities:
        """Return the evidence of the rows of the outlooks."""
        found = np.array([self._ratios(outlooks, row) for row in range(len(outlooks.means))])
        ratio = found.reshape(-1, len(self.centre))[rows]
        weighed = ratio + np.log(self.prior)
        best = np.where(np.isnan(ratio).all(axis=1), -1, np.nan_to_num(ratio, nan=-np.inf).argmax(axis=1))
        inside = self.inside[best]
        of_places = [special.logsumexp(row[:, np.newaxis], axis=0, b=self.inside) for row in weighed]
        return Vicinities(
            special.logsumexp(weighed, axis=1),
            np.array(of_places).reshape(len(rows), len(self.near)),
            np.where(best < 0, -1, self.centre[best]),
            tuple(self.near[self.centre[c], : self.size[c] if c >= 0 else 0] for c in best),
            (inside * outlooks.counts[rows, :, 0]).sum(axis=1),
            (inside * np.nan_to_num(outlooks.means[rows, :, 0])).sum(axis=1),
        )

    def _ratios(self, outlooks: Outlooks, row: int) -> Floats:
        counts, means = outlooks.counts[row], outlooks.means[row]
        missing = np.isnan(means).any(axis=0)
        known = np.where(missing, 0.0, means)
        total = self.inside @ known
        with np.errstate(invalid="ignore", divide="ignore"):
            spreads = self.inside @ (known * outlooks.spreads[row]) / total
            # Errors of the places are independent
            doubt = (
                self.inside @ (known[:, 0] ** 2 * np.nan_to_num(outlooks.uncertainty[row])) / total[:, 0] ** 2
            )
        total[:, missing] = np.nan
        found = np.empty((len(total), 2))
        judge(self.inside @ counts, total, spreads, doubt, outlooks.cycle, np.inf, found)
        return np.asarray(found[:, 0])


def _sizes(most: int) -> list[int]:
    sizes = [1]
    while sizes[-1] < most:
        sizes.append(min(most, max(sizes[-1] + 1, int(sizes[-1] * _GROWTH))))
    return sizes


def _checked_points(points: ArrayLike, places: int, distance: Literal["great_circle", "euclidean"]) -> Places:
    settings.one_of("distance", distance, ("great_circle", "euclidean"))
    where = np.asarray(points)
    if where.dtype.kind not in "iuf" or where.shape != (places, 2) or not np.isfinite(where).all():
        raise ValueError(
            f"points must be {places} pairs of numbers, one for each place, none missing (they have shape "
            f"{where.shape} and type {where.dtype})"
        )
    where = where.astype(np.float64)
    on_sphere = distance == "great_circle"
    if on_sphere and (np.abs(where) > (90.0, 360.0)).any():
        raise ValueError("points must be latitudes within 90 and longitudes within 360 degrees")
    names = tuple(range(places))
    return Places(names, where, on_sphere, {name: name for name in names})
