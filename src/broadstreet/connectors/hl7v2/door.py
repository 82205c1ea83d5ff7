"""The door for HL7 v2: a message becomes a durable record, or is kept in quarantine with the reason.

Nothing is answered before it is durable. AA: mapped, or known already. AE: a type that is taken, but this
message cannot be mapped. AR: a type, event, version or processing id that is not taken. Only where there is
no room to keep a message is it refused (AE, 207) without being in quarantine: the sender still has it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import tzinfo
from hashlib import sha256
from typing import Any, Protocol

from broadstreet.connectors.hl7v2.acknowledge import Code, acknowledge, acknowledge_unread
from broadstreet.connectors.hl7v2.interpreting import Mapper, Refusal
from broadstreet.connectors.hl7v2.mapping import tables
from broadstreet.connectors.hl7v2.mapping.planning import Plan, plan
from broadstreet.connectors.hl7v2.mapping.recorder import Directory
from broadstreet.connectors.hl7v2.mapping.work import wants
from broadstreet.connectors.hl7v2.message import Message
from broadstreet.connectors.hl7v2.problems import ErrorCode, Location, Malformed, Problem
from broadstreet.connectors.hl7v2.unread import PROBLEM, UNREAD, unread
from broadstreet.model.clock import Clock
from broadstreet.model.ids import Ids
from broadstreet.model.records import Fault
from broadstreet.store.errors import StoreError
from broadstreet.store.inbox import Arrival, Receipt, Receive
from broadstreet.store.index import Indexer
from broadstreet.store.transaction import Transaction
from broadstreet.trust.senders import ANYBODY, Sender

MESSAGE_TYPE = "hl7v2/Message"
VERSIONS = frozenset(
    ["2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2"]
)
"""Versions whose ADT and ORU the tables can read. Source: HL7 table 0104."""

PROCESSING_IDS = frozenset("PTD")
"""Production, training, debugging. Source: HL7 table 0103; that a message whose MSH-11 is not appropriate for
the receiver is rejected (AR): HL7 v2.5.1 chapter 2, section 2.9.2."""

UNKNOWN = "this sender is not known here: ask who keeps the hub to let it in (broadstreet client add)"
_LONGEST_NAME = 200
_LONGEST_HEADER = 4_096
_ENTRIES_OF_A_SEGMENT = 2

_TYPICAL = "\r".join([
    r"MSH|^~\&|WARM|UP|||20260101080000+0000||ADT^A04^ADT_A01|1|P|2.5.1|||AL|NE||UNICODE UTF-8",
    "EVN|A04|20260101080000+0000",
    "PID|1||1^^^UP^MR||A^B||19700101|F|||1 Street^^Town^^1^GBR^H||||en",
    "PV1|1|E|ED^^^UP^^^^^Up||||1^C^^^^Dr||||||||||||1^^^UP^VN|||||||||||||||||||||||||20260101080000+0000",
    "PV2|||^fever",
    "DG1|1||J11.1^Influenza^I10||20260101080000+0000|W",
    "",
]).encode()  # fmt: skip
_ERROR_CODES = {code.value: code for code in ErrorCode}

_log = logging.getLogger(__name__)


class CannotTell(Exception):
    """It cannot be known who sends: the accounts cannot be read."""


Identify = Callable[[Any], Sender | None]
"""Returns who a peer is; None for nobody that is known. Raises `CannotTell`."""


class Commits(Protocol):
    """What a door needs of a committer."""

    async def committed(self, work: Receive) -> Receipt:
        """Return what became of a work, once that is durable.

        Raises
        ------
        StoreError
            If it could not be made durable.
        """
        ...


class AtHand(Protocol):
    """Is told which message is read, so that it can be known at which one a process ended."""

    def begin(self, raw: bytes, sender: object) -> None:
        """Take note of a message."""
        ...

    def end(self) -> None:
        """Take note that it has been read."""
        ...


class Nowhere:
    """Takes no note."""

    def begin(self, raw: bytes, sender: object) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""


NOWHERE = Nowhere()


class Door:
    """Takes HL7 v2 messages in; `handle` is the handler of an MLLP server.

    Parameters
    ----------
    committer, indexer
        Of the store that messages go to, in this process or in another.
    clock, ids
        For the acknowledgements.
    zone
        Zone of times without an offset.
    zones
        Zones of senders that differ, by the name of the sending facility (MSH-4.1).
    fallback, fallbacks
        Python codec for messages that state no character set and are not UTF-8; and of senders that differ.
    processing_ids
        Those of `PROCESSING_IDS` that are taken. A message of another environment is rejected (AR): stored, a
        trainee's patient would be merged with a real one of the same number, and counted.
    identify
        Tells who a peer is. Messages of nobody that is known, and of facilities that a sender may not speak
        for, are rejected (AR) and kept in quarantine under the address that they came from.
    directory
        What is known of facilities, places and clinicians; empty by default.
    at_hand
        Is told which message is read.
    barred
        The SHA-256 of messages that are not read: they are refused (AE), and are in quarantine already.

    Attributes
    ----------
    answered
        How many acknowledgements there were of each code (MSA-1).
    """

    def __init__(  # noqa: PLR0913 - what a deployment decides
        self,
        committer: Commits,
        indexer: Indexer,
        clock: Clock,
        ids: Ids,
        *,
        zone: tzinfo,
        zones: Mapping[str, tzinfo] = {},
        fallback: str = "latin-1",
        fallbacks: Mapping[str, str] = {},
        processing_ids: str = "PTD",
        identify: Identify = lambda _: ANYBODY,
        directory: Directory | None = None,
        at_hand: AtHand = NOWHERE,
        barred: Collection[bytes] = (),
    ) -> None:
        self._committer, self._indexer, self._clock, self._ids = committer, indexer, clock, ids
        self._zone, self._zones = zone, dict(zones)
        self._fallback, self._fallbacks = fallback, dict(fallbacks)
        self._processing_ids, self._identify = processing_ids, identify
        self._directory = directory or Directory()
        self._at_hand, self._barred = at_hand, barred
        self.answered: Counter[str] = Counter()

    async def handle(self, raw: bytes, peer: object) -> bytes:
        """Take a message in and return its acknowledgement, once what it says is true."""
        self._at_hand.begin(raw, peer)
        try:
            if self._barred and sha256(raw).digest() in self._barred:
                return self._answer_unread(raw)
            received, work = self.receive(raw, peer)
        except CannotTell as error:
            _log.error("senders cannot be told apart: %s", error)
            problem = Problem("the message was not stored; send it again later", ErrorCode.INTERNAL)
            return self._answer(raw, Code.ERROR, (problem,))
        finally:
            self._at_hand.end()
        try:
            receipt = await self._committer.committed(work)
        except StoreError as error:
            _log.error("a message could not be stored: %s", error)
            problem = Problem("the message could not be stored; send it again", ErrorCode.INTERNAL)
            return self._answer(received, Code.ERROR, (problem,))
        if receipt.state == "refused":
            problems = tuple(_problem(fault) for fault in receipt.faults)
            return self._answer(received, Code(receipt.verdict), problems)
        return self._answer(received, Code.ACCEPT, ())

    def receive(self, raw: bytes, peer: object = None) -> tuple[Message | bytes, Receive]:
        """Read a message and return it with the work of taking it in, to be committed.

        Raises
        ------
        CannotTell
            If it cannot be known who sends.
        """
        return self._read(raw, peer, self._identify(peer))

    def _read(self, raw: bytes, peer: object, sender: Sender | None) -> tuple[Message | bytes, Receive]:
        try:
            message = self._parsed(raw)
        except Malformed as malformed:
            unknown = _header_fault(3, ErrorCode.INTERNAL, UNKNOWN) if sender is None else None
            arrival, fault = _from_address(raw, peer), unknown or _fault(malformed)
            return raw, Receive(arrival, Refusal("AR" if unknown else "AE", fault), weight=2)
        if (refused := _not_from(message, sender)) is not None:
            return message, Receive(_from_address(raw, peer, message), Refusal("AR", refused), weight=2)
        assert sender is not None
        try:
            return message, self._receive(message, sender.name)
        except Malformed as malformed:
            arrival = _arrival(message, None, sender.name)
            return message, Receive(arrival, Refusal("AE", _fault(malformed)), weight=2)

    def unread(self, raw: bytes, address: str) -> Receive:
        """Return the work of keeping a message from an address in quarantine without reading it."""
        return unread(Arrival(MESSAGE_TYPE, f"hl7v2:{address}"[:_LONGEST_NAME], _number_of(raw), raw, UNREAD))

    def adopt(self, work: Receive) -> Receive:
        """Return a work that a door in another process has read, carried out with what is known here."""
        if isinstance(work.interpret, Mapper):
            work.interpret.directory = self._directory
        return work

    def warm_up(self) -> None:
        """Make what is made at its first use, before the first sender has to wait for it."""
        message, _ = self._read(_TYPICAL, None, ANYBODY)
        acknowledge(message, Code.ACCEPT, now=self._clock.now(), control_id=self._ids.new())

    def text_of(self, raw: bytes) -> str:
        """Return the text of a message in the characters of its sender, or what can be made of it."""
        try:
            return self._parsed(raw).text
        except Malformed:
            return raw.decode("utf-8", "backslashreplace")

    def interpret(self, tx: Transaction, arrival: Arrival, cause: int) -> None:
        """Map a message that is in the store already: for what waits in quarantine.

        Raises
        ------
        Refused
            If it cannot be mapped.
        """
        _, work = self._read(arrival.body, None, ANYBODY)  # an operator answers for it
        work.interpret(tx, arrival, cause)

    def _parsed(self, raw: bytes) -> Message:
        """Read a message; the sender's name tells what its characters mean where it does not say."""
        own = self._fallbacks.get(_facility_of(raw), self._fallback) if self._fallbacks else self._fallback
        return Message.parse(raw, fallback=own)

    def _receive(self, message: Message, actor: str) -> Receive:
        refused = _not_taken(message, self._processing_ids)
        if refused is not None:
            return Receive(_arrival(message, None, actor), Refusal("AR", refused), weight=2)
        made = plan(message, tables.events()[_kind(message)], self._zone_of(message))
        arrival = _arrival(message, made, actor)
        if made.findings.faults:
            return Receive(arrival, Refusal("AE", *made.findings.faults), weight=2)
        reads = wants(made, self._indexer, self._directory)
        weight = 8 + _ENTRIES_OF_A_SEGMENT * sum(
            len(each.diagnoses) + len(each.observed) + sum(len(order.results) for order in each.orders)
            for each in made.groups
        )
        return Receive(arrival, Mapper(made, self._directory), reads, weight)

    def _zone_of(self, message: Message) -> tzinfo:
        if not self._zones:
            return self._zone
        return self._zones.get(message.header.value("4.1") or "", self._zone)

    def _answer(self, received: Message | bytes, code: Code, problems: tuple[Problem, ...]) -> bytes:
        self.answered[code.value] += 1
        return acknowledge(
            received, code, now=self._clock.now(), control_id=self._ids.new(), problems=problems
        )

    def _answer_unread(self, raw: bytes) -> bytes:
        self.answered[Code.ERROR.value] += 1
        now, id = self._clock.now(), self._ids.new()
        return acknowledge_unread(raw, Code.ERROR, now=now, control_id=id, problems=(PROBLEM,))


