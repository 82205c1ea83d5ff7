"""Fit a quasi-Poisson regression, weigh down the observations far above it, and fit it again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from broadstreet.analysis.aberration import quasipoisson
from broadstreet.analysis.aberration.design import Design, Floats, Indices, Outliers
from broadstreet.analysis.aberration.observations import Observations, Sums
from broadstreet.analysis.aberration.quasipoisson import Fit, Rows

_NO_FREEDOM = 1e-10  # an observation with a leverage this near to 1 is fitted exactly: it cannot stand out


@dataclass(frozen=True, slots=True)
class RobustFit:
    """Hold fits whose past outbreaks count for less.

    Attributes
    ----------
    fit : Fit
        Of the second round; `converged` tells of the first.
    scale : ndarray, shape (fits,)
        What the weights are multiplied by, so that they sum to the number of observations.
    dispersion : ndarray, shape (fits,)
        Pearson's estimate, not bounded below.
    relative_dispersion : ndarray, shape (fits,)
        The same from the residuals relative to the mean: R's `farringtonFlexible` takes its standard errors
        from it.
    """

    fit: Fit
    scale: Floats
    dispersion: Floats
    relative_dispersion: Floats

    def put(self, rows: Rows, other: RobustFit) -> None:
        """Replace these rows by the fits of another."""
        self.fit.put(rows, other.fit)
        for name in ("scale", "dispersion", "relative_dispersion"):
            getattr(self, name)[rows] = getattr(other, name)


def fit_robustly(
    observed: Observations, sums: Sums, design: Design, *, trend: bool, threshold: float
) -> RobustFit:
    """Fit every row of the observations, and again with past outbreaks weighed down.

    Parameters
    ----------
    observed : Observations
    sums : Sums
        Of the same observations.
    design : Design
    trend : bool
        Whether there is a slope.
    threshold : float
        A standardised Anscombe residual s above it gives the observation the weight s**-2; infinite: one
        round is enough.

    Source
    ------
    Farrington et al. 1996, J R Stat Soc A 159:547, section 3.6; Noufaily et al. 2013, Stat Med 32:1206.
    """
    found, outliers = _first_round(observed, sums, design, trend=trend, threshold=threshold)
    again = np.unique(outliers.row)
    if again.size:
        numbered = Outliers(np.searchsorted(again, outliers.row), outliers.column, outliers.share)
        second = _second_round(observed.only(again), sums.only(again), design, numbered, trend=trend)
        second.fit.converged[:] = found.fit.converged[again]
        found.put(again, second)
    return found


def _first_round(
    observed: Observations, sums: Sums, design: Design, *, trend: bool, threshold: float
) -> tuple[RobustFit, Outliers]:
    fit = quasipoisson.fit(sums, design, trend=trend)
    found = RobustFit(fit, np.ones(len(observed)), *np.empty((2, len(observed))))
    freedom = design.observations - design.blocks - trend
    far = []
    with np.errstate(all="ignore"):
        for rows in observed.parts():
            part = fit.rows(rows)
            inverse_sixth = np.exp(part.log_mean(design) / -6.0)
            root = 1.0 / (inverse_sixth * inverse_sixth * inverse_sixth)
            earlier = np.exp(part.earlier_log_mean(design))
            residual = observed.rows("count", rows)
            residual /= root * root
            residual -= 1.0
            residual *= residual
            found.relative_dispersion[rows] = residual.sum(axis=1) / freedom
            found.dispersion[rows] = np.einsum("ij,ij->i", earlier, residual) / freedom
            earlier *= part.leverage_per_weight(design)
            room = np.subtract(1.0, earlier, out=earlier)
            room *= np.maximum(found.dispersion[rows], 1.0)[:, np.newaxis]
            inverse_sixth *= observed.rows("two_thirds", rows)
            anscombe = np.subtract(inverse_sixth, root, out=root)
            far.append(_far(anscombe, room, threshold, rows.start))
    return found, Outliers(*map(np.concatenate, zip(*far, strict=True)))


def _far(anscombe: Floats, room: Floats, threshold: float, first: int) -> tuple[Indices, Indices, Floats]:
    """Return where the residual exceeds the threshold, and how much less it counts for there.

    `anscombe` lacks its factor of 3/2; `room` is what its square is divided by.
    """
    least = (threshold / 1.5) ** 2
    square = anscombe * anscombe
    exceeds = square > room * least
    exceeds &= anscombe > 0.0
    cell = np.flatnonzero(exceeds)
    cell = cell[square.ravel()[cell] > least * _NO_FREEDOM]
    row, column = np.divmod(cell, anscombe.shape[1])
    share = 1.0 - room.ravel()[cell] / (2.25 * square.ravel()[cell])
    return row + first, column, share


def _second_round(
    observed: Observations, sums: Sums, design: Design, outliers: Outliers, *, trend: bool
) -> RobustFit:
    fits, freedom = len(observed), design.observations - design.blocks - trend
    scale = design.observations / (design.observations - np.bincount(outliers.row, outliers.share, fits))
    lighter = sums.without(outliers, observed, design)
    fit = quasipoisson.fit(lighter, design, trend=trend, outliers=outliers, scale=scale)
    found = RobustFit(fit, scale, *np.empty((2, fits)))
    with np.errstate(all="ignore"):
        for rows in observed.parts():
            part = fit.rows(rows)
            residual = observed.rows("count", rows)
            residual /= np.exp(part.log_mean(design))
            residual -= 1.0
            residual *= residual
            own = slice(*np.searchsorted(outliers.row, (rows.start, rows.stop)))
            residual[outliers.row[own] - rows.start, outliers.column[own]] *= 1.0 - outliers.share[own]
            found.relative_dispersion[rows] = scale[rows] * residual.sum(axis=1) / freedom
            residual *= np.exp(part.earlier_log_mean(design))
            found.dispersion[rows] = scale[rows] * residual.sum(axis=1) / freedom
    return found
