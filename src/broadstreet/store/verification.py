"""Compare what a store keeps with what its log says: the newest versions, the search index, every projection.

Each is built again aside, in a scratch store, and compared row by row. The store itself is only read, as it
was at one position, so a hub may go on writing meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from broadstreet.model import records
from broadstreet.model.failures import traced
from broadstreet.store.entry import Entry, digest
from broadstreet.store.follower import Projection
from broadstreet.store.protocol import Batch, Store, StoreError, Writer
from broadstreet.store.tables import OneOf, Row, Table, Upsert
from broadstreet.store.upkeep import CURRENT

AT_ONCE = 1_000
MOST_EXAMPLES = 3
_ACCESS = records.entry_type(records.Access)
_ERASURE = records.entry_type(records.Erasure)
VERSIONED = ("fhir/", "bs/")
"""Entries of these types are versions of resources; others, such as messages and accesses, have no newest
version."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Finding:
    """One thing that is not as the log says: where, what, and what to do about it."""

    what: str
    found: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}: {self.found}. {self.remedy}."


def verify_log(store: Store, scratch: Store, writer: Writer, progress: Progress) -> list[Finding]:
    """Check that the log has no gap, causes come first, and versions, digests and newest versions fit.

    Parameters
    ----------
    store
        What is checked; read inside a snapshot.
    scratch, writer
        A store of its own for what is built again.
    progress
        Is told `(done, all)` in entries.
    """
    restore = "Restore a backup with `broadstreet restore`"
    findings: list[Finding] = []
    position, head = 0, store.head()
    while position < head:
        entries = store.entries(position, limit=AT_ONCE)
        wrong = [entry.seq for n, entry in enumerate(entries, start=position + 1) if entry.seq != n]
        if wrong or not entries:
            return [Finding("log", f"entry {position + 1} or one after it is missing", restore)]
        late = [entry.seq for entry in entries if entry.cause is not None and entry.cause >= entry.seq]
        if late:
            findings.append(Finding("log", f"{_listed(late)} come before their causes", restore))
        findings += [Finding("log", each, restore) for each in _keep_versions(entries, scratch, writer)]
        position = entries[-1].seq
        progress(position, head)
    remedy = "The table is made from the log: restore a backup, or ask for help"
    return findings + compared(CURRENT, _known(store, scratch), scratch.rows(CURRENT), remedy)


def verify_projection(
    store: Store, projection: Projection, scratch: Store, writer: Writer, progress: Progress
) -> list[Finding]:
    """Compare the tables of a projection with what the log makes of them; after an erasure not those that
    remember what the log cannot tell any more.
    """
    what, remedy = f"projection {projection.name}", f"Stop the hub; `broadstreet rebuild {projection.name}`"
    held = store.cursors().get(projection.name)
    if held is None or held.version != projection.version:
        return [Finding(what, "it has not run in this version", "It is built when the hub starts")]
    if held.seq > store.head():
        return [
            Finding(what, f"it stands at {held.seq}, beyond the log", "It is built anew at the next start")
        ]
    writer.define(projection.tables)
    position = 0
    while position < held.seq:
        entries = store.entries(position, to=held.seq, types=projection.types, limit=AT_ONCE)
        try:
            changes = projection.project(entries, scratch) if entries else []
        except Exception as error:
            return [Finding(what, f"it cannot be built again ({traced(error)})", "Mend the cause first")]
        writer.write(Batch(changes=list(changes)))
        position = entries[-1].seq if len(entries) == AT_ONCE else held.seq
        progress(position, held.seq)
    findings: list[Finding] = []
    was_erased = bool(store.currents(_ERASURE, limit=1))
    for table in projection.tables:
        if not store.has(table):
            findings.append(Finding(f"table {table.name}", "it is missing", remedy))
        elif not (table.remembers and was_erased):
            findings += compared(table, store.rows(table), scratch.rows(table), remedy)
    return findings


def verify_index(store: Store, rebuilt: Store) -> list[Finding]:
    """Compare the search index with one that was built again.

    Parameters
    ----------
    store
        What is checked; read inside a snapshot.
    rebuilt
        A copy, at least as new, whose index was computed anew from its log.
    """
    remedy = "Stop the hub; `broadstreet rebuild --index`"
    if not store.indexed():
        return [Finding("index", "a rebuild of it was begun and did not end", remedy)]
    reached, purged = store.searchable(), store.oldest_position()
    findings: list[Finding] = []
    for table in store.index_tables():
        # What is kept beside the log follows it; what is in its file is written with each commit.
        head = reached if table.name.endswith("_index") else store.head()
        mine, anew = (_at(side.rows(table), table, head, purged) for side in (store, rebuilt))
        findings += compared(table, mine, anew, remedy)
    return findings


