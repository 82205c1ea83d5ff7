"""Fit a quasi-Poisson regression, weigh down the observations far above it, and fit it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.aberration.design import Design, Floats, Indices, Outliers
from broadstreet.analysis.aberration.quasipoisson import (
    CENTRE,
    EARLIER,
    EARLIER_SLOPE,
    LEVEL,
    MASS,
    SLOPE,
    SPREAD,
    Fit,
    fit_point,
    room_for_a_fit,
)
from broadstreet.analysis.aberration.references import Reference
from broadstreet.analysis.aberration.tables import Tables
from broadstreet.analysis.compiled import compiled

_NO_FREEDOM = 1e-10  # an observation with a leverage this near to 1 is fitted exactly: it cannot stand out


@dataclass(frozen=True, slots=True)
class Past:
    """Name the points whose past is looked at: rows of the tables, and times to look back from."""

    tables: Tables
    series: Indices
    time: Indices
    reference: Reference

    def only(self, rows: Indices) -> Past:
        """Return these points."""
        return Past(self.tables, self.series[rows], self.time[rows], self.reference)


@dataclass(frozen=True, slots=True)
class RobustFit:
    """Hold fits whose past outbreaks count for less; arrays of shape (points,).

    Attributes
    ----------
    log_mean : ndarray
        At the evaluated time.
    unit_variance : ndarray
        Of `log_mean`, per unit of dispersion.
    slope, slope_information : ndarray
        The slope, and the inverse of its variance per unit of dispersion.
    dispersion : ndarray
        Pearson's estimate, not bounded below.
    relative_dispersion : ndarray
        The same from the residuals relative to the mean: R's `farringtonFlexible` takes its standard errors
        from it.
    highest : ndarray
        Highest count of the past.
    converged : ndarray of bool
        Whether the first round did.
    """

    log_mean: Floats
    unit_variance: Floats
    slope: Floats
    slope_information: Floats
    dispersion: Floats
    relative_dispersion: Floats
    highest: Floats
    converged: NDArray[np.bool_]

    def put(self, rows: Indices, other: RobustFit) -> None:
        """Replace these rows by the fits of another."""
        for name in self.__slots__:
            getattr(self, name)[rows] = getattr(other, name)


def fit_robustly(past: Past, *, trend: bool, threshold: float) -> RobustFit:
    """Fit the past of each point, and again with past outbreaks weighed down.

    Parameters
    ----------
    past : Past
    trend : bool
        Whether there is a slope.
    threshold : float
        A standardised Anscombe residual s above it gives the observation the weight s**-2; infinite: one
        round is enough.

    Source
    ------
    Farrington et al. 1996, J R Stat Soc A 159:547, section 3.6; Noufaily et al. 2013, Stat Med 32:1206.
    """
    found = np.empty((8, len(past.series)))
    reference, least = past.reference, (threshold / 1.5) ** 2
    points = past.series, past.time, reference.offset
    evaluated = reference.block, reference.time
    _fit_points(past.tables, points, evaluated, reference.design, trend, least, found)
    mean, variance, slope, information, pearson, relative, highest, converged = found
    return RobustFit(mean, variance, slope, information, pearson, relative, highest, converged == 1.0)


class _Room(NamedTuple):
    """Hold arrays of shape (observations,) that each point overwrites."""

    inverse_sixth: Floats  # mean ** (-1/6)
    earlier: Floats  # means before the last step
    square: Floats  # squared residuals relative to the mean
    which: Indices  # of the outliers
    share: Floats


@compiled
def _fit_points(
    tables: Tables,
    points: tuple[Indices, Indices, Indices],
    evaluated: tuple[int, float],
    design: Design,
    trend: bool,
    least: float,
    found: Floats,
) -> None:
    series, time, offset = points
    observations = len(offset)
    means, which = np.empty((4, observations)), np.empty(observations, np.intp)
    room, fit = _Room(means[0], means[1], means[2], which, means[3]), room_for_a_fit(design)
    freedom = observations - design.blocks - int(trend)
    none = Outliers(room.which[:0], room.share[:0])
    for point in range(len(series)):
        own, times, scale = series[point], time[point] + offset, 1.0
        converged = fit_point(tables, own, times, design, none, scale, trend, fit)
        pearson, relative = _residuals(tables, own, times, design, fit, room)
        outliers = _outliers(tables, own, times, design, fit, max(pearson / freedom, 1.0), least, room)
        if len(outliers.which):
            scale = observations / (observations - outliers.share.sum())
            fit_point(tables, own, times, design, outliers, scale, trend, fit)
            pearson, relative = _residuals(tables, own, times, design, fit, room)
            off, relative_off = _outlying(outliers, room)
            pearson, relative = scale * (pearson - off), scale * (relative - relative_off)
        _write(fit, evaluated, scale, found[:, point])
        found[4, point], found[5, point] = pearson / freedom, relative / freedom
        found[6, point] = _highest(tables, own, times)
        found[7, point] = converged


@compiled
def _write(fit: Fit, evaluated: tuple[int, float], scale: float, found: Floats) -> None:
    """Write the log mean, its variance per unit of dispersion, the slope, and the inverse of its variance."""
    block, time = evaluated
    slope, spread = fit.overall[SLOPE], fit.overall[SPREAD]
    found[0] = fit.blocks[LEVEL, block] + slope * time
    found[1] = (1.0 / fit.blocks[MASS, block] + (time - fit.blocks[CENTRE, block]) ** 2 / spread) / scale
    found[2] = slope
    found[3] = spread * scale


@compiled
def _residuals(
    tables: Tables, series: int, times: Indices, design: Design, fit: Fit, room: _Room
) -> tuple[float, float]:
    """Sum Pearson's squared residuals, and those relative to the mean."""
    _exponentials(fit.blocks[LEVEL], fit.overall[SLOPE], -1.0 / 6.0, design, room.inverse_sixth)
    _exponentials(fit.blocks[EARLIER], fit.overall[EARLIER_SLOPE], 1.0, design, room.earlier)
    inverse_sixth, earlier, square = room.inverse_sixth, room.earlier, room.square
    pearson, relative = 0.0, 0.0
    for i in range(len(times)):
        inverse_third = inverse_sixth[i] * inverse_sixth[i]
        residual = tables.counts[series, times[i]] * inverse_third * inverse_third * inverse_third - 1.0
        square[i] = residual * residual
        relative += square[i]
        pearson += earlier[i] * square[i]
    return pearson, relative


