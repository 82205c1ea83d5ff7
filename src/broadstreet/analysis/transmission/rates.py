"""Rates of transmission by route, fitted by expectation and maximisation under priors."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.compiled import compiled
from broadstreet.analysis.transmission.evidence import MOST_UNSEEN, Evidence

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# How far one group's rate may depart from that of its kind (classes, households): a gamma distribution of
# mean 1 and this shape, so that a group without transmission (children who are in no class) can be told.
GROUP_SHAPE = 1.0
# Of the links, how many were declared as contacts; of the other pairs, how many: Beta distributions (a, b).
RECALL_PRIOR, FALSE_PRIOR = (4.0, 4.0), (1.0, 50.0)
# Rounds at most, fewer where there are so many pairs in all rounds together.
_ROUNDS, _FEWEST_ROUNDS, _EFFORT, _TOLERANCE = 200, 10, 40_000_000, 1e-4
_DISTANCES, _REACHES = 10_000, 24


@dataclass(frozen=True)
class Beta:
    """What is believed of a share before the data: a Beta distribution."""

    a: float
    b: float

    @property
    def mean(self) -> float:
        """Return the mean."""
        return self.a / (self.a + self.b)


@dataclass(frozen=True)
class Rates:
    """Rates per pair: of any two cases, of two in a group (by column of `same` and group), near, sharing
    places.

    `reach` is the distance over which the rate of near cases falls by a factor of e; `recall` and `false` are
    the probabilities that a link, and another pair, is declared; `reported` is the share of cases that is
    seen.
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
    link: float

    def for_declared(self) -> tuple[float, float]:
        """Return how much likelier a declared, and an undeclared, pair is a link than not."""
        return self.recall / self.false, (1.0 - self.recall) / (1.0 - self.false)

    def unseen(self) -> Floats:
        """Return the rates of links through 1, 2, 3 unseen cases."""
        return np.asarray(self.link * (1.0 - self.reported) ** np.arange(1, MOST_UNSEEN + 1))


@dataclass
class Expected:
    """Expected numbers of links by route, given rates; and the log likelihood."""

    anyone: float = 0.0
    groups: list[Floats] = field(default_factory=list)
    near: float = 0.0
    near_distance: float = 0.0
    shared: float = 0.0
    declared: float = 0.0
    links: float = 0.0
    outside: float = 0.0
    unseen: Floats = field(default_factory=lambda: np.zeros(MOST_UNSEEN))
    score: float = 0.0


@dataclass(frozen=True)
class Priors:
    """Beliefs before the data: shares of cases infected outside, and of cases that are seen."""

    outside: Beta
    reported: Beta


def first_guess(evidence: Evidence, priors: Priors) -> Rates:
    """Return rates to begin with: a pair in one group is ten times as likely a link as another."""
    size = max(evidence.pairs.size, 1)
    anyone = size / max(evidence.exposure_any, 1.0) / 2.0
    apart = _some_distances(evidence)
    reach = float(np.quantile(apart[apart > 0.0], 0.02)) if (apart > 0.0).any() else 1.0
    return Rates(
        anyone=anyone,
        groups=[np.full(levels, anyone * 10.0) for levels in evidence.levels],
        near=anyone if evidence.distance.size else 0.0,
        reach=reach if reach > 0.0 else 1.0,
        shared=0.5 * size / evidence.exposure_shared if evidence.exposure_shared > 0.0 else 0.0,
        outside=priors.outside.mean,
        reported=priors.reported.mean,
        recall=RECALL_PRIOR[0] / sum(RECALL_PRIOR),
        false=FALSE_PRIOR[0] / sum(FALSE_PRIOR),
        link=2.0 * anyone,
    )


