"""Forecast: the cases of the next days, if what is known about transmission holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from broadstreet.analysis import settings
from broadstreet.analysis.renewal.incidence import HIGHEST_INCIDENCE, Floats, checked_incidence
from broadstreet.analysis.renewal.infectivity import infectivity
from broadstreet.analysis.renewal.prediction import MOST_DRAWS, Prediction, overdispersed
from broadstreet.analysis.renewal.reproduction import Reproduction, estimate_r
from broadstreet.analysis.renewal.serial_interval import SerialInterval, serial_intervals

_MOST_CELLS = 100_000_000
_MOST_HORIZON = 366
_WINDOWS_LOOKED_AT = 4  # the last ones tell how far counts lie from what the window before let expect
_HIGHEST_R = 1e3
_HIGHEST_DRIFT = 0.3  # a third a day: a little data must not make forecasts of anything


@dataclass(frozen=True, slots=True, eq=False)
class Forecast(Prediction):
    """Hold draws of the cases of the days after the last.

    Attributes
    ----------
    dispersion : ndarray of float64, shape () or (series,)
        Variance of a day's cases over their mean, at least 1.
    drift : ndarray of float64, shape () or (series,)
        Standard deviation of the daily change of log R.
    """

    dispersion: Floats
    drift: Floats


def forecast(
    incidence: ArrayLike,
    serial_interval: SerialInterval,
    *,
    horizon: int = 14,
    window: int = 7,
    dispersion: float | None = None,
    drift: float | None = None,
    draws: int = 1000,
    seed: int | None = None,
) -> Forecast:
    r"""Forecast the next days by the renewal equation.

    Each course starts with a draw of :math:`R` from its posterior in the last window. Then :math:`\log R`
    goes on as a random walk, and a day's cases have mean :math:`R_t \Lambda_t`; they infect in turn.

    Parameters
    ----------
    incidence : array_like of int, shape (time,) or (time, series)
        New cases of each day, complete: correct the last days first (:func:`nowcast`).
    serial_interval : array_like, (mean, sd) or UncertainSerialInterval
        As in :func:`estimate_r`; each course has a draw of an uncertain one.
    horizon : int
        How many days.
    window : int
        Days of the window that :math:`R` is estimated in.
    dispersion : float, optional
        Variance of a day's cases over their mean; 1: Poisson. By default from the last 4 windows.
    drift : float, optional
        Standard deviation of the daily change of :math:`\log R`; 0: it stays as it is. By default from the
        windows so far.
    draws, seed : int
        How many courses are drawn, and the seed (at random by default).

    Returns
    -------
    Forecast

    Raises
    ------
    ValueError
        If incidence or serial interval are not as :func:`estimate_r` asks, there are no more days than a mean
        serial interval, or a setting is out of its range.

    Source
    ------
    Cori et al. 2013, Am J Epidemiol 178:1505-1512; Nouvellet et al. 2018, Epidemics 22:29-35,
    doi:10.1016/j.epidem.2017.02.012.
    """
    days = settings.whole_number("horizon", horizon, least=1, most=_MOST_HORIZON)
    number = settings.whole_number("draws", draws, least=1, most=MOST_DRAWS)
    table = checked_incidence(incidence)
    weights = serial_intervals(serial_interval, len(table) + days)
    _refuse_too_many(max(number, weights.shape[1]) * days * table.shape[1])
    past = _Past(table, weights, estimate_r(table, weights, window=window), window)
    spread = past.dispersion() if dispersion is None else past.given("dispersion", dispersion, 1.0)
    walk = past.drift(spread) if drift is None else past.given("drift", drift, 0.0)
    courses = _courses(past, spread, walk, (number, days), np.random.default_rng(seed))
    kept = np.shape(incidence)[1:]
    return Forecast(courses.reshape(number, days, *kept), spread.reshape(kept), walk.reshape(kept))


def _refuse_too_many(cells: int) -> None:
    if cells > _MOST_CELLS:
        raise ValueError(
            f"draws x horizon x series must be at most {_MOST_CELLS} (they are {cells}); pass the series in "
            "parts, or draw fewer"
        )


@dataclass(frozen=True, slots=True)
class _Past:
    """What the days so far say; arrays of its methods have shape (series,)."""

    incidence: Floats
    weights: Floats  # (days, draws) of the serial interval
    found: Reproduction
    window: int

    def __post_init__(self) -> None:
        if np.isnan(self.found.mean[-1]).any():
            raise ValueError(
                "incidence must reach further than a mean serial interval, or nothing is known of R "
                f"(there are {len(self.incidence)} days)"
            )

    def given(self, name: str, value: float, least: float) -> Floats:
        """Return a setting for each series."""
        if not least <= float(value) < float("inf"):
            raise ValueError(f"{name} must be {least:g} or more (it is {value})")
        return np.full(self.incidence.shape[1], float(value))

    def dispersion(self) -> Floats:
        """Compare days with what the window before each let expect."""
        pressure = infectivity(self.incidence, self.weights.mean(axis=1))
        day = self.found.end[:-1] + 1
        expected = self.found.mean[:-1] * pressure[day]
        uncertain = (self.found.sd[:-1] * pressure[day]) ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            excess = ((self.incidence[day] - expected) ** 2 - uncertain) / expected
        return np.maximum(_mean_of_last(excess, _WINDOWS_LOOKED_AT * self.window), 1.0)

    def drift(self, dispersion: Floats) -> Floats:
        """Compare windows that do not overlap, less what chance alone makes of their difference."""
        step = self.window
        logs = np.log(self.found.mean)
        chance = special.polygamma(1, self.found.shape / dispersion)
        change = (logs[step:] - logs[:-step]) ** 2 - chance[step:] - chance[:-step]
        # Means of a random walk over two windows side by side differ with 2/3 of its variance in a window.
        variance = _mean_of_last(change, 2 * _WINDOWS_LOOKED_AT * step) / (2.0 / 3.0 * step)
        return np.clip(np.sqrt(np.maximum(variance, 0.0)), 0.0, _HIGHEST_DRIFT)


def _mean_of_last(values: Floats, rows: int) -> Floats:
    """Return the mean of the last rows, those without a value left out; 0 where there is none."""
    last = values[-rows:]
    known = np.isfinite(last)
    return np.asarray(np.where(known, last, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))


def _courses(
    past: _Past, dispersion: Floats, drift: Floats, size: tuple[int, int], generator: np.random.Generator
) -> Floats:
    """Draw courses, shape (draws, horizon, series)."""
    draws, days = size
    interval = generator.choice(np.flatnonzero(~np.isnan(past.found.scale[:, -1, 0])), size=draws)
    held = _still_infectious(past, days)
    r = generator.gamma(past.found.shape[-1] / dispersion, past.found.scale[interval, -1] * dispersion)
    # R of the window is that of its middle: the walk went on since
    r *= np.exp(drift * np.sqrt(past.window / 3.0) * generator.standard_normal(r.shape))
    courses = np.empty((draws, days, past.incidence.shape[1]))
    for day in range(days):
        r = np.minimum(r * np.exp(drift * generator.standard_normal(r.shape)), _HIGHEST_R)
        own = past.weights[day:0:-1, interval].T
        pressure = held[interval, day] + np.einsum("ij,ijk->ik", own, courses[:, day - own.shape[1] : day])
        courses[:, day] = overdispersed(generator, np.minimum(r * pressure, HIGHEST_INCIDENCE), dispersion)
    return courses


def _still_infectious(past: _Past, days: int) -> Floats:
    """Return the infectivity left in the cases so far, shape (draws of the interval, days, series)."""
    length = len(past.incidence)
    ahead = np.concatenate([past.incidence, np.zeros((days, past.incidence.shape[1]))])
    return np.stack([infectivity(ahead, interval)[length:] for interval in past.weights.T])
