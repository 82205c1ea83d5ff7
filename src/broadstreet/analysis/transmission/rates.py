"""Rates of transmission by route, and the weights of pairs that they give."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from broadstreet.analysis.compiled import compiled
from broadstreet.analysis.transmission.evidence import MOST_UNSEEN, Evidence

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Beta:
    """What is believed of a share before the data: a Beta distribution."""

    a: float
    b: float

    @property
    def mean(self) -> float:
        """Return the mean."""
        return self.a / (self.a + self.b)

    def middle(self) -> tuple[float, float]:
        """Return the middle 95 %."""
        low, high = stats.beta(self.a, self.b).ppf([0.025, 0.975])
        return float(low), float(high)


@dataclass(frozen=True)
class Priors:
    """Beliefs before the data: shares of cases infected outside, and of cases that are seen."""

    outside: Beta
    reported: Beta


@dataclass(frozen=True)
class Rates:
    """Rates per pair: of any two cases, of two in a group (by column of `same` and group), near, sharing
    places.

    `reach` is the distance over which the rate of near cases falls by a factor of e; `recall` and `false` are
    the probabilities that a link, and another pair, is declared; `reported` is the share of infectors that is
    seen; `hidden` is the rate, per pair, of links through someone unseen who shares no group with the case.
    """

    anyone: float
    groups: list[Floats]
    near: float
    reach: float
    shared: float
    outside: float
    reported: float
    recall: float
    false: float
    hidden: float

    def for_declared(self) -> tuple[float, float]:
        """Return how much likelier a declared, and an undeclared, pair is a link than not."""
        return self.recall / self.false, (1.0 - self.recall) / (1.0 - self.false)

    def odds(self) -> float:
        """Return how many unseen infectors there are for each that is seen."""
        return (1.0 - self.reported) / self.reported

    def unseen(self) -> Floats:
        """Return the rates of links through 1, 2, 3 unseen cases."""
        return np.asarray(self.hidden * (1.0 - self.reported) ** np.arange(1, MOST_UNSEEN + 1))


def weights(evidence: Evidence, rates: Rates) -> Floats:
    """Return the rate of each pair: the fit of its dates times the rates of its routes."""
    pairs = evidence.pairs
    declared, undeclared = rates.for_declared() if evidence.declared.size else (1.0, 1.0)
    found = np.zeros(len(pairs.infector))
    _weigh(
        found, pairs.start, pairs.infector, pairs.fit, evidence.groups, padded(rates.groups, evidence),
        evidence.distance, evidence.shared, evidence.declared,
        np.array([rates.anyone, rates.near, rates.reach, rates.shared, declared, undeclared]),
    )  # fmt: skip
    return found


def companions(evidence: Evidence, rates: Rates) -> Floats:
    """Return the weight of an unseen infector in each of a case's groups, shape (columns of `same`, cases).

    For each seen member of a group there are so many unseen ones, who infect at the rate of the group.
    """
    found = np.zeros_like(evidence.companions)
    for row, codes, rate, fit in zip(found, evidence.groups, rates.groups, evidence.companions, strict=True):
        row[:] = np.where(codes >= 0, np.append(rate, 0.0)[codes], 0.0) * fit * rates.odds()
    return found


@dataclass(frozen=True)
class Free:
    """The part of each pair's weight that an infector's infectiousness multiplies: all but groups.

    `met` is the part of it through shared places; empty without visits.
    """

    all: Floats
    met: Floats


def free_part(evidence: Evidence, rates: Rates, weight: Floats) -> Free:
    """Return the part of the weights that does not come from groups."""
    none = [np.zeros_like(found) for found in rates.groups]
    outside = np.minimum(weights(evidence, replace(rates, groups=none)), weight)
    if not evidence.shared.size:
        return Free(outside, np.zeros(0))
    elsewhere = weights(evidence, replace(rates, groups=none, shared=0.0))
    return Free(outside, np.maximum(outside - elsewhere, 0.0))


def padded(groups: list[Floats], evidence: Evidence) -> Floats:
    """Return rates of groups as a table, shape (columns, most groups + 1)."""
    table = np.zeros((len(groups), max(evidence.levels, default=0) + 1))
    for row, rates in zip(table, groups, strict=True):
        row[: len(rates)] = rates
    return table


@compiled
def _weigh(  # noqa: PLR0913, PLR0917
    found: Floats,
    start: Ints,
    infector: NDArray[np.int32],
    fit: Floats,
    groups: Ints,
    group_rate: Floats,
    distance: Floats,
    shared: Floats,
    declared: NDArray[np.int8],
    scalars: Floats,
) -> None:
    anyone, near, reach, sharing, told, untold = scalars
    for i in range(start.size - 1):
        for entry in range(start[i], start[i + 1]):
            j = infector[entry]
            rate = anyone
            for column in range(groups.shape[0]):
                code = groups[column, i]
                if code >= 0 and code == groups[column, j]:
                    rate += group_rate[column, code]
            if distance.size > 0 and distance[entry] == distance[entry]:
                rate += near * np.exp(-distance[entry] / reach)
            rate *= fit[entry]
            if shared.size > 0:
                rate += sharing * shared[entry]
            if declared.size > 0:
                rate *= told if declared[entry] else untold
            found[entry] = rate
