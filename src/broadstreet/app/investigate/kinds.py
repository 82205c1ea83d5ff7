"""The tables that an investigation writes, and what each column holds, whatever a run finds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Kind = Literal["text", "whole", "number"]

OPEN = "cases"
"""The table with further columns, those of the list: text, since days may be dates or numbers."""

TABLES: Mapping[str, Mapping[str, Kind]] = {
    OPEN: {
        "case": "text", "row": "whole", "x": "number", "y": "number", "lon": "number", "lat": "number",
    },
    "links": {"case": "text", "infector": "text", "probability": "number", "reasons": "text"},
    "tree": {
        "case": "text", "infector": "text", "probability": "number", "nobody": "number", "onset": "text",
        "infector_onset": "text", "unseen": "whole",
    },
    "sources": {"case": "text", "probability": "number", "unseen": "number", "onset": "text"},
    "impossible": {"infector": "text", "case": "text", "row": "whole", "why": "text"},
    "reproduction": {
        "day": "text", "cases": "whole", "mean": "number", "lower": "number", "upper": "number",
    },
    "reproduction_by_case": {
        "case": "text", "onset": "text", "mean": "number", "lower": "number", "upper": "number",
    },
    "places": {
        "place": "text", "first": "text", "last": "text", "probability": "number",
        "log_bayes_factor": "number", "cases": "whole", "expected": "number", "controls": "number",
        "odds_ratio": "number", "p_value": "number", "q_value": "number",
    },
    "place_times": {
        "place": "text", "first": "text", "last": "text", "log_bayes_factor": "number", "cases": "whole",
        "expected": "number",
    },
    "sites": {
        "site": "text", "probability": "number", "log_bayes_factor": "number", "reach": "number",
        "explained": "number", "nearest": "whole", "expected": "number", "ratio": "number",
    },
    "case_sites": {
        "case": "text", "nearest": "text", "distance": "number", "next": "text", "next_distance": "number",
        "source": "text", "probability": "number",
    },
    "set_aside": {"file": "text", "row": "whole", "id": "text", "why": "text"},
}  # fmt: skip


def wrote(name: str, names: list[str]) -> bool:
    """Tell whether a table of this name with these columns is one that an investigation writes."""
    own = list(TABLES[name])
    return names[:2] == own[:2] if name == OPEN else names == own