def fit(evidence: Evidence, priors: Priors, start: Rates | None = None) -> tuple[Rates, Expected, int]:
    """Return the rates that expectation and maximisation come to, what they expect, and after how long."""
    rates = first_guess(evidence, priors)
    if start is not None and [len(found) for found in start.groups] == evidence.levels:
        rates = start
    if not evidence.pairs.size:
        return rates, Expected(groups=[np.zeros(levels) for levels in evidence.levels]), 0
    before = -np.inf
    done = 0
    pairs = max(len(evidence.pairs.infector), 1)
    most = int(np.clip(_EFFORT / pairs, _FEWEST_ROUNDS, _ROUNDS))
    while done < most:
        done += 1
        expected = expect(evidence, rates)
        if abs(expected.score - before) < _TOLERANCE * max(1.0, evidence.pairs.size / 100):
            break
        before = expected.score
        rates = maximise(evidence, priors, expected, rates)
    return rates, expected, done


def maximise(evidence: Evidence, priors: Priors, expected: Expected, rates: Rates) -> Rates:
    """Return the rates that fit what is expected, under their priors."""
    routes = 1 + len(evidence.levels) + (evidence.distance.size > 0) + (evidence.shared.size > 0)
    size = evidence.pairs.size
    # Each route is believed to carry an equal share of the links; the belief weighs as one case.
    believed = routes / size

    def rate(links: float, exposure: float) -> float:
        return (1.0 + links) / (exposure * (1.0 + believed)) if exposure > 0.0 else 0.0

    groups = []
    for links, exposure in zip(expected.groups, evidence.exposure_groups, strict=True):
        common = rate(float(links.sum()), float(exposure.sum()))
        groups.append(common * (GROUP_SHAPE + links) / (GROUP_SHAPE + common * exposure))
    reach, near = rates.reach, rates.near
    if evidence.distance.size:
        reach = _fitted_reach(evidence, expected, reach)
        near = rate(expected.near, _exposure_near(evidence, reach))
    hidden = float(expected.unseen.sum())
    reported, link = _seen(priors.reported, expected.links, hidden, rates, evidence)
    declared_else = max(evidence.declared_all - expected.declared, 0.0)
    return replace(
        rates,
        anyone=rate(expected.anyone, evidence.exposure_any),
        groups=groups,
        near=near,
        reach=reach,
        shared=rate(expected.shared, evidence.exposure_shared),
        outside=(priors.outside.a + expected.outside) / (priors.outside.a + priors.outside.b + size),
        reported=reported,
        recall=(RECALL_PRIOR[0] + expected.declared) / (sum(RECALL_PRIOR) + expected.links),
        false=(FALSE_PRIOR[0] + declared_else) / (sum(FALSE_PRIOR) + size * (size - 1.0)),
        link=link,
    )


def _seen(prior: Beta, links: float, hidden: float, rates: Rates, evidence: Evidence) -> tuple[float, float]:
    """Return the share of infectors that is seen, and the rate per pair of links through someone unseen.

    Cases say little about those who are no cases of the list: the rate is that of links between any two
    cases, moved to what is believed by as much as the belief weighs beside the cases.
    """
    total = links + hidden
    reported = (prior.a + links) / (prior.a + prior.b + total)
    natural = (1.0 + links) / max(evidence.exposure_any, 1.0)
    believed = rates.link * np.clip((links + 1.0) * (1.0 / reported - 1.0) / max(hidden, 1e-9), 0.1, 10.0)
    weight = (prior.a + prior.b) / (prior.a + prior.b + evidence.pairs.size)
    return reported, float(natural ** (1.0 - weight) * max(believed, 1e-300) ** weight)


def _exposure_near(evidence: Evidence, reach: float) -> float:
    """Return the sum of the kernel over pairs in order of time, estimated from the pairs whose dates fit."""
    known = _some_distances(evidence)
    if not known.size:
        return 0.0
    return float(np.exp(-known / reach).mean()) * evidence.exposure_any


