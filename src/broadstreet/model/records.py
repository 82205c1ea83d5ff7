"""Local records: the words of the city for which FHIR has none.

Each is one msgspec Struct, stored as an entry of type `bs/<Name>` and served under `/local/<Name>`.
Instants are ISO 8601 in UTC, days are the city's. Ids are random. Each docstring ends with how the
record would be told in FHIR R4.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Count = Annotated[int, msgspec.Meta(ge=0)]


class Record(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="type",
):
    """A local record; `type` in its JSON is the name of its class."""

    id: Name


class Stratum(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where in the city's counts: a stream (what), a place (where), a stratum (who)."""

    stream: Name
    place: Name
    stratum: Name = "all"


class Evidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One test that speaks for a signal: of a series on a day, or of an area over several days.

    `upper` is the bound that `observed` exceeded (of a silence: the bound that it fell below), `score` how
    strong the evidence is on the method's scale, `chance` how likely it is without an outbreak. `visits` are
    the ids of the Encounters that were counted. A test of several days begins `since`; one of an area names
    its `places`.
    """

    where: Stratum
    day: date
    observed: Count
    expected: float
    upper: float
    score: float | None = None
    chance: float | None = None
    method: Name
    visits: tuple[Name, ...] = ()
    since: date | None = None
    places: tuple[Name, ...] = ()


class Verdict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an officer says that a signal is: who, when, and why."""

    finding: Literal["verified", "dismissed"]
    by: Name
    at: datetime
    reason: Text


class Signal(Record, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="Signal"):
    """More illness than was expected, or a silent feed, with the evidence; verified, it is an alert.

    `status` is its life and follows from the counts: it is `opened`, is `growing` while the newest day still
    stands out, `fading` when that does not, `closed` after three quiet days, `withdrawn` when corrections
    have left no evidence. `verdict` is an officer's and no test takes it away. `where`, `observed` and
    `expected` are those of the strongest series; `evidence` has every test that speaks for the same visits.
    `joined` names the signal that a withdrawn one has become part of. `known` is the day on which it was
    first told: visits that come late may tell of days long over.

    In FHIR: a DetectedIssue whose `implicated` are the Encounters, or a Flag on the Location.
    """

    status: Literal["opened", "growing", "fading", "closed", "withdrawn"]
    kind: Literal["rise", "silence"] = "rise"
    where: Stratum
    since: date
    until: date
    observed: Count
    expected: float
    evidence: tuple[Evidence, ...] = ()
    verdict: Verdict | None = None
    joined: Name | None = None
    known: date | None = None

    @property
    def state(self) -> str:
        """The verdict where there is one, and else how it lives."""
        return self.verdict.finding if self.verdict else self.status


class Investigation(
    Record, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="Investigation"
):
    """The work that follows a signal: who looks at what, and what it turned out to be.

    In FHIR: a Task with `focus` on the signal and `output` for the finding.
    """

    status: Literal["open", "closed"]
    title: Text
    opened: datetime
    signals: tuple[Name, ...] = ()
    cases: tuple[Name, ...] = ()
    lead: Name | None = None
    closed: datetime | None = None
    finding: Text | None = None


class Intervention(
    Record, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="Intervention"
):
    """Something done against an outbreak, where and from when to when.

    In FHIR: a ServiceRequest (asked) and a Procedure (done).
    """

    status: Literal["planned", "active", "ended", "cancelled"]
    kind: Name
    start: datetime
    end: datetime | None = None
    place: Name | None = None
    investigation: Name | None = None
    note: Text | None = None


