"""Carry out a plan inside the commit, and say beforehand what it will look up."""

from __future__ import annotations

from broadstreet.connectors.hl7v2.mapping import actors
from broadstreet.connectors.hl7v2.mapping.conditions import Conditions, chief_complaint
from broadstreet.connectors.hl7v2.mapping.moments import stamp
from broadstreet.connectors.hl7v2.mapping.observations import (
    Observations,
    identify_observed,
    identify_results,
)
from broadstreet.connectors.hl7v2.mapping.patients import Patients, identifying
from broadstreet.connectors.hl7v2.mapping.planning import Group, Plan
from broadstreet.connectors.hl7v2.mapping.recorder import Directory, Recorder, id_of, reference
from broadstreet.connectors.hl7v2.mapping.tables import V2
from broadstreet.connectors.hl7v2.mapping.visits import Visits
from broadstreet.model import fhir
from broadstreet.store.inbox import Arrival, Refused
from broadstreet.store.index import Indexer
from broadstreet.store.transaction import Transaction, Wants

MESSAGE = "urn:broadstreet:message"
"""System of the identifier of a raw message: the id of its entry in the log."""

_AGENT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_AUTHOR = fhir.CodeableConcept(coding=[fhir.Coding(system=_AGENT, code="author")])


def wants(plan: Plan, indexer: Indexer, directory: Directory) -> Wants:
    """Return the tokens that carrying out a plan will look up."""
    keys: list[tuple[str, str | None, str | None]] = []
    seldom = [actors.sought_facility(plan.reading)]
    for group in plan.groups:
        people = [*group.identifiers, *group.former]
        keys += [("Patient", each.system, each.value) for each, _ in identifying(people)]
        seldom += _of_visit(plan, group, keys)
        for order in group.orders:
            seldom += actors.sought_clinicians((*order.requesters, *order.interpreters))
            number = order.filler or order.placer
            if number is not None:
                keys.append(("DiagnosticReport", number.system, number.value))
            keys += [("Observation", *key) for key in identify_results(plan, order)]
    keys += [key for key, named in seldom if not directory.knows(key, named=named)]
    return Wants(
        tokens=tuple(
            token
            for type, system, value in keys
            if value
            for token in indexer.tokens(type, "identifier", system, value)
        )
    )


def _of_visit(
    plan: Plan, group: Group, keys: list[tuple[str, str | None, str | None]]
) -> list[actors.Sought]:
    visit = group.visit
    if visit is None or plan.event.visit == "ignore":
        return []
    numbers = visit.identifiers or ([group.account] if group.account else [])
    keys += [("Encounter", each.system, each.value) for each in numbers]
    keys += [("Observation", *key) for key in identify_observed(plan, visit, group.observed)]
    seldom = actors.sought_places(visit.place, plan.reading)
    for _, people in visit.clinicians:
        seldom += actors.sought_clinicians(people)
    return seldom


def carry_out(tx: Transaction, arrival: Arrival, cause: int, plan: Plan, directory: Directory) -> Recorder:
    """Put the resources that a message is about.

    Raises
    ------
    Refused
        If the message cannot be mapped; nothing of it is kept then but the message itself.
    """
    if plan.findings.faults:
        raise Refused("AE", tuple(plan.findings.faults))
    recorder = Recorder(tx, arrival, cause, plan, directory)
    owner = actors.organization(recorder, plan.reading)
    recorder.organisation = id_of(owner)
    for group in plan.groups:
        _group(recorder, group, owner)
    _provenance(recorder, owner)
    return recorder


def _group(recorder: Recorder, group: Group, owner: fhir.Reference) -> None:
    event = recorder.plan.event
    patients = Patients(recorder, owner)
    if event.patient == "merge":
        patients.merge(group)
    elif event.patient == "rename":
        patients.rename(group)
    elif group.visit is None or event.visit in {"ignore", "refer"}:
        _results(recorder, group, patients.update(group))
    else:
        _visit(recorder, group, patients, owner)


def _visit(recorder: Recorder, group: Group, patients: Patients, owner: fhir.Reference) -> None:
    visits = Visits(recorder, owner)
    visits.find(group)
    patient = patients.update(group, late=visits.late)
    encounter = visits.change(group, patient)
    chief_complaint(group, encounter)
    assert patient.id is not None
    if recorder.plan.event.diagnoses:
        conditions = Conditions(recorder, encounter, reference(patient))
        conditions.change(group, late=visits.late)
    recorder.put(encounter, patient.id)
    Observations(recorder, patient, reference(encounter)).of_visit(group, late=visits.late)


def _results(recorder: Recorder, group: Group, patient: fhir.Patient) -> None:
    if not group.orders:
        return
    observations = Observations(recorder, patient, _visit_of_results(recorder, group, patient))
    for order in group.orders:
        observations.report(order)


def _visit_of_results(recorder: Recorder, group: Group, patient: fhir.Patient) -> fhir.Reference | None:
    """Return the visit that results belong to; one that is not known yet is named by its number."""
    number = group.visit.identifiers[0] if group.visit and group.visit.identifiers else None
    if number is None:
        return None
    held = next(iter(recorder.find(fhir.Encounter, number.system, number.value)), None)
    if held is None:
        return fhir.Reference(type="Encounter", identifier=number)
    subject = held.resource.subject
    if subject is not None and subject.reference == reference(patient).reference:
        return reference(held.resource)
    recorder.tolerated["PV1-19 is a visit of another patient"] += 1
    return None


def _provenance(recorder: Recorder, owner: fhir.Reference) -> None:
    """Say where everything that was put came from: the message, its sender, its time, its event."""
    targets = list({each.reference: each for each in recorder.targets}.values())
    if not targets:
        return
    plan, tx = recorder.plan, recorder.tx
    message = fhir.Identifier(system=MESSAGE, value=recorder.message)
    event = fhir.Coding(system=f"{V2}0003", code=plan.event.event, display=plan.event.meaning)
    provenance = fhir.Provenance(
        id=tx.new_id(),
        target=targets,
        occurredDateTime=plan.sent.text if plan.sent else None,
        recorded=stamp(tx.at),
        activity=fhir.CodeableConcept(coding=[event]),
        agent=[fhir.ProvenanceAgent(type=_AUTHOR, who=owner)],
        entity=[fhir.ProvenanceEntity(role="source", what=fhir.Reference(identifier=message))],
    )
    recorder.put(provenance, *recorder.subjects)
