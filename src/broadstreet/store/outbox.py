"""The outbox: side effects on counterparts, each step an entry.

waiting -> sent(attempt) -> confirmed | refused | unknown -> dead. The step `sent` is durable before
the counterpart hears of it; so after a crash every effect that may have happened is known. At a
counterpart that honours the idempotency key nothing happens twice. One that does not is asked
(`query`) before any retry, and where it cannot be asked, a person decides: the delivery is dead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol

import msgspec

from broadstreet.model import records
from broadstreet.model.clock import Clock, microseconds
from broadstreet.model.records import Delivery
from broadstreet.store.committer import Committer
from broadstreet.store.entry import Draft, Entry
from broadstreet.store.protocol import Reader
from broadstreet.store.tables import Between, Change, Condition, OneOf, Table, TableReader, Upsert
from broadstreet.store.transaction import Transaction, Wants

TYPE = records.entry_type(Delivery)
MOST_ATTEMPTS = 8
FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=5)
PATIENCE = 30.0
_FOREVER = (1 << 62) - 1

OUTBOX = Table(
    "outbox",
    {"id": "text", "counterpart": "text", "state": "text", "attempt": "integer", "next_at": "integer"},
    key=("id",),
    indexes=(("state", "next_at"),),
)

Outcome = Literal["confirmed", "refused", "unknown"]


@dataclass(frozen=True)
class Answer:
    """What a counterpart said; `text` goes into the log, so it holds no personal data."""

    outcome: Outcome
    text: str = ""


class Counterpart(Protocol):
    """Someone outside who is sent something."""

    honours_keys: bool
    """Whether the same key sent twice has one effect."""

    async def send(self, key: str, payload: str) -> Answer:
        """Send; an exception means that it is unknown whether it arrived."""
        ...

    async def query(self, key: str) -> Answer:
        """Ask what became of a key; `refused` means that it never arrived."""
        ...


class Outbox:
    """The projection that knows which deliveries are under way."""

    name = "outbox"
    version = 1
    types = frozenset({TYPE})
    tables: tuple[Table, ...] = (OUTBOX,)
    barriers = frozenset[str]()

    def project(self, entries: Sequence[Entry], tables: TableReader) -> list[Change]:  # noqa: ARG002
        """Return one row a delivery."""
        deliveries = [records.decode(entry.body) for entry in entries if entry.body]
        return [Upsert(OUTBOX, [_row(d) for d in deliveries if isinstance(d, Delivery)])]


class Courier:
    """Delivers what waits in the outbox to the counterparts it knows; deliveries do not wait for each other.

    Parameters
    ----------
    patience
        Seconds after which a counterpart that does not answer is waited for no longer: `unknown`.
    """

    def __init__(
        self,
        reader: Reader,
        committer: Committer,
        clock: Clock,
        counterparts: Mapping[str, Counterpart],
        patience: float = PATIENCE,
    ) -> None:
        self._reader, self._committer, self._clock = reader, committer, clock
        self._counterparts = dict(counterparts)
        self._patience = patience
        self._under_way: set[str] = set()

    async def run_once(self, limit: int = 100) -> int:
        """Take every delivery that is due one step further; return how many there were.

        Raises
        ------
        StoreError
            If a step could not be kept; the others were taken all the same.
        """
        due = self._due(limit) - self._under_way
        self._under_way |= due
        try:
            ended = await asyncio.gather(*map(self._deliver, sorted(due)), return_exceptions=True)
        finally:
            self._under_way -= due
        if failed := [error for error in ended if isinstance(error, BaseException)]:
            raise failed[0]
        return len(due)

    def _due(self, limit: int) -> set[str]:
        where: dict[str, Condition] = {
            "counterpart": OneOf(tuple(self._counterparts)),
            "state": OneOf(("waiting", "sent", "unknown")),
            "next_at": Between(-_FOREVER, microseconds(self._clock.now())),
        }
        return {str(row[0]) for row in self._reader.select(OUTBOX, where, order=("id",), limit=limit)}

    async def _deliver(self, id: str) -> None:
        entry = self._reader.current(TYPE, id)
        record = records.decode(entry.body) if entry is not None and entry.body else None
        if not isinstance(record, Delivery) or record.state not in ("waiting", "sent", "unknown"):
            return  # the projection lags behind the log
        counterpart = self._counterparts[record.counterpart]
        if record.state == "waiting" or counterpart.honours_keys:
            await self._send(record, counterpart)
        else:
            await self._ask(record, counterpart)

    async def _send(self, record: Delivery, counterpart: Counterpart) -> None:
        sent = msgspec.structs.replace(
            record, state="sent", attempt=record.attempt + 1, next_at=None, answer=None
        )
        if not await self._step(record, sent):
            return
        try:
            answer = await asyncio.wait_for(counterpart.send(sent.key, sent.payload), self._patience)
        except Exception as error:
            answer = Answer("unknown", type(error).__name__)
        await self._step(sent, self._after(sent, answer))

    async def _ask(self, record: Delivery, counterpart: Counterpart) -> None:
        try:
            answer = await asyncio.wait_for(counterpart.query(record.key), self._patience)
        except Exception as error:
            answer = Answer("unknown", type(error).__name__)
        if answer.outcome == "refused":  # it never arrived: it may be sent again
            waiting = msgspec.structs.replace(
                record, state="waiting", next_at=None, answer=answer.text or None
            )
            await self._step(record, waiting)
        else:
            tried = msgspec.structs.replace(record, attempt=record.attempt + 1)
            await self._step(record, self._after(tried, answer))

    def _after(self, sent: Delivery, answer: Answer) -> Delivery:
        if answer.outcome != "unknown":
            return msgspec.structs.replace(
                sent, state=answer.outcome, next_at=None, answer=answer.text or None
            )
        if sent.attempt >= MOST_ATTEMPTS:
            return msgspec.structs.replace(sent, state="dead", next_at=None, answer=answer.text or None)
        pause = min(FIRST_PAUSE * 2 ** (sent.attempt - 1), LONGEST_PAUSE)
        later = self._clock.now() + pause
        return msgspec.structs.replace(sent, state="unknown", next_at=later, answer=answer.text or None)

    async def _step(self, held: Delivery, then: Delivery) -> bool:
        return bool(await self._committer.committed(Step(held, then)))


@dataclass(frozen=True)
class Step:
    """The work of taking a delivery from one state to the next, if it is still in the first."""

    held: Delivery
    then: Delivery
    weight: int = 1

    @property
    def size(self) -> int:
        """About how many bytes it will add."""
        return len(self.then.payload) + 500

    def wants(self) -> Wants:
        """Say what it will read."""
        return Wants(resources=((TYPE, self.then.id),))

    def apply(self, tx: Transaction) -> bool:
        """Take the step; return whether the delivery was where the caller thought."""
        entry = tx.current(TYPE, self.held.id)
        if entry is None or records.decode(entry.body or b"") != self.held:
            return False
        key = f"{entry.seq}:{self.then.state}:{self.then.attempt}"
        body = records.encode(self.then)
        draft = Draft(type=TYPE, id=self.then.id, body=body, source="courier@1", key=key, cause=entry.seq)
        return tx.put(draft) is not None


def _row(delivery: Delivery) -> tuple[str | int | None, ...]:
    due = microseconds(delivery.next_at) if delivery.next_at else 0
    return (delivery.id, delivery.counterpart, delivery.state, delivery.attempt, due)
