"""The work by which a follower's output and its cursor become durable at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from broadstreet.store.entry import Draft
from broadstreet.store.protocol import Cursor
from broadstreet.store.tables import Change
from broadstreet.store.transaction import Transaction, Wants


@dataclass(frozen=True)
class Advance:
    """The work of keeping a follower's output and moving its cursor, at once."""

    reached: Cursor
    expected: int
    changes: Sequence[Change] = ()
    drafts: Sequence[Draft] = ()

    @property
    def weight(self) -> int:
        """About how many entries it will add."""
        return 1 + len(self.drafts)

    @property
    def size(self) -> int:
        """About how many bytes it will add."""
        return sum(len(draft.body or b"") for draft in self.drafts)

    def wants(self) -> Wants:
        """Say what it will read."""
        return Wants(
            keys=tuple((draft.source, draft.key) for draft in self.drafts),
            resources=tuple((draft.type, draft.id) for draft in self.drafts),
        )

    def apply(self, tx: Transaction) -> None:
        """Keep the output and move the cursor."""
        tx.advance(self.reached, self.expected)
        tx.change(self.changes)
        for draft in self.drafts:
            if self.reached.mode == "live":
                tx.put(draft)
            else:
                tx.shadow(self.reached.follower, self.reached.version, draft)
