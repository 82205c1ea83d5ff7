"""Why one case cannot have infected another, by their dates."""

from __future__ import annotations

import numpy as np

from broadstreet.analysis.transmission.intervals import Interval
from broadstreet.analysis.transmission.linelist import LineList

_LEAD = 4.0
"""Days before onset from which a case may infect."""


def against_dates(  # noqa: PLR0911  one answer for each contradiction
    cases: LineList, source: int, target: int, serial: Interval
) -> str | None:
    """Return why `source` cannot have infected `target`, None where it can have."""
    days = cases.days
    onset, other = days["onset"][source], days["onset"][target]
    begin, end = days["exposed_from"][target], days["exposed_to"][target]
    last = serial.first + len(serial.p) - 1
    if days["died"][source] < begin:
        return "the infector had died before the case was exposed"
    if days["isolated"][source] < begin:
        return "the infector was isolated before the case was exposed"
    if onset - _LEAD > end:
        return f"the infector fell ill {int(onset - end)} days after the case was last exposed"
    if other - onset < serial.first:
        if other < onset:
            return f"the case fell ill {int(onset - other)} days before the infector"
        return f"the case fell ill {int(other - onset)} days after the infector: too soon"
    if other - onset > last:
        return f"the case fell ill {int(other - onset)} days after the infector: too late"
    if np.isnan(onset) and days["exposed_from"][source] > end:
        return "the infector was not yet exposed when the case was"
    return None
