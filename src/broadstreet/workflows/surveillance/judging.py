"""An officer says what a signal is; the tests never take it away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

from broadstreet.model import records
from broadstreet.model.clock import instant
from broadstreet.model.records import Signal, Verdict
from broadstreet.store.entry import Draft
from broadstreet.store.transaction import Transaction, Wants
from broadstreet.workflows.surveillance.news import EMITTED

SOURCE = "surveillance.officers@1"


@dataclass(frozen=True)
class Judge:
    """The work of giving a signal a verdict, or of taking it back (`finding` is None).

    Attributes
    ----------
    id
        The signal.
    finding, by, reason
        What it is, who says so, and why.
    """

    id: str
    finding: Literal["verified", "dismissed"] | None
    by: str
    reason: str
    weight: int = 1
    size: int = 20_000

    def wants(self) -> Wants:
        """Say what it will read."""
        return Wants(resources=((EMITTED, self.id),))

    def apply(self, tx: Transaction) -> Signal:
        """Write the signal with its verdict; return it.

        Raises
        ------
        ValueError
            If there is no such signal, it became part of another, or the reason is empty or too long.
        """
        entry = tx.current(EMITTED, self.id)
        signal = records.decode(entry.body) if entry is not None and entry.body else None
        if not isinstance(signal, Signal):
            raise ValueError(f"expected the id of a signal, got {self.id!r}; see `broadstreet signals list`")
        if signal.joined:
            raise ValueError(f"signal {self.id} became part of {signal.joined}: judge that one")
        verdict = None
        if self.finding is not None:
            verdict = Verdict(finding=self.finding, by=self.by, at=instant(tx.at), reason=self.reason.strip())
        judged = msgspec.structs.replace(signal, verdict=verdict)
        records.decode(records.encode(judged))  # a record that cannot be read must not get in
        tx.put(
            Draft(
                type=EMITTED, id=self.id, body=records.encode(judged), source=SOURCE, key=tx.new_id(),
                actor=self.by, cause=entry.seq if entry else None,
            )
        )  # fmt: skip
        return judged
