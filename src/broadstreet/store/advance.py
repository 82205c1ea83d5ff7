"""The work by which a follower's output and its cursor become durable at once, and who does such work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from broadstreet.store.entry import Draft
from broadstreet.store.protocol import Cursor
from broadstreet.store.tables import Change
from broadstreet.store.transaction import Transaction, Wants


@dataclass(frozen=True)
class Advance:
    """The work of keeping a follower's output and moving its cursor, at once.

    Attributes
    ----------
    reached, expected
        Where it stands with its output, and where the store must know it to stand.
    changes, drafts
        Its output.
    moves
        Others that have moved without an output: the same two of each.
    """

    reached: Cursor
    expected: int
    changes: Sequence[Change] = ()
    drafts: Sequence[Draft] = ()
    moves: Sequence[tuple[Cursor, int]] = ()

    @property
    def cursors(self) -> list[Cursor]:
        """Where all of them stand afterwards."""
        return [self.reached, *(cursor for cursor, _ in self.moves)]

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
        """Keep the output and move the cursors."""
        tx.advance(self.reached, self.expected)
        for reached, expected in self.moves:
            tx.advance(reached, expected)
        tx.change(self.changes)
        for draft in self.drafts:
            if self.reached.mode == "live":
                tx.put(draft)
            else:
                tx.shadow(self.reached.follower, self.reached.version, draft)


class Commits(Protocol):
    """What a runner of followers needs of the committer, which may work in another process."""

    @property
    def head(self) -> int:
        """The last position that is known to be committed."""
        ...

    @property
    def closed(self) -> bool:
        """Whether it takes no more works."""
        ...

    def commit(self, work: Advance) -> object:
        """Return once a work is durable."""
        ...

    def wait(self, beyond: int, timeout: float | None = None) -> int:
        """Wait until the log is beyond a seq, someone nudges, or time is up; return the head."""
        ...

    def nudge(self) -> None:
        """Wake whoever waits."""
        ...
