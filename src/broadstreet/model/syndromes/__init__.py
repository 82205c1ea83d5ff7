"""Syndromes: what a chief complaint and diagnosis codes say, by tables that a clinician can correct.

The tables lie in `tables/`; this package compiles them once and reads complaints with them. Nothing in
the code names a symptom: a wrong answer is corrected in a table.

Source
------
Scope of a cue: Chapman WW et al. (2001) "A simple algorithm for identifying negated findings and diseases
in discharge summaries", J Biomed Inform 34:301-310 (NegEx); Harkema H et al. (2009) "ConText", J Biomed
Inform 42:839-851 (who has it, and when). The cues and patterns are this project's own.
"""

from broadstreet.model.syndromes.classifier import (
    CODES,
    LENGTH,
    NAMES,
    Evidence,
    classify,
    definition,
    explain,
)
from broadstreet.model.syndromes.tables import LANGUAGES, Definition, TableError

__all__ = [
    "CODES",
    "LANGUAGES",
    "LENGTH",
    "NAMES",
    "Definition",
    "Evidence",
    "TableError",
    "classify",
    "definition",
    "explain",
]