class Timer(Record, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="Timer"):
    """A moment that a workflow waits for; the scheduler marks it due, and no one else tells the time.

    `day` is set on the timer named "day-closed": the city's day that has just ended.
    In FHIR: the `restriction.period` of a Task.
    """

    name: Name
    due: datetime
    status: Literal["waiting", "due", "cancelled"]
    day: date | None = None
    about: Name | None = None


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Why an input was refused: where it is wrong, and what to do about it.

    `code` is of the protocol (for HL7 v2: table 0357); `segment`, `sequence`, `field`, `component`
    say where in an HL7 v2 message, `path` where in any other input.
    """

    reason: str
    code: str = "207"
    segment: str | None = None
    sequence: int | None = None
    field: int | None = None
    component: int | None = None
    path: str | None = None


class Quarantined(
    Record, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="Quarantined"
):
    """An input that could not be taken, kept whole until it is mended, sent again or discarded.

    `id` is the id of the raw entry and `cause` of this entry its `seq`; `verdict` is what the sender
    was told.
    In FHIR: an OperationOutcome beside the raw message in a Binary.
    """

    state: Literal["held", "released", "discarded"]
    source: str
    control_id: str
    kind: str
    verdict: str
    faults: tuple[Fault, ...]
    attempts: Annotated[int, msgspec.Meta(ge=1)]
    first: datetime
    last: datetime
    note: Text | None = None


class Delivery(
    Record, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="Delivery"
):
    """A side effect on its way to a counterpart: one record, a version for each step.

    `key` is the idempotency key that the counterpart is given; `payload` is an opaque text.
    In FHIR: a Communication, its `status` and `statusReason`.
    """

    state: Literal["waiting", "sent", "confirmed", "refused", "unknown", "dead"]
    counterpart: Name
    key: Name
    payload: str
    attempt: Count = 0
    next_at: datetime | None = None
    answer: str | None = None


class Access(Record, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="Access"):
    """Who read what about whom, and what for: one for each request, durable before it is answered.

    `query` has the names of search parameters, each with a keyed hash of what was asked for: so the same
    question is known again, and nobody's name is in it. `whom` are the residents (ids of Patients) that the
    answer is about. In FHIR: an AuditEvent, `purposeOfEvent` for the purpose and an `entity` for each
    resident.
    """

    who: Name
    kind: Literal["person", "client", "device"]
    purpose: Name
    action: Literal["read", "history", "search", "count", "records", "messages", "looked", "erase"]
    what: Name
    outcome: Literal["answered", "refused", "failed"]
    roles: tuple[Name, ...] = ()
    organisation: str = ""
    about: str = ""
    query: tuple[str, ...] = ()
    residents: Count = 0
    rows: Count = 0
    whom: tuple[Name, ...] = ()


class AccessRequest(
    Record, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="AccessRequest"
):
    """Somebody asks to see movements of the residents of an investigation; another person decides.

    Movements are read from `start` to `end` alone, and until `expires`, the close of the investigation or a
    withdrawal, whichever comes first.
    In FHIR: a Task whose `focus` is the Investigation, `restriction.period` the window, `owner` who decides.
    """

    status: Literal["asked", "approved", "refused", "withdrawn", "expired"]
    investigation: Name
    residents: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=1_000)]
    basis: Text
    start: datetime
    end: datetime
    expires: datetime
    asked_by: Name
    asked_at: datetime
    decided_by: str = ""
    decided_at: datetime | None = None
    reason: str = ""


class AccessNotice(
    Record, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="AccessNotice"
):
    """What a resident is to be told about an approved `AccessRequest`: that, why, by which right, until when.

    In FHIR: a Communication to the patient.
    """

    resident: Name
    request: Name
    basis: Text
    start: datetime
    end: datetime
    expires: datetime
    approved_at: datetime


class Erasure(
    Record, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="Erasure"
):
    """What was erased of a resident, by whom and by which right, and proof of it.

    `also` are the ids of records that were merged with theirs. `begun` is written before anything is removed,
    and `done` after it was looked for what is left. Removed were `keys`, the bodies of `entries` (`messages`
    of them as they came), and `rows` of the search index. Looked for were entries about the resident that can
    still be read (`readable`), and `words` that tell who they were (names, numbers, addresses) in the bytes
    of the files `searched`, found `traces` times.
    In FHIR: an AuditEvent with the action D.
    """

    state: Literal["begun", "done"]

    resident: Name
    also: tuple[Name, ...] = ()
    ordered_by: Name
    basis: Text
    at: datetime
    keys: Count = 0
    rows: Count = 0
    entries: Count = 0
    messages: Count = 0
    readable: Count = 0
    words: Count = 0
    traces: Count = 0
    searched: tuple[Name, ...] = ()


AnyRecord = (
    Signal | Investigation | Intervention | Timer | Quarantined | Delivery
    | Access | AccessRequest | AccessNotice | Erasure
)  # fmt: skip
_DECODER: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)
_ENCODER = msgspec.json.Encoder(order="deterministic")


def encode(record: Record) -> bytes:
    """Return the record as compact JSON, the same bytes for the same record."""
    return _ENCODER.encode(record)


def decode(body: bytes | str) -> AnyRecord:
    """Return the local record that `body` holds.

    Raises
    ------
    ValueError
        If the body is not a local record; the text says where and why.
    """
    try:
        return _DECODER.decode(body)
    except msgspec.MsgspecError as error:
        raise ValueError(f"not a local record: {error}") from error


def entry_type(record: Record | type[Record]) -> str:
    """Return the type under which the log keeps the record, such as `bs/Signal`."""
    kind = record if isinstance(record, type) else type(record)
    return f"bs/{kind.__name__}"
