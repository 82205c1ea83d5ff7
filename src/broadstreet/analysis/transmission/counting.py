"""Expected numbers of links by route."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.compiled import compiled
from broadstreet.analysis.transmission.evidence import MOST_UNSEEN, Evidence
from broadstreet.analysis.transmission.posterior import Weights, row_sums, weigh
from broadstreet.analysis.transmission.rates import Rates, padded

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Somebody unseen may lead to a case in full where dates fit through one this well beside the seen.
_ENOUGH = 0.5


@dataclass
class Expected:
    """Expected numbers of links by route, given rates; and the log likelihood.

    `reached` are links to cases whose dates somebody unseen could fit as well; `unseen` are links through 1
    to 3 unseen cases; `companions`, by column and group, those of them through an unseen member of the case's
    own group.
    """

    anyone: float = 0.0
    groups: list[Floats] = field(default_factory=list)
    near: float = 0.0
    near_distance: float = 0.0
    shared: float = 0.0
    declared: float = 0.0
    links: float = 0.0
    reached: float = 0.0
    outside: float = 0.0
    unseen: Floats = field(default_factory=lambda: np.zeros(MOST_UNSEEN))
    companions: list[Floats] = field(default_factory=list)
    score: float = 0.0


def expect(evidence: Evidence, rates: Rates) -> tuple[Expected, Weights, Floats]:
    """Return expected numbers of links by route, weights, and probabilities of pairs, each case by itself."""
    pairs, weight = evidence.pairs, weigh(evidence, rates)
    root = weight.root()
    total = np.maximum(row_sums(pairs, weight.pair) + root, 1e-300)
    chance = weight.pair / np.repeat(total, np.diff(pairs.start))
    score = float(np.log(total).sum())
    return count_links(evidence, rates, weight, chance, root / total, score), weight, chance


def related(evidence: Evidence, rates: Rates, weight: Weights) -> Floats:
    """Return the part of each pair's weight that a group or a shared place adds to dates."""
    alone = (rates.anyone + rates.near) * evidence.pairs.fit
    if evidence.declared.size:
        alone *= np.where(evidence.declared == 1, *rates.for_declared())
    return np.clip(1.0 - alone / np.maximum(weight.pair, 1e-300), 0.0, 1.0)


def count_links(
    evidence: Evidence, rates: Rates, weight: Weights, pair: Floats, nobody: Floats, score: float
) -> Expected:
    """Return expected numbers of links by route from the probability of each pair, and of nobody."""
    pairs, each = evidence.pairs, nobody / weight.root()
    by_group = np.zeros((len(evidence.levels), max(evidence.levels, default=0) + 1))
    beside = [
        np.asarray(np.bincount(codes[codes >= 0], chance[codes >= 0], minlength=levels), np.float64)
        for codes, chance, levels in zip(
            evidence.groups, each * weight.companions, evidence.levels, strict=True
        )
    ]
    scalars = np.zeros(5)
    declared, undeclared = rates.for_declared() if evidence.declared.size else (1.0, 1.0)
    _count(
        scalars, by_group, pairs.start, pairs.infector, pairs.fit, weight.pair, pair, evidence.groups,
        padded(rates.groups, evidence), evidence.distance, evidence.shared, evidence.declared,
        np.array([rates.anyone, rates.near, rates.reach, rates.shared, declared, undeclared]),
    )  # fmt: skip
    return Expected(
        anyone=float(scalars[0]),
        groups=[row[:levels].copy() for row, levels in zip(by_group, evidence.levels, strict=True)],
        near=float(scalars[1]),
        near_distance=float(scalars[4]),
        shared=float(scalars[2]),
        declared=float(scalars[3]),
        links=float(pair.sum()),
        reached=float((row_sums(pairs, pair) * _reachable(evidence)).sum()),
        outside=float((each * weight.outside).sum()),
        unseen=np.asarray((each * weight.unseen).sum(axis=1)),
        companions=beside,
        score=score,
    )


def _reachable(evidence: Evidence) -> Floats:
    """Return to which cases somebody unseen may lead from the list: not to the first, to most in full."""
    seen = row_sums(evidence.pairs, evidence.pairs.fit)
    return np.asarray(np.minimum(evidence.unseen[0] / np.maximum(_ENOUGH * seen, 1e-300), 1.0))


@compiled
def _count(  # noqa: PLR0913, PLR0917
    scalars: Floats,
    by_group: Floats,
    start: Ints,
    infector: NDArray[np.int32],
    fit: Floats,
    weight: Floats,
    probability: Floats,
    groups: Ints,
    group_rate: Floats,
    distance: Floats,
    shared: Floats,
    declared: NDArray[np.int8],
    rates: Floats,
) -> None:
    anyone, near, reach, sharing, told, untold = rates
    for i in range(start.size - 1):
        for entry in range(start[i], start[i + 1]):
            p = probability[entry]
            if p <= 0.0 or weight[entry] <= 0.0:
                continue
            j = infector[entry]
            each = p * fit[entry] / weight[entry]
            if declared.size > 0:
                each *= told if declared[entry] else untold
                if declared[entry]:
                    scalars[3] += p
            scalars[0] += each * anyone
            for column in range(groups.shape[0]):
                code = groups[column, i]
                if code >= 0 and code == groups[column, j]:
                    by_group[column, code] += each * group_rate[column, code]
            if distance.size > 0 and distance[entry] == distance[entry]:
                by_distance = each * near * np.exp(-distance[entry] / reach)
                scalars[1] += by_distance
                scalars[4] += by_distance * distance[entry]
            if shared.size > 0:
                scalars[2] += each / fit[entry] * sharing * shared[entry]
