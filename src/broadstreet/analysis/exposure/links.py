"""How well other known cases explain a case: its onset after theirs, a shared home or workplace."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.exposure.asked import Asked
from broadstreet.analysis.exposure.candidates import Floats
from broadstreet.analysis.transmission.intervals import Interval

# Shares of transmission by setting, for respiratory infections: about a third at home, a fifth or more at
# work (Ferguson et al. 2006, Nature 442:448: influenza, 30 % at home, 37 % at work or school).
_SETTINGS = {"household": 0.3, "workplace": 0.2}


def linked(asked: Asked, serial: Interval | None, longest: int) -> Floats:
    """Return the density of each case's onset, had one of the other cases infected it.

    Parameters
    ----------
    serial : Interval, optional
        From onset to onset; even over `longest` days where it is not known.
    """
    cases = asked.cases
    if cases < 2:
        return np.zeros(cases)
    gap = asked.onset[:, np.newaxis] - asked.onset
    timing = serial.at(gap) if serial else ((gap >= 1) & (gap <= longest)) / float(longest)
    relation = np.full((cases, cases), 1.0 - sum(_SETTINGS.values()))
    for name, share in _SETTINGS.items():
        relation += share * _ratio(asked.shared[name], cases)
    np.fill_diagonal(timing, 0.0)
    density: Floats = (timing * relation).sum(axis=1) / (cases - 1)
    return density


def _ratio(group: NDArray[np.int64], cases: int) -> Floats:
    """Return 1 over how usual it is to share the group, for pairs of cases that do; 0 for others."""
    known = group >= 0
    ill = group[:cases]
    same = (ill[:, np.newaxis] == ill) & known[:cases, np.newaxis]
    well = group[cases:][known[cases:]]
    size = np.array([(well == one).sum() for one in ill]) if well.size else np.zeros(cases)
    usual = (size + 0.5) / (len(group) - cases + 1.0)
    ratio: Floats = same / usual[:, np.newaxis]
    return ratio
