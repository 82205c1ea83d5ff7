"""One message inside a transaction: find what is known, put what is new, remember who and what was meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from broadstreet.connectors.hl7v2.mapping.moments import Moment, at
from broadstreet.connectors.hl7v2.mapping.planning import Plan
from broadstreet.connectors.hl7v2.problems import ErrorCode
from broadstreet.model import fhir
from broadstreet.model.records import Fault
from broadstreet.store.entry import Draft, Entry, Labels
from broadstreet.store.inbox import Arrival, Refused
from broadstreet.store.transaction import Transaction
from broadstreet.trust.labels import district_of, labels_of

SOURCE = "hl7v2.map@1"

_FARTHEST_AHEAD = 24 * 3600 * 1_000_000  # microseconds; a sender's clock that is further ahead is wrong

_LONGEST_REMEMBERED = 500
_CERTAINLY_READABLE = 2**20  # bytes: no text in so small a resource is longer than FHIR allows

Kind = TypeVar("Kind", bound=Any)


@dataclass(frozen=True, slots=True)
class Held:
    """A resource as the log has it, decoded."""

    entry: Entry
    resource: Any


class Directory:
    """Who and where does not change from message to message: facilities, places, clinicians.

    Only what a commit has made durable is remembered, so a commit that failed leaves nothing behind.
    """

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        self._known: dict[tuple[str, str, str], fhir.Reference] = {}

    def reference(self, key: tuple[str, str, str]) -> fhir.Reference | None:
        """Return the reference to what has this type, system and value, if it is remembered."""
        return self._known.get(key)

    def knows(self, key: tuple[str, str, str], *, named: bool = True) -> bool:  # noqa: ARG002
        """Tell whether what has this type, system and value is remembered; who has no name never is."""
        return key in self._known

    def remember(self, key: tuple[str, str, str], reference: fhir.Reference) -> None:
        """Remember something that is durable."""
        if len(key[2]) > _LONGEST_REMEMBERED:
            return
        if len(self._known) >= self._most:
            self._known.clear()
        self._known[key] = reference


class Recorder:
    """Puts the resources of one message, and notes them for its Provenance."""

    def __init__(
        self, tx: Transaction, arrival: Arrival, cause: int, plan: Plan, directory: Directory
    ) -> None:
        self.tx, self.arrival, self.cause, self.plan = tx, arrival, cause, plan
        self.directory = directory
        self.tolerated: Counter[str] = Counter()
        self.targets: list[fhir.Reference] = []
        self.subjects: dict[str, None] = {}
        self.organisation = ""
        self.districts: dict[str, str] = {}
        self.message = self._message_id()
        self._ordinal = 0
        self._first = tx.batch.entries[0].seq if tx.batch.entries else cause
        self.happened = self._believable(plan.occurred, plan.recorded, plan.sent)
        self.as_of = at(self._believable(plan.recorded, plan.sent).micros).text

    def _believable(self, *stated: Moment | None) -> Moment:
        """Return the first time that is stated and does not lie in the future; the commit's otherwise."""
        latest = self.tx.at + _FARTHEST_AHEAD
        return next((each for each in stated if each and each.micros <= latest), None) or at(self.tx.at)

    def _message_id(self) -> str:
        """Return the id of the raw entry: the newest of the batch, unless it came in before."""
        newest = self.tx.batch.entries[-1:]
        if newest and newest[0].seq == self.cause:
            return newest[0].id
        entries = self.tx.with_prefix(self.arrival.source, self.arrival.key)
        return next(entry.id for entry in entries if entry.seq == self.cause)

    def find(self, type: type[Kind], system: str | None, value: str | None) -> list[Held]:
        """Return the resources that have this identifier, oldest first."""
        if not value:
            return []
        found = [self.held(entry) for entry in self.tx.find(type.__name__, "identifier", system, value)]
        return [
            each
            for each in found
            if isinstance(each.resource, type)
            and any(i.system == system and i.value == value for i in each.resource.identifier or ())
        ]

    def load(self, type: type[Kind], id: str) -> Held | None:
        """Return a resource by its id."""
        entry = self.tx.current(f"fhir/{type.__name__}", id)
        return None if entry is None else self.held(entry)

    def survivor(self, held: Held) -> Held:
        """Follow the links of merges to the patient that is still there."""
        passed: set[str] = set()
        while held.resource.id not in passed:
            passed.add(held.resource.id)
            link = next((x for x in held.resource.link or () if x.type == "replaced-by"), None)
            into = self.load(fhir.Patient, id_of(link.other)) if link is not None else None
            if into is None:
                break
            held = into
        return held

    def survivors(self, found: list[Held]) -> list[Held]:
        """Return whom several records mean: those that took over have all numbers of those they replaced."""
        return [held for held in found if not _is_replaced(held)] or [self.survivor(held) for held in found]

    def belongs_to(self, subject: fhir.Reference | None, patient: fhir.Reference) -> bool:
        """Tell whether a subject is this patient, or was merged into them."""
        if subject is None or subject.reference == patient.reference:
            return True
        before = self.load(fhir.Patient, id_of(subject))
        return before is not None and self.survivor(before).resource.id == id_of(patient)

    def held(self, entry: Entry) -> Held:
        """Decode a resource that the log has."""
        assert entry.body is not None
        return Held(entry, fhir.decode(entry.body))

    def put(self, resource: Any, *subjects: str) -> bool:
        """Put a resource; return whether that changed anything."""
        type = resource.__class__.__name__
        body = fhir.encode(resource)
        if len(body) > _CERTAINLY_READABLE:
            _check(resource)
        draft = Draft(
            type=f"fhir/{type}",
            id=resource.id,
            body=body,
            source=SOURCE,
            key=f"{self.cause}:{self._ordinal}",
            subjects=subjects,
            actor=self.arrival.by,
            cause=self.cause,
            rows=self.tx.indexer.rows(resource),
            labels=self._labels(resource, subjects),
        )
        self._ordinal += 1
        if self.tx.put(draft) is None:
            return False
        self.targets.append(reference(resource))
        self.subjects.update(dict.fromkeys(subjects))
        return True

    def lives(self, patient: fhir.Patient) -> None:
        """Note where a patient lives: it is a label of all that is put about them."""
        assert patient.id is not None
        self.districts[patient.id] = district_of(patient)

    def _labels(self, resource: Any, subjects: tuple[str, ...]) -> Labels:
        district = self.districts.get(subjects[0], "") if len(subjects) == 1 else ""
        return labels_of(resource, self.tx.indexer, organisation=self.organisation, district=district)

    def settled(
        self, type: type[Kind], system: str, value: str, make: Callable[[str], Kind]
    ) -> fhir.Reference:
        """Return a reference to what has this identifier; `make` builds it with a given id if it is new.

        The first name stands: senders write one person's name in many ways, and none is a correction.
        """
        key = (type.__name__, system, value)
        known = self.directory.reference(key)
        if known is not None:
            return known
        held = next(iter(self.find(type, system, value)), None)
        if held is not None and held.resource.name:
            refers = reference(held.resource)
            if held.entry.seq < self._first:
                self.directory.remember(key, refers)
            return refers
        resource = make(held.resource.id if held else self.tx.new_id())
        if held is None or resource.name:
            self.put(resource)
        return reference(resource)

    def refuse(self, segment: str, field: int, code: str, reason: str) -> Refused:
        """Return the verdict on a message that speaks of someone or something that cannot be."""
        fault = Fault(segment=segment, sequence=1, field=field, code=code, reason=reason)
        return Refused("AE", (fault,))


def _check(resource: Any) -> None:
    """Refuse what could be written but never be read again.

    Raises
    ------
    Refused
        If the resource is not valid.
    """
    try:
        fhir.validate(resource)
    except fhir.Invalid as invalid:
        fault = Fault(path=invalid.path, code=ErrorCode.VALUE_TOO_LONG.value, reason=str(invalid))
        raise Refused("AE", (fault,)) from None


def reference(resource: Any) -> fhir.Reference:
    """Return a reference to a resource."""
    return fhir.Reference(reference=f"{resource.__class__.__name__}/{resource.id}")


def _is_replaced(held: Held) -> bool:
    return any(link.type == "replaced-by" for link in held.resource.link or ())


def id_of(refers: fhir.Reference | None) -> str:
    """Return the id that a reference ends with."""
    return (refers.reference or "").rpartition("/")[2] if refers is not None else ""
