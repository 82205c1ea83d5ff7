"""Observations and reports: a correction changes the resources that were there before."""

from __future__ import annotations

from typing import Any

from broadstreet.connectors.hl7v2.mapping import actors
from broadstreet.connectors.hl7v2.mapping.moments import precedes
from broadstreet.connectors.hl7v2.mapping.planning import Group, Plan, Visit
from broadstreet.connectors.hl7v2.mapping.recorder import Held, Recorder, id_of, reference
from broadstreet.connectors.hl7v2.mapping.results import Order, Result, category, key_of, told_apart
from broadstreet.connectors.hl7v2.mapping.rules import apply, value_of
from broadstreet.model import fhir

RESULT = "urn:broadstreet:result:"
"""Stands before the facility in the system of the identifier that a result is found by again."""

_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_UNKNOWN = fhir.CodeableConcept(coding=[fhir.Coding(system=_ABSENT, code="unknown")])


def result_system(plan: Plan) -> str:
    """Return the system of identifiers of results, for the sending facility."""
    return RESULT + plan.reading.facility.removeprefix("urn:").removeprefix("broadstreet:")


def identify_results(plan: Plan, order: Order) -> list[tuple[str, str]]:
    """Give each result of an order the key that it is found by again, and return these."""
    number = order.filler or order.placer
    if number is None:
        return []
    base = f"{number.system}|{number.value}/{key_of(order.code)}"
    return _identify(plan, base, order.results)


def identify_observed(plan: Plan, visit: Visit, observed: list[Result]) -> list[tuple[str, str]]:
    """Give each observation made on a visit the key that it is found by again, and return these."""
    if not visit.identifiers:
        return []
    number = visit.identifiers[0]
    return _identify(plan, f"{number.system}|{number.value}", observed, timed=True)


def _identify(plan: Plan, base: str, results: list[Result], *, timed: bool = False) -> list[tuple[str, str]]:
    system = result_system(plan)
    keys = []
    for place, each in told_apart(results):
        if each.instance is not None:
            each.key = (each.instance.system or "", each.instance.value or "")
        else:
            time = value_of(each.said, "effectiveDateTime") if timed else None
            each.key = (system, f"{base}/{place}@{time}" if time else f"{base}/{place}")
        keys.append(each.key)
    return keys


