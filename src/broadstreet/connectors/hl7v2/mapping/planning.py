"""Read a message into a plan: all that can be said about it before the store is asked.

A plan is made outside of the transaction. It holds what each segment says, already converted, in groups:
a patient (PID) with what follows it, and within that the results of an order (OBR).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import tzinfo

from broadstreet.connectors.hl7v2.mapping import datatypes
from broadstreet.connectors.hl7v2.mapping.datatypes import Clinician, Level
from broadstreet.connectors.hl7v2.mapping.moments import Moment, moment
from broadstreet.connectors.hl7v2.mapping.reading import (
    LONGEST_FACILITY,
    Findings,
    Line,
    Reading,
    Wrong,
    reading,
)
from broadstreet.connectors.hl7v2.mapping.results import Diagnosis, Order, Result, diagnosis, order, result
from broadstreet.connectors.hl7v2.mapping.rules import Said, read, rules
from broadstreet.connectors.hl7v2.mapping.tables import Event
from broadstreet.connectors.hl7v2.message import Message
from broadstreet.connectors.hl7v2.problems import ErrorCode
from broadstreet.connectors.hl7v2.segment import NULL
from broadstreet.model import fhir

# Source: http://terminology.hl7.org/CodeSystem/v3-ParticipationType
PARTICIPANTS = ((7, "ATND"), (8, "REF"), (9, "CON"), (17, "ADM"))

MOST_REPETITIONS = 10_000
"""Signs in one message that part the repetitions of fields: each may become a resource or a look-up."""


@dataclass(slots=True)
class Visit:
    """What PV1 and PV2 say; `former` is the number it had (MRG-5). No clinicians: they are removed."""

    said: Said = field(default_factory=list)
    identifiers: list[fhir.Identifier] = field(default_factory=list)
    place: tuple[Level, ...] = ()
    clinicians: list[tuple[str, tuple[Clinician, ...]]] = field(default_factory=list)
    former: fhir.Identifier | None = None


@dataclass(slots=True)
class Group:
    """A patient and what a message says about them."""

    line: Line
    said: Said
    identifiers: list[fhir.Identifier]
    account: fhir.Identifier | None = None
    contacts: list[fhir.PatientContact] = field(default_factory=list)
    former: list[fhir.Identifier] = field(default_factory=list)
    visit: Visit | None = None
    diagnoses: list[Diagnosis] = field(default_factory=list)
    observed: list[Result] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    """A message, read.

    Parameters
    ----------
    sent, recorded, occurred : MSH-7, EVN-2, EVN-6; None where not stated
    """

    event: Event
    reading: Reading
    findings: Findings
    sent: Moment | None
    recorded: Moment | None = None
    occurred: Moment | None = None
    groups: list[Group] = field(default_factory=list)


def plan(message: Message, event: Event, zone: tzinfo) -> Plan:
    """Read a message; what makes it impossible to map is in the plan's `findings.faults`."""
    header = message.header
    findings = Findings(message.tolerated)
    facility = header[4].whole or header[3].whole
    if len(facility) > LONGEST_FACILITY:
        wrong = Wrong(f"MSH-4 may have {LONGEST_FACILITY} characters", ErrorCode.VALUE_TOO_LONG)
        findings.refuse("MSH", 4, wrong)
    feed = reading(message.delimiters, message.codec, zone, facility[:LONGEST_FACILITY])
    if not feed.facility_name:
        wrong = Wrong("MSH-4 must name the sending facility", ErrorCode.REQUIRED_FIELD_MISSING)
        findings.refuse("MSH", 4, wrong)
    made = Plan(event, feed, findings, _time("MSH", 7, header.value("7.1") or "", zone, findings))
    repetitions = message.text.count(message.delimiters.repetition or "\r\r")
    if repetitions > MOST_REPETITIONS:
        reason = f"the fields may have {MOST_REPETITIONS} repetitions in all (have {repetitions})"
        findings.refuse("MSH", None, Wrong(reason, ErrorCode.VALUE_TOO_LONG))
        return made
    lines = _lines(message)
    _require(event, {line.name for line in lines}, findings)
    _Reader(made).read(lines)
    _require_former(made)
    _account_for_the_rest(made)
    return made


def _lines(message: Message) -> list[Line]:
    """Return the segments that the mapping reads, in order."""
    separator = message.delimiters.field
    counted: dict[str, int] = {}
    lines = []
    for text in message.text.split("\r"):
        name = text[:3]
        if name in _SEGMENTS:
            sequence = counted[name] = counted.get(name, 0) + 1
            lines.append(Line(name, sequence, text.split(separator)))
    return lines


def _require(event: Event, present: set[str], findings: Findings) -> None:
    for name in event.needs:
        if name not in present:
            reason = f"{event.message}^{event.event} must have a {name} segment"
            findings.refuse(name, None, Wrong(reason, ErrorCode.SEGMENT_SEQUENCE))


def _require_former(made: Plan) -> None:
    """See that each patient who takes another's place, or another number, says whose."""
    if made.event.patient in {"merge", "rename"} and not all(group.former for group in made.groups):
        reason = "each PID must be followed by an MRG whose MRG-1 names the patient's former number"
        made.findings.refuse("MRG", 1, Wrong(reason, ErrorCode.REQUIRED_FIELD_MISSING))


