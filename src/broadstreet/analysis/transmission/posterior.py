"""Exact probabilities of links: each case by itself, or together where cycles could occur."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from broadstreet.analysis.compiled import compiled
from broadstreet.analysis.transmission.evidence import Evidence
from broadstreet.analysis.transmission.pairs import Pairs
from broadstreet.analysis.transmission.rates import Free, Rates, companions, free_part, weights

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# What speaks for a link beside its dates counts with this power. Rates are fitted among cases, without those
# who were exposed alike and stayed well, and so tell too little. On outbreaks of the city it helps where
# places alone are known and is neutral else; sets of 80 % hold 84 to 90 %, without it 89 to 97 (python -m
# bench.transmission power).
TELLING = 1.3
_MOST_TOLD = 1e6
_HALVINGS = 40

MOST_TOGETHER = 2_000
"""So many cases among which cycles are possible are solved at once: a matrix is inverted."""


@dataclass(frozen=True)
class Posterior:
    """Probability of each candidate pair, of an infector from outside, of 1 to 3 unseen links (3, cases)."""

    pair: Floats
    outside: Floats
    unseen: Floats
    score: float
    method: str

    def nobody(self) -> Floats:
        """Return the probability that no case of the list infected each case."""
        return np.asarray(self.outside + self.unseen.sum(axis=0))


@dataclass(frozen=True)
class Weights:
    """Weight of each pair, from outside, of unseen links (3, cases), of unseen members of a case's groups.

    The last has a row for each column of `same`; such a link passes through one unseen case.
    """

    pair: Floats
    outside: Floats
    unseen: Floats
    companions: Floats

    def root(self) -> Floats:
        """Return the weight of no infector among the cases."""
        return np.asarray(self.outside + self.unseen.sum(axis=0) + self.companions.sum(axis=0))

    def posterior(self, pair: Floats, nobody: Floats, score: float, method: str) -> Posterior:
        """Return probabilities, those of nobody parted by whom else it may have been."""
        each = nobody / self.root()
        unseen = each * self.unseen
        unseen[0] += each * self.companions.sum(axis=0)
        return Posterior(pair, each * self.outside, unseen, score, method)


def weigh(evidence: Evidence, rates: Rates) -> Weights:
    """Return the weight of each possible infector."""
    outside = np.maximum(rates.outside * evidence.outside, 1e-290)
    unseen = rates.unseen()[:, np.newaxis] * evidence.unseen
    return Weights(weights(evidence, rates), outside, unseen, companions(evidence, rates))


def calibrated(evidence: Evidence, rates: Rates) -> tuple[Weights, Free]:
    """Return the weights of `telling`, and the part of them that an infector's infectiousness multiplies."""
    told, factor = telling(evidence, rates)
    free = free_part(evidence, rates, told.pair / factor)
    met = free.met * factor if free.met.size else free.met
    return told, Free(free.all * factor, met)


def telling(evidence: Evidence, rates: Rates) -> tuple[Weights, Floats]:
    """Return weights in which what speaks for a link beside its dates counts with a power.

    The second are the factors by which pairs count more. Weights of nobody in the list are multiplied so that
    as many cases as before are expected to have nobody.
    """
    pairs, weight = evidence.pairs, weigh(evidence, rates)
    alone = rates.anyone * pairs.fit
    if evidence.declared.size:
        alone *= np.where(evidence.declared == 1, *rates.for_declared())
    factor = np.clip(weight.pair / np.maximum(alone, 1e-300), 1.0, _MOST_TOLD) ** (TELLING - 1.0)
    pair, root = weight.pair * factor, weight.root()
    links = row_sums(pairs, weight.pair)
    more = _multiple(root, row_sums(pairs, pair), float((root / (root + links)).sum()))
    return Weights(pair, weight.outside * more, weight.unseen * more, weight.companions * more), factor


def _multiple(root: Floats, links: Floats, nobody: float) -> float:
    """Return by what to multiply weights of nobody so that so many cases are expected to have nobody."""
    low, high = 0.0, 20.0
    for _ in range(_HALVINGS):
        middle = np.exp((low + high) / 2.0)
        enough = float((middle * root / (middle * root + links)).sum()) >= nobody
        low, high = (low, (low + high) / 2.0) if enough else ((low + high) / 2.0, high)
    return float(np.exp((low + high) / 2.0))