class Observations:
    """Records what was observed of one patient."""

    def __init__(self, recorder: Recorder, patient: fhir.Patient, encounter: fhir.Reference | None) -> None:
        self.recorder, self.encounter = recorder, encounter
        self.subject = reference(patient)

    def of_visit(self, group: Group, *, late: bool) -> None:
        """Record what an ADT message observes; one that comes late changes nothing that is known."""
        if group.visit is not None and any(each.key is None for each in group.observed):
            identify_observed(self.recorder.plan, group.visit, group.observed)
        for each in group.observed:
            held = self._held(each)
            if held is None or not late:
                self._record(each, held, self.recorder.happened.text, None)

    def _held(self, each: Result) -> Held | None:
        return self._of_subject(self.recorder.find(fhir.Observation, *each.key)) if each.key else None

    def _of_subject(self, found: list[Held]) -> Held | None:
        """Return the first that is about this patient: laboratories use their numbers again."""
        for held in found:
            if self.recorder.belongs_to(held.resource.subject, self.subject):
                return held
        if found:
            self.recorder.tolerated["order number of another patient's result"] += 1
        return None

    def _record(self, each: Result, held: Held | None, when: str, issued: str | None) -> fhir.Reference:
        """Put one observation; a result is whole, so what was known of it before is replaced."""
        key = each.key
        observation = fhir.Observation(
            id=held.resource.id if held else self.recorder.tx.new_id(),
            identifier=[fhir.Identifier(system=key[0], value=key[1])] if key else None,
            status="unknown",
            category=category(each.code),
            code=each.code,
            subject=self.subject,
            encounter=self.encounter,
            issued=issued,
        )
        apply(observation, each.said)
        observation.code = each.code
        if observation.status is None:
            observation.status = "unknown"
        if observation.effectiveDateTime is None:
            observation.effectiveDateTime = when
        _measure(observation, each)
        if each.notes:
            observation.note = [fhir.Annotation(text="\n".join(each.notes))]
        self.recorder.put(observation, id_of(self.subject))
        return reference(observation)

    def report(self, order: Order) -> None:
        """Record the results of an order and the report on them, unless newer ones are known."""
        plan = self.recorder.plan
        issued = value_of(order.said, "issued") or (plan.sent.text if plan.sent else None)
        if issued is None or len(issued) <= 10:
            issued = self.recorder.as_of
        held = self._report_held(order)
        if held is not None and _newer(held.resource.issued, issued):
            self.recorder.tolerated["result older than the one that is known"] += 1
            return
        when = value_of(order.said, "effectiveDateTime") or self.recorder.happened.text
        results = [self._record(each, self._held(each), when, issued) for each in order.results]
        self._put_report(order, held, results, when, issued)

    def _report_held(self, order: Order) -> Held | None:
        number = order.filler or order.placer
        if number is None:
            return None
        found = self.recorder.find(fhir.DiagnosticReport, number.system, number.value)
        code = key_of(order.code)
        return self._of_subject([held for held in found if key_of(held.resource.code) == code])

    def _put_report(
        self, order: Order, held: Held | None, results: list[fhir.Reference], when: str, issued: str
    ) -> None:
        before: fhir.DiagnosticReport | None = held.resource if held else None
        report = fhir.DiagnosticReport(
            id=before.id if before else self.recorder.tx.new_id(),
            identifier=[each for each in (order.placer, order.filler) if each is not None] or None,
            status="unknown",
            code=order.code,
            subject=self.subject,
            encounter=self.encounter or (before.encounter if before else None),
            performer=[actors.organization(self.recorder, self.recorder.plan.reading)],
        )
        apply(report, order.said)
        report.code, report.issued = order.code, issued
        report.effectiveDateTime = report.effectiveDateTime or when
        report.status = report.status or "unknown"
        known = {each.reference: each for each in (before.result or () if before else ())}
        report.result = list((known | {each.reference: each for each in results}).values()) or None
        report.presentedForm = order.attachments or (before.presentedForm if before else None)
        readers = [actors.clinician(self.recorder, person) for person in order.interpreters]
        report.resultsInterpreter = readers or None
        self._add_request(report, order)
        self.recorder.put(report, id_of(self.subject))

    def _add_request(self, report: fhir.DiagnosticReport, order: Order) -> None:
        """Put what was asked for, and by whom, inside the report: orders do not come by this door."""
        if not (order.requesters or order.placer or order.notes):
            return
        requester = actors.clinician(self.recorder, order.requesters[0]) if order.requesters else None
        request = fhir.ServiceRequest(
            id="order",
            identifier=[order.placer] if order.placer else None,
            status="unknown",
            intent="order",
            code=order.code,
            subject=self.subject,
            requester=requester,
            note=[fhir.Annotation(text="\n".join(order.notes))] if order.notes else None,
        )
        report.contained = [request]
        report.basedOn = [fhir.Reference(reference="#order")]


def _newer(held: str | None, issued: str) -> bool:
    return held is not None and precedes(issued, held)


def _measure(observation: fhir.Observation, each: Result) -> None:
    """Set what was measured; several values of one result become components."""
    measured: dict[str, Any] = dict(each.measured)
    if each.lines:
        measured["valueString"] = "\n".join(each.lines).strip() or None
    parts = measured.pop("components", None)
    for element, value in measured.items():
        setattr(observation, element, value)
    if parts:
        observation.component = [_component(each.code, part) for part in parts]
    elif not any(measured.values()) and observation.status in {"final", "corrected", "amended"}:
        observation.dataAbsentReason = _UNKNOWN


def _component(code: fhir.CodeableConcept, part: Any) -> fhir.ObservationComponent:
    if isinstance(part, fhir.Quantity):
        return fhir.ObservationComponent(code=code, valueQuantity=part)
    return fhir.ObservationComponent(code=code, valueCodeableConcept=part)
