"""How good probabilities of infectors are, where the truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CREDIBLE = 0.8
_TIE = 1e-9
# The logarithm of a probability of 0 would outweigh all else.
_LEAST = 1e-6


@dataclass(frozen=True)
class Evaluation:
    """How good the infectors are, over cases whose truth is known.

    Attributes
    ----------
    cases : int
        Cases that were scored.
    accuracy, top3, top5 : float
        Share of cases whose true infector is the most probable, among the first 3, the first 5; of equally
        probable candidates each has its share, so that the order of the list is not rewarded.
    probability : float
        Mean probability of the truth.
    log_score : float
        Mean logarithm of that probability (at least 1e-6 is taken).
    coverage : float
        Share of cases whose 80 % credible set holds the truth; the member at the boundary belongs to the set
        by chance, so that a set has 80 % exactly. Calibrated probabilities give 0.8.
    set_size : float
        Mean number of members of those sets.
    accuracy_error, coverage_error : float
        Standard errors over cases.
    """

    cases: int
    accuracy: float
    top3: float
    top5: float
    probability: float
    log_score: float
    coverage: float
    set_size: float
    accuracy_error: float
    coverage_error: float


@dataclass(frozen=True)
class Score:
    """The score of one case."""

    first: float
    third: float
    fifth: float
    probability: float
    covered: float
    members: float


def score_case(probabilities: Floats, truth: int) -> Score:
    """Score one case: probabilities of all candidates (sum 1), and which is true (-1 = none of them)."""
    p = float(probabilities[truth]) if truth >= 0 else 0.0
    higher = int((probabilities > p + _TIE).sum())
    equal = int((np.abs(probabilities - p) <= _TIE).sum()) if truth >= 0 else 1

    def within(places: int) -> float:
        return 0.0 if truth < 0 or p <= 0.0 else min(max((places - higher) / equal, 0.0), 1.0)

    covered, members = _covered(probabilities, p, equal, known=truth >= 0)
    return Score(within(1), within(3), within(5), p, covered, members)


def _covered(probabilities: Floats, p: float, equal: int, known: bool) -> tuple[float, float]:
    """Return the chance that the credible set holds the truth, and the size of the set.

    Tied members enter in random order; the last enters with the probability that makes the set 80 % exactly.
    """
    ordered = np.sort(probabilities)[::-1]
    cumulated = np.cumsum(ordered)
    last = int(np.searchsorted(cumulated, CREDIBLE - 1e-12))
    if last >= len(ordered):
        return float(known and p > 0.0), float(len(ordered))
    before = float(cumulated[last - 1]) if last else 0.0
    members = last + (CREDIBLE - before) / float(ordered[last])
    if not known or p <= 0.0:
        return 0.0, members
    above = float(probabilities[probabilities > p + _TIE].sum())
    return min(max((CREDIBLE - above) / (p * equal), 0.0), 1.0), members


def combine(scores: list[Score]) -> Evaluation:
    """Return the scores of cases together.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not scores:
        raise ValueError("truth names no case of the line list: there is nothing to score")
    table = np.array([[s.first, s.third, s.fifth, s.probability, s.covered, s.members] for s in scores])
    mean, error = table.mean(axis=0), table.std(axis=0) / np.sqrt(len(table))
    logarithm = float(np.log(np.maximum(table[:, 3], _LEAST)).mean())
    return Evaluation(
        len(scores), float(mean[0]), float(mean[1]), float(mean[2]), float(mean[3]), logarithm,
        float(mean[4]), float(mean[5]), float(error[0]), float(error[4]),
    )  # fmt: skip
