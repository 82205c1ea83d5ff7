"""Chains that go on when a fact is added: most probabilities are kept, some drawn anew."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.compiled import compiled
from broadstreet.analysis.transmission import alike, gibbs
from broadstreet.analysis.transmission.chains import Sampled, State, infectors_of
from broadstreet.analysis.transmission.counting import count_links
from broadstreet.analysis.transmission.evidence import Earlier, Evidence
from broadstreet.analysis.transmission.fitting import maximise
from broadstreet.analysis.transmission.linelist import LineList, key_of
from broadstreet.analysis.transmission.pairs import Pairs, positions
from broadstreet.analysis.transmission.posterior import Posterior, calibrated, row_scaled, row_sums, weigh
from broadstreet.analysis.transmission.rates import Rates, free_part
from broadstreet.analysis.transmission.sampling import Chain, Sampler, begin
from broadstreet.analysis.transmission.settings import Settings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Parts of a fresh run's sweeps: in each round in which rates are fitted, over all cases before any counts,
# counted, and then over the cases concerned. Earlier sweeps count less the more facts there are.
_EACH, _SETTLE, _ALL, _NEAR, _EARLIER = 0.02, 0.02, 0.1, 0.15, 0.2
_ROUNDS, _FEWEST = 3, 3
# A case is concerned when its probabilities differ so much from before; of very many those that do the most.
_DIFFER, _MOST_NEAR = 0.1, 0.1


@dataclass(frozen=True)
class Kept:
    """What an inference found, in the numbers that its cases have now, and the kind that each is of."""

    pair: Floats
    nobody: Floats
    draws: Ints
    chains: list[Chain]
    shares: list[float]
    sweeps: int
    kind: Ints


def carried_rates(rates: Rates, before: LineList, now: LineList) -> Rates:
    """Return rates with those of groups where they are now; a new group has the mean of its kind."""
    groups = []
    for found, (_, old), (_, new) in zip(
        rates.groups, before.groups.values(), now.groups.values(), strict=True
    ):
        known = {key_of(label): rate for label, rate in zip(old, found.tolist(), strict=True)}
        mean = float(found.mean()) if found.size else rates.anyone
        groups.append(np.array([known.get(key_of(label), mean) for label in new], np.float64))
    return replace(rates, groups=groups)


def carry(
    posterior: Posterior,
    draws: Ints,
    state: State,
    earlier: Earlier,
    evidence: Evidence,
    kind: Ints,
    shape: float,
) -> Kept:
    """Return what was found before in the numbers of now."""
    origin, old, pairs = earlier.origin, earlier.evidence.pairs, evidence.pairs
    entry = np.zeros(0, np.int64) if evidence.entry is None else evidence.entry
    position = positions(origin, old.size)
    pair, inverse = _carried(posterior.pair, entry)
    nobody = np.where(origin >= 0, np.append(posterior.nobody(), 0.0)[origin], 0.0)
    moved = np.append(position, -1)[draws]
    found = np.where(origin >= 0, np.append(moved, np.full((len(moved), 1), -1), axis=1)[:, origin], -1)
    chains = [_moved(chain, origin, inverse, pairs) for chain in state.chains]
    chains = chains or [begin(pairs.size, shape)]
    return Kept(pair, nobody, found, chains, state.shares or [1.0], max(state.sweeps, 1), kind)


@compiled
def _carried(values: Floats, entry: Ints) -> tuple[Floats, Ints]:
    """Return earlier values where the pairs are now, and where each earlier pair is now; -1: nowhere."""
    found, inverse = np.zeros(len(entry)), np.full(len(values) + 1, -1, np.int64)
    for now in range(len(entry)):
        if entry[now] >= 0:
            found[now] = values[entry[now]]
            inverse[entry[now]] = now
    return found, inverse


def _moved(chain: Chain, origin: Ints, inverse: Ints, pairs: Pairs) -> Chain:
    held = origin >= 0
    chosen = np.full(pairs.size, -1, np.int64)
    chosen[held] = inverse[chain.chosen[origin[held]]]
    is_free = np.zeros(pairs.size, np.int64)
    is_free[held] = chain.is_free[origin[held]] * (chosen[held] >= 0)
    offspring = np.bincount(pairs.infector[chosen[is_free == 1]], minlength=pairs.size).astype(np.int64)
    return Chain(chosen, is_free, offspring, chain.shape)


def go_on(
    evidence: Evidence,
    settings: Settings,
    rates: Rates,
    cyclic: bool,
    kept: Kept,
    changed: NDArray[np.bool_],
    facts: int,
    refit: bool,
) -> Sampled:
    """Return probabilities of links after some cases changed.

    Rates are fitted again, from those of before, in a few rounds. A few sweeps over all cases tell which are
    concerned: those are drawn anew, by as many sweeps as it takes. The probabilities of the others are those
    from before and those of the few sweeps together, the earlier ones counting less the more facts are new.
    """
    assert settings.dispersion is not None
    generator = np.random.default_rng(settings.seed)
    gibbs.set_seed(int(generator.integers(2**31)))
    if refit:
        rates = _refitted(evidence, settings, rates, cyclic, kept, generator)
    weight, free = calibrated(evidence, rates)
    sampler = Sampler(evidence, weight, free, settings.dispersion, cyclic, generator)
    settle, every = max(1, round(_SETTLE * kept.sweeps)), max(_FEWEST, round(_ALL * kept.sweeps))
    for chain, share in zip(kept.chains, kept.shares, strict=True):
        for step in range(settle + every):
            sampler.step(chain, 1.0, share * (step >= settle))
    pairs, fresh = evidence.pairs, (sampler.pair, sampler.alone)
    earlier = _rescaled(kept, evidence, fresh[0])
    apart = 0.5 * (row_sums(pairs, np.abs(fresh[0] - earlier[0])) + np.abs(fresh[1] - earlier[1]))
    near = _concerned(apart, changed)
    draws, shapes = _again(sampler, kept, near)
    old, new = _EARLIER * kept.sweeps / facts, float(every)
    blend = np.where(changed | near, 0.0, old / (old + new))
    now = sampler.pair
    pair = now + row_scaled(pairs, earlier[0] - now, blend)
    nobody = blend * earlier[1] + (1.0 - blend) * sampler.alone
    pair, nobody = alike.shared_out(pairs, kept.kind, pair), alike.mean_of_kind(kept.kind, nobody)
    draws = alike.exchanged(draws, kept.kind, generator)
    score = sum(share * sampler.score(chain) for chain, share in zip(kept.chains, kept.shares, strict=True))
    state = State(kept.chains, kept.shares, kept.sweeps)
    told = {"chains": len(kept.chains), "sweeps": every, "cases_drawn_anew": int(near.sum())}
    return Sampled(weight.posterior(pair, nobody, float(score), "updated"), rates, draws, shapes, state, told)


def _refitted(
    evidence: Evidence,
    settings: Settings,
    rates: Rates,
    cyclic: bool,
    kept: Kept,
    generator: np.random.Generator,
) -> Rates:
    """Return rates fitted to links as the sampler sees them, from where the chains stand."""
    assert settings.dispersion is not None
    weight, each = weigh(evidence, rates), max(1, round(_EACH * kept.sweeps))
    free = free_part(evidence, rates, weight.pair)
    sampler = Sampler(evidence, weight, free, settings.dispersion, cyclic, generator)
    for _ in range(_ROUNDS):
        for chain, share in zip(kept.chains, kept.shares, strict=True):
            for _ in range(each):
                sampler.step(chain, 1.0, share)
        expected = count_links(evidence, rates, weight, sampler.pair, sampler.alone, 0.0)
        rates = maximise(evidence, settings.priors, expected, rates)
        weight = weigh(evidence, rates)
        sampler.reweigh(weight, free_part(evidence, rates, weight.pair))
    return rates


def _rescaled(kept: Kept, evidence: Evidence, fresh: Floats) -> tuple[Floats, Floats]:
    """Return earlier probabilities with room for new candidates, by as much as the few sweeps give them."""
    pairs, entry = evidence.pairs, evidence.entry
    assert entry is not None
    is_new = np.flatnonzero(entry < 0)
    given = np.bincount(pairs.case()[is_new], fresh[is_new], minlength=pairs.size)
    total = np.maximum(row_sums(pairs, kept.pair) + kept.nobody, 1e-300)
    scale = np.maximum(1.0 - given, 0.0) / total
    pair = row_scaled(pairs, kept.pair, scale)
    pair[is_new] = fresh[is_new]
    return pair, kept.nobody * scale


def _concerned(apart: Floats, changed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    most = max(int(_MOST_NEAR * len(apart)), 50)
    limit = np.partition(apart, -most)[-most] if len(apart) > most else 0.0
    return np.asarray(changed | (apart > max(_DIFFER, limit)))


def _again(sampler: Sampler, kept: Kept, near: NDArray[np.bool_]) -> tuple[Ints, float]:
    """Draw the infectors of the cases concerned; return draws of all cases, and the dispersion."""
    rows = np.flatnonzero(near)
    sweeps = max(int(kept.sweeps * _NEAR), 2 * _FEWEST)
    drawn, shapes = [], []
    for chain, share in zip(kept.chains, kept.shares, strict=True):
        for _ in range(sweeps):
            sampler.step(chain, 1.0, share, rows)
            drawn.append(infectors_of(sampler.pairs, chain)[rows])
            shapes.append(np.log(chain.shape))
    draws = kept.draws.copy()
    draws[:, rows] = np.array(drawn, np.int64)[np.arange(len(draws)) % len(drawn)]
    return draws, float(np.exp(np.mean(shapes)))
