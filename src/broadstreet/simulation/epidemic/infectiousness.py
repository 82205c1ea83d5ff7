"""How infectious an infected person is on a day, and at what kind of place."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from broadstreet.model.pathogens import SETTINGS, Pathogen
from broadstreet.simulation.population.kinds import Kind

_SETTING = {
    Kind.HOME: "household",
    Kind.CARE_HOME: "care_home",
    Kind.CLASS: "school",
    Kind.SCHOOL: "school",
    Kind.TEAM: "workplace",
    Kind.WORKPLACE: "workplace",
    Kind.SHOP: "shop",
    Kind.VENUE: "venue",
    Kind.WORSHIP: "worship",
    Kind.TRANSPORT: "transport",
    Kind.CLINIC: "clinic",
    Kind.HOSPITAL: "hospital",
}
# Share of the time together in which two who have contact are near enough to pass something on: between two
# who live alone together half an hour of an evening and a night, in hospital a tenth of a stay in bed. No one
# measured them; they are set so that household attack rates agree with those published.
_NEAR_HOURS = {
    Kind.HOME: 0.04, Kind.CARE_HOME: 0.4, Kind.CLASS: 0.5, Kind.TEAM: 0.6, Kind.HOSPITAL: 0.1,
}  # fmt: skip
_STEPS_A_DAY = 64
_LARGEST_HOUSEHOLD = 12  # of which crowding is told apart
_TAIL = 0.999  # of the curve; what comes later is left out


class Infectiousness:
    """The curve of a pathogen over days.

    On a day, the hazard for an hour of contact in a household is `h W / M`. `W` is the area of the curve
    over the day; what lies before anyone can be infected falls on the first day. `M` is the mean density,
    weighted by the curve itself, so that `h` is the hazard of an average infectious day: for a gamma
    density with shape k and scale s, M = Gamma(2k - 1) / (2^(2k - 1) Gamma(k)^2 s).
    """

    def __init__(self, pathogen: Pathogen) -> None:
        curve = pathogen.infectiousness
        self.start, self.latent = curve.start, pathogen.latent
        self.last = curve.scale * float(special.gammaincinv(curve.shape, _TAIL))
        self._grid = np.arange(math.ceil(self.last * _STEPS_A_DAY) + 2) / _STEPS_A_DAY
        self._area = special.gammainc(curve.shape, self._grid / curve.scale)
        self.per_area = pathogen.hazard / mean_density(curve.shape, curve.scale)

    def may_come(self, day: int, onset: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return whose curve is not over when a day begins."""
        return day - onset - self.start < self.last

    def hazard(self, day: int, since: NDArray[np.float64], onset: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the hazard per hour on a day of people infected `since` with this (maybe unseen) onset."""
        first = np.floor(np.maximum(since + self.latent, np.floor(since) + 1.0))
        begin = onset + self.start
        before = np.where(first < day, self._until(day - begin), 0.0)
        return np.where(day >= first, self.per_area * (self._until(day + 1.0 - begin) - before), 0.0)

    def _until(self, days: NDArray[np.float64]) -> NDArray[np.float64]:
        area: NDArray[np.float64] = np.interp(days, self._grid, self._area)
        return area


def mean_density(shape: float, scale: float) -> float:
    """Return the mean of a gamma density weighted by itself; its shape must be above 1/2."""
    log = special.gammaln(2 * shape - 1) - (2 * shape - 1) * math.log(2) - 2 * special.gammaln(shape)
    return float(math.exp(log) / scale)


def by_kind(pathogen: Pathogen) -> NDArray[np.float64]:
    """Return the factor on the hazard by `Kind`: of the setting, and of the hours that two are near."""
    factors = dict(zip(SETTINGS, pathogen.settings, strict=True))
    return np.array([factors[_SETTING[kind]] * _NEAR_HOURS.get(kind, 1.0) for kind in Kind])


def by_company(pathogen: Pathogen) -> NDArray[np.float64]:
    """Return the factor on the hazard at home by the people of the household: (n / 2)^-crowding.

    Who lives with many is near each of them for less of the time.

    Source: Cauchemez et al. 2004, Stat Med 23:3469 (the hazard falls as a power of the household's size).
    """
    people = np.maximum(np.arange(_LARGEST_HOUSEHOLD + 1), 1)
    factors: NDArray[np.float64] = (people / 2.0) ** -pathogen.household_crowding
    return factors


def by_susceptibility(pathogen: Pathogen) -> NDArray[np.float64]:
    """Return the susceptibility at each age that fits into a byte; 0 above those of people."""
    factors = np.zeros(256)
    known = pathogen.susceptibility.by_year()
    factors[: len(known)] = known
    return factors
