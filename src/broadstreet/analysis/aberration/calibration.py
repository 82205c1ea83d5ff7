"""How often evidence of a strength comes up by chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

# Evidence that series without an outbreak reach with each probability: tools/detect_calibration.py, the mean
# of weekly and daily series of one to ten years.
_CHANCE = np.array([0.9999, 0.99, 0.9, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005])
_EVIDENCE = np.array([-2.84, -2.2, -1.74, -1.01, -0.2, 0.28, 0.8, 1.48, 1.98, 2.56, 3.37, 4.13, 4.8])
_LOG_CHANCE = np.log(_CHANCE)
_DECAY = 1.0  # beyond the table the chance falls like e^-x: the bound of every likelihood ratio (Ville 1939)


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