def _facility_of(raw: bytes) -> str:
    """Return MSH-4.1 of a message that cannot be decoded yet; empty unless it is plain."""
    fields = raw.lstrip()[:_LONGEST_HEADER].split(raw.lstrip()[3:4] or b"|", 4)
    if len(fields) < 5 or len(fields[1]) < 1:
        return ""
    return fields[3].split(fields[1][:1], 1)[0].decode("ascii", "replace").strip()


def _kind(message: Message) -> tuple[str, str]:
    kind, event = message.kind
    if not event and kind == "ORU":
        event = "R01"  # version 2.1 had no other
    if not event and kind == "ADT":
        first = message.first("EVN")
        event = (first.value("1") or "") if first is not None else ""
    return kind, event


def _not_taken(message: Message, processing_ids: str) -> Fault | None:
    """Say why a message of this type, version or processing id is not taken; None if it is."""
    if not message.control_id:
        return _header_fault(10, ErrorCode.REQUIRED_FIELD_MISSING, "MSH-10 must hold a control id")
    version = (message.header.value("12.1") or "").strip()
    if version not in VERSIONS:
        return _header_fault(
            12, ErrorCode.UNSUPPORTED_VERSION, f"version must be 2.1 to 2.8.2 (is {version[:20]!r})"
        )
    processing = (message.header.value("11.1") or "").strip()
    if processing not in PROCESSING_IDS or processing not in processing_ids:
        reason = (
            f"processing id must be {' or '.join(processing_ids)} (is {processing[:20]!r});"
            " send training and debugging messages to a hub for practice"
        )
        return _header_fault(11, ErrorCode.UNSUPPORTED_PROCESSING_ID, reason)
    return _event_not_taken(*_kind(message))


