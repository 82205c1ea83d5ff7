"""Several chains of the sampler, begun anew, and what they say together."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.transmission import gibbs
from broadstreet.analysis.transmission.evidence import Evidence
from broadstreet.analysis.transmission.posterior import Posterior, Weights, weigh
from broadstreet.analysis.transmission.rates import Priors, Rates, count_links, free_part, maximise
from broadstreet.analysis.transmission.sampling import Chain, Sampler, begin

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Effort of a fresh run: candidates looked at in all, sweeps of a chain at least and at most.
_EFFORT, _FEWEST, _MOST = 40_000_000, 30, 400
_CHAINS, _MANY_PAIRS = 4, 400_000
# An update goes on where the chains stood, with this share of the sweeps.
_RENEWED = 0.12
_HOTTEST = 0.3
_DRAWS = 400


@dataclass
class State:
    """Where chains stand, by id: to go on from there when a fact is added."""

    infectors: list[dict[Hashable, Hashable]] = field(default_factory=list)
    shapes: list[float] = field(default_factory=list)
    free: list[set[Hashable]] = field(default_factory=list)


@dataclass
class Sampled:
    """What the chains say."""

    posterior: Posterior
    rates: Rates
    draws: Ints
    dispersion: float
    state: State
    diagnostics: dict[str, Any]


def run_chains(
    evidence: Evidence,
    priors: Priors,
    rates: Rates,
    dispersion: tuple[float, float],
    cyclic: bool,
    ids: Sequence[Hashable],
    seed: int | None,
    before: State | None = None,
) -> Sampled:
    """Return probabilities of links where a few infect most."""
    generator = np.random.default_rng(seed)
    gibbs.set_seed(int(generator.integers(2**31)))
    entries = max(len(evidence.pairs.infector), 1)
    sweeps = int(np.clip(_EFFORT / entries / _CHAINS, _FEWEST, _MOST))
    count = _CHAINS if entries <= _MANY_PAIRS else 1
    if before is None or not before.infectors:
        rates = _refitted(evidence, priors, rates, dispersion, cyclic, generator, max(sweeps // 2, 10))
    weight = weigh(evidence, rates)
    free = free_part(evidence, rates, weight.pair)
    runs: list[_Run] = []
    for number in range(count):
        sampler = Sampler(evidence, weight, free, dispersion, cyclic, generator)
        chain = begin(evidence.pairs.size, dispersion[0])
        if before is not None and before.infectors:
            _resume(chain, sampler, ids, before, number)
            runs.append(_run(sampler, chain, 5, max(int(sweeps * _RENEWED), 10), anneal=False))
        else:
            runs.append(_run(sampler, chain, sweeps // 2, sweeps, anneal=True))
    return _together(runs, weight, rates, ids, generator)


@dataclass
class _Run:
    """A chain, its sampler, and what was noted at each kept sweep."""

    sampler: Sampler
    chain: Chain
    scores: Floats
    shapes: Floats
    draws: Ints

    @property
    def pair(self) -> Floats:
        return self.sampler.pair / self.sampler.kept

    @property
    def alone(self) -> Floats:
        return self.sampler.alone / self.sampler.kept


def _run(sampler: Sampler, chain: Chain, burn: int, sweeps: int, *, anneal: bool) -> _Run:
    """Run a chain; at first infectors of many offspring attract others less, so that it finds its way."""
    for step in range(burn):
        power = min(1.0, _HOTTEST + (1.0 - _HOTTEST) * step / (0.7 * burn)) if anneal else 1.0
        sampler.step(chain, power, 0.0)
    scores, shapes, draws = np.zeros(sweeps), np.zeros(sweeps), []
    every = max(1, sweeps * _CHAINS // _DRAWS)
    for step in range(sweeps):
        sampler.step(chain, 1.0, 1.0)
        scores[step], shapes[step] = sampler.score(chain), chain.shape
        if step % every == 0:
            draws.append(_infectors(sampler, chain))
    return _Run(sampler, chain, scores, shapes, np.array(draws, np.int64))


def _infectors(sampler: Sampler, chain: Chain) -> Ints:
    infector = sampler.pairs.infector[np.maximum(chain.chosen, 0)]
    return np.where(chain.chosen < 0, -1, infector).astype(np.int64)


def _refitted(
    evidence: Evidence,
    priors: Priors,
    rates: Rates,
    dispersion: tuple[float, float],
    cyclic: bool,
    generator: np.random.Generator,
    sweeps: int,
) -> Rates:
    """Return rates fitted to links as the sampler sees them: one round of stochastic expectation."""
    weight = weigh(evidence, rates)
    free = free_part(evidence, rates, weight.pair)
    sampler = Sampler(evidence, weight, free, dispersion, cyclic, generator)
    found = _run(sampler, begin(evidence.pairs.size, dispersion[0]), sweeps, sweeps, anneal=True)
    nobody = found.alone / weight.root()
    expected = count_links(
        evidence, rates, weight.pair, found.pair, nobody * weight.outside, nobody * weight.unseen, 0.0
    )
    return maximise(evidence, priors, expected, rates)


def _resume(chain: Chain, sampler: Sampler, ids: Sequence[Hashable], before: State, number: int) -> None:
    """Begin a chain where another stood; infectors that are no candidates any more are left out."""
    held = before.infectors[number % len(before.infectors)]
    chain.shape = before.shapes[number % len(before.shapes)]
    free = before.free[number % len(before.free)]
    position = {name: at for at, name in enumerate(ids)}
    cases = [case for case, name in enumerate(ids) if held.get(name) in position]
    infectors = np.array([position[held[ids[case]]] for case in cases], np.int64)
    entries = sampler.pairs.find(infectors, np.array(cases, np.int64))
    for case, entry in zip(cases, entries.tolist(), strict=True):
        if entry >= 0:
            sampler.place(chain, case, entry, ids[case] in free)


def _together(
    runs: list[_Run],
    weight: Weights,
    rates: Rates,
    ids: Sequence[Hashable],
    generator: np.random.Generator,
) -> Sampled:
    share = _shares(runs)
    pair = np.asarray(sum(part * run.pair for part, run in zip(share, runs, strict=True)))
    nobody = np.asarray(sum(part * run.alone for part, run in zip(share, runs, strict=True))) / weight.root()
    posterior = Posterior(
        pair, nobody * weight.outside, nobody * weight.unseen,
        float(sum(part * run.scores.mean() for part, run in zip(share, runs, strict=True))), "sampled",
    )  # fmt: skip
    drawn = generator.choice(len(runs), _DRAWS, p=share)
    draws = np.array([runs[which].draws[generator.integers(len(runs[which].draws))] for which in drawn])
    infectors = [
        {
            name: ids[j]
            for name, j in zip(ids, _infectors(run.sampler, run.chain).tolist(), strict=True)
            if j >= 0
        }
        for run in runs
    ]
    free = [
        {name for name, flag in zip(ids, run.chain.is_free.tolist(), strict=True) if flag} for run in runs
    ]
    state = State(infectors, [run.chain.shape for run in runs], free)
    sampler = {
        "chains": len(runs),
        "sweeps": len(runs[0].scores),
        "weights_of_chains": [round(float(part), 3) for part in share],
        "largest_difference_between_chains": _difference(runs),
        "blocks_accepted": float(
            np.mean([run.sampler.accepted / max(run.sampler.proposed, 1) for run in runs])
        ),
    }
    shape = float(
        sum(part * np.exp(np.log(run.shapes).mean()) for part, run in zip(share, runs, strict=True))
    )
    return Sampled(posterior, rates, draws, shape, state, sampler)


def _shares(runs: list[_Run]) -> Floats:
    """Return what each chain counts for: by its mean score and the entropy of its probabilities.

    The two make up a lower bound of the evidence of the part of the space where the chain is. Differences
    within the noise of the scores do not count.
    """
    bounds = np.array([float(run.scores.mean()) + _entropy(run) for run in runs])
    noise = float(np.mean([run.scores.std() for run in runs])) + 1.0
    share = np.exp((bounds - bounds.max()) / noise)
    return np.asarray(share / share.sum())


def _entropy(run: _Run) -> float:
    held = np.concatenate([run.pair, run.alone])
    held = held[held > 0.0]
    return float(-(held * np.log(held)).sum())


def _difference(runs: list[_Run]) -> float:
    """Return the largest difference, over cases, of the distributions of two chains (total variation)."""
    if len(runs) < 2:
        return float("nan")
    pairs = runs[0].sampler.pairs
    worst = 0.0
    for run in runs[1:]:
        apart = np.abs(np.concatenate([[0.0], np.cumsum(np.abs(run.pair - runs[0].pair))]))
        worst = max(worst, float((apart[pairs.start[1:]] - apart[pairs.start[:-1]]).max(initial=0.0)) / 2.0)
    return worst