@compiled
def _outlying(outliers: Outliers, room: _Room) -> tuple[float, float]:
    """Sum the shares of the outliers in these sums."""
    pearson, relative = 0.0, 0.0
    for k in range(len(outliers.which)):
        off = outliers.share[k] * room.square[outliers.which[k]]
        relative += off
        pearson += room.earlier[outliers.which[k]] * off
    return pearson, relative


@compiled
def _exponentials(level: Floats, slope: float, power: float, design: Design, out: Floats) -> None:
    """Write a power of each mean, with one exponential a run."""
    growth = np.exp(power * slope)
    for r in range(len(design.run) - 1):
        start = design.run[r]
        value = np.exp(power * (level[design.block[start]] + slope * design.time[start]))
        for i in range(start, design.run[r + 1]):
            out[i] = value
            value *= growth


@compiled
def _outliers(
    tables: Tables,
    series: int,
    times: Indices,
    design: Design,
    fit: Fit,
    dispersion: float,
    least: float,
    room: _Room,
) -> Outliers:
    """Find where the standardised Anscombe residual exceeds the threshold, and how much less that counts.

    Residuals here lack their factor of 3/2, as `least` does.
    """
    blocks, spread, found = fit.blocks, fit.overall[SPREAD], 0
    inverse_sixth, earlier, which, share = room.inverse_sixth, room.earlier, room.which, room.share
    for i in range(len(times)):
        root = 1.0 / (inverse_sixth[i] * inverse_sixth[i] * inverse_sixth[i])
        anscombe = tables.two_thirds[series, times[i]] * inverse_sixth[i] - root
        if not anscombe > 0.0:
            continue
        j, square = design.block[i], anscombe * anscombe
        leverage = earlier[i] * (1.0 / blocks[MASS, j] + (design.time[i] - blocks[CENTRE, j]) ** 2 / spread)
        variance = (1.0 - leverage) * dispersion
        if square > variance * least and square > least * _NO_FREEDOM:
            which[found] = i
            share[found] = 1.0 - variance / (2.25 * square)
            found += 1
    return Outliers(which[:found], share[:found])


@compiled
def _highest(tables: Tables, series: int, times: Indices) -> float:
    highest = 0.0
    for i in range(len(times)):
        highest = max(highest, tables.counts[series, times[i]])
    return highest
