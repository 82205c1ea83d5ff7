"""A store whose bodies about residents are encrypted: the one place where they are sealed and opened.

It stands around a back end. What is above it (committer, followers, doors, trust) sees plain bodies; what is
below it, file or server, sees sealed ones. A body whose key is destroyed reads as that of a deleted resource.

Sealed with the resident's key is what has exactly one subject. A message as it came has none; it is sealed
with the key of the resident that all of its batch's entries made from it are about, or else with a key of
its own, as is the record of its quarantine, whose reasons may quote it. Plain are entries about
nobody, and those about several residents, which hold ids only.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final, cast

from cryptography.exceptions import InvalidTag

from broadstreet.model import records
from broadstreet.model.records import Quarantined
from broadstreet.store.entry import PLAIN, Entry
from broadstreet.store.protocol import Batch, Current, Store, StoreError, Writer
from broadstreet.store.query import Found
from broadstreet.store.seal.keyring import Keyring

OURS: Final = ("fhir/", "bs/")
"""Types whose subjects are known when they are put; all others are messages as they came."""
OF_A_MESSAGE: Final = "message:"
QUARANTINED: Final = records.entry_type(Quarantined)
_NONCE: Final = 12
_SLICE: Final = 5_000


class _Sealed:
    """Delegates to a back end, and opens what is read."""

    def __init__(self, store: Store, keyring: Keyring) -> None:
        self._store, self.keyring = store, keyring
        self._writer: _SealedWriter | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def entries(self, *args: Any, **more: Any) -> list[Entry]:
        return [self._opened(entry) for entry in self._store.entries(*args, **more)]

    def keyed(self, *args: Any) -> Entry | None:
        return self._opened_if_any(self._store.keyed(*args))

    def current(self, *args: Any, **more: Any) -> Entry | None:
        found = self._opened_if_any(self._store.current(*args, **more))
        return None if found is None or found.body is None else found

    def currents(self, *args: Any, **more: Any) -> list[Entry]:
        found = map(self._opened, self._store.currents(*args, **more))
        return [entry for entry in found if entry.body is not None]

    def history(self, *args: Any) -> list[Entry]:
        return [self._opened(entry) for entry in self._store.history(*args)]

    def about(self, subject: str) -> list[Entry]:
        return [self._opened(entry) for entry in self._store.about(subject)]

    def search(self, *args: Any, **more: Any) -> Found:
        found = self._store.search(*args, **more)
        entries = [entry for each in found.entries if (entry := self._opened(each)).body is not None]
        return replace(found, entries=entries)

    def writer(self) -> Writer:
        if self._writer is None:
            self._writer = _SealedWriter(self._store.writer(), self.keyring, self._opened)
            self._learn()
        return cast(Writer, self._writer)

    def close(self) -> None:
        self._store.close()
        self.keyring.close()

    def _learn(self) -> None:
        """Tell the keyring whose keys are whose, as the log has it since its last mark."""
        position, head = self.keyring.mark(), self._store.head()
        if position > head:  # an older store was restored
            position = 0
        found: list[tuple[int, str]] = []
        while position < head:
            entries = self._store.entries(position, to=head, limit=_SLICE)
            found += [(e.seal, e.subject or f"{OF_A_MESSAGE}{e.id}") for e in entries if e.seal != PLAIN]
            position = entries[-1].seq if len(entries) == _SLICE else head
        self.keyring.learn(_owned(found), head)

    def _opened_if_any(self, entry: Entry | None) -> Entry | None:
        return None if entry is None else self._opened(entry)

    def _opened(self, entry: Entry) -> Entry:
        if entry.seal == PLAIN or entry.body is None:
            return entry
        cipher = self.keyring.cipher(entry.seal)
        if cipher is None:
            return _with_body(entry, None)
        try:
            body = cipher.decrypt(entry.body[:_NONCE], entry.body[_NONCE:], _bound(entry))
        except (InvalidTag, ValueError) as error:
            raise StoreError(
                f"entry {entry.seq} cannot be opened with key {entry.seal}: the store or the keys are"
                " damaged, or they are not of the same time; restore both"
            ) from error
        return _with_body(entry, body)


class _SealedWriter:
    """Delegates to a back end's writer, seals what is written and opens what is read."""

    def __init__(self, writer: Writer, keyring: Keyring, opened: Callable[[Entry], Entry]) -> None:
        self._writer, self._keyring, self._opened = writer, keyring, opened

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)

    def load(self, keys: Sequence[Any]) -> dict[Any, Current]:
        return {key: self._current(held) for key, held in self._writer.load(keys).items()}

    def holders(self, tokens: Sequence[Any]) -> list[Any]:
        return [(token, self._current(held)) for token, held in self._writer.holders(tokens)]

    def write(self, batch: Batch) -> None:
        if not batch.entries:
            self._writer.write(batch)
            return
        self._keyring.look_for_changes()
        owners = _owners_of_messages(batch)
        head, at = batch.entries[0].seq - 1, batch.entries[0].at
        sealed = [self._sealed(entry, owners, head, at) for entry in batch.entries]
        self._writer.write(replace(batch, entries=sealed))

    def cut(self, to: int) -> None:
        self._writer.cut(to, self._opened)

    def _current(self, held: Current) -> Current:
        return replace(held, entry=self._opened(held.entry))

    def _sealed(self, entry: Entry, owners: dict[int, str], head: int, at: int) -> Entry:
        owner = entry.subject or owners.get(entry.seq)
        if entry.type == QUARANTINED:  # it has the id of the message
            owner = f"{OF_A_MESSAGE}{entry.id}"
        if owner is None or entry.body is None:
            return entry
        number = self._keyring.key_of(owner, head, at)
        cipher = self._keyring.cipher(number)
        assert cipher is not None
        nonce = os.urandom(_NONCE)
        return _with_body(entry, nonce + cipher.encrypt(nonce, entry.body, _bound(entry)), number)


