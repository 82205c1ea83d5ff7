"""Who and where: the sending facility, clinicians, and the places of a hospital within each other."""

from __future__ import annotations

from typing import NamedTuple

from broadstreet.connectors.hl7v2.mapping.datatypes import Clinician, Level
from broadstreet.connectors.hl7v2.mapping.reading import Reading
from broadstreet.connectors.hl7v2.mapping.recorder import Recorder
from broadstreet.model import fhir

URI = "urn:ietf:rfc:3986"
_PHYSICAL_TYPE = "http://terminology.hl7.org/CodeSystem/location-physical-type"
_KINDS = {"si": "Site", "bu": "Building", "lvl": "Level", "wa": "Ward", "ro": "Room", "bd": "Bed"}


class Sought(NamedTuple):
    """Type, system and value by which someone or something is found; who has no name is not remembered."""

    key: tuple[str, str, str]
    named: bool = True


def sought_facility(feed: Reading) -> Sought:
    """Return how the sending facility is found."""
    return Sought(("Organization", URI, feed.facility))


def organization(recorder: Recorder, feed: Reading) -> fhir.Reference:
    """Return the sending facility (MSH-4)."""

    def make(id: str) -> fhir.Organization:
        identifier = fhir.Identifier(system=URI, value=feed.facility)
        return fhir.Organization(id=id, identifier=[identifier], active=True, name=feed.facility_name)

    return recorder.settled(fhir.Organization, URI, feed.facility, make)


def sought_places(levels: tuple[Level, ...], feed: Reading) -> list[Sought]:
    """Return how a place and the places around it are found."""
    return [Sought(("Location", feed.facility, level.path)) for level in levels]


def place(
    recorder: Recorder, feed: Reading, levels: tuple[Level, ...], owner: fhir.Reference
) -> fhir.Reference:
    """Return the innermost of some places; each is part of the one before it."""
    around: fhir.Reference | None = None
    for level in levels:
        around = _within(recorder, feed, level, around, owner)
    assert around is not None
    return around


def _within(
    recorder: Recorder, feed: Reading, level: Level, around: fhir.Reference | None, owner: fhir.Reference
) -> fhir.Reference:
    def make(id: str) -> fhir.Location:
        kind = fhir.Coding(system=_PHYSICAL_TYPE, code=level.kind, display=_KINDS[level.kind])
        return fhir.Location(
            id=id,
            identifier=[fhir.Identifier(system=feed.facility, value=level.path)],
            status="active",
            name=level.name,
            mode="instance",
            physicalType=fhir.CodeableConcept(coding=[kind]),
            managingOrganization=owner,
            partOf=around,
        )

    return recorder.settled(fhir.Location, feed.facility, level.path, make)


def sought_clinicians(people: tuple[Clinician, ...]) -> list[Sought]:
    """Return how clinicians are found."""
    return [
        Sought(("Practitioner", person.system, person.number), person.name is not None)
        for person in people
        if person.number
    ]


def clinician(recorder: Recorder, person: Clinician) -> fhir.Reference:
    """Return a clinician; one without a number is only named."""
    if not person.number:
        return fhir.Reference(display=person.shown)

    def make(id: str) -> fhir.Practitioner:
        identifier = fhir.Identifier(system=person.system, value=person.number)
        name = [person.name] if person.name else None
        return fhir.Practitioner(id=id, identifier=[identifier], name=name)

    return recorder.settled(fhir.Practitioner, person.system, person.number, make)