def _event_not_taken(kind: str, event: str) -> Fault | None:
    row = tables.events().get((kind, event))
    if row is None and kind not in {each for each, _ in tables.events()}:
        reason = f"message type {kind[:20]!r} is not taken; ADT and ORU are"
        return _header_fault(9, ErrorCode.UNSUPPORTED_MESSAGE_TYPE, reason)
    if row is None:
        reason = f"event {kind}^{event[:20]} is not taken"
        return _header_fault(9, ErrorCode.UNSUPPORTED_EVENT, reason)
    if row.patient == "refuse":
        reason = f"event {kind}^{event} ({row.meaning}) is not taken: {row.remark}"
        return _header_fault(9, ErrorCode.UNSUPPORTED_EVENT, reason)
    return None


def _header_fault(field: int, code: ErrorCode, reason: str) -> Fault:
    return Fault(segment="MSH", sequence=1, field=field, code=code.value, reason=reason)


def _not_from(message: Message, sender: Sender | None) -> Fault | None:
    """Say why a message may not come from who sent it; None if it may."""
    if sender is None:
        return _header_fault(3, ErrorCode.INTERNAL, UNKNOWN)
    if sender.speaks_for(message.sender[1]):
        return None
    reason = "this sender may not speak for the facility of MSH-4: ask who keeps the hub to allow it"
    return _header_fault(4, ErrorCode.INTERNAL, reason)


