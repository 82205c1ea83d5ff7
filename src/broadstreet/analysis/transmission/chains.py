"""Several chains of the sampler, begun anew, and what they say together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.transmission import alike, gibbs
from broadstreet.analysis.transmission.counting import count_links
from broadstreet.analysis.transmission.evidence import Evidence
from broadstreet.analysis.transmission.fitting import maximise
from broadstreet.analysis.transmission.pairs import Pairs
from broadstreet.analysis.transmission.posterior import Posterior, Weights, calibrated, row_sums, weigh
from broadstreet.analysis.transmission.rates import Priors, Rates, free_part
from broadstreet.analysis.transmission.sampling import Chain, Sampler, begin

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Effort of a fresh run: candidates looked at in all, sweeps of a chain at least and at most.
_EFFORT, _FEWEST, _MOST = 60_000_000, 12, 200
_CHAINS, _MANY_PAIRS = 4, 1_500_000
# Rates are fitted to links as the sampler sees them in so many rounds.
_ROUNDS = 3
_HOTTEST = 0.3
_DRAWS = 400


@dataclass
class State:
    """Where chains stand, what each counts for, and their sweeps: to go on when a fact is added."""

    chains: list[Chain] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    sweeps: int = 0


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
    kind: Ints,
    seed: int | None,
) -> Sampled:
    """Return probabilities of links where a few infect most; cases of one kind are told apart by nothing."""
    generator = np.random.default_rng(seed)
    gibbs.set_seed(int(generator.integers(2**31)))
    entries = max(len(evidence.pairs.infector), 1)
    sweeps = int(np.clip(_EFFORT / entries / _CHAINS, _FEWEST, _MOST))
    rates = _refitted(evidence, priors, rates, dispersion, cyclic, generator, sweeps // 2)
    weight, free = calibrated(evidence, rates)
    runs: list[_Run] = []
    for _ in range(_CHAINS if entries <= _MANY_PAIRS else 1):
        sampler = Sampler(evidence, weight, free, dispersion, cyclic, generator)
        runs.append(_run(sampler, begin(evidence.pairs.size, dispersion[0]), sweeps // 2, sweeps))
    return _together(runs, weight, rates, kind, generator)


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
        return self.sampler.pair

    @property
    def alone(self) -> Floats:
        return self.sampler.alone


def _run(sampler: Sampler, chain: Chain, burn: int, sweeps: int) -> _Run:
    """Run a chain; at first infectors of many offspring attract others less, so that it finds its way."""
    for step in range(burn):
        sampler.step(chain, min(1.0, _HOTTEST + (1.0 - _HOTTEST) * step / (0.7 * burn)), 0.0)
    scores, shapes, draws = np.zeros(sweeps), np.zeros(sweeps), []
    every = max(1, sweeps * _CHAINS // _DRAWS)
    for step in range(sweeps):
        sampler.step(chain, 1.0, 1.0)
        scores[step], shapes[step] = sampler.score(chain), chain.shape
        if step % every == 0:
            draws.append(infectors_of(sampler.pairs, chain))
    return _Run(sampler, chain, scores, shapes, np.array(draws, np.int64))


def infectors_of(pairs: Pairs, chain: Chain) -> Ints:
    """Return the infector of each case in a state, -1 for nobody of the list."""
    if not len(pairs.infector):
        return np.full(pairs.size, -1, np.int64)
    infector = pairs.infector[np.maximum(chain.chosen, 0)]
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
    """Return rates fitted to links as the sampler sees them: rounds of stochastic expectation."""
    weight = weigh(evidence, rates)
    sampler = Sampler(
        evidence, weight, free_part(evidence, rates, weight.pair), dispersion, cyclic, generator
    )
    chain, each = begin(evidence.pairs.size, dispersion[0]), max(sweeps // _ROUNDS, 3)
    for number in range(_ROUNDS):
        for step in range(2 * each):
            sampler.step(chain, 1.0 if number or step >= each else _HOTTEST, float(step >= each))
        expected = count_links(evidence, rates, weight, sampler.pair, sampler.alone, 0.0)
        rates = maximise(evidence, priors, expected, rates)
        weight = weigh(evidence, rates)
        sampler.reweigh(weight, free_part(evidence, rates, weight.pair))
    return rates


def _together(
    runs: list[_Run],
    weight: Weights,
    rates: Rates,
    kind: Ints,
    generator: np.random.Generator,
) -> Sampled:
    share, pairs = _shares(runs), runs[0].sampler.pairs
    found = [(alike.shared_out(pairs, kind, run.pair), alike.mean_of_kind(kind, run.alone)) for run in runs]
    pair = np.asarray(sum(part * linked for part, (linked, _) in zip(share, found, strict=True)))
    nobody = np.asarray(sum(part * alone for part, (_, alone) in zip(share, found, strict=True)))
    score = float(sum(part * run.scores.mean() for part, run in zip(share, runs, strict=True)))
    posterior = weight.posterior(pair, nobody, score, "sampled")
    drawn = generator.choice(len(runs), _DRAWS, p=share)
    draws = np.array([runs[which].draws[generator.integers(len(runs[which].draws))] for which in drawn])
    draws = alike.exchanged(draws, kind, generator)
    state = State([run.chain for run in runs], share.tolist(), len(runs[0].scores))
    sampler = {
        "chains": len(runs),
        "sweeps": len(runs[0].scores),
        "weights_of_chains": [round(float(part), 3) for part in share],
        "largest_difference_between_chains": _difference(pairs, [linked for linked, _ in found]),
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


def _difference(pairs: Pairs, found: list[Floats]) -> float:
    """Return the largest difference, over cases, of the distributions of two chains (total variation)."""
    if len(found) < 2:
        return float("nan")
    return max(float(row_sums(pairs, np.abs(one - found[0])).max(initial=0.0)) / 2.0 for one in found[1:])
