"""Weigh each place and time as the common source of cases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from broadstreet.analysis.exposure.candidates import Floats, Sight

# Uniform priors on grids: the share of cases from the source, the share of the others that a known case
# infected, and the share of true visits that are reported (assumed: people forget a tenth to a half of them).
_FROM_SOURCE = np.arange(1, 10) / 10.0
_FROM_CASES = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
_RECALL = np.array([0.5, 0.6, 0.7, 0.8, 0.9])
_QUANTILES = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
_MOST_EXPECTED = 0.98
_MOST_EXACT = 300  # cases


@dataclass(frozen=True)
class Backdrop:
    """What else explains each case: densities of its onset.

    Attributes
    ----------
    linked : ndarray, shape (cases,)
        Infected by a known case.
    unknown : float
        Infected anywhere, evenly over the days.
    """

    linked: Floats
    unknown: float

    def mixed(self, share: float) -> Floats:
        """Return the density of each onset without a common source."""
        density: Floats = share * self.linked + (1.0 - share) * self.unknown
        return density

    @property
    def shares(self) -> Floats:
        """Return the shares infected by known cases that are thought possible."""
        return _FROM_CASES if self.linked.any() else np.zeros(1)


def glance(sight: Sight, backdrop: Backdrop) -> Floats:
    """Return a rough log Bayes factor of every place, to choose what to weigh in full."""
    other = backdrop.mixed(0.5 if backdrop.linked.any() else 0.0)[:, np.newaxis]
    expected = np.minimum(sight.expected, _MOST_EXPECTED)
    seen = np.where(sight.reported, expected, 1.0 - expected)
    source = sight.timing * np.where(sight.reported, 0.7, 0.3)
    rough: Floats = np.log(0.5 * source / (other * seen) + 0.5).sum(axis=0)
    return rough


def weigh(sight: Sight, place: int, backdrop: Backdrop, recall: float | None) -> tuple[float, Floats]:
    """Return the log Bayes factor of one place and time, and each case's probability to come from there."""
    seen = _chances(sight, place)
    other = np.array([backdrop.mixed(share) for share in backdrop.shares])[:, np.newaxis] * seen
    against = np.log(other).sum(axis=-1)
    recalls = (_RECALL if recall is None else np.array([recall]))[:, np.newaxis]
    source = sight.timing[:, place] * np.where(sight.reported[:, place], recalls, 1.0 - recalls)
    # axes: share linked, rate of the controls, recall, share from the source, case
    part = _FROM_SOURCE[:, np.newaxis] * source[:, np.newaxis]
    rest = (1.0 - _FROM_SOURCE)[:, np.newaxis] * other[:, :, np.newaxis, np.newaxis]
    whole = part + rest
    evidence = np.log(whole).sum(axis=-1)
    highest = float(evidence.max())
    weight = np.exp(evidence - highest)
    factor = highest + np.log(weight.mean()) - _log_mean_exp(against)
    origin = np.einsum("lgrs,lgrsn->n", weight / weight.sum(), part / whole)
    return float(factor), origin


def _log_mean_exp(values: Floats) -> float:
    highest = float(values.max())
    return highest + float(np.log(np.exp(values - highest).mean()))


def _chances(sight: Sight, place: int) -> Floats:
    """Return the probability of what each case reports, were it like the controls, for likely rates of these.

    Shape (rates, cases). The rate is as certain as the controls who report the place are many: a gamma
    distribution of their number plus 0.5.
    """
    shape = sight.controls[place] + 0.5
    factors = special.gammaincinv(shape, _QUANTILES) / shape
    rates = np.clip(sight.expected[:, place] * factors[:, np.newaxis], 1e-9, _MOST_EXPECTED)
    chances: Floats = np.where(sight.reported[:, place], rates, 1.0 - rates)
    return chances


def surprise(sight: Sight, place: int) -> float:
    """Return the probability that as many cases as reported a place would, were they like the controls.

    The tail of a Poisson-binomial distribution, averaged over likely rates; of a Poisson distribution, which
    is wider, for many cases.
    """
    observed = int(sight.reported[:, place].sum())
    shape = sight.controls[place] + 0.5
    tails = []
    for factor in special.gammaincinv(shape, _QUANTILES) / shape:
        rate = np.minimum(sight.expected[:, place] * factor, _MOST_EXPECTED)
        tails.append(_tail(rate[rate > 0.0], observed))
    return float(np.mean(tails))


def _tail(rates: Floats, observed: int) -> float:
    if observed == 0:
        return 1.0
    if len(rates) > _MOST_EXACT:
        return float(special.gammainc(observed, rates.sum()))
    mass = np.zeros(observed)
    mass[0] = 1.0
    for rate in rates:
        mass[1:] = mass[1:] * (1.0 - rate) + mass[:-1] * rate
        mass[0] *= 1.0 - rate
    return float(max(0.0, 1.0 - mass.sum()))


def false_discovery_rates(p_values: Floats) -> Floats:
    """Return, for each test, the expected share of false ones if it and all stronger ones are believed.

    Source
    ------
    Benjamini and Hochberg 1995, J R Stat Soc B 57(1):289-300.
    """
    order = np.argsort(p_values)
    ranked = p_values[order] * len(p_values) / np.arange(1, len(p_values) + 1)
    q_values = np.empty(len(p_values))
    q_values[order] = np.minimum.accumulate(ranked[::-1])[::-1]
    return np.minimum(q_values, 1.0)
