"""Who the patient is, and what a message changes about them.

A resident owns a set of identifiers; `identifier_types.tsv` says which of them tell who it is. Nobody is ever
merged but by a message that says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from broadstreet.connectors.hl7v2.mapping import tables
from broadstreet.connectors.hl7v2.mapping.planning import Group
from broadstreet.connectors.hl7v2.mapping.reading import NAMESPACE
from broadstreet.connectors.hl7v2.mapping.recorder import Held, Recorder, reference
from broadstreet.connectors.hl7v2.mapping.rules import apply, says, value_of
from broadstreet.model import fhir

MOST_IDENTIFIERS = 1_000
"""Of one patient, over all messages; a true one has a few dozen."""

_PLACEHOLDER = re.compile(r"(.)\1*|0*(?:123456789|1234567890)0*")
"""Numbers that are typed in where the true one is not known; they tell nobody from another."""


def identifying(identifiers: Iterable[fhir.Identifier]) -> list[tuple[fhir.Identifier, bool]]:
    """Return the identifiers that tell who someone is, and whether they do so alone."""
    told = []
    for each in identifiers:
        kind = each.type.coding[0].code or "" if each.type and each.type.coding else ""
        how = _identifies(kind)
        alone = how == "alone"
        if alone or (how and not _PLACEHOLDER.fullmatch((each.value or "").replace("-", ""))):
            told.append((each, alone))
    return told


def _identifies(kind: str) -> str:
    table = tables.pairs("identifier_types", "type", "identifies")
    how = table.get(kind) or (table["NNXXX"] if kind.startswith("NN") and len(kind) == 5 else "alone")
    return "" if how == "never" else how


class Patients:
    """Finds and changes the patients of one message."""

    def __init__(self, recorder: Recorder, owner: fhir.Reference) -> None:
        self.recorder, self.owner = recorder, owner

    def resolve(self, identifiers: list[fhir.Identifier], born: str | None, field: str) -> Held | None:
        """Return the patient that some identifiers name; None if nobody is known by them.

        Raises
        ------
        Refused
            If they name several patients and none of the numbers is of the sending facility.
        """
        found: dict[str, Held] = {}
        own: dict[str, Held] = {}
        for each, alone in identifying(identifiers):
            for survivor in self._meant(each, born, alone, field):
                found[survivor.resource.id] = survivor
                if alone and each.system == self.recorder.plan.reading.facility:
                    own[survivor.resource.id] = survivor
        if len(found) > 1:
            if len(own) != 1:
                segment, number = field.split("-")
                raise self.recorder.refuse(
                    segment,
                    int(number),
                    "205",
                    f"{field} names {len(found)} different patients: send only the identifiers of one of "
                    "them, or merge them (A40)",
                )
            self.recorder.tolerated["identifiers of several patients"] = 1
            found = own
        return next(iter(found.values()), None)

    def _meant(self, number: fhir.Identifier, born: str | None, alone: bool, field: str) -> list[Held]:
        """Return whom a number means; several only if nothing tells which of them."""
        known = self.recorder.survivors(self.recorder.find(fhir.Patient, number.system, number.value))
        if not alone:
            meant = [held for held in known if born and held.resource.birthDate == born]
        elif field == "PID-3" and (number.system or "").startswith(NAMESPACE):
            meant = [held for held in known if self._is_ours(held) or not _contradicts(held.resource, born)]
        else:
            meant = known
        if len(meant) < len(known):
            self.recorder.tolerated["number of another patient"] = 1
        ours = [held for held in meant if self._is_ours(held)]
        return ours if alone and ours else meant

    def _is_ours(self, held: Held) -> bool:
        keeper = held.resource.managingOrganization
        return keeper is not None and bool(keeper.reference == self.owner.reference)

    def update(self, group: Group, *, late: bool = False) -> fhir.Patient:
        """Find or make the patient of a group, and change what the message names."""
        born = value_of(group.said, "birthDate")
        held = self.resolve(group.identifiers, born, "PID-3")
        return self.change(held, group, late=late)

    def change(self, held: Held | None, group: Group, *, late: bool = False) -> fhir.Patient:
        """Make a patient, or change one as a message says, and put it if that changed anything."""
        as_of = self.recorder.as_of
        patient: fhir.Patient
        if held is None:
            patient = fhir.Patient(id=self.recorder.tx.new_id(), managingOrganization=self.owner)
        else:
            patient = held.resource
            late = late or _stamp(patient) > as_of
        self._identify(patient, group.identifiers)
        apply(patient, group.said, gaps_only=late)
        _decease(patient, group)
        if group.contacts and not (late and patient.contact):
            patient.contact = group.contacts
        if not late:
            patient.active = self.recorder.plan.event.patient != "retire"
        self._put_if_changed(patient, held, late=late)
        return patient

    def _identify(self, patient: fhir.Patient, identifiers: list[fhir.Identifier]) -> None:
        """Add identifiers that the patient does not have; none that is known as another's."""
        held = {(each.system, each.value) for each in patient.identifier or ()}
        new = [each for each in identifiers if (each.system, each.value) not in held]
        several = self.recorder.tolerated["identifiers of several patients"]
        if several:
            new = [each for each in new if not self.recorder.find(fhir.Patient, each.system, each.value)]
        if len(held) + len(new) > MOST_IDENTIFIERS:
            raise self.recorder.refuse("PID", 3, "104", f"a patient may have {MOST_IDENTIFIERS} identifiers")
        if new:
            patient.identifier = [*(patient.identifier or ()), *new]

    def _put_if_changed(self, patient: fhir.Patient, held: Held | None, *, late: bool) -> None:
        self.recorder.lives(patient)
        if held is not None and fhir.encode(patient) == held.entry.body:
            return
        if not late:
            patient.meta = patient.meta or fhir.Meta()
            patient.meta.lastUpdated = self.recorder.as_of
        assert patient.id is not None
        self.recorder.put(patient, patient.id)

    def merge(self, group: Group) -> fhir.Patient:
        """Let the patient of PID take the place of the one in MRG; both stay, linked to each other."""
        born = value_of(group.said, "birthDate")
        remains = self.resolve(group.identifiers, born, "PID-3")
        held = self.resolve(group.former, born, "MRG-1")
        if held is not None and remains is not None and held.resource.id == remains.resource.id:
            return self.rename(group)
        survivor = self.change(remains, group)
        if held is not None and not self._owns(held.resource, group.former):
            raise self.recorder.refuse(
                "MRG", 1, "205", "MRG-1 names a patient that was merged into another one already"
            )
        loser: fhir.Patient = held.resource if held else self._unknown(group.former)
        self._take_over(survivor, loser)
        return survivor

    def _owns(self, patient: fhir.Patient, identifiers: list[fhir.Identifier]) -> bool:
        own = {(each.system, each.value) for each in patient.identifier or () if each.use != "old"}
        return any((each.system, each.value) in own for each in identifiers)

    def _unknown(self, identifiers: list[fhir.Identifier]) -> fhir.Patient:
        return fhir.Patient(
            id=self.recorder.tx.new_id(), identifier=identifiers, managingOrganization=self.owner
        )

    def _take_over(self, survivor: fhir.Patient, loser: fhir.Patient) -> None:
        assert survivor.id is not None
        assert loser.id is not None
        held = {(each.system, each.value) for each in survivor.identifier or ()}
        old = [each for each in loser.identifier or () if (each.system, each.value) not in held]
        survivor.identifier = [*(survivor.identifier or ()), *map(_old, old)]
        survivor.link = [
            *(survivor.link or ()),
            fhir.PatientLink(other=reference(loser), type="replaces"),
        ]
        loser.active = False
        loser.link = [*(loser.link or ()), fhir.PatientLink(other=reference(survivor), type="replaced-by")]
        for patient in (survivor, loser):
            patient.meta = fhir.Meta(lastUpdated=self.recorder.as_of)
        self.recorder.put(loser, loser.id)
        self.recorder.put(survivor, survivor.id)

    def rename(self, group: Group) -> fhir.Patient:
        """Give the patient of MRG the identifiers of PID; the former ones are kept as old.

        If PID and MRG name two patients that are known, they are merged.
        """
        born = value_of(group.said, "birthDate")
        former = self.resolve(group.former, born, "MRG-1")
        now = self.resolve(group.identifiers, born, "PID-3")
        if former is not None and now is not None and former.resource.id != now.resource.id:
            return self.merge(group)
        held = former or now
        if held is not None and _stamp(held.resource) <= self.recorder.as_of:
            _renumber(held.resource, group)
        return self.change(held, group)


