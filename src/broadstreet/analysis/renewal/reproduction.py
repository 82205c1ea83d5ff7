"""The instantaneous reproduction number: how many a case infects under the conditions of the day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from broadstreet.analysis import settings
from broadstreet.analysis.renewal.incidence import (
    Floats,
    Indices,
    Window,
    checked_imported,
    checked_incidence,
    checked_windows,
    window_sums,
)
from broadstreet.analysis.renewal.infectivity import infectivity
from broadstreet.analysis.renewal.mixture import gamma_mixture_quantile, gamma_quantile
from broadstreet.analysis.renewal.serial_interval import SerialInterval, serial_intervals

_MOST_CELLS = 250_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Reproduction:
    """Hold the posterior distribution of the reproduction number in each window of time.

    Arrays have shape `(windows,)` for one series and `(windows, series)` for several.

    Attributes
    ----------
    mean, sd : ndarray of float64
        Of the posterior; NaN where the window ends no later than a mean serial interval after the first time
        (its cases are too early to tell).
    start, end : ndarray of intp, shape (windows,)
        0-based indices of the first and the last time of each window.
    shape : ndarray of float64
        Of the gamma posterior.
    scale : ndarray of float64, shape (draws, ...)
        Of the gamma posterior, for each draw of the serial interval (one where it is certain); NaN as above.
    """

    mean: Floats
    sd: Floats
    start: Indices
    end: Indices
    shape: Floats
    scale: Floats

    def quantile(self, probability: ArrayLike) -> Floats:
        """Return quantiles of the posterior.

        Parameters
        ----------
        probability : float or array_like of float
            Between 0 and 1.

        Returns
        -------
        ndarray of float64
            Shape of `mean`; with several probabilities, they are the first axis.

        Raises
        ------
        ValueError
            If a probability is not between 0 and 1.
        """
        asked = np.asarray(probability, np.float64)
        if not ((asked > 0.0) & (asked < 1.0)).all():
            raise ValueError(f"probability must lie between 0 and 1 (it is {probability!r})")
        found = np.array([self._quantile(float(p)) for p in asked.ravel()], np.float64)
        return np.asarray(found.reshape(*asked.shape, *self.mean.shape))

    def _quantile(self, probability: float) -> Floats:
        if len(self.scale) == 1:
            return np.asarray(gamma_quantile(probability, self.shape) * self.scale[0])
        return gamma_mixture_quantile(probability, self.shape, self.scale)


def estimate_r(
    incidence: ArrayLike,
    serial_interval: SerialInterval,
    *,
    window: Window = 7,
    prior_mean: float = 5.0,
    prior_sd: float = 5.0,
    imported: ArrayLike | None = None,
) -> Reproduction:
    r"""Estimate the reproduction number in sliding windows.

    Local cases are Poisson with mean :math:`R_t \Lambda_t`, :math:`\Lambda_t = \sum_k w_k I_{t-k}`. With
    :math:`R` constant in a window and a gamma prior of shape :math:`a` and scale :math:`b` its posterior is
    gamma with shape :math:`a + \sum I^{\text{local}}_t` and scale :math:`1 / (1/b + \sum \Lambda_t)`, sums
    over the window.

    Parameters
    ----------
    incidence : array_like, shape (time,) or (time, series)
        All new cases of each day, or of another step that the serial interval counts in; complete, 0 or more.
        Fractions are taken, as by EpiEstim (a nowcast has some).
    serial_interval : array_like, (mean, sd) or UncertainSerialInterval
        Probabilities by day from 0 (its own is 0), shape (days,), or (days, draws): the posterior is then a
        mixture; or moments for :func:`discretise_serial_interval`; or how uncertain these are.
    window : int or (starts, ends)
        Length of windows that slide from the second time to the last; or first and last time of each.
    prior_mean, prior_sd : float
        Of the gamma prior.
    imported : array_like, same shape as incidence, optional
        How many of `incidence` were infected elsewhere; those of the first time always were.

    Returns
    -------
    Reproduction
        Without a case in reach it is the prior. Windows that end within a mean serial interval of the start
        are NaN, as in EpiEstim.

    Raises
    ------
    ValueError
        If incidence is negative, missing or shorter than a window, less than `imported`, the serial interval
        no distribution, or a setting out of its range.

    Source
    ------
    Cori, Ferguson, Fraser and Cauchemez 2013, Am J Epidemiol 178:1505-1512, doi:10.1093/aje/kwt133; Thompson
    et al. 2019, Epidemics 29:100356, doi:10.1016/j.epidem.2019.100356 (imported cases). Agrees with
    `estimate_R` of EpiEstim 2.2-4.
    """
    table = checked_incidence(incidence)
    local = table - checked_imported(imported, table)
    start, end = checked_windows(window, len(table))
    shape, scale = _gamma_of_moments(prior_mean, prior_sd)
    weights = serial_intervals(serial_interval, len(table))
    _refuse_too_many(weights.shape[1] * len(start) * table.shape[1])
    kept = (len(start), *np.shape(incidence)[1:])
    shapes = (shape + window_sums(local, start, end)).reshape(kept)
    scales = _posterior_scales(table, weights, scale, start, end).reshape(-1, *kept)
    return _summed_up(start, end, shapes, scales)


def _posterior_scales(table: Floats, weights: Floats, prior: float, start: Indices, end: Indices) -> Floats:
    """Return the scales for each draw of the serial interval, shape (draws, windows, series)."""
    early = np.arange(len(weights)) @ weights >= end[:, np.newaxis] + 1.0
    scales = np.empty((weights.shape[1], len(start), table.shape[1]))
    for draw, interval in enumerate(weights.T):
        summed = window_sums(infectivity(table, interval), start, end)
        np.divide(1.0, 1.0 / prior + summed, out=scales[draw])
        scales[draw, early[:, draw]] = np.nan
    return scales


def _summed_up(start: Indices, end: Indices, shape: Floats, scale: Floats) -> Reproduction:
    known = ~np.isnan(scale)
    draws = known.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.where(known, scale, 0.0).sum(axis=0) / draws
        second = np.where(known, scale**2, 0.0).sum(axis=0) / draws
    mean = shape * first
    within, between = shape * second, shape**2 * np.maximum(second - first**2, 0.0)
    sd = np.sqrt(within + between) if len(scale) > 1 else np.sqrt(shape) * first
    return Reproduction(mean, sd, start, end, shape, scale)


def _gamma_of_moments(mean: float, sd: float) -> tuple[float, float]:
    mean, sd = settings.positive("prior_mean", mean), settings.positive("prior_sd", sd)
    return (mean / sd) ** 2, sd**2 / mean


def _refuse_too_many(cells: int) -> None:
    if cells > _MOST_CELLS:
        raise ValueError(
            f"draws of the serial interval x windows x series must be at most {_MOST_CELLS} "
            f"(they are {cells}); pass the series in parts, or draw fewer"
        )
