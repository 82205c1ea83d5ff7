"""The sampler of infectors where links depend on each other: a few infect most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.transmission import gibbs
from broadstreet.analysis.transmission.evidence import Evidence
from broadstreet.analysis.transmission.pairs import Pairs
from broadstreet.analysis.transmission.posterior import Weights, row_scaled, row_sums
from broadstreet.analysis.transmission.rates import Free

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Exchanges proposed after each sweep, and the step in which the dispersion is proposed (of its logarithm).
BLOCKS = 40
# Rounds in which each case is proposed one other infector, before each sweep.
WANDERINGS = 10
_STEP = 0.3
_LEAST_EXPECTED = 0.01


@dataclass
class Chain:
    """The state of a chain: entries of infectors, which are free links, how many by infector, dispersion."""

    chosen: Ints
    is_free: Ints
    offspring: Ints
    shape: float


def begin(size: int, shape: float) -> Chain:
    """Return a chain in which no case has an infector yet."""
    return Chain(np.full(size, -1, np.int64), np.zeros(size, np.int64), np.zeros(size, np.int64), shape)


def expected_offspring(evidence: Evidence) -> Floats:
    """Return how many offspring each case would have if all were equally infectious, by dates alone.

    The reproduction number of the time (cases over the infectiousness around them, a serial interval to
    either side) falls with measures taken; it is no property of the infector.
    """
    pairs, onset = evidence.pairs, evidence.timing.onset
    total = row_sums(pairs, pairs.fit)
    order = np.argsort(onset, kind="stable")
    window = max(evidence.timing.serial.mean, 1.0)
    cumulated = np.concatenate([[0.0], np.cumsum(total[order])])
    low = np.searchsorted(onset[order], onset - window, "left")
    high = np.searchsorted(onset[order], onset + window, "right")
    around = np.maximum((cumulated[high] - cumulated[low]) / (high - low), 1e-300)
    chance = row_scaled(pairs, pairs.fit, 1.0 / around)
    return np.maximum(np.bincount(pairs.infector, chance, minlength=pairs.size), _LEAST_EXPECTED)


def _of_free_links(by_dates: Floats, pairs: Pairs, weight: Weights, free: Free) -> Floats:
    """Return how many free links each case would have if all were equally infectious.

    Groups, outside and the unseen have others. Who was at many places, or where many were, meets more: links
    through places are expected as each pair met, those left by dates.
    """
    each = 1.0 / (row_sums(pairs, weight.pair) + weight.root())
    links, met = float((row_sums(pairs, free.all) * each).sum()), np.zeros(pairs.size)
    if free.met.size:
        met += np.bincount(pairs.infector, row_scaled(pairs, free.met, each), minlength=pairs.size)
    left = max(links - float(met.sum()), 0.0)
    return np.maximum(met + by_dates * left / max(float(by_dates.sum()), 1e-300), _LEAST_EXPECTED)


class Sampler:
    """Runs chains over infectors and the dispersion, and adds up what it sees.

    Parameters
    ----------
    free : Free
        The part of each weight that an infector's infectiousness multiplies.
    dispersion : (float, float)
        Median of the dispersion and standard deviation of its logarithm.
    cyclic : bool
        Whether dates allow cycles.
    """

    def __init__(
        self,
        evidence: Evidence,
        weight: Weights,
        free: Free,
        dispersion: tuple[float, float],
        cyclic: bool,
        generator: np.random.Generator,
    ) -> None:
        pairs = evidence.pairs
        self.pairs, self._by_dates = pairs, expected_offspring(evidence)
        self.dispersion, self.cyclic, self.generator = dispersion, cyclic, generator
        self._everyone = np.arange(pairs.size)
        self.reweigh(weight, free)
        self.accepted, self.proposed = 0, 0
        everyone = np.zeros((1, pairs.size), np.int64)
        self._blocks = [_members(codes) for codes in np.vstack([evidence.groups, everyone])]
        self._scratch = np.zeros(int(np.diff(pairs.start).max(initial=1)))
        self._touched, self._before = np.zeros(pairs.size, np.int64), np.zeros(pairs.size, np.int64)

    def reweigh(self, weight: Weights, free: Free) -> None:
        """Take other weights, and forget what was added up."""
        self.root, self.free = weight.root(), free.all
        self.within = np.maximum(weight.pair - free.all, 0.0)
        self.expected = _of_free_links(self._by_dates, self.pairs, weight, free)
        self._cumulated = np.zeros(len(free.all) + 1)
        np.cumsum(self.free + self.within, out=self._cumulated[1:])
        self._pair, self._alone = np.zeros(len(self.pairs.infector)), np.zeros(self.pairs.size)
        self.kept = np.zeros(self.pairs.size)

    @property
    def pair(self) -> Floats:
        """Return the mean probability of each pair over the sweeps kept."""
        return row_scaled(self.pairs, self._pair, 1.0 / np.maximum(self.kept, 1e-300))

    @property
    def alone(self) -> Floats:
        """Return the mean probability of nobody."""
        return np.asarray(self._alone / np.maximum(self.kept, 1e-300))

    def place(self, chain: Chain, case: int, entry: int, free: bool) -> None:
        """Give a case an infector, unless that would close a cycle."""
        infector = self.pairs.infector
        if self.cyclic and gibbs.descends(int(infector[entry]), case, chain.chosen, infector):
            return
        chain.chosen[case], chain.is_free[case] = entry, int(free)
        chain.offspring[infector[entry]] += int(free)

    def step(self, chain: Chain, power: float, keep: float, rows: Ints | None = None) -> None:
        """Make moves of many kinds, a sweep over cases, and draw the dispersion.

        `power` below 1 lets offspring attract others less; `keep` is what the sweep counts for in the sums.
        `rows` are the cases that are swept, all by default; the others wander only.
        """
        pairs, swept = self.pairs, self._everyone if rows is None else rows
        for _ in range(WANDERINGS):
            gibbs.wander(
                self._everyone, pairs.start, pairs.infector, self.free, self.within, self._cumulated,
                self.root, self.expected, chain.shape, chain.chosen, chain.is_free, chain.offspring, power,
                self.cyclic,
            )  # fmt: skip
        if rows is None:
            self._exchange(chain, power)
        gibbs.sweep(
            swept, pairs.start, pairs.infector, self.free, self.within, self.root, self.expected,
            chain.shape, chain.chosen, chain.is_free, chain.offspring, power, self.cyclic, self._scratch,
            self._pair, self._alone, keep,
        )  # fmt: skip
        self.kept[swept] += keep
        self._draw_shape(chain)

    def _exchange(self, chain: Chain, power: float) -> None:
        pairs = self.pairs
        for group, members_start, members in self._blocks:
            self.accepted += gibbs.exchange(
                pairs.start, pairs.infector, self.free, self.expected, chain.shape, chain.chosen,
                chain.is_free, chain.offspring, power, self.cyclic, group, members_start, members, BLOCKS,
                self._touched, self._before,
            )  # fmt: skip
            self.proposed += BLOCKS

    def score(self, chain: Chain) -> float:
        """Return the log probability of a state, but for a constant."""
        chosen = np.maximum(chain.chosen, 0)
        links = np.where(chain.is_free == 1, self.free[chosen], self.within[chosen])
        links = np.where(chain.chosen < 0, self.root, links)
        prior = float(gibbs.shape_score(chain.shape, chain.offspring, self.expected))
        return float(np.log(np.maximum(links, 1e-300)).sum()) + prior

    def _draw_shape(self, chain: Chain) -> None:
        median, spread = self.dispersion
        if spread <= 0.0:
            return
        proposed = chain.shape * float(np.exp(self.generator.normal(0.0, _STEP)))

        def log_posterior(shape: float) -> float:
            deviation = float(np.log(shape / median) / spread)
            return float(gibbs.shape_score(shape, chain.offspring, self.expected)) - 0.5 * deviation**2

        if np.log(self.generator.random()) < log_posterior(proposed) - log_posterior(chain.shape):
            chain.shape = proposed


def _members(codes: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the group of each case, and who is in each: where they begin, and their numbers."""
    held = np.flatnonzero(codes >= 0)
    order = held[np.argsort(codes[held], kind="stable")]
    starts = np.searchsorted(codes[order], np.arange(codes.max(initial=-1) + 2))
    return codes.astype(np.int64), starts.astype(np.int64), order