def _arrival(message: Message, made: Plan | None, actor: str) -> Arrival:
    application, facility = message.sender
    kind = "^".join(part for part in message.kind if part)
    return Arrival(
        type=MESSAGE_TYPE,
        source=f"hl7v2:{application}|{facility}"[:_LONGEST_NAME],
        control_id=message.control_id[:_LONGEST_NAME] or _number_of(message.raw),
        body=message.raw,
        kind=kind[:_LONGEST_NAME],
        sent=made.sent.micros if made and made.sent else None,
        actor=actor,
        tolerated=dict(made.findings.tolerated if made else message.tolerated),
    )


def _from_address(raw: bytes, peer: object, message: Message | None = None) -> Arrival:
    """Return an arrival whose sender is not known by what it says."""
    address = getattr(peer, "address", None) or "unknown"
    number = message.control_id[:_LONGEST_NAME] if message is not None else ""
    return Arrival(MESSAGE_TYPE, f"hl7v2:{address}"[:_LONGEST_NAME], number or _number_of(raw), raw)


def _number_of(raw: bytes) -> str:
    """Return a control id for a message that has none: its own digest, so that a resend is known again."""
    return f"sha256-{sha256(raw).hexdigest()[:32]}"


def _fault(malformed: Malformed) -> Fault:
    return Fault(
        segment=malformed.segment,
        sequence=malformed.sequence,
        field=malformed.field,
        code=malformed.code.value,
        reason=malformed.reason,
    )


def _problem(fault: Fault) -> Problem:
    place: Any = None
    if fault.segment is not None:
        place = Location(fault.segment, fault.sequence or 1, fault.field, None, fault.component)
    return Problem(fault.reason, _ERROR_CODES[fault.code], place)
