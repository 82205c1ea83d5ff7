"""The quarantine as a table: what is held, from whom, why, and how often it was tried."""

from __future__ import annotations

from collections.abc import Sequence

from broadstreet.model import records
from broadstreet.model.clock import microseconds
from broadstreet.model.records import Quarantined
from broadstreet.store.entry import Entry
from broadstreet.store.tables import Change, Delete, Table, TableReader, Upsert

QUARANTINE = Table(
    "quarantine",
    {
        "id": "text",
        "raw": "integer",  # the seq of the message as it came
        "state": "text",
        "source": "text",
        "kind": "text",
        "verdict": "text",
        "reason": "text",
        "attempts": "integer",
        "first": "integer",
        "last": "integer",
    },
    key=("id",),
    indexes=(("state", "last"),),
)


class Quarantine:
    """The projection of `Quarantined` records."""

    name = "quarantine"
    version = 2
    types = frozenset({records.entry_type(Quarantined)})
    tables: tuple[Table, ...] = (QUARANTINE,)
    barriers = frozenset[str]()

    def project(self, entries: Sequence[Entry], tables: TableReader) -> list[Change]:  # noqa: ARG002
        """Return one row a message that is or was in quarantine."""
        changes: list[Change] = []
        for entry in entries:
            record = records.decode(entry.body) if entry.body else None
            if isinstance(record, Quarantined):
                changes.append(Upsert(QUARANTINE, [_row(entry.cause, record)]))
            else:  # erased
                changes.append(Delete(QUARANTINE, [(entry.id,)]))
        return changes


def _row(cause: int | None, record: Quarantined) -> tuple[str | int | None, ...]:
    reason = record.faults[0].reason if record.faults else ""
    return (
        record.id, cause, record.state, record.source, record.kind, record.verdict, reason,
        record.attempts, microseconds(record.first), microseconds(record.last),
    )  # fmt: skip
