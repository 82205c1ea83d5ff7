"""Declared links that cannot be, and why."""

from __future__ import annotations

import numpy as np

from broadstreet.analysis.frame import Frame
from broadstreet.analysis.transmission.declared import Declared
from broadstreet.analysis.transmission.intervals import Interval
from broadstreet.analysis.transmission.linelist import LineList, key_of


def impossible_links(cases: LineList, contacts: Declared, serial: Interval, lead: float) -> Frame:
    """Return the declared links that contradict dates or each other: columns `infector, case, row, why`.

    A contact that names no direction is impossible as a link only where both directions are.
    """
    found: list[tuple[int, int, int, str]] = []
    why = {
        (source, target): _why(cases, source, target, serial, lead)
        for source, target in zip(contacts.source.tolist(), contacts.target.tolist(), strict=True)
    }
    for (source, target), row in zip(why, contacts.row.tolist(), strict=True):
        reason = why[source, target]
        if reason and (contacts.directed or (source < target and why[target, source])):
            found.append((source, target, row, reason))
    found += [
        (source, target, row, "part of a cycle of declared contacts")
        for source, target, row in contacts.cyclic
    ]
    found.sort(key=lambda link: link[2])
    return Frame(
        {
            "infector": [key_of(cases.ids[link[0]]) for link in found],
            "case": [key_of(cases.ids[link[1]]) for link in found],
            "row": [link[2] for link in found],
            "why": [link[3] for link in found],
        }
    )


def _why(  # noqa: PLR0911  one answer for each contradiction
    cases: LineList, source: int, target: int, serial: Interval, lead: float
) -> str | None:
    days = cases.days
    onset, other = days["onset"][source], days["onset"][target]
    begin, end = days["exposed_from"][target], days["exposed_to"][target]
    last = serial.first + len(serial.p) - 1
    if days["died"][source] < begin:
        return "the infector had died before the case was exposed"
    if days["isolated"][source] < begin:
        return "the infector was isolated before the case was exposed"
    if onset - lead > end:
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
