"""Aberration detection: is a count higher than its past lets us expect?

One file a method. Each takes counts `(time,)` or `(time, series)` and the times to evaluate, and returns
:class:`Aberrations`.
"""

from broadstreet.analysis.aberration.ears import ears
from broadstreet.analysis.aberration.result import Aberrations

__all__ = ["Aberrations", "ears"]