def SealedStore(store: Store, keyring: Keyring) -> Store:  # noqa: N802 - stands for a class of the protocol
    """Return a store that seals what it writes and opens what it reads, on a back end."""
    return cast(Store, _Sealed(store, keyring))


def _owners_of_messages(batch: Batch) -> dict[int, str]:
    """Return whose key each message as it came is sealed with, by its seq."""
    raw = {e.seq: e.id for e in batch.entries if e.body is not None and not e.type.startswith(OURS)}
    if not raw:
        return {}
    about: dict[int, set[str]] = {seq: set() for seq in raw}
    made = {e.seq: e.cause for e in batch.entries if e.cause in raw}
    told = [(e.seq, e.subject) for e in batch.entries if e.subject is not None]
    for seq, subject in (*told, *batch.subjects):
        if seq in made:
            about[made[seq] or 0].add(subject)
    return {
        seq: next(iter(about[seq])) if len(about[seq]) == 1 else f"{OF_A_MESSAGE}{id}"
        for seq, id in raw.items()
    }


def _owned(found: Iterable[tuple[int, str]]) -> Iterable[tuple[int, str]]:
    """Return owners of keys; a key that sealed a message and a resident's entries is the resident's."""
    owners: dict[int, str] = {}
    for number, owner in found:
        if number not in owners or owners[number].startswith(OF_A_MESSAGE):
            owners[number] = owner
    return owners.items()


def _bound(entry: Entry) -> bytes:
    """Return what a sealed body is bound to: it cannot be put in the place of another."""
    return f"{entry.seq} {entry.type} {entry.id} {entry.version}".encode()


def _with_body(entry: Entry, body: bytes | None, seal: int | None = None) -> Entry:
    return Entry(
        entry.seq, entry.at, entry.type, entry.id, entry.version, entry.subject, entry.actor,
        entry.source, entry.key, entry.cause, entry.seal if seal is None else seal, body,
    )  # fmt: skip
