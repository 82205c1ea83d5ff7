"""What every door shares: idempotency, quarantine, and the state of each feed.

A door hands in an `Arrival` and an `interpret` function that maps it to resources. In one commit
the raw message becomes an entry, and either what was mapped from it (with `cause`), or a
`Quarantined` record. Only then does the door answer its sender.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Literal

import msgspec

from broadstreet.model import records
from broadstreet.model.clock import instant
from broadstreet.model.records import Fault, Quarantined
from broadstreet.store.entry import Draft, Entry
from broadstreet.store.tables import Increment, Table
from broadstreet.store.transaction import Transaction, Wants

FEED = Table(
    "feed",
    {
        "source": "text",
        "messages": "integer",
        "accepted": "integer",
        "refused": "integer",
        "duplicates": "integer",
        "reused": "integer",
        "bytes": "integer",
        "late_sum": "integer",  # milliseconds from the sender's time to ours, over late_n messages
        "late_n": "integer",
        "last_at": "integer",
        "last_sent": "integer",
    },
    key=("source",),
)
TOLERATED = Table("tolerated", {"source": "text", "what": "text", "n": "integer"}, key=("source", "what"))
TABLES = (FEED, TOLERATED)

LATEST_MS = 30 * 86_400_000
"""Lateness counts as 30 days at most: a wrong clock must not drown the others."""

MOST_CONTROL_ID = 200
"""So much of a control id goes into the key (MSH-10 has at most 199 characters since HL7 v2.7)."""

_QUARANTINED = records.entry_type(Quarantined)


class Refused(Exception):
    """An arrival cannot be mapped; `verdict` is the protocol's word for it, `faults` say where and why."""

    def __init__(self, verdict: str, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(fault.reason for fault in faults))
        self.verdict, self.faults = verdict, faults


@dataclass(frozen=True)
class Arrival:
    """A message as it came: who says to have sent it (`source`) as what (`control_id`), when by its own word,
    and who is known to have brought it (`actor`, empty if nobody asked).
    """

    type: str
    source: str
    control_id: str
    body: bytes
    kind: str = ""
    sent: int | None = None
    actor: str = ""
    tolerated: Mapping[str, int] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """What the keys of all messages with this control id begin with."""
        return f"{self.control_id[:MOST_CONTROL_ID]}:"

    @property
    def by(self) -> str:
        """Who it comes from, as far as that is known."""
        return self.actor or self.source

    @cached_property
    def key(self) -> str:
        """Control id and SHA-256: the same message has the same key, another one with its number has not."""
        return f"{self.prefix}{sha256(self.body).hexdigest()}"


@dataclass(frozen=True)
class Receipt:
    """What became of an arrival; whoever holds one may answer the sender: it is durable."""

    state: Literal["accepted", "duplicate", "refused"]
    seq: int
    id: str
    verdict: str = ""
    faults: tuple[Fault, ...] = ()
    attempts: int = 1


Interpret = Callable[[Transaction, Arrival, int], None]
"""Maps an arrival: puts resources with `cause` = the raw entry's seq; raises `Refused` if it cannot."""


@dataclass(frozen=True)
class Receive:
    """The work of taking one arrival in."""

    arrival: Arrival
    interpret: Interpret
    reads: Wants = field(default_factory=Wants)
    weight: int = 8

    @property
    def size(self) -> int:
        """About how many bytes it will add."""
        return 4 * len(self.arrival.body)

    def wants(self) -> Wants:
        """Say what it will read."""
        arrival = self.arrival
        return Wants(
            keys=(*self.reads.keys, (arrival.source, arrival.key)),
            prefixes=(*self.reads.prefixes, (arrival.source, arrival.prefix)),
            resources=self.reads.resources,
            tokens=self.reads.tokens,
        )

    def apply(self, tx: Transaction) -> Receipt:
        """Take the arrival in, once however often it is sent."""
        arrival = self.arrival
        seen = tx.known(arrival.source, arrival.key)
        if seen is None:
            reused = any(
                len(e.key) == len(arrival.key) for e in tx.with_prefix(arrival.source, arrival.prefix)
            )
            receipt = _take(tx, arrival, self.interpret)
            _count(tx, arrival, receipt, reused=reused)
            return receipt
        raw = _entry(tx, arrival.source, arrival.key)
        receipt = _take_again(tx, arrival, raw, self.interpret)
        _count(tx, arrival, receipt, reused=False)
        return receipt


@dataclass(frozen=True)
class Retry:
    """The work of mapping a quarantined message again, as it is or as it was mended."""

    raw: Entry
    held: Quarantined
    interpret: Interpret
    mended: bytes | None = None
    weight: int = 8

    @property
    def size(self) -> int:
        """About how many bytes it will add."""
        return 4 * len(self.mended or self.raw.body or b"")

    def wants(self) -> Wants:
        """Say what it will read."""
        return Wants(resources=((_QUARANTINED, self.held.id),))

    def apply(self, tx: Transaction) -> Receipt:
        """Map the message; release it from quarantine if that succeeds.

        A mended text becomes an entry of its own, caused by the message that it mends.

        Raises
        ------
        ValueError
            If the message is no longer in quarantine, or the mended text is another message's.
        """
        raw, held = self.raw, _still_held(tx, self.held.id)
        body = raw.body or b"" if self.mended is None else self.mended
        arrival = Arrival(raw.type, held.source, held.control_id, body, held.kind)
        seq = raw.seq if arrival.key == raw.key else _mend(tx, arrival, raw)
        return _interpret(tx, arrival, seq, (held.id, raw.seq), self.interpret)