def none_yet(evidence: Evidence) -> Posterior:
    """Return a posterior that holds nothing."""
    size = evidence.pairs.size
    return Posterior(np.zeros(0), np.zeros(size), np.zeros((len(evidence.unseen), size)), 0.0, "none")


def components(pairs: Pairs) -> tuple[int, Ints]:
    """Return how many, and which, sets of cases could infect each other in a cycle."""
    graph = csr_array((np.ones(len(pairs.infector)), pairs.infector, pairs.start), shape=(pairs.size,) * 2)
    count, label = connected_components(graph, connection="strong")
    return int(count), label.astype(np.int64)


def row_sums(pairs: Pairs, values: Floats) -> Floats:
    """Return the sum over each case's candidates."""
    return _sums(pairs.start, np.asarray(values, np.float64))


def row_scaled(pairs: Pairs, values: Floats, factor: Floats) -> Floats:
    """Return each candidate's value times the factor of its case."""
    return _scaled(pairs.start, np.asarray(values, np.float64), factor)


@compiled
def _scaled(start: Ints, values: Floats, factor: Floats) -> Floats:
    scaled = np.empty(len(values))
    for row in range(len(factor)):
        for entry in range(start[row], start[row + 1]):
            scaled[entry] = values[entry] * factor[row]
    return scaled


@compiled
def _sums(start: Ints, values: Floats) -> Floats:
    sums = np.zeros(len(start) - 1)
    for row in range(len(sums)):
        total = 0.0
        for entry in range(start[row], start[row + 1]):
            total += values[entry]
        sums[row] = total
    return sums


def exact(pairs: Pairs, weight: Weights, label: Ints) -> Posterior:
    r"""Return exact probabilities of links.

    Where the order of dates makes cycles impossible, the infector of each case is independent of those of
    others. Else the cases of each strongly connected set are solved together: with :math:`A_{ii} = \sum_j
    w_{ji}` (over all infectors, also outside) and :math:`A_{ij} = -w_{ji}`, the sum over all forests is
    :math:`\det A`, and

    .. math:: P(j \to i) = w_{ji} \left( (A^{-1})_{ii} - (A^{-1})_{ji} \right).

    Source
    ------
    Tutte 1948, Proc Camb Phil Soc 44:463 (directed Matrix-Tree theorem); marginals: Koo et al. 2007,
    EMNLP-CoNLL.
    """
    root = weight.root()
    total = row_sums(pairs, weight.pair) + root
    pair, nobody = row_scaled(pairs, weight.pair, 1.0 / total), root / total
    score = float(np.log(total).sum())
    sizes = np.bincount(label, minlength=1)
    together = np.flatnonzero(sizes > 1)
    for member in together:
        cases = np.flatnonzero(label == member)
        score += _solve_together(pairs, cases, label, pair, nobody)
    return weight.posterior(pair, nobody, score, "matrix-tree" if together.size else "independent")


def _solve_together(pairs: Pairs, cases: Ints, label: Ints, pair: Floats, nobody: Floats) -> float:
    """Replace the probabilities of cases, each by itself, by those together; return the score's change."""
    local = np.full(pairs.size, -1, np.int64)
    local[cases] = np.arange(len(cases))
    entries = np.concatenate([np.arange(pairs.start[i], pairs.start[i + 1]) for i in cases])
    case = np.repeat(cases, pairs.start[cases + 1] - pairs.start[cases])
    within = label[pairs.infector[entries]] == label[cases[0]]
    inner, to, by = entries[within], local[case[within]], local[pairs.infector[entries[within]]]
    matrix = np.eye(len(cases))
    matrix[to, by] -= pair[inner]
    _, logarithm = np.linalg.slogdet(matrix)
    inverse = np.linalg.inv(matrix)
    own = np.diag(inverse)
    pair[inner] *= np.clip(own[to] - inverse[by, to], 0.0, None)
    outer = entries[~within]
    pair[outer] *= own[local[case[~within]]]
    nobody[cases] *= own
    return float(logarithm)
