"""Erase a resident: delete what is theirs, destroy the keys, empty the bodies, and look for what is left.

What an erasure does is told by two versions of an `Erasure`: `begun`, committed together with the deletions,
so that every projection takes away what it made of them; and `done`, with what was removed and found.
Whatever fails in between, the same erasure can be ordered again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from broadstreet.model import records
from broadstreet.model.clock import instant
from broadstreet.model.records import Erasure
from broadstreet.model.search.strings import fold
from broadstreet.store.entry import Draft
from broadstreet.store.protocol import ResourceKey, Store
from broadstreet.store.query import ANY, Condition, Text, Token
from broadstreet.store.transaction import Transaction, Wants
from broadstreet.trust.belongings import Belongings, Words
from broadstreet.trust.principals import Principal

ORDERS: Final = "privacy-officer"
SOURCE: Final = "trust.erasure@1"
LEAST_CHARACTERS: Final = 4
"""Shorter words are not looked for in files: any bytes may look like them."""
_AT_ONCE: Final = 16 * 2**20


class MayNotErase(Exception):
    """The principal may not order an erasure."""


@dataclass(frozen=True)
class Begin:
    """The work of stating that an erasure begins, and of deleting what is the resident's.

    Raises
    ------
    MayNotErase
        When applied: if the principal is no privacy officer.
    """

    principal: Principal
    residents: tuple[str, ...]
    live: tuple[ResourceKey, ...]
    basis: str

    @property
    def weight(self) -> int:
        """About how many entries it will add."""
        return 1 + len(self.live)

    @property
    def size(self) -> int:
        """About how many bytes it will add."""
        return 500 * self.weight

    def wants(self) -> Wants:
        """Say what it will read."""
        return Wants(resources=self.live)

    def apply(self, tx: Transaction) -> Erasure:
        """Put the order and the deletions; return the order."""
        require_may_erase(self.principal)
        order = Erasure(
            id=tx.new_id(), state="begun", resident=self.residents[0], also=self.residents[1:],
            ordered_by=self.principal.name, basis=self.basis, at=instant(tx.at),
        )  # fmt: skip
        records.decode(records.encode(order))  # what cannot be read must not get in
        cause = _put(tx, order)
        for number, (type, id) in enumerate(self.live):
            held = tx.current(type, id)
            if held is not None:
                subjects = (held.subject,) if held.subject is not None else ()
                tx.put(
                    Draft(
                        type=type, id=id, body=None, source=SOURCE, key=f"{cause}:{number}", cause=cause,
                        subjects=subjects, actor=self.principal.name,
                    )
                )  # fmt: skip
        return order


@dataclass(frozen=True)
class Finish:
    """The work of stating what was removed, and what was looked for and found."""

    erasure: Erasure
    weight: int = 1
    size: int = 1_000

    def wants(self) -> Wants:
        """Say what it will read."""
        return Wants(resources=((records.entry_type(Erasure), self.erasure.id),))

    def apply(self, tx: Transaction) -> Erasure:
        """Put it; return it."""
        done = replace(self.erasure, state="done")
        _put(tx, done)
        return done


def require_may_erase(principal: Principal) -> None:
    """Refuse who is no privacy officer.

    Raises
    ------
    MayNotErase
        If the principal is none.
    """
    if principal.kind != "person" or ORDERS not in principal.roles:
        raise MayNotErase(f"a resident is erased by a person with the role {ORDERS}")


def readable(store: Store, found: Belongings) -> int:
    """Return how many of the entries can still be read."""
    return sum(entry.body is not None for seq in found.entries for entry in store.entries(seq - 1, limit=1))


def telling(store: Store, words: Words) -> list[str]:
    """Return the words that told who the erased resident was and that tell of no other resident.

    Of those shared with others (a family's name and street), the files hold those of the others.
    """
    shared: dict[str, Callable[[str], Condition]] = {
        "numbers": lambda word: Token("identifier", ANY, word),
        "contacts": lambda word: Token("telecom", ANY, word),
        "streets": lambda word: Text("address", word),
        "families": lambda word: Text("family", word),
        "givens": lambda word: Text("given", word),
    }
    return sorted(
        word
        for group, condition in shared.items()
        for word in getattr(words, group)
        if len(word.encode()) >= LEAST_CHARACTERS
        and not store.count_found("Patient", [condition(word)], most=1).number
    )


def traces(files: Iterable[Path], words: Sequence[str]) -> int:
    """Return how often the words stand in the bytes of files: as they are written, in small letters, or as
    the search index folds them.
    """
    wanted = {form.encode() for word in words for form in (word.lower(), fold(word))}
    longest = max(map(len, wanted), default=1)
    return sum(_count(file, wanted, longest) for file in files)


def _count(file: Path, wanted: set[bytes], longest: int) -> int:
    found, before = 0, b""
    with file.open("rb") as bytes_of:
        while chunk := bytes_of.read(_AT_ONCE):
            text = before + chunk.lower()
            found += sum(text.count(word) for word in wanted)
            before = text[-(longest - 1) :] if longest > 1 else b""
    return found


def _put(tx: Transaction, erasure: Erasure) -> int:
    seq = tx.put(
        Draft(
            type=records.entry_type(Erasure), id=erasure.id, body=records.encode(erasure), source=SOURCE,
            key=f"{erasure.id}:{erasure.state}", actor=erasure.ordered_by,
        )
    )  # fmt: skip
    assert seq is not None
    return seq
