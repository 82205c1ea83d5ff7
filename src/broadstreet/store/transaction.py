"""What a piece of work reads and adds inside one commit.

Works of one batch see what earlier works of the same batch have added. A work that fails leaves
nothing behind. Reads are loaded for the whole batch at once, from what the works said they want.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from broadstreet.model.ids import Ids
from broadstreet.store.entry import ABSENT, UNKNOWN, Draft, Entry, digest
from broadstreet.store.index import Indexer, TokenKey
from broadstreet.store.index.kinds import FOREVER
from broadstreet.store.protocol import Batch, Current, Cursor, ResourceKey, StoreError, Writer
from broadstreet.store.tables import Change

Key = tuple[str, str]

_NOTHING = object()


class Wants(msgspec.Struct, frozen=True):
    """What a work will read; whatever is missing here is read one by one, correctly but slowly."""

    keys: tuple[Key, ...] = ()
    prefixes: tuple[Key, ...] = ()
    resources: tuple[ResourceKey, ...] = ()
    tokens: tuple[TokenKey, ...] = ()


class Work(Protocol):
    """Something to be done inside one commit, all of it or nothing."""

    @property
    def size(self) -> int:
        """About how many bytes it will add."""
        ...

    @property
    def weight(self) -> int:
        """About how many entries it will add."""
        ...

    def wants(self) -> Wants:
        """Say what it will read."""
        ...

    def apply(self, tx: Transaction) -> Any:
        """Do it; what is returned goes to whoever handed the work in, after the commit."""
        ...


class Transaction:
    """The state of the log as it will be after the batch so far."""

    def __init__(self, writer: Writer, head: int, at: int, ids: Ids, indexer: Indexer) -> None:
        self.at = at
        self.indexer = indexer
        self.batch = Batch()
        self._writer = writer
        self._ids = ids
        self._first = head + 1
        self._next = head + 1
        self._keys: dict[Key, int | None] = {}
        self._prefixed: dict[Key, list[Entry]] = {}
        self._appended: dict[str, list[Entry]] = {}
        self._currents: dict[ResourceKey, Current | None] = {}
        self._holders: dict[TokenKey, dict[ResourceKey, None]] = {}
        self._tokens: dict[ResourceKey, frozenset[TokenKey]] = {}
        self._fresh: set[str] = set()
        self._cursors: dict[str, Cursor | None] = {}
        self._undo: list[tuple[Any, Any, Any]] = []  # a dict, a key, what it held; or a list, None, None

    # -- reading ---------------------------------------------------------------------------------

    def load(self, wants: Iterable[Wants]) -> None:
        """Read at once what several works want."""
        wants = list(wants)
        keys = {key for want in wants for key in want.keys}
        prefixes = {prefix for want in wants for prefix in want.prefixes}
        tokens = {token for want in wants for token in want.tokens}
        resources = {resource for want in wants for resource in want.resources}
        if keys:
            self._load_keys(list(keys))
        if prefixes:
            self._load_prefixes(list(prefixes))
        if tokens:
            self._load_tokens(list(tokens))
        if missing := [resource for resource in resources if resource not in self._currents]:
            self._load_resources(missing)

    def known(self, source: str, key: str) -> int | None:
        """Return the seq of the entry with this source and key."""
        if (source, key) not in self._keys:
            self._load_keys([(source, key)])
        return self._keys[source, key]

    def with_prefix(self, source: str, prefix: str) -> list[Entry]:
        """Return entries of a source whose keys begin with `prefix`, without bodies where they are old.

        Of the log the first `MOST_PREFIXED` by key, of this batch all.
        """
        if (source, prefix) not in self._prefixed:
            self._load_prefixes([(source, prefix)])
        added = [e for e in self._appended.get(source, ()) if e.key.startswith(prefix)]
        return self._prefixed[source, prefix] + added

    def current(self, type: str, id: str) -> Entry | None:
        """Return the newest version of a resource; None if there is none or it is deleted."""
        held = self._held((type, id))
        return None if held is None or held.entry.body is None else held.entry

    def find(self, type: str, name: str, system: str | None, code: str) -> list[Entry]:
        """Return the newest versions of the resources that have a token now, oldest first.

        Tokens are found by their 64-bit hash: whoever acts on an identity compares the body as well.
        """
        found: dict[ResourceKey, Entry] = {}
        for token in self.indexer.tokens(type, name, system, code):
            if token not in self._holders:
                self._load_tokens([token])
            for key in self._holders[token]:
                held = self._held(key)
                if (
                    held is not None
                    and token in self._tokens.get(key, {token})
                    and held.entry.body is not None
                ):
                    found[key] = held.entry
        return sorted(found.values(), key=lambda entry: entry.seq)

    # -- adding ----------------------------------------------------------------------------------

    def new_id(self) -> str:
        """Return a fresh id for a resource or a message."""
        id = self._ids.new(self.at)
        self._fresh.add(id)
        return id

    def append(self, draft: Draft) -> int | None:
        """Add an entry that has no versions; return its seq, or None if its key is known."""
        if self._is_known(draft):
            return None
        return self._add(draft, version=1)

    def put(self, draft: Draft) -> int | None:
        """Add a version of a resource; return its seq, or None if nothing changed or its key is known."""
        if self._is_known(draft):
            return None
        key = (draft.type, draft.id)
        held = self._held(key)
        digested = digest(draft.body)
        if digested == (held.digest if held else ABSENT):
            return None
        version = held.entry.version + 1 if held else 1
        seq = self._add(draft, version)
        if held is not None:
            self.batch.closing.append((held.entry.seq, seq))
        self._index(draft, seq)
        self._set(self.batch.currents, key, (seq, version, digested))
        self._set(self._currents, key, Current(self.batch.entries[-1], digested))
        self._set(self._tokens, key, frozenset(draft.rows.tokens))
        return seq

    def change(self, changes: Iterable[Change]) -> None:
        """Change the tables of a follower."""
        self.batch.changes.extend(changes)

    def shadow(self, follower: str, version: int, draft: Draft) -> None:
        """Keep what a reactor in shadow would have emitted, beside the log."""
        self.batch.shadows.append((follower, version, draft.key, draft.type, draft.body))

    def advance(self, reached: Cursor, expected: int) -> None:
        """Move a follower's cursor from `expected`.

        Raises
        ------
        StoreError
            If the cursor stands elsewhere: someone else has moved it, and this output is not to be kept.
        """
        if reached.follower not in self._cursors:
            self._cursors[reached.follower] = self._writer.cursor(reached.follower)
        held = self._cursors[reached.follower]
        stands = held.seq if held else 0
        if stands != expected:
            raise StoreError(
                f"follower {reached.follower} stands at {stands}, its output begins at {expected}"
            )
        self._set(self._cursors, reached.follower, reached)
        self.batch.cursors.append(reached)

    def attempt(self) -> _Attempt:
        """Return a block; everything that was added inside is taken back if an exception leaves it."""
        return _Attempt(self, len(self._undo), self._next, self.batch.lengths())

    def take_back(self, mark: int, seq: int, lengths: tuple[int, ...]) -> None:
        """Return to what was there when `mark` things could be undone and `seq` was next."""
        while len(self._undo) > mark:
            table, key, before = self._undo.pop()
            if key is None:
                table.pop()
            elif before is _NOTHING:
                table.pop(key, None)
            else:
                table[key] = before
        self.batch.cut(lengths)
        self._next = seq

    # -- inside ----------------------------------------------------------------------------------

    def _is_known(self, draft: Draft) -> bool:
        if draft.key in self._fresh:
            return (draft.source, draft.key) in self._keys  # drawn just now: it cannot be in the log
        if draft.cause is not None and draft.cause >= self._first and draft.key.startswith(f"{draft.cause}:"):
            # Made from an entry of this very batch: it cannot be in the log yet.
            return self._keys.get((draft.source, draft.key)) is not None
        return self.known(draft.source, draft.key) is not None

    def _held(self, key: ResourceKey) -> Current | None:
        if key in self._currents:
            return self._currents[key]
        if key[1] in self._fresh:
            return None
        self._load_resources([key])
        return self._currents[key]

    def _add(self, draft: Draft, version: int) -> int:
        seq = self._next
        self._next += 1
        subject = draft.subjects[0] if len(draft.subjects) == 1 else None
        if len(draft.subjects) > 1:
            self.batch.subjects += [(seq, each) for each in dict.fromkeys(draft.subjects)]
        entry = Entry(
            seq, self.at, draft.type, draft.id, version, subject, draft.actor,
            draft.source, draft.key, draft.cause, 0, draft.body,
        )  # fmt: skip
        self.batch.entries.append(entry)
        if draft.labels != UNKNOWN:
            self.batch.labels.append((seq, *draft.labels.columns[1:]))
        appended = self._appended.setdefault(draft.source, [])
        appended.append(entry)
        self._undo.append((appended, None, None))
        self._set(self._keys, (draft.source, draft.key), seq)
        return seq

    def _index(self, draft: Draft, seq: int) -> None:
        rows, key = draft.rows, (draft.type, draft.id)
        after = (seq, FOREVER, *self.indexer.labels(draft.subjects, draft.labels))
        for written, each in zip(self.batch.index, rows.by_kind, strict=True):
            if each:
                written += [row + after for row in each]
        for token in rows.tokens:
            if token in self._holders:
                self._set(self._holders[token], key, None)

    def _load_keys(self, keys: list[Key]) -> None:
        found = self._writer.known(keys)
        for key in keys:
            self._keys.setdefault(key, found.get(key))

    def _load_prefixes(self, prefixes: list[Key]) -> None:
        for source, prefix in prefixes:
            self._prefixed[source, prefix] = []
        for entry in self._writer.prefixed(prefixes):
            for source, prefix in prefixes:
                if entry.source == source and entry.key.startswith(prefix):
                    self._prefixed[source, prefix].append(entry)

    def _load_resources(self, keys: list[ResourceKey]) -> None:
        found = self._writer.load(keys)
        for key in keys:
            self._currents.setdefault(key, found.get(key))

    def _load_tokens(self, tokens: list[TokenKey]) -> None:
        for token in tokens:
            self._holders[token] = {}
        for token, held in self._writer.holders(tokens):
            key = (held.entry.type, held.entry.id)
            self._holders[token][key] = None
            self._currents.setdefault(key, held)
        wanted = set(tokens)
        for key, has in self._tokens.items():
            for token in has & wanted:
                self._set(self._holders[token], key, None)

    def _set(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        self._undo.append((table, key, table.get(key, _NOTHING)))
        table[key] = value


class _Attempt:
    """A block that leaves nothing behind if it fails."""

    __slots__ = ("_start", "_tx")

    def __init__(self, tx: Transaction, mark: int, seq: int, lengths: tuple[int, ...]) -> None:
        self._tx, self._start = tx, (mark, seq, lengths)

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._tx.take_back(*self._start)
