"""How often evidence of a strength comes up by chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

# Log ratio that series without an outbreak reach with each probability.
_CHANCE = np.array([0.9999, 0.99, 0.9, 0.5, 0.1, 0.02, 0.01, 0.001])
_EVIDENCE = np.array([-6.0, -3.0, -1.6, -0.9, 0.37, 1.62, 2.17, 4.18])
_LOG_CHANCE = np.log(_CHANCE)
_DECAY = 1.0  # beyond the table: of odds at most e^x, a share of e^-x at most is chance (Ville 1939)


def log_chance(ratio: Floats) -> Floats:
    """Return the log probability that chance gives as much evidence, or more."""
    inside = np.interp(ratio, _EVIDENCE, _LOG_CHANCE)
    beyond = _LOG_CHANCE[-1] - _DECAY * (ratio - _EVIDENCE[-1])
    return np.asarray(np.where(ratio > _EVIDENCE[-1], beyond, inside))


def score(ratio: Floats) -> Floats:
    """Return evidence on the scale of the standard normal distribution."""
    return np.asarray(-special.ndtri_exp(log_chance(ratio)))


def limit(alpha: float) -> float:
    """Return the evidence that chance exceeds with probability `alpha`."""
    wanted = np.log(alpha)
    if wanted < _LOG_CHANCE[-1]:
        return float(_EVIDENCE[-1] + (_LOG_CHANCE[-1] - wanted) / _DECAY)
    return float(np.interp(-wanted, -_LOG_CHANCE, _EVIDENCE))
