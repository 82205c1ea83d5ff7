"""Declared links that cannot be, and why."""

from __future__ import annotations

from broadstreet.analysis.frame import Frame
from broadstreet.analysis.transmission.contradiction import against_dates
from broadstreet.analysis.transmission.declared import Declared
from broadstreet.analysis.transmission.intervals import Interval
from broadstreet.analysis.transmission.linelist import LineList, key_of


def impossible_links(cases: LineList, contacts: Declared, serial: Interval) -> Frame:
    """Return the declared links that contradict dates or each other: columns `infector, case, row, why`.

    A contact that names no direction is impossible as a link only where both directions are.
    """
    found: list[tuple[int, int, int, str]] = []
    why = {
        (source, target): against_dates(cases, source, target, serial)
        for source, target in zip(contacts.source.tolist(), contacts.target.tolist(), strict=True)
    }
    for (source, target), row, directed in zip(
        why, contacts.row.tolist(), contacts.directed.tolist(), strict=True
    ):
        reason = why[source, target]
        if reason and (directed or (source < target and why[target, source])):
            found.append((source, target, row, reason))
    found += contacts.cyclic
    found.sort(key=lambda link: link[2])
    return Frame(
        {
            "infector": [key_of(cases.ids[link[0]]) for link in found],
            "case": [key_of(cases.ids[link[1]]) for link in found],
            "row": [link[2] for link in found],
            "why": [link[3] for link in found],
        }
    )
