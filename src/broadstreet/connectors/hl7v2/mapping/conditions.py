"""Diagnoses of a visit. What a message sends is all there is, unless it states actions (DG1-21)."""

from __future__ import annotations

from broadstreet.connectors.hl7v2.mapping import tables
from broadstreet.connectors.hl7v2.mapping.planning import Group
from broadstreet.connectors.hl7v2.mapping.recorder import Held, Recorder, id_of, reference
from broadstreet.connectors.hl7v2.mapping.results import Diagnosis, key_of
from broadstreet.connectors.hl7v2.mapping.rules import value_of
from broadstreet.model import fhir

_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"


def _concept(system: str, code: str) -> fhir.CodeableConcept:
    return fhir.CodeableConcept(coding=[fhir.Coding(system=system, code=code)])


ACTIVE = _concept(_CLINICAL, "active")
ENTERED_IN_ERROR = _concept(_VERIFICATION, "entered-in-error")
OF_ENCOUNTER = [_concept(_CATEGORY, "encounter-diagnosis")]


class Conditions:
    """The diagnoses of one visit, before and after a message."""

    def __init__(self, recorder: Recorder, encounter: fhir.Encounter, subject: fhir.Reference) -> None:
        self.recorder, self.encounter, self.subject = recorder, encounter, subject
        self.of_visit = reference(encounter)
        loaded = [held for each in encounter.diagnosis or () if (held := self._load(each))]
        self.before = {held.resource.id: held for held in loaded}
        self.numbered = {
            (number.system, number.value): held.resource.id
            for held in loaded
            for number in held.resource.identifier or ()
        }
        self.coded = {key_of(held.resource.code): held.resource.id for held in reversed(loaded)}
        self.after: list[fhir.EncounterDiagnosis] = []

    def _load(self, diagnosis: fhir.EncounterDiagnosis) -> Held | None:
        return self.recorder.load(fhir.Condition, id_of(diagnosis.condition))

    def change(self, group: Group, *, late: bool) -> None:
        """Take over what a message says; one that comes late adds only what nobody has said yet."""
        if not group.diagnoses or (late and self.before):
            return
        listed = {id_of(each.condition): each for each in self.encounter.diagnosis or ()}
        is_whole = not any(each.action for each in group.diagnoses)
        for diagnosis in group.diagnoses:
            held = self._matching(diagnosis)
            if diagnosis.action == "D" or diagnosis.code is None:
                self._withdraw(held)
            else:
                self._put(diagnosis, held)
        for left in self.before.values():
            if is_whole:
                self._withdraw(left)
            else:
                self.after.append(listed[left.resource.id])
        self.encounter.diagnosis = self.after or None

    def _matching(self, diagnosis: Diagnosis) -> Held | None:
        """Take out the condition that a DG1 means: by its number (DG1-20), else by its code."""
        number = value_of(diagnosis.said, "identifier")
        id = self.numbered.get((number.system, number.value)) if number is not None else None
        if id is None and diagnosis.code is not None:
            id = self.coded.get(key_of(diagnosis.code))
            numbers = self.before[id].resource.identifier if id in self.before else None
            if number is not None and numbers:
                return None  # the same disease, but another diagnosis
        return self.before.pop(id, None) if id is not None else None

    def _withdraw(self, held: Held | None) -> None:
        if held is None:
            return
        condition = held.resource
        condition.verificationStatus = ENTERED_IN_ERROR
        condition.clinicalStatus = None  # FHIR invariant con-5
        self._record(condition)

    def _put(self, diagnosis: Diagnosis, held: Held | None) -> None:
        condition = (
            held.resource
            if held
            else fhir.Condition(
                id=self.recorder.tx.new_id(),
                clinicalStatus=ACTIVE,
                category=OF_ENCOUNTER,
                subject=self.subject,
                encounter=self.of_visit,
                recordedDate=self.recorder.happened.text,
            )
        )
        condition.subject = self.subject
        condition.code = diagnosis.code
        for rule, value in diagnosis.said:
            rule.put(condition, [value] if rule.element == "identifier" and value else value)
        self._record(condition)
        use = tables.codes("use:0052").get(diagnosis.kind)
        self.after.append(
            fhir.EncounterDiagnosis(
                condition=reference(condition),
                use=fhir.CodeableConcept(coding=[fhir.Coding(system=use.system, code=use.code)])
                if use
                else None,
                rank=diagnosis.rank,
            )
        )

    def _record(self, condition: fhir.Condition) -> None:
        self.recorder.put(condition, id_of(self.subject))


def chief_complaint(group: Group, encounter: fhir.Encounter) -> None:
    """Fill in the reason for a visit that states none: a reported complaint, else why it was admitted."""
    if encounter.reasonCode is not None:
        return
    for each in group.observed:
        if any(coding.code == CHIEF_COMPLAINT for coding in each.code.coding or ()):
            text = "\n".join(each.lines).strip() or each.measured.get("valueString")
            coded = each.measured.get("valueCodeableConcept")
            if text or coded:
                encounter.reasonCode = [coded or fhir.CodeableConcept(text=text)]
                return
    admitting = next((each.code for each in group.diagnoses if each.kind == "A" and each.code), None)
    if admitting is not None:
        encounter.reasonCode = [admitting]


CHIEF_COMPLAINT = "8661-1"
"""LOINC: chief complaint, reported. Source: PHIN messaging guide for syndromic surveillance 2.0, OBX-3."""
