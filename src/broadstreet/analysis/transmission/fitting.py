"""Rates of transmission, fitted by expectation and maximisation under priors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.transmission.belief import UNKNOWN, Belief
from broadstreet.analysis.transmission.counting import Expected, expect, related
from broadstreet.analysis.transmission.evidence import Evidence
from broadstreet.analysis.transmission.intervals import Interval
from broadstreet.analysis.transmission.rates import Priors, Rates

Floats = NDArray[np.float64]

# How far one group's rate may depart from that of its kind (classes, households): a gamma distribution of
# mean 1 and this shape, so that a group without transmission (children who are in no class) can be told.
GROUP_SHAPE = 1.0
# Of the links, how many were declared as contacts; of the other pairs, how many: Beta distributions (a, b).
RECALL_PRIOR, FALSE_PRIOR = (4.0, 4.0), (1.0, 50.0)
# Rounds at most, fewer where there are so many pairs in all rounds together.
_ROUNDS, _FEWEST_ROUNDS, _EFFORT, TOLERANCE = 200, 8, 40_000_000, 1e-4
# Of hidden links at least so many are by someone who shares no group with the case.
_LEAST_HIDDEN = 0.1
_LEAST_RATIO = 1e-4
# Rounds are fewer by this factor where rates are nearly known.
_FEWER = 4


def first_guess(evidence: Evidence, priors: Priors) -> Rates:
    """Return rates to begin with: a pair in one group is ten times as likely a link as another."""
    size = max(evidence.pairs.size, 1)
    anyone = size / max(evidence.exposure_any, 1.0) / 2.0
    return Rates(
        anyone=anyone,
        groups=[np.full(levels, anyone * 10.0) for levels in evidence.levels],
        near=anyone if evidence.distance.size else 0.0,
        reach=evidence.apart.first_guess(),
        shared=0.5 * size / evidence.exposure_shared if evidence.exposure_shared > 0.0 else 0.0,
        outside=priors.outside.mean,
        reported=priors.reported.mean,
        recall=RECALL_PRIOR[0] / sum(RECALL_PRIOR),
        false=FALSE_PRIOR[0] / sum(FALSE_PRIOR),
        hidden=2.0 * anyone,
    )


@dataclass(frozen=True)
class Fitted:
    """Rates, the serial interval, and after how many rounds."""

    rates: Rates
    serial: Interval
    rounds: int


def fit(
    evidence: Evidence,
    priors: Priors,
    belief: Belief | None = None,
    start: Rates | None = None,
    tolerance: float = TOLERANCE,
) -> Fitted:
    """Return the rates, and the serial interval, that expectation and maximisation come to."""
    rates, serial = first_guess(evidence, priors), evidence.timing.serial
    if start is not None and [len(found) for found in start.groups] == evidence.levels:
        rates = start
    if not evidence.pairs.size:
        return Fitted(rates, serial, 0)
    before, done = -np.inf, 0
    pairs = max(len(evidence.pairs.infector), 1)
    most = int(np.clip(_EFFORT / pairs, _FEWEST_ROUNDS, _ROUNDS))
    if start is not None:
        most = max(most // _FEWER, 1)
    now = evidence
    while done < most:
        done += 1
        expected, weight, chance = expect(now, rates)
        if abs(expected.score - before) < tolerance * max(1.0, evidence.pairs.size / 100):
            break
        before = expected.score
        was, rates = rates, maximise(now, priors, expected, rates)
        if belief is not None:
            serial = belief.learned(belief.counts(evidence.gaps, chance * related(now, was, weight)))
            now = refitted(evidence, serial)
    return Fitted(rates, serial, done)


def refitted(evidence: Evidence, serial: Interval) -> Evidence:
    """Return the evidence with dates fitted to another serial interval, where both onsets are known."""
    old, gaps = evidence.timing.serial, evidence.gaps
    low = min(old.first, serial.first) - 1
    days = np.arange(low, max(old.first + len(old.p), serial.first + len(serial.p)) + 1)
    least = _LEAST_RATIO * float(old.p.max())
    ratio = (serial.at(days) + least) / (old.at(days) + least)
    factor = np.where(gaps == UNKNOWN, 1.0, ratio[np.clip(gaps - low, 0, len(ratio) - 1)])
    return replace(evidence, pairs=replace(evidence.pairs, fit=evidence.pairs.fit * factor))


def maximise(evidence: Evidence, priors: Priors, expected: Expected, rates: Rates) -> Rates:
    """Return the rates that fit what is expected, under their priors."""
    routes = 1 + len(evidence.levels) + (evidence.distance.size > 0) + (evidence.shared.size > 0)
    size = evidence.pairs.size
    # Each route is believed to carry an equal share of the links; the belief weighs as one case.
    believed = routes / size

    def rate(links: float, exposure: float) -> float:
        return (1.0 + links) / (exposure * (1.0 + believed)) if exposure > 0.0 else 0.0

    groups = []
    for links, hidden, exposure, beside in zip(
        expected.groups, expected.companions, evidence.exposure_groups, evidence.exposure_companions,
        strict=True,
    ):  # fmt: skip
        every, risk = links + hidden, exposure + rates.odds() * beside
        common = rate(float(every.sum()), float(risk.sum()))
        groups.append(common * (GROUP_SHAPE + every) / (GROUP_SHAPE + common * risk))
    reach, near = rates.reach, rates.near
    if evidence.distance.size:
        reach = evidence.apart.likeliest(expected.near, expected.near_distance, reach)
        # the kernel over pairs in order of time is estimated from the pairs whose dates fit
        near = rate(expected.near, evidence.apart.mean_kernel(reach) * evidence.exposure_any)
    declared_else = max(evidence.declared_all - expected.declared, 0.0)
    return replace(
        rates,
        anyone=rate(expected.anyone, evidence.exposure_any),
        groups=groups,
        near=near,
        reach=reach,
        shared=rate(expected.shared, evidence.exposure_shared),
        outside=(priors.outside.a + expected.outside) / (priors.outside.a + priors.outside.b + size),
        recall=(RECALL_PRIOR[0] + expected.declared) / (sum(RECALL_PRIOR) + expected.links),
        false=(FALSE_PRIOR[0] + declared_else) / (sum(FALSE_PRIOR) + size * (size - 1.0)),
        hidden=_hidden(expected, rates),
    )


def _hidden(expected: Expected, rates: Rates) -> float:
    """Return the rate of hidden links outside of a case's groups.

    The share of infectors that is seen is as believed, for links of all kinds: so many are hidden in all, of
    those to cases to whom somebody unseen may lead.
    """
    beside = float(sum(part.sum() for part in expected.companions))
    # where hardly a link is seen, one is believed
    links = expected.reached + (1.0 + expected.reached) ** -2
    every = links * rates.odds()
    wanted = max(every - beside, _LEAST_HIDDEN * every)
    return rates.hidden * float(np.clip(wanted / max(float(expected.unseen.sum()), 1e-9), 0.1, 10.0))
