"""Who infected whom, and where it began, with probabilities.

:func:`infer` takes a line list, and contacts and visits where there are any; it returns a
:class:`Transmission`.
"""

from broadstreet.analysis.transmission.generation import Generation
from broadstreet.analysis.transmission.infer import infer
from broadstreet.analysis.transmission.reproduction import Reproduction
from broadstreet.analysis.transmission.result import Transmission
from broadstreet.analysis.transmission.scoring import Evaluation

__all__ = ["Evaluation", "Generation", "Reproduction", "Transmission", "infer"]