def _account_for_the_rest(made: Plan) -> None:
    """Refuse or count what has no place in the message, so that nothing goes unnoticed."""
    event, findings = made.event, made.findings
    for group in made.groups:
        if event.visit == "refer" and group.observed:
            wrong = Wrong("OBX must follow an OBR: a result belongs to an order", ErrorCode.SEGMENT_SEQUENCE)
            findings.refuse(group.observed[0].line, None, wrong)
        elif event.visit not in {"ignore", "refer"} and group.visit is None:
            if group.diagnoses or group.observed:
                reason = "with DG1 or OBX there must be a PV1: they belong to a visit"
                findings.refuse("PV1", None, Wrong(reason, ErrorCode.SEGMENT_SEQUENCE))
        elif event.visit == "ignore" and (group.diagnoses or group.observed):
            findings.tolerate(f"DG1 or OBX of {event.message}^{event.event} left out")


def _time(name: str, number: int, text: str, zone: tzinfo, findings: Findings) -> Moment | None:
    try:
        return moment(text.strip(), zone)
    except Wrong as wrong:
        findings.refuse(name, number, wrong)
        return None


class _Reader:
    """Goes through the segments in order and knows which patient and which order they belong to."""

    def __init__(self, made: Plan) -> None:
        self.plan, self.feed, self.findings = made, made.reading, made.findings
        self.order: Order | None = None
        self.result: Result | None = None
        self.has_visit = False

    @property
    def group(self) -> Group:
        return self.plan.groups[-1]

    def read(self, lines: list[Line]) -> None:
        """Read each segment; one that belongs to a patient says nothing before the first PID."""
        for line in lines:
            if self.plan.groups or line.name in {"EVN", "PID"}:
                _SEGMENTS[line.name](self, line)

    def said(self, resource: str, line: Line) -> Said:
        return read(rules(resource, line.name), line, self.feed, self.findings)

    def event(self, line: Line) -> None:
        zone = self.feed.zone
        self.plan.recorded = _time("EVN", 2, self.feed.first(line.raw(2)), zone, self.findings)
        self.plan.occurred = _time("EVN", 6, self.feed.first(line.raw(6)), zone, self.findings)

    def patient(self, line: Line) -> None:
        found = datatypes.identifiers(line.raw(3), self.feed)
        if not found and (older := line.raw(2) or line.raw(4)):
            self.findings.tolerate("PID-3 empty, PID-2 or PID-4 taken")
            found = datatypes.identifiers(older, self.feed)
        if not found:
            wrong = Wrong("PID-3 must hold an identifier of the patient", ErrorCode.REQUIRED_FIELD_MISSING)
            self.findings.refuse(line, 3, wrong)
        account = datatypes.identifier(line.raw(18), self.feed, "AN")
        self.plan.groups.append(Group(line, self.said("Patient", line), found, account))
        self.order = self.result = None
        self.has_visit = False

    def contact(self, line: Line) -> None:
        contact = fhir.PatientContact()
        for rule, value in self.said("PatientContact", line):
            rule.put(contact, value)
        if contact.name or contact.address or contact.telecom:
            self.group.contacts.append(contact)

    def former(self, line: Line) -> None:
        self.group.former += datatypes.identifiers(line.raw(1) or line.raw(4), self.feed)
        number = datatypes.identifier(line.raw(5), self.feed, "VN")
        if number is not None:
            self.group.visit = self.group.visit or Visit()
            self.group.visit.former = number

    def visit(self, line: Line) -> None:
        if self.has_visit:  # as in A45: several visits of one patient
            one = self.group
            self.plan.groups.append(
                Group(one.line, one.said, one.identifiers, one.account, former=one.former)
            )
        self.has_visit = True
        numbers = [datatypes.identifier(line.raw(19), self.feed, "VN")]
        numbers += datatypes.identifiers(line.raw(50), self.feed)
        self.group.visit = Visit(
            self.said("Encounter", line),
            [each for each in numbers if each is not None],
            datatypes.place(line.raw(3), self.feed),
            [
                (role, datatypes.clinicians(raw, self.feed) if raw != NULL else ())
                for number, role in PARTICIPANTS
                if (raw := line.raw(number))
            ],
            self.group.visit.former if self.group.visit else None,
        )

    def visit_more(self, line: Line) -> None:
        if self.group.visit is not None:
            self.group.visit.said += self.said("Encounter", line)

    def diagnosed(self, line: Line) -> None:
        found = diagnosis(line, self.said("Condition", line), self.feed, self.findings)
        if found is not None:
            self.group.diagnoses.append(found)

    def ordered(self, line: Line) -> None:
        self.result = None
        if self.plan.event.visit != "refer":
            self.findings.tolerate(f"OBR in {self.plan.event.message} left out")
            return
        self.order = order(line, self.said("DiagnosticReport", line), self.feed, self.findings)
        self.group.orders.append(self.order)

    def observed(self, line: Line) -> None:
        results = self.order.results if self.order is not None else self.group.observed
        said = self.said("Observation", line)
        self.result = result(line, said, self.order, results, self.feed, self.findings)

    def note(self, line: Line) -> None:
        about = self.result or self.order
        if about is None:
            self.findings.tolerate("NTE that is not about an order or result left out")
        elif text := self.feed.words(line.raw(3)):
            about.notes.append(text)


_SEGMENTS: dict[str, Callable[[_Reader, Line], None]] = {
    "DG1": _Reader.diagnosed,
    "EVN": _Reader.event,
    "MRG": _Reader.former,
    "NK1": _Reader.contact,
    "NTE": _Reader.note,
    "OBR": _Reader.ordered,
    "OBX": _Reader.observed,
    "PID": _Reader.patient,
    "PV1": _Reader.visit,
    "PV2": _Reader.visit_more,
}
