"""The serial interval: how long after a case those that it infected fall ill."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from broadstreet.analysis import settings

Floats = NDArray[np.float64]

# EpiEstim 2.2-4, ?estimate_R: probabilities need not sum to 1 more exactly
_TOLERANCE = 0.01
_MOST_DAYS = 10**6


def discretise_serial_interval(days: ArrayLike, mean: float, sd: float) -> Floats:
    r"""Return the probabilities of whole days for a gamma distributed serial interval.

    With :math:`F_a` the distribution function of a gamma variable of shape :math:`a` and scale :math:`b`,
    :math:`a = ((\mu - 1) / \sigma)^2`, :math:`b = \sigma^2 / (\mu - 1)`, the interval is that variable plus
    1 day, and

    .. math:: w_k = k F_a(k) + (k - 2) F_a(k - 2) - 2 (k - 1) F_a(k - 1)
        + a b \left(2 F_{a+1}(k - 1) - F_{a+1}(k - 2) - F_{a+1}(k)\right), \quad w_k \geq 0 .

    Parameters
    ----------
    days : array_like of int
        Days from 0, in any order.
    mean : float
        :math:`\mu`, days, above 1.
    sd : float
        :math:`\sigma`, days, above 0.

    Returns
    -------
    ndarray of float64, shape of `days`
        They sum to 1 over all days; 0 at day 0.

    Raises
    ------
    ValueError
        If a day is negative or not whole, the mean is not above 1 or the standard deviation not above 0.

    Source
    ------
    Cori et al. 2013, Am J Epidemiol 178:1505-1512, web appendix 11, doi:10.1093/aje/kwt133. Agrees with
    `discr_si` of EpiEstim 2.2-4.
    """
    k = np.asarray(days)
    if k.dtype.kind not in "iuf" or (k < 0).any() or (k != np.floor(k)).any() or (k > _MOST_DAYS).any():
        raise ValueError(f"days must be whole numbers from 0 to {_MOST_DAYS}")
    means, deviations = _checked_moments(mean, sd)
    return _discretised(k.astype(np.float64), means, deviations)


@dataclass(frozen=True, slots=True)
class UncertainSerialInterval:
    """Say how well the mean and the standard deviation of the serial interval are known.

    Each is normal, cut off at its limits; the pairs drawn are spread evenly over both distributions (a Latin
    hypercube), so that 500 do what many more independent ones would.

    Parameters
    ----------
    mean, mean_sd : float
        Of the mean, days.
    mean_limits : (float, float)
        Lowest (at least 1) and highest mean.
    sd, sd_sd : float
        Of the standard deviation, days.
    sd_limits : (float, float)
        Lowest (at least 0) and highest standard deviation.
    draws : int
        How many pairs are drawn.
    seed : int, optional
        Of the draws; at random by default.

    Source
    ------
    Cori et al. 2013, web appendix 4; EpiEstim 2.2-4, method "uncertain_si".
    """

    mean: float
    mean_sd: float
    mean_limits: tuple[float, float]
    sd: float
    sd_sd: float
    sd_limits: tuple[float, float]
    draws: int = 500
    seed: int | None = None

    def drawn(self) -> tuple[Floats, Floats]:
        """Return means and standard deviations, each of shape (draws,).

        Raises
        ------
        ValueError
            If limits do not enclose what they should, or a setting is out of its range.
        """
        draws = settings.whole_number("draws", self.draws, least=1, most=100_000)
        generator = np.random.default_rng(self.seed)
        means = _spread_normal("mean", self.mean, self.mean_sd, self.mean_limits, 1.0, draws, generator)
        deviations = _spread_normal("sd", self.sd, self.sd_sd, self.sd_limits, 0.0, draws, generator)
        return means, deviations


SerialInterval = ArrayLike | tuple[float, float] | UncertainSerialInterval


def serial_intervals(given: SerialInterval, length: int) -> Floats:
    """Return the probabilities of days from 0, shape (days, draws); one draw where nothing is uncertain.

    Parameters
    ----------
    given : array_like or (mean, sd) or UncertainSerialInterval
        Probabilities of shape (days,), or (days, draws) for draws from their distribution.
    length : int
        Times of the incidence: a parametric interval is cut off there, as in EpiEstim.

    Raises
    ------
    ValueError
        If probabilities are negative, do not sum to 1 or have some at day 0; or moments out of range.
    """
    days = np.arange(length, dtype=np.float64)[:, np.newaxis]
    if isinstance(given, UncertainSerialInterval):
        means, deviations = given.drawn()
        return _discretised(days, means, deviations)
    if isinstance(given, tuple) and len(given) == 2:
        return _discretised(days, *_checked_moments(*given))
    return _checked_probabilities(given)


def _checked_moments(mean: float, sd: float) -> tuple[Floats, Floats]:
    if not 1.0 < float(mean) < _MOST_DAYS:
        raise ValueError(f"the mean of a serial interval must be above 1 day (it is {mean})")
    return np.array([float(mean)]), np.array([settings.positive("sd of a serial interval", sd)])


def _discretised(k: Floats, mean: Floats, sd: Floats) -> Floats:
    shape, scale = ((mean - 1.0) / sd) ** 2, sd**2 / (mean - 1.0)

    def distribution(day: Floats, more: float = 0.0) -> Floats:
        return np.asarray(special.gammainc(shape + more, np.maximum(day, 0.0) / scale))

    mass = k * distribution(k) + (k - 2.0) * distribution(k - 2.0) - 2.0 * (k - 1.0) * distribution(k - 1.0)
    moment = 2.0 * distribution(k - 1.0, 1.0) - distribution(k - 2.0, 1.0) - distribution(k, 1.0)
    return np.asarray(np.maximum(mass + shape * scale * moment, 0.0))


def _checked_probabilities(given: ArrayLike) -> Floats:
    array = np.asarray(given, np.float64)
    if array.ndim not in (1, 2) or len(array) < 2:
        raise ValueError(
            "serial_interval must be probabilities by day from 0, shape (days,) or (days, draws), a pair "
            f"(mean, sd), or an UncertainSerialInterval (it has shape {array.shape})"
        )
    table = array.reshape(len(array), -1)
    if not np.isfinite(table).all() or (table < 0.0).any():
        raise ValueError("serial_interval must be probabilities, none missing or below 0")
    total = table.sum(axis=0)
    wrong = np.abs(total - 1.0) > _TOLERANCE
    if wrong.any():
        raise ValueError(f"serial_interval must sum to 1 (sums to {total[wrong][0]:.6g})")
    if (table[0] != 0.0).any():
        raise ValueError(
            f"serial_interval must start with 0, the probability of day 0 (there is {table[0].max():g}): "
            "no one infects on the day of falling ill"
        )
    return table


def _spread_normal(
    name: str,
    centre: float,
    spread: float,
    limits: tuple[float, float],
    least: float,
    draws: int,
    generator: np.random.Generator,
) -> Floats:
    low, high = map(float, limits)
    if not least <= low < float(centre) < high < float("inf"):
        raise ValueError(f"{name}_limits must enclose {name}, from {least:g} (they are {limits}, {centre})")
    deviation = settings.positive(f"{name}_sd", spread)
    first, last = special.ndtr((low - centre) / deviation), special.ndtr((high - centre) / deviation)
    stratum = (generator.permutation(draws) + generator.random(draws)) / draws
    found = centre + deviation * special.ndtri(first + stratum * (last - first))
    # the open interval: a mean of 1 or a deviation of 0 has no gamma distribution
    return np.asarray(np.clip(found, np.nextafter(low, high), np.nextafter(high, low)))
