"""Where followers stand: as far as each has come, and as far as the store knows of it.

A follower that had nothing to say of a batch moves on at once. The store learns of it with the next output
of any follower, or at the end of a round: a commit is dear, and a batch read again says nothing again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from broadstreet.store.advance import Advance, Commits
from broadstreet.store.entry import Draft
from broadstreet.store.protocol import Cursor, Store, StoreError, StoreFull, StoreUnavailable
from broadstreet.store.tables import Change


class Standing:
    """Where followers stand.

    Parameters
    ----------
    store, committer
        Say and keep where each stands.
    cursors
        Where each stands now, by name.
    """

    def __init__(self, store: Store, committer: Commits, cursors: Mapping[str, Cursor]) -> None:
        self._store, self._committer = store, committer
        self._now, self._kept = dict(cursors), dict(cursors)
        self._unsure: set[str] = set()

    @property
    def unsure(self) -> bool:
        """Whether the store was full or away when something was to be kept."""
        return bool(self._unsure)

    def of(self, name: str) -> Cursor:
        """Return how far a follower has come."""
        return self._now[name]

    def kept(self) -> dict[str, Cursor]:
        """Return how far each has come, as far as that is durable."""
        return dict(self._kept)

    def move(self, reached: Cursor) -> None:
        """Let a follower that has nothing to say stand further on."""
        self._now[reached.follower] = reached

    def keep(self, reached: Cursor, changes: Sequence[Change] = (), drafts: Sequence[Draft] = ()) -> None:
        """Make durable what a follower has to say, where it stands with it, and how the others have moved.

        Raises
        ------
        StoreError
            If someone else has moved the follower, or it cannot be kept.
        """
        others = self._moved(but=reached.follower)
        expected = self._kept[reached.follower].seq
        try:
            self._commit(Advance(reached, expected, changes, drafts, moves=others))
        except (StoreFull, StoreUnavailable):
            raise
        except StoreError:
            if not others:
                raise
            for cursor, _ in others:
                self._keep_unless_astray(cursor.follower)
            self._commit(Advance(reached, expected, changes, drafts))

    def keep_moves(self) -> None:
        """Make durable how all have moved, in one commit.

        Raises
        ------
        StoreError
            If someone else has moved one of them, or it cannot be kept.
        """
        moved = self._moved()
        if moved:
            (reached, expected), *others = moved
            self._commit(Advance(reached, expected, moves=others))

    def keep_move(self, name: str) -> None:
        """Make durable how one has moved, by itself.

        Raises
        ------
        StoreError
            If someone else has moved it, or it cannot be kept.
        """
        if self._now[name] != self._kept[name] and name not in self._unsure:
            self._commit(Advance(self._now[name], self._kept[name].seq))

    def _keep_unless_astray(self, name: str) -> None:
        """Keep a move; one whom someone else has moved is told so in its turn."""
        try:
            self.keep_move(name)
        except (StoreFull, StoreUnavailable):  # then nothing that follows may be kept either
            raise
        except StoreError:
            pass

    def look(self, name: str) -> None:
        """Ask the store where a follower stands."""
        self._now[name] = self._kept[name] = self._store.cursors()[name]
        self._unsure.discard(name)

    def look_if_unsure(self, name: str) -> None:
        """Ask the store if a commit that was reported as failed may have been kept nevertheless."""
        if name in self._unsure:
            self.look(name)

    def forget(self, name: str) -> None:
        """Let a follower that has stopped stand where the store knows it to stand."""
        self._now[name] = self._kept[name]
        self._unsure.discard(name)  # nothing is tried again, and nobody waits for it

    def _moved(self, but: str = "") -> list[tuple[Cursor, int]]:
        return [
            (now, self._kept[name].seq)
            for name, now in self._now.items()
            if now != self._kept[name] and name != but and name not in self._unsure
        ]

    def _commit(self, advance: Advance) -> None:
        try:
            self._committer.commit(advance)
        except (StoreFull, StoreUnavailable):
            for cursor in advance.cursors:  # nobody may rely on a move that is not kept
                self._now[cursor.follower] = self._kept[cursor.follower]
                self._unsure.add(cursor.follower)
            raise
        for cursor in advance.cursors:
            self._now[cursor.follower] = self._kept[cursor.follower] = cursor
