"""The cohort reproduction number: how many the cases of a time went on to infect."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from broadstreet.analysis.renewal.incidence import (
    Floats,
    Indices,
    Window,
    checked_incidence,
    checked_windows,
    window_sums,
)
from broadstreet.analysis.renewal.infectivity import infectivity
from broadstreet.analysis.renewal.serial_interval import SerialInterval, serial_intervals

_DEVIATIONS = 12.0  # what lies further out has a probability below 1e-15


@dataclass(frozen=True, slots=True, eq=False)
class CohortReproduction:
    """Hold how many the cases of each window infected.

    Arrays have shape `(windows,)` for one series and `(windows, series)` for several.

    Attributes
    ----------
    mean, sd : ndarray of float64
        Infected per case of the window; NaN where the window has no case.
    start, end : ndarray of intp, shape (windows,)
        0-based indices of the first and the last time of each window.
    """

    mean: Floats
    sd: Floats
    start: Indices
    end: Indices
    _infected: _Infected

    def quantile(self, probability: float) -> Floats:
        """Return a quantile: the smallest number infected that is not exceeded so often, per case.

        Raises
        ------
        ValueError
            If the probability is not between 0 and 1.
        """
        if not 0.0 < float(probability) < 1.0:
            raise ValueError(f"probability must lie between 0 and 1 (it is {probability})")
        return self._infected.quantile(float(probability)).reshape(self.mean.shape)


def wallinga_teunis(
    incidence: ArrayLike, serial_interval: SerialInterval, *, window: Window = 7
) -> CohortReproduction:
    r"""Estimate how many each case infected, from who is likely to have infected whom.

    A case at :math:`t` was infected by one at :math:`s` with probability :math:`p_{ts} = w_{t-s} /
    \sum_u I_u w_{t-u}`. A case at :math:`s` infected :math:`R_s = \sum_t I_t p_{ts}`; in a window the mean
    over its cases is taken. Infectors are independent, so the number infected by a window is a sum of
    binomial ones: `sd` and quantiles are those of that sum, computed exactly (EpiEstim simulates them).

    Parameters
    ----------
    incidence : array_like of int, shape (time,) or (time, series)
        New cases of each day; complete.
    serial_interval : array_like or (mean, sd)
        As in :func:`estimate_r`, not uncertain.
    window : int or (starts, ends)
        As in :func:`estimate_r`.

    Returns
    -------
    CohortReproduction
        NaN where a window has no case (EpiEstim leaves such windows out). Cases with no one in reach before
        them were infected by none. Near the end of the series R is too low: who will be infected is not
        known yet.

    Raises
    ------
    ValueError
        If incidence is negative, missing, not whole or shorter than a window, or the serial interval is no
        distribution, or uncertain.

    Source
    ------
    Wallinga and Teunis 2004, Am J Epidemiol 160:509-516, doi:10.1093/aje/kwh255. Means agree with
    `wallinga_teunis` of EpiEstim 2.2-4.
    """
    table = checked_incidence(incidence, whole=True)
    start, end = checked_windows(window, len(table))
    weights = serial_intervals(serial_interval, len(table))
    if weights.shape[1] != 1:
        raise ValueError("wallinga_teunis takes one serial interval: probabilities by day, or (mean, sd)")
    infected = _Infected(table, weights[:, 0], start, end)
    mean, variance = infected.moments()
    cases = infected.cases
    kept = (len(start), *np.shape(incidence)[1:])
    with np.errstate(divide="ignore", invalid="ignore"):
        return CohortReproduction(
            (mean / cases).reshape(kept), (np.sqrt(variance) / cases).reshape(kept), start, end, infected
        )


class _Infected:
    """The number that the cases of each window infected: a sum of binomial variables."""

    def __init__(self, incidence: Floats, weights: Floats, start: Indices, end: Indices) -> None:
        self.cases = window_sums(incidence, start, end)
        self._incidence = incidence
        self._weights = weights
        self._pressure = infectivity(incidence, weights)
        self._windows = list(zip(start.tolist(), end.tolist(), strict=True))

    def moments(self) -> tuple[Floats, Floats]:
        """Return mean and variance, each of shape (windows, series)."""
        found = np.empty((2, *self.cases.shape))
        for number in range(len(self._windows)):
            trials, chance = self._binomials(number)
            found[0, number] = (trials * chance).sum(axis=0)
            found[1, number] = (trials * chance * (1.0 - chance)).sum(axis=0)
        return found[0], found[1]

    def quantile(self, probability: float) -> Floats:
        """Return the quantile divided by the cases, shape (windows, series)."""
        found = np.full(self.cases.shape, np.nan)
        for number in range(len(self._windows)):
            trials, chance = self._binomials(number)
            for series in np.flatnonzero(self.cases[number]):
                found[number, series] = _quantile(probability, trials[:, series], chance[:, series])
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(found / self.cases)

    def _binomials(self, number: int) -> tuple[Floats, Floats]:
        """Return the later cases, and the chance of each to have been infected by the window."""
        start, end = self._windows[number]
        stop = min(end + len(self._weights), len(self._incidence))
        own = self._incidence[start:stop].copy()
        own[end + 1 - start :] = 0.0
        pressure = self._pressure[start:stop]
        with np.errstate(divide="ignore", invalid="ignore"):
            chance = np.where(pressure > 0.0, infectivity(own, self._weights) / pressure, 0.0)
        return self._incidence[start:stop], np.minimum(chance, 1.0)


def _quantile(probability: float, trials: Floats, chance: Floats) -> float:
    """Invert the distribution function of a sum of binomial variables by its characteristic function."""
    certain = chance >= 1.0
    sure = float(trials[certain].sum())
    trials, chance = trials[~certain & (chance > 0.0)], chance[~certain & (chance > 0.0)]
    mean, most = float(trials @ chance), float(trials.sum())
    reach = _DEVIATIONS * math.sqrt(float(trials @ (chance * (1.0 - chance)))) + _DEVIATIONS
    low = max(0.0, math.floor(mean - reach))
    size = int(min(most, math.ceil(mean + reach)) - low) + 1
    turn = 2.0j * np.pi * np.arange(size) / size
    steps = np.log1p(np.outer(np.expm1(turn), chance)) @ trials
    mass = np.fft.fft(np.exp(steps - turn * low)).real / size
    return sure + low + int(np.searchsorted(np.cumsum(mass), probability - 1e-12))
