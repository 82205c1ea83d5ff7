"""What the hub under trial keeps, follows and sends: visits, days, alarms, orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from broadstreet.model import records
from broadstreet.model.records import Delivery
from broadstreet.store.entry import Draft, Entry, IndexRows
from broadstreet.store.follower import Emission
from broadstreet.store.tables import Change, Increment, Table, TableReader
from broadstreet.store.transaction import Transaction, Wants

VISIT, DAY, ORDER, ALARM = "t/visit", "t/day", "t/order", "t/alarm"
BED, PATIENT = "t/bed", "fhir/Patient"
TALLY = Table("tally", {"type": "text", "n": "integer"}, key=("type",))
SOURCE = "clinic"
SCRIPTS = ("ok", "ok", "silent ok", "lost ok", "silent lost ok")


class Tally:
    """Counts visits and orders, and waits at each day for the reactor that reads the count."""

    name = "tally"
    version = 1
    types = frozenset({VISIT, DAY, ORDER})
    tables = (TALLY,)
    barriers = frozenset({DAY})

    def project(self, entries: Sequence[Entry], tables: TableReader) -> list[Change]:  # noqa: ARG002
        return [Increment(TALLY, [(entry.type, 1) for entry in entries])]


class Alarms:
    """Emits at each day the number of visits so far."""

    name = "alarms"
    version = 1
    types = frozenset({DAY})

    def __init__(self, over: Tally) -> None:
        self.over = over

    def react(self, entries: Sequence[Entry], tables: TableReader) -> list[Emission]:
        count = dict(tables.select(TALLY)).get(VISIT, 0)  # type: ignore[arg-type, var-annotated]
        return [Emission(e.seq, 0, ALARM, f"alarm-{e.seq}", str(count).encode()) for e in entries]


class Orders:
    """Emits a delivery for each order."""

    name = "orders"
    version = 1
    types = frozenset({ORDER})
    over = None

    def react(self, entries: Sequence[Entry], tables: TableReader) -> list[Emission]:  # noqa: ARG002
        return [self._emission(entry) for entry in entries]

    def _emission(self, entry: Entry) -> Emission:
        key = f"order-{entry.seq}"
        script = SCRIPTS[entry.seq % len(SCRIPTS)]
        delivery = Delivery(id=key, state="waiting", counterpart="printer", key=key, payload=script)
        return Emission(entry.seq, 0, records.entry_type(Delivery), key, records.encode(delivery))


@dataclass(frozen=True)
class Arrive:
    """The work of keeping what arrives under a key: an entry, a bed's newest version, an index row."""

    key: str
    longest: int = 1_500
    weight: int = 3

    @property
    def size(self) -> int:
        return self.longest

    @property
    def type(self) -> str:
        """A day in sixteen, an order in sixteen, else a visit."""
        return {0: DAY, 1: ORDER}.get(_drawn(self.key) % 16, VISIT)

    def wants(self) -> Wants:
        return Wants(keys=((SOURCE, self.key),))

    def apply(self, tx: Transaction) -> int | None:
        drawn = _drawn(self.key)
        seq = tx.append(
            Draft(
                type=self.type,
                id=tx.new_id(),
                body=b"x" * (drawn % self.longest),
                source=SOURCE,
                key=self.key,
            )
        )
        if seq is None:
            return tx.known(SOURCE, self.key)
        bed = f"bed-{drawn % 50}"
        tx.put(
            Draft(
                type=BED,
                id=bed,
                body=self.key.encode(),
                source="map@1",
                key=f"{seq}:0",
                cause=seq,
                rows=IndexRows(tokens=((1, drawn, 0),), references=((3, drawn % 50, 0),)),
            )
        )
        return seq


def _drawn(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=4).digest(), "big")