@dataclass(frozen=True)
class Discard:
    """The work of taking a message out of quarantine for good; it stays in the log."""

    id: str
    note: str
    weight: int = 1
    size: int = 500

    def wants(self) -> Wants:
        """Say what it will read."""
        return Wants(resources=((_QUARANTINED, self.id),))

    def apply(self, tx: Transaction) -> Quarantined:
        """Mark the message as discarded.

        Raises
        ------
        ValueError
            If nothing in quarantine has the id, or the note is empty or too long for a record.
        """
        held = _still_held(tx, self.id)
        discarded = _changed(held, tx, state="discarded", note=self.note)
        records.decode(records.encode(discarded))  # a record that cannot be read must not get in
        entry = tx.current(_QUARANTINED, self.id)
        _keep(tx, discarded, entry.cause if entry else None)
        return discarded


def _take(tx: Transaction, arrival: Arrival, interpret: Interpret) -> Receipt:
    id = tx.new_id()
    seq = tx.append(_raw_draft(arrival, id))
    assert seq is not None
    return _interpret(tx, arrival, seq, (id, seq), interpret)


def _raw_draft(arrival: Arrival, id: str, cause: int | None = None) -> Draft:
    return Draft(
        type=arrival.type,
        id=id,
        body=arrival.body,
        source=arrival.source,
        key=arrival.key,
        actor=arrival.by,
        cause=cause,
    )


def _mend(tx: Transaction, arrival: Arrival, raw: Entry) -> int:
    seq = tx.append(_raw_draft(arrival, tx.new_id(), cause=raw.seq))
    if seq is not None:
        return seq
    there = _entry(tx, arrival.source, arrival.key)
    if there.cause != raw.seq:
        raise ValueError("the mended text is that of a message which came in by itself: discard this one")
    return there.seq  # the same text was tried before


def _take_again(tx: Transaction, arrival: Arrival, raw: Entry, interpret: Interpret) -> Receipt:
    held = _held(tx, raw.id)
    if held is None or held.state != "held":
        return Receipt("duplicate", raw.seq, raw.id)
    return _interpret(tx, arrival, raw.seq, (raw.id, raw.seq), interpret)


Raw = tuple[str, int]
"""Id and seq of a message as it came."""


def _interpret(tx: Transaction, arrival: Arrival, seq: int, raw: Raw, interpret: Interpret) -> Receipt:
    """Map the text of entry `seq`: the message as it came, or what it was mended to."""
    held = _held(tx, raw[0])
    try:
        with tx.attempt():
            interpret(tx, arrival, seq)
    except Refused as refused:
        return _quarantine(tx, arrival, raw, held, refused)
    if held is not None:
        _keep(tx, _changed(held, tx, state="released"), raw[1])
    return Receipt("accepted", seq, raw[0], attempts=held.attempts + 1 if held else 1)


def _quarantine(
    tx: Transaction, arrival: Arrival, raw: Raw, held: Quarantined | None, refused: Refused
) -> Receipt:
    id, seq = raw
    now = instant(tx.at)
    record = Quarantined(
        id=id,
        state="held",
        source=arrival.source,
        control_id=arrival.control_id,
        kind=arrival.kind,
        verdict=refused.verdict,
        faults=refused.faults,
        attempts=held.attempts + 1 if held else 1,
        first=held.first if held else now,
        last=now,
    )
    _keep(tx, record, seq)
    return Receipt("refused", seq, id, refused.verdict, refused.faults, record.attempts)


def _changed(
    held: Quarantined, tx: Transaction, *, state: Literal["released", "discarded"], note: str | None = None
) -> Quarantined:
    attempts = held.attempts + (state == "released")
    return msgspec.structs.replace(held, state=state, attempts=attempts, last=instant(tx.at), note=note)


def _keep(tx: Transaction, record: Quarantined, cause: int | None) -> None:
    draft = Draft(
        type=_QUARANTINED,
        id=record.id,
        body=records.encode(record),
        source="inbox@1",
        key=f"{cause}:{record.attempts}:{record.state}",
        cause=cause,
    )
    tx.put(draft)


def _held(tx: Transaction, id: str) -> Quarantined | None:
    entry = tx.current(_QUARANTINED, id)
    if entry is None or entry.body is None:
        return None
    record = records.decode(entry.body)
    assert isinstance(record, Quarantined)
    return record


def _still_held(tx: Transaction, id: str) -> Quarantined:
    record = _held(tx, id)
    if record is None or record.state != "held":
        state = record.state if record else "unknown"
        raise ValueError(f"no message with the id {id} is in quarantine (it is {state})")
    return record


def _entry(tx: Transaction, source: str, key: str) -> Entry:
    """The entry with this key: the first by key of those whose keys begin with it."""
    return next(entry for entry in tx.with_prefix(source, key) if entry.key == key)


def _count(tx: Transaction, arrival: Arrival, receipt: Receipt, *, reused: bool) -> None:
    late = 0 if arrival.sent is None else max(-LATEST_MS, min((tx.at - arrival.sent) // 1000, LATEST_MS))
    row = (
        arrival.source,
        1,
        int(receipt.state == "accepted"),
        int(receipt.state == "refused"),
        int(receipt.state == "duplicate"),
        int(reused),
        len(arrival.body),
        late,
        int(arrival.sent is not None),
        tx.at,
        arrival.sent,
    )
    tx.change([Increment(FEED, [row], replace=("last_at", "last_sent"))])
    if arrival.tolerated:
        rows = [(arrival.source, what, n) for what, n in arrival.tolerated.items()]
        tx.change([Increment(TOLERATED, rows)])