def _stamp(patient: fhir.Patient) -> str:
    return (patient.meta.lastUpdated or "") if patient.meta else ""


def _contradicts(patient: fhir.Patient, born: str | None) -> bool:
    """Tell whether a birth date is another than the patient's, to the precision that both have."""
    known = patient.birthDate
    if not born or not known:
        return False
    return not (born.startswith(known) or known.startswith(born))


def _renumber(patient: fhir.Patient, group: Group) -> None:
    """Mark the former numbers as old, and those that are used now as current."""
    now = {(each.system, each.value) for each in group.identifiers}
    gone = {(each.system, each.value) for each in group.former} - now
    for each in patient.identifier or ():
        key = (each.system, each.value)
        each.use = "old" if key in gone else None if key in now and each.use == "old" else each.use


def _old(each: fhir.Identifier) -> fhir.Identifier:
    return fhir.Identifier(use="old", type=each.type, system=each.system, value=each.value)


def _decease(patient: fhir.Patient, group: Group) -> None:
    """Keep one of what HL7 v2 says in two fields: a time of death says more than that there is one."""
    if patient.deceasedDateTime is None or patient.deceasedBoolean is None:
        return
    if says(group.said, "deceasedBoolean") and not says(group.said, "deceasedDateTime"):
        keep_time = patient.deceasedBoolean
    else:
        keep_time = True
    if keep_time:
        patient.deceasedBoolean = None
    else:
        patient.deceasedDateTime = None
