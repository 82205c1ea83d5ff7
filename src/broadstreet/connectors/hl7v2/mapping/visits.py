"""The visit: which one is meant, what a message changes about it, and what comes too late to change it."""

from __future__ import annotations

from broadstreet.connectors.hl7v2.mapping import actors, timeline
from broadstreet.connectors.hl7v2.mapping.moments import precedes
from broadstreet.connectors.hl7v2.mapping.planning import Group, Visit
from broadstreet.connectors.hl7v2.mapping.recorder import Held, Recorder, reference
from broadstreet.connectors.hl7v2.mapping.rules import Said, apply, value_of
from broadstreet.model import fhir

_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_CLASS_OF_EVENT = {"A01": "IMP", "A05": "PRENC", "A06": "IMP", "A14": "PRENC"}
_FINAL = frozenset({"cancelled", "entered-in-error"})
_BEGINNING = frozenset({"A01", "A04", "A05", "A14"})
_REOPENING = frozenset({"A01", "A04", "A05", "A06", "A07", "A14"})
BY_START = "urn:broadstreet:visit-by-start"
"""System of the identifier of a visit that its facility gives no number: patient and start."""


class Visits:
    """Finds and changes the visit of one patient in one message."""

    def __init__(self, recorder: Recorder, owner: fhir.Reference) -> None:
        self.recorder, self.owner = recorder, owner
        self.event = recorder.plan.event
        self.held: Held | None = None
        self.late = False
        self.status_before = "unknown"

    def find(self, group: Group) -> None:
        """Look for the visit; tell whether the message comes late for it."""
        assert group.visit is not None
        numbers = group.visit.identifiers or ([group.account] if group.account else [])
        former = [group.visit.former] if group.visit.former and self.event.visit == "rename" else []
        for each in (*former, *numbers):
            self.held = next(iter(self.recorder.find(fhir.Encounter, each.system, each.value)), None)
            if self.held is not None:
                break
        self._compare_times()

    def _compare_times(self) -> None:
        meta = self.held.resource.meta if self.held else None
        self.late = meta is not None and (meta.lastUpdated or "") > self.recorder.as_of

    def change(self, group: Group, patient: fhir.Patient) -> fhir.Encounter:
        """Make the visit or change it as the message says; it is not put yet."""
        visit = group.visit
        assert visit is not None
        if not visit.identifiers:
            self._number(group, visit, patient)
        subject = reference(patient)
        if self.held is None:
            encounter = self._new(visit, subject)
        else:
            encounter = self.held.resource
            self._check_subject(encounter, subject)
        encounter.identifier = _with(encounter.identifier, visit.identifiers)
        self._change_class(encounter, visit)
        apply(encounter, self._said(visit), gaps_only=self.late)
        self._change_status(encounter, visit)
        self._change_period(encounter, visit)
        self._change_places(encounter, visit)
        self._change_participants(encounter, visit)
        if not self.late:
            encounter.meta = encounter.meta or fhir.Meta()
            encounter.meta.lastUpdated = self.recorder.as_of
        return encounter

    def _number(self, group: Group, visit: Visit, patient: fhir.Patient) -> None:
        """Give a visit without a number the account's number, or one made of patient and start."""
        start = value_of(visit.said, "period.start")
        if group.account is not None:
            visit.identifiers = [group.account]
        elif start is not None:
            visit.identifiers = [fhir.Identifier(system=BY_START, value=f"{patient.id}/{start}")]
            self.held = next(
                iter(self.recorder.find(fhir.Encounter, BY_START, f"{patient.id}/{start}")), None
            )
            self._compare_times()
        else:
            raise self.recorder.refuse(
                "PV1", 19, "101", "PV1-19 must hold the visit's number (or PID-18, or PV1-44 the admission)"
            )

    def _new(self, visit: Visit, subject: fhir.Reference) -> fhir.Encounter:
        code = _CLASS_OF_EVENT.get(self.event.event, "AMB")
        stated = value_of(visit.said, "class")
        return fhir.Encounter(
            id=self.recorder.tx.new_id(),
            status="unknown",
            class_=stated or fhir.Coding(system=_ACT, code=code),
            subject=subject,
            serviceProvider=self.owner,
        )

    def _check_subject(self, encounter: fhir.Encounter, subject: fhir.Reference) -> None:
        """Let a visit change its patient only by A45, or where one patient took the place of the other."""
        if self.event.visit != "move" and not self.recorder.belongs_to(encounter.subject, subject):
            raise self.recorder.refuse(
                "PV1", 19, "205",
                "PV1-19 is the number of another patient's visit: send A45 to move the visit, or A40 to "
                "merge the patients",
            )  # fmt: skip
        encounter.subject = subject

    def _said(self, visit: Visit) -> Said:
        """Leave out what would contradict the visit's status, and the removal of its class."""
        status = self.held.resource.status if self.held else None
        keeps_open = self.event.event == "A13" or (self.late and status != "finished")
        return [
            (rule, value)
            for rule, value in visit.said
            if not (keeps_open and rule.element == "period.end")
            and not (rule.element == "class" and value is None)
        ]

    def _change_class(self, encounter: fhir.Encounter, visit: Visit) -> None:
        new, old = value_of(visit.said, "class"), encounter.class_
        if self.held is None or self.late or new is None or new.code == old.code:
            return
        history = encounter.classHistory or []
        start = history[-1].period.end if history else encounter.period.start if encounter.period else None
        end = self.recorder.happened.text
        if start and precedes(end, start):
            start = None
        past = fhir.EncounterClassHistory(class_=old, period=fhir.Period(start=start, end=end))
        encounter.classHistory = [*history, past]

    def _change_status(self, encounter: fhir.Encounter, visit: Visit) -> None:
        self.status_before = encounter.status or "unknown"
        encounter.status = self._status(self.status_before, encounter, visit)

    def _status(self, before: str, encounter: fhir.Encounter, visit: Visit) -> str:
        wanted = self.event.status
        if wanted in _FINAL and (not self.event.only_from or before in {*self.event.only_from, "unknown"}):
            return wanted
        has_ended = self.event.event != "A13" and value_of(visit.said, "period.end") is not None
        if before == "unknown":
            if has_ended:
                return "finished"
            return "planned" if wanted == "keep" and encounter.class_.code == "PRENC" else _begun(wanted)
        if self.late or (before in _FINAL and self.event.event not in _REOPENING):
            return before
        if has_ended and before not in _FINAL:
            return "finished"
        applies = wanted not in {"keep", *_FINAL} and (
            not self.event.only_from or before in self.event.only_from
        )
        return wanted if applies else before

    def _change_period(self, encounter: fhir.Encounter, visit: Visit) -> None:
        period = encounter.period or fhir.Period()
        happened = self.recorder.happened.text
        if encounter.status == "finished" and period.end is None and self.event.status == "finished":
            period.end = happened
        is_open = encounter.status not in {"finished", *_FINAL}
        if self.status_before == "finished" and is_open and value_of(self._said(visit), "period.end") is None:
            period.end = None
        if period.start is None and encounter.status != "planned":
            period.start = happened if not period.end or precedes(happened, period.end) else period.end
        if period.start and period.end and precedes(period.end, period.start):
            self.recorder.tolerated["PV1-45 before PV1-44"] = 1
            period.end = None
        encounter.period = period if period.start or period.end else None

    def _change_places(self, encounter: fhir.Encounter, visit: Visit) -> None:
        stays = encounter.location or []
        if self.status_before == "planned" and encounter.status != "planned":
            stays = []  # nobody was there yet
        if visit.place and self.event.location != "ignored":
            place = actors.place(self.recorder, self.recorder.plan.reading, visit.place, self.owner)
            if self.event.location == "back" and not self.late and stays:
                stays = timeline.taken_back(stays, place)
            stays = timeline.moved(stays, place, self._time_of_move(encounter, stays))
        period = encounter.period
        if encounter.status in {"finished", *_FINAL}:
            stays = timeline.ended(stays, period.end if period else None)
        else:
            stays = timeline.opened(stays, "planned" if encounter.status == "planned" else "active")
        encounter.location = stays or None

    def _time_of_move(self, encounter: fhir.Encounter, stays: timeline.Stays) -> str:
        """Return since when the patient is known to be in the place of PV1-3."""
        happened = self.recorder.happened.text
        period = encounter.period or fhir.Period()
        if period.start and self.event.event in _BEGINNING and (self.late or not stays):
            return period.start
        return period.end if period.end and precedes(period.end, happened) else happened

    def _change_participants(self, encounter: fhir.Encounter, visit: Visit) -> None:
        for role, people in visit.clinicians:
            held = [each for each in encounter.participant or () if _role(each) == role]
            if self.late and held:
                continue
            others = [each for each in encounter.participant or () if _role(each) != role]
            kind = fhir.CodeableConcept(coding=[fhir.Coding(system=_PARTICIPATION, code=role)])
            new = [
                fhir.EncounterParticipant(type=[kind], individual=actors.clinician(self.recorder, person))
                for person in people
            ]
            encounter.participant = [*others, *new] or None


def _begun(wanted: str) -> str:
    return "in-progress" if wanted == "keep" else wanted


def _role(participant: fhir.EncounterParticipant) -> str | None:
    concept = participant.type[0] if participant.type else None
    return concept.coding[0].code if concept and concept.coding else None


def _with(held: list[fhir.Identifier] | None, new: list[fhir.Identifier]) -> list[fhir.Identifier] | None:
    known = {(each.system, each.value) for each in held or ()}
    return [*(held or ()), *(each for each in new if (each.system, each.value) not in known)] or None
