"""How much more likely the newest counts are with an outbreak than without: compiled loops."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.compiled import compiled

Floats = NDArray[np.float64]

# Excess of each time of an outbreak, in standard deviations of the count; all alike before the data.
AMPLITUDES = np.array([1 / 3, 2 / 3, 4 / 3, 8 / 3, 4.0])
# An outbreak that began a week (one time, if longer) earlier is so much less likely before the data: most are
# young when found.
EARLIER = 0.6
LEAST_EXCESS = 2 / 3  # cases a time: an outbreak is two cases within three times, or more
# Gauss-Hermite quadrature for the standard normal: Abramowitz and Stegun 1964, table 25.10
NODES = np.array([-2.8569700138728056, -1.355626179974266, 0.0, 1.355626179974266, 2.8569700138728056])
LOG_WEIGHTS = np.log(
    np.array([0.011257411327720691, 0.22207592200561266, 8 / 15, 0.22207592200561266, 0.011257411327720691])
)
WIDEST = 2.0  # variance of the error that is summed over, relative to that of the count
_POISSON_BELOW = 1.001
_MULTIPLIED = 16.0
_STEPS = 60


@compiled
def log_probability(count: float, mean: float, dispersion: float) -> float:
    """Return the log probability of a count but for terms that do not depend on its mean.

    Negative binomial of variance `dispersion * mean`; at and below 1 Poisson on the scale of the dispersion.
    """
    if dispersion < _POISSON_BELOW:
        return (count * math.log(mean) - mean) / dispersion
    size = mean / (dispersion - 1.0)
    if count <= _MULTIPLIED:  # the ratio of the gamma functions is a product
        product = 1.0
        for factor in range(int(count)):
            product *= size + factor
        return math.log(product) - size * math.log(dispersion)
    return math.lgamma(count + size) - math.lgamma(size) - size * math.log(dispersion)


@compiled
def weigh_past(
    counts: Floats,
    means: Floats,
    dispersion: Floats,
    uncertainty: float,
    earlier: float,
    calm: Floats,
    risen: Floats,
) -> None:
    """Weigh what came before the newest count under each hypothesis.

    Parameters
    ----------
    counts, means, dispersion : ndarray, shape (window,)
        Newest first; entry 0 is not looked at, nor those without a mean (NaN).
    uncertainty : float
        Variance of the logarithm of the means' common error.
    earlier : float
        How much less likely a start one time earlier is.
    calm : ndarray, shape (nodes,)
        Filled with the log weight of each error of the mean without an outbreak.
    risen : ndarray, shape (amplitudes, nodes)
        Filled with that of an outbreak of each amplitude, over all starts within the window.
    """
    deviation = math.sqrt(uncertainty)
    window, amplitudes, quiet = len(counts), len(AMPLITUDES), np.empty(len(counts))
    while window > 1 and math.isnan(means[window - 1]):
        window -= 1
    known = np.empty(window)
    for back in range(1, window):  # a past count speaks for the largest amplitude at most: a burst goes by
        most = means[back] + AMPLITUDES[-1] * math.sqrt(dispersion[back] * means[back])
        known[back] = min(counts[back], math.ceil(max(most, 1.0)))
    for node in range(len(NODES)):
        error = math.exp(deviation * NODES[node])
        total = LOG_WEIGHTS[node]
        for back in range(1, window):
            quiet[back] = log_probability(known[back], means[back] * error, dispersion[back])
            total += quiet[back]
        calm[node] = total
        for amplitude in range(amplitudes):
            ratio, summed, weight, weights = 0.0, 1.0, 1.0, 1.0
            for back in range(1, window):
                excess = max(AMPLITUDES[amplitude] * math.sqrt(dispersion[back] * means[back]), LEAST_EXCESS)
                mean = means[back] * error
                ratio += log_probability(known[back], mean + excess, dispersion[back])
                ratio -= quiet[back]
                weight *= earlier
                weights += weight
                summed += weight * math.exp(min(ratio, 600.0))
            risen[amplitude, node] = total + math.log(summed / (amplitudes * weights))


@compiled
def log_ratio(
    count: float, mean: float, dispersion: float, uncertainty: float, calm: Floats, risen: Floats
) -> float:
    """Return the log ratio of the probabilities with and without an outbreak that still goes on."""
    deviation, excesses = math.sqrt(uncertainty), AMPLITUDES * math.sqrt(dispersion * mean)
    without, with_it = -np.inf, -np.inf
    for node in range(len(NODES)):
        at = mean * math.exp(deviation * NODES[node])
        without = np.logaddexp(without, calm[node] + log_probability(count, at, dispersion))
        for amplitude in range(len(AMPLITUDES)):
            excess, weight = max(excesses[amplitude], LEAST_EXCESS), 0.0
            if amplitude == len(AMPLITUDES) - 1 and count - at > excess:
                # Larger ones the less likely the larger: so more cases are never less evidence
                excess, weight = count - at, math.log(excess / (count - at))
            term = risen[amplitude, node] + weight + log_probability(count, at + excess, dispersion)
            with_it = np.logaddexp(with_it, term)
    return float(with_it - without)


@compiled
def highest_quiet_count(
    limit: float, mean: float, dispersion: float, uncertainty: float, calm: Floats, risen: Floats
) -> float:
    """Return the highest whole count whose log ratio is not above `limit`; -1 if even that of 0 is."""
    if log_ratio(0.0, mean, dispersion, uncertainty, calm, risen) > limit:
        return -1.0
    low, high = 0.0, math.ceil(mean + 4.0 * math.sqrt(dispersion * mean + uncertainty * mean * mean)) + 3.0
    while log_ratio(high, mean, dispersion, uncertainty, calm, risen) <= limit:
        low, high = high, 2.0 * high
        if high > 1e15:
            return high
    for _ in range(_STEPS):
        if high - low <= 1.0:
            break
        middle = math.floor((low + high) / 2.0)
        if log_ratio(middle, mean, dispersion, uncertainty, calm, risen) > limit:
            high = middle
        else:
            low = middle
    return low


@compiled
def judge(
    counts: Floats,
    means: Floats,
    spreads: Floats,
    uncertainty: Floats,
    cycle: int,
    limit: float,
    found: Floats,
) -> None:
    """Fill log ratio and bound of each point.

    Parameters
    ----------
    counts, means, spreads : ndarray, shape (points, window)
        Newest first; a point without an expectation (NaN) gets no answer.
    uncertainty : ndarray, shape (points,)
    cycle : int
        Times a week, or 1.
    limit : float
        Log ratio above which there is an alarm; with infinity no bound is looked for.
    found : ndarray, shape (points, 2)
    """
    calm, risen = np.empty(len(NODES)), np.empty((len(AMPLITUDES), len(NODES)))
    earlier = EARLIER ** (1.0 / cycle)
    for point in range(len(counts)):
        mean = means[point, 0]
        if math.isnan(mean):
            found[point] = np.nan
            continue
        # The sum over nodes can follow an error that is not much wider than the counts are spread; what is
        # more widens the counts.
        doubt = min(uncertainty[point], WIDEST * spreads[point, 0] / mean)
        widened = spreads[point] + (uncertainty[point] - doubt) * means[point]
        spread = widened[0]
        weigh_past(counts[point], means[point], widened, doubt, earlier, calm, risen)
        ratio = log_ratio(counts[point, 0], mean, spread, doubt, calm, risen)
        found[point, 0] = ratio if counts[point, 0] > 0.0 else min(ratio, 0.0)  # what goes on has cases now
        if limit < np.inf:
            quiet = highest_quiet_count(limit, mean, spread, doubt, calm, risen)
            found[point, 1] = max(quiet, 0.0)
