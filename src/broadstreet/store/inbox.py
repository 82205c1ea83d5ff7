"""What every door shares: idempotency, quarantine, and the state of each feed.

A door hands in an `Arrival` and an `interpret` function that maps it to resources. In one commit
the raw message becomes an entry, and either what was mapped from it (with `cause`), or a
`Quarantined` record. Only then does the door answer its sender.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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

_QUARANTINED = records.entry_type(Quarantined)


class Refused(Exception):
    """An arrival cannot be mapped; `verdict` is the protocol's word for it, `faults` say where and why."""

    def __init__(self, verdict: str, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(fault.reason for fault in faults))
        self.verdict, self.faults = verdict, faults


@dataclass(frozen=True)
class Arrival:
    """A message as it came: who sent it (`source`) as what (`control_id`), and when by its own word."""

    type: str
    source: str
    control_id: str
    body: bytes
    kind: str = ""
    sent: int | None = None
    tolerated: Mapping[str, int] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """What the keys of all messages with this control id begin with."""
        return f"{self.control_id}:"

    @property
    def key(self) -> str:
        """Control id and SHA-256: the same message has the same key, another one with its number has not."""
        return f"{self.control_id}:{sha256(self.body).hexdigest()}"


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
        raw = _entry(tx, arrival, seen)
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
        return Wants(resources=((_QUARANTINED, self.raw.id),))

    def apply(self, tx: Transaction) -> Receipt:
        """Map the message; release it from quarantine if that succeeds.

        A mended text becomes an entry of its own, caused by the message that it mends.
        """
        raw, held = self.raw, self.held
        body = raw.body or b"" if self.mended is None else self.mended
        arrival = Arrival(raw.type, held.source, held.control_id, body, held.kind)
        seq: int | None = raw.seq
        if arrival.key != raw.key:
            seq = tx.append(_raw_draft(arrival, tx.new_id(), cause=raw.seq))
        if seq is None:
            raise ValueError("the mended message came in by another way already: discard this one")
        return _interpret(tx, arrival, seq, raw.id, self.interpret)


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
        """Mark the message as discarded."""
        entry = tx.current(_QUARANTINED, self.id)
        if entry is None or entry.body is None:
            raise KeyError(f"nothing in quarantine has the id {self.id}")
        held = records.decode(entry.body)
        assert isinstance(held, Quarantined)
        discarded = _changed(held, tx, state="discarded", note=self.note)
        _keep(tx, discarded, entry.cause)
        return discarded


def _take(tx: Transaction, arrival: Arrival, interpret: Interpret) -> Receipt:
    id = tx.new_id()
    seq = tx.append(_raw_draft(arrival, id))
    assert seq is not None
    return _interpret(tx, arrival, seq, id, interpret)


def _raw_draft(arrival: Arrival, id: str, cause: int | None = None) -> Draft:
    return Draft(
        type=arrival.type,
        id=id,
        body=arrival.body,
        source=arrival.source,
        key=arrival.key,
        actor=arrival.source,
        cause=cause,
    )


def _take_again(tx: Transaction, arrival: Arrival, raw: Entry, interpret: Interpret) -> Receipt:
    held = _held(tx, raw.id)
    if held is None or held.state != "held":
        return Receipt("duplicate", raw.seq, raw.id)
    return _interpret(tx, arrival, raw.seq, raw.id, interpret)


def _interpret(tx: Transaction, arrival: Arrival, seq: int, id: str, interpret: Interpret) -> Receipt:
    held = _held(tx, id)
    try:
        with tx.attempt():
            interpret(tx, arrival, seq)
    except Refused as refused:
        return _quarantine(tx, arrival, seq, id, held, refused)
    if held is not None:
        _keep(tx, _changed(held, tx, state="released"), seq)
    return Receipt("accepted", seq, id, attempts=held.attempts + 1 if held else 1)


def _quarantine(
    tx: Transaction, arrival: Arrival, seq: int, id: str, held: Quarantined | None, refused: Refused
) -> Receipt:
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


def _entry(tx: Transaction, arrival: Arrival, seq: int) -> Entry:
    return next(e for e in tx.with_prefix(arrival.source, arrival.prefix) if e.seq == seq)


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