def _some_distances(evidence: Evidence) -> Floats:
    """Return known distances; of very many an even selection."""
    known = evidence.distance[:: max(1, len(evidence.distance) // _DISTANCES)]
    return np.asarray(known[np.isfinite(known)])


def _fitted_reach(evidence: Evidence, expected: Expected, reach: float) -> float:
    """Return the reach under which the distances of links by nearness are likeliest, given all distances."""
    known = _some_distances(evidence)
    if not known.size or expected.near < 1.0:
        return reach
    low, high = np.quantile(known[known > 0.0], [0.002, 0.9]) if (known > 0.0).any() else (reach, reach)
    grid = np.geomspace(max(low, high * 1e-4), high, _REACHES)
    common = np.exp(-known[:, np.newaxis] / grid).mean(axis=0)
    score = -expected.near_distance / grid - expected.near * np.log(np.maximum(common, 1e-300))
    return float(grid[np.argmax(score)])


def expect(evidence: Evidence, rates: Rates) -> Expected:
    """Return the expected number of links by route."""
    weight = weights(evidence, rates)
    outside = rates.outside * evidence.outside
    unseen = rates.unseen()[:, np.newaxis] * evidence.unseen
    return _expected(evidence, rates, weight, outside, unseen)


def weights(evidence: Evidence, rates: Rates) -> Floats:
    """Return the rate of each pair: the fit of its dates times the rates of its routes."""
    pairs = evidence.pairs
    declared, undeclared = rates.for_declared() if evidence.declared.size else (1.0, 1.0)
    found = np.zeros(len(pairs.infector))
    _weigh(
        found, pairs.start, pairs.infector, pairs.fit, evidence.groups, _padded(rates.groups, evidence),
        evidence.distance, evidence.shared, evidence.declared,
        np.array([rates.anyone, rates.near, rates.reach, rates.shared, declared, undeclared]),
    )  # fmt: skip
    return found


def free_part(evidence: Evidence, rates: Rates, weight: Floats) -> Floats:
    """Return the part of the weights that an infector's infectiousness multiplies: all but groups."""
    outside = weights(evidence, replace(rates, groups=[np.zeros_like(found) for found in rates.groups]))
    return np.minimum(outside, weight)


def _padded(groups: list[Floats], evidence: Evidence) -> Floats:
    table = np.zeros((len(groups), max(evidence.levels, default=0) + 1))
    for row, rates in zip(table, groups, strict=True):
        row[: len(rates)] = rates
    return table


def _expected(evidence: Evidence, rates: Rates, weight: Floats, outside: Floats, unseen: Floats) -> Expected:
    pairs = evidence.pairs
    total = np.add.reduceat(np.append(weight, 0.0), pairs.start[:-1]) * (np.diff(pairs.start) > 0)
    total = total + outside + unseen.sum(axis=0)
    held = np.maximum(total, 1e-300)
    probability = weight / np.repeat(held, np.diff(pairs.start))
    return count_links(
        evidence, rates, weight, probability, outside / held, unseen / held, float(np.log(held).sum())
    )


def count_links(
    evidence: Evidence,
    rates: Rates,
    weight: Floats,
    probability: Floats,
    outside: Floats,
    unseen: Floats,
    score: float,
) -> Expected:
    """Return expected numbers of links by route from the probability of each pair."""
    pairs = evidence.pairs
    by_group = np.zeros((len(evidence.levels), max(evidence.levels, default=0) + 1))
    scalars = np.zeros(5)
    declared, undeclared = rates.for_declared() if evidence.declared.size else (1.0, 1.0)
    _count(
        scalars, by_group, pairs.start, pairs.infector, pairs.fit, weight, probability, evidence.groups,
        _padded(rates.groups, evidence), evidence.distance, evidence.shared, evidence.declared,
        np.array([rates.anyone, rates.near, rates.reach, rates.shared, declared, undeclared]),
    )  # fmt: skip
    return Expected(
        anyone=float(scalars[0]),
        groups=[row[:levels].copy() for row, levels in zip(by_group, evidence.levels, strict=True)],
        near=float(scalars[1]),
        near_distance=float(scalars[4]),
        shared=float(scalars[2]),
        declared=float(scalars[3]),
        links=float(probability.sum()),
        outside=float(outside.sum()),
        unseen=np.asarray(unseen.sum(axis=1)),
        score=score,
    )


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
