"""Who looked: one `Access` entry for each request, and the table that tells of each resident who did.

An entry is committed together with others that wait (group commit), and nothing is answered before it is
durable. Its body names residents by their ids; it is not sealed, and stays when a resident is erased: that
somebody looked is not theirs alone to have forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence

from broadstreet.model import records
from broadstreet.model.records import Access
from broadstreet.store.entry import Draft, Entry
from broadstreet.store.tables import Change, Table, TableReader, Upsert
from broadstreet.store.transaction import Transaction, Wants

ACCESS = records.entry_type(Access)
SOURCE = "trust.access@1"
MOST_NAMED = 10_000
"""Residents that one entry names; no page is longer."""

LOOKED = Table(
    "looked",
    {
        "resident": "text",
        "seq": "integer",
        "at": "integer",
        "who": "text",
        "purpose": "text",
        "about": "text",
        "action": "text",
        "what": "text",
    },
    key=("resident", "seq"),
)


class Leave:
    """The work of leaving access entries; their ids are drawn in the commit."""

    def __init__(self, *accesses: Access) -> None:
        self.accesses = accesses

    @property
    def weight(self) -> int:
        """How many entries it will add."""
        return len(self.accesses)

    @property
    def size(self) -> int:
        """About how many bytes it will add."""
        return sum(400 + 40 * len(access.whom) for access in self.accesses)

    def wants(self) -> Wants:
        """Say what it will read: nothing, their keys are new."""
        return Wants()

    def apply(self, tx: Transaction) -> int:
        """Append the entries; return the seq of the last."""
        seq: int | None = 0
        for access in self.accesses:
            id = tx.new_id()
            body = records.encode(_with_id(access, id))
            seq = tx.append(Draft(type=ACCESS, id=id, body=body, source=SOURCE, key=id, actor=access.who))
        assert seq is not None
        return seq


class Looked:
    """The projection of `Access` entries: who looked at which resident."""

    name = "looked"
    version = 1
    types = frozenset({ACCESS})
    tables: tuple[Table, ...] = (LOOKED,)
    barriers = frozenset[str]()

    def project(self, entries: Sequence[Entry], tables: TableReader) -> list[Change]:  # noqa: ARG002
        """Return one row for each resident that an answer was about."""
        rows = [row for entry in entries for row in _rows(entry)]
        return [Upsert(LOOKED, rows)] if rows else []


def who_looked(tables: TableReader, resident: str, limit: int = 1_000) -> list[dict[str, str | int]]:
    """Return who looked at a resident, newest first: rows of `LOOKED` by their column names."""
    rows = tables.select(LOOKED, {"resident": resident}, ("-seq",), limit)
    return [dict(zip(LOOKED.columns, row, strict=True)) for row in rows]  # type: ignore[arg-type]


def _rows(entry: Entry) -> list[tuple[str | int, ...]]:
    access = records.decode(entry.body) if entry.body else None
    if not isinstance(access, Access):
        return []
    said = (entry.seq, entry.at, access.who, access.purpose, access.about, access.action, access.what)
    return [(resident, *said) for resident in access.whom]


def _with_id(access: Access, id: str) -> Access:
    return Access(
        id=id, who=access.who, kind=access.kind, purpose=access.purpose, action=access.action,
        what=access.what, outcome=access.outcome, roles=access.roles, organisation=access.organisation,
        about=access.about, query=access.query, residents=access.residents, rows=access.rows,
        whom=access.whom[:MOST_NAMED],
    )  # fmt: skip
