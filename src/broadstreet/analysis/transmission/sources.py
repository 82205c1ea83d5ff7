"""The cases with which chains of the list begin."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.frame import Frame
from broadstreet.analysis.transmission.study import Study

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def beginnings(study: Study, draws: Ints) -> tuple[Floats, Floats]:
    r"""Return the probability that a chain of the list begins with each case, and that of an unseen infector.

    The latter descends from the list. Some chain has a beginning: with :math:`A`, that at least one has,
    :math:`P(B_i | A) = P(B_i) / P(A)`. Where dates allow cycles each case could else descend from another
    through somebody unseen. Given a tree each case without an infector in the list begins a chain
    independently of others; :math:`P(A)` is the mean over drawn trees.
    """
    outside, unseen = study.posterior.outside, study.posterior.unseen.sum(axis=0)
    if not outside.size:
        return outside, unseen
    share = np.clip(outside / np.maximum(outside + unseen, 1e-300), 0.0, 1.0 - 1e-12)
    alone = draws < 0
    without = np.exp(alone @ np.log1p(-share))
    some = float(np.clip(1.0 - without.mean(), outside.max(), max(outside.sum(), outside.max())))
    times = np.maximum(alone.sum(axis=0), 1)
    other = np.clip(1.0 - (without @ alone) / times / (1.0 - share), 0.0, 1.0)
    first = np.minimum(outside / max(some, 1e-300), 1.0)
    return first, np.minimum(unseen * other / max(some, 1e-300), 1.0 - first)


def sources_table(study: Study, draws: Ints, names: list[str], onset: list[Any]) -> Frame:
    """Return `case, probability, unseen, onset`, the most probable beginning first."""
    first, unseen = beginnings(study, draws)
    order = np.argsort(-first, kind="stable").tolist()
    return Frame(
        {
            "case": [names[i] for i in order],
            "probability": first[order],
            "unseen": unseen[order],
            "onset": [onset[i] for i in order],
        }
    )
