"""Days so far from all others that they are mistakes, such as a year written wrongly."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FARTHEST = 5 * 365.25
"""Days without any day of any case. No interval spans them: intervals have at most 1,000 days. An outbreak
that goes on for longer has days between.
"""


def far_away(days: Mapping[str, Floats]) -> dict[int, tuple[str, float]]:
    """Return the rows with a day that is far from most, each with the name of the column and the day.

    All days of a list are parted where five years hold none of them. The part with the most days stays; where
    two have as many, nothing is far.

    Parameters
    ----------
    days : mapping of ndarray, shape (rows,)
        Columns of one list; NaN where missing.
    """
    held = np.concatenate([np.empty(0), *days.values()])
    known = np.sort(held[~np.isnan(held)])
    parts = np.split(known, np.flatnonzero(np.diff(known) > FARTHEST) + 1)
    sizes = sorted(len(part) for part in parts)
    if len(parts) == 1 or sizes[-1] == sizes[-2]:
        return {}
    kept = max(parts, key=len)
    found: dict[int, tuple[str, float]] = {}
    for name, column in days.items():
        for row in np.flatnonzero((column < kept[0]) | (column > kept[-1])).tolist():
            found.setdefault(row, (name, float(column[row])))
    return found