def compared(table: Table, held: Iterable[Row], anew: Iterable[Row], remedy: str) -> list[Finding]:
    """Return what differs between two tables whose rows come in the order of the key.

    Parameters
    ----------
    table
        Tells names and key.
    held, anew
        The rows that there are, and those that there should be.
    remedy
        What to do about a difference.
    """
    places = [list(table.columns).index(name) for name in table.key]
    missing: list[Row] = []
    extra: list[Row] = []
    other: list[Row] = []
    counts = [0, 0, 0]
    try:
        for key, mine, theirs in _joined(places, held, anew):
            if mine == theirs:
                continue
            place = 0 if mine is None else 1 if theirs is None else 2
            counts[place] += 1
            if counts[place] <= MOST_EXAMPLES:
                (missing, extra, other)[place].append(_telling_nobody(table, key))
    except StoreError as error:
        return [Finding(f"table {table.name}", str(error), remedy)]
    words = ("missing", "too many", "other than they should be")
    return [
        Finding(f"table {table.name}", f"{n:,} rows are {word} (such as {_keys(examples)})", remedy)
        for n, word, examples in zip(counts, words, (missing, extra, other), strict=True)
        if n
    ]


def _joined(
    places: Sequence[int], held: Iterable[Row], anew: Iterable[Row]
) -> Iterator[tuple[Row, Row | None, Row | None]]:
    """Yield key and rows of both sides, in the order of the key; None where a side has none."""
    left, right = iter(held), iter(anew)
    mine, theirs = next(left, None), next(right, None)
    while mine is not None or theirs is not None:
        my_key = None if mine is None else tuple(mine[place] for place in places)
        their_key = None if theirs is None else tuple(theirs[place] for place in places)
        if their_key is None or (my_key is not None and my_key < their_key):
            assert my_key is not None
            yield my_key, mine, None
            mine = next(left, None)
        elif my_key is None or their_key < my_key:
            yield their_key, None, theirs
            theirs = next(right, None)
        else:
            yield my_key, mine, theirs
            mine, theirs = next(left, None), next(right, None)


def _keep_versions(entries: Sequence[Entry], scratch: Store, writer: Writer) -> list[str]:
    """Keep the newest versions in the scratch store; say where versions do not follow each other."""
    newest = _newest(entries, scratch)
    wrong: list[str] = []
    for entry in entries:
        before = newest.get((entry.type, entry.id), 0)
        if entry.version != before + 1:
            wrong.append(
                f"version {entry.version} of {entry.type}/{entry.id} (entry {entry.seq}) follows {before}"
            )
        newest[entry.type, entry.id] = entry.version
    last = {(entry.type, entry.id): entry for entry in entries}
    rows = [(e.type, e.id, e.seq, e.version, digest(e.body)) for e in last.values()]
    writer.write(Batch(changes=[Upsert(CURRENT, rows)]))
    return wrong[:MOST_EXAMPLES]


def _newest(entries: Sequence[Entry], scratch: Store) -> dict[tuple[str, str], int]:
    ids: dict[str, set[str]] = {}
    for entry in entries:
        ids.setdefault(entry.type, set()).add(entry.id)
    return {
        (str(row[0]), str(row[1])): int(row[3] or 0)
        for type, of_type in ids.items()
        for row in scratch.select(CURRENT, {"type": type, "id": OneOf(tuple(of_type))})
    }


def _has_versions(type: str) -> bool:
    return type.startswith(VERSIONED) and type != _ACCESS


def _known(store: Store, scratch: Store) -> Iterator[Row]:
    """Yield the newest versions that are held; for what has none by its nature, what should be there."""
    unversioned = (row for row in scratch.rows(CURRENT) if not _has_versions(str(row[0])))
    held = store.rows(CURRENT)
    for _, mine, theirs in _joined((0, 1), held, unversioned):
        row = mine if mine is not None else theirs
        assert row is not None
        yield row


def _at(rows: Iterable[Row], table: Table, head: int, purged: int) -> Iterator[Row]:
    """Yield index rows as they are at `head`: one that ends later holds, one that ended long ago is gone."""
    names = list(table.columns)
    since, until = names.index("since"), names.index("until")
    for row in rows:
        begins, ends = int(row[since] or 0), int(row[until] or 0)
        if begins <= head and ends > purged:
            yield row if ends <= head else (*row[:until], None, *row[until + 1 :])


def _telling_nobody(table: Table, key: Row) -> Row:
    """Return a key as it may be told: of the search index without texts, which are names and streets."""
    if not table.name.endswith("_index"):
        return key
    pairs = zip(table.key, key, strict=True)
    return tuple("..." if table.columns[name] == "text" else value for name, value in pairs)


def _keys(keys: Sequence[Row]) -> str:
    return "; ".join(", ".join(str(value)[:80] for value in key) for key in keys)


def _listed(seqs: Sequence[int]) -> str:
    told = ", ".join(map(str, seqs[:MOST_EXAMPLES]))
    return f"entries {told}{' and others' if len(seqs) > MOST_EXAMPLES else ''}"
