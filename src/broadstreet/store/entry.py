"""The entry: what the log is made of, and the draft that becomes one."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import msgspec

PLAIN = 0
"""The seal of a body that is not encrypted."""

ABSENT = 0
"""The digest of a resource that is deleted, or was never there."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One row of the log; `at` is the commit's time in microseconds UTC, `body` is opaque."""

    seq: int
    at: int
    type: str
    id: str
    version: int
    subject: str | None
    actor: str | None
    source: str
    key: str
    cause: int | None
    seal: int
    body: bytes | None


class Labels(msgspec.Struct, frozen=True):
    """What policy decides on: 64-bit keyed hashes or small numbers, 0 where it is unknown, or several."""

    subject: int = 0
    organisation: int = 0
    district: int = 0
    category: int = 0
    sensitivity: int = 0

    @property
    def columns(self) -> tuple[int, int, int, int, int]:
        """The values, in the order of `store.index.kinds.LABELS`."""
        return self.subject, self.organisation, self.district, self.category, self.sensitivity


UNKNOWN = Labels()

Rows = tuple[tuple[Any, ...], ...]


class IndexRows(msgspec.Struct, frozen=True):
    """What the search index keeps of one version of a resource, each row once.

    Rows are `(part, values...)`, the values as the columns of their kind in `store.index.kinds.KINDS`.
    """

    tokens: Rows = ()
    strings: Rows = ()
    dates: Rows = ()
    references: Rows = ()
    numbers: Rows = ()
    quantities: Rows = ()
    uris: Rows = ()
    composites: Rows = ()

    @property
    def by_kind(self) -> tuple[Rows, ...]:
        """The rows, in the order of `store.index.kinds.KINDS`."""
        return (
            self.tokens, self.strings, self.dates, self.references,
            self.numbers, self.quantities, self.uris, self.composites,
        )  # fmt: skip


NO_ROWS = IndexRows()


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An entry to be: the committer adds `seq`, `at` and `version`.

    `(source, key)` must be new in the log: a draft whose pair is known already is left out.
    `subjects`: the residents it is about, by random id. A body of None deletes the resource.
    The label `subject` is filled in from `subjects` where it is 0.
    """

    type: str
    id: str
    body: bytes | None
    source: str
    key: str
    subjects: tuple[str, ...] = ()
    actor: str | None = None
    cause: int | None = None
    rows: IndexRows = NO_ROWS
    labels: Labels = UNKNOWN


Opened = Callable[[Entry], Entry]
"""Returns an entry with its body as it was before it was sealed."""


def as_it_is(entry: Entry) -> Entry:
    """Return an entry of a store whose bodies are not sealed."""
    return entry


def digest(body: bytes | None) -> int:
    """Return a signed 64-bit digest of a body; `ABSENT` for a deleted resource."""
    if body is None:
        return ABSENT
    return int.from_bytes(blake2b(body, digest_size=8).digest(), "big", signed=True)
