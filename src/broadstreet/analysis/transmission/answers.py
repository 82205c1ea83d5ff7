"""The possible infectors of each case, nobody among them, as rows of a table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.frame import Frame
from broadstreet.analysis.transmission.reasons import Reasons
from broadstreet.analysis.transmission.study import Study

Floats = NDArray[np.float64]

# Rows of a case reach this probability together; reasons are given from this probability on.
REACHED, _REASONED = 0.999, 0.001


def infectors_table(study: Study, names: list[str], reasons: Reasons) -> Frame:
    """Return `case, infector, probability, reasons`: of each case the fewest answers that reach 99.9 %."""
    pairs, nobody = study.pairs, study.posterior.nobody()
    cases: list[str] = []
    infectors: list[str | None] = []
    chances: list[float] = []
    told: list[str] = []
    for case, name in enumerate(names):
        first, last = pairs.start[case], pairs.start[case + 1]
        chance = np.append(study.posterior.pair[first:last], nobody[case])
        shown = _by_probability(chance)
        by = [-1 if at == last - first else int(pairs.infector[first + at]) for at in shown]
        cases += [name] * len(by)
        infectors += [None if j < 0 else names[j] for j in by]
        chances += chance[shown].tolist()
        told += [
            _reason(study, reasons, case, j, last > first) if p >= _REASONED else ""
            for j, p in zip(by, chance[shown].tolist(), strict=True)
        ]
    return Frame({"case": cases, "infector": infectors, "probability": chances, "reasons": told})


def _by_probability(chance: Floats) -> list[int]:
    """Return the fewest answers that reach 99.9 %, in order.

    The last answer, nobody, comes first only where it outweighs all others together.
    """
    order = np.argsort(-chance, kind="stable")
    enough = 1 + int(np.searchsorted(np.cumsum(chance[order]), REACHED * chance.sum()))
    shown: list[int] = order[:enough].tolist()
    if len(shown) > 1 and shown[0] == len(chance) - 1 and chance[-1] <= 0.5:
        shown[:2] = shown[1::-1]
    return shown


def _reason(study: Study, reasons: Reasons, case: int, infector: int, fits: bool) -> str:
    if infector >= 0:
        return reasons.link(infector, case)
    found, is_thinned = study.posterior, study.pairs.thinned < 1.0
    return reasons.nobody(float(found.outside[case]), float(found.unseen[:, case].sum()), fits, is_thinned)
