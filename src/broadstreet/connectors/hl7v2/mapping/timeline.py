"""Where a patient was, in order: `Encounter.location` with a period for each place."""

from __future__ import annotations

import itertools

from broadstreet.connectors.hl7v2.mapping.moments import precedes
from broadstreet.model import fhir

Stays = list[fhir.EncounterLocation]


def moved(stays: Stays, place: fhir.Reference, time: str) -> Stays:
    """Return the stays with a move to a place at a time; it may lie before moves that are known already.

    A move to where the patient is at that time changes nothing; a move to where the patient is next known
    to be makes that stay longer.
    """
    number = len(stays)
    while number > 0 and precedes(time, _start(stays[number - 1]) or time):
        number -= 1
    if number > 0 and stays[number - 1].location.reference == place.reference:
        return stays
    if number < len(stays) and stays[number].location.reference == place.reference:
        stays[number].period = fhir.Period(start=time)
        return _closed(stays)
    stay = fhir.EncounterLocation(location=place, status="active", period=fhir.Period(start=time))
    return _closed([*stays[:number], stay, *stays[number:]])


def taken_back(stays: Stays, place: fhir.Reference | None) -> Stays:
    """Return the stays without the last move, if the patient was in that place before it."""
    if len(stays) < 2 or (place is not None and stays[-2].location.reference != place.reference):
        return stays
    return _closed(stays[:-1])


def ended(stays: Stays, end: str | None) -> Stays:
    """Return the stays of a visit that has ended."""
    if stays:
        last = stays[-1]
        last.status = "completed"
        last.period = _period(_start(last), end)
    return stays


def opened(stays: Stays, status: str) -> Stays:
    """Return the stays of a visit that goes on (`active`) or has not begun (`planned`)."""
    if stays:
        stays[-1].status = status
        stays[-1].period = _period(_start(stays[-1]), None)
    return stays


def _start(stay: fhir.EncounterLocation) -> str | None:
    return stay.period.start if stay.period else None


def _period(start: str | None, end: str | None) -> fhir.Period | None:
    if start and end and precedes(end, start):
        end = None
    return fhir.Period(start=start, end=end) if start or end else None


def _closed(stays: Stays) -> Stays:
    """Let each stay but the last end where the next one starts."""
    for stay, following in itertools.pairwise(stays):
        stay.status = "completed"
        stay.period = _period(_start(stay), _start(following))
    if stays:
        opened(stays[-1:], "active")
    return stays
