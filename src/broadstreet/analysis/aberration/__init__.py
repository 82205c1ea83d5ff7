"""Aberration detection: is a count higher than its past lets us expect?

One file a method; :func:`detect` is the one to begin with. Each takes counts `(time,)` or
`(time, series)` and the times to evaluate, and returns :class:`Aberrations`.
"""

from broadstreet.analysis.aberration.bayes import bayes
from broadstreet.analysis.aberration.cusum import cusum
from broadstreet.analysis.aberration.detect import Detections, detect
from broadstreet.analysis.aberration.ears import ears
from broadstreet.analysis.aberration.ewma import ewma
from broadstreet.analysis.aberration.farrington import farrington
from broadstreet.analysis.aberration.farrington_flexible import farrington_flexible
from broadstreet.analysis.aberration.nearby import Vicinities, detect_nearby
from broadstreet.analysis.aberration.result import Aberrations
from broadstreet.analysis.aberration.rki import rki
from broadstreet.analysis.aberration.silence import Silences, silence

__all__ = [
    "Aberrations",
    "Detections",
    "Silences",
    "Vicinities",
    "bayes",
    "cusum",
    "detect",
    "detect_nearby",
    "ears",
    "ewma",
    "farrington",
    "farrington_flexible",
    "rki",
    "silence",
]
