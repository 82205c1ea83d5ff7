"""Rebuild the search index from the log: after a parameter was added, or where the index is in doubt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from broadstreet.model import fhir
from broadstreet.model.failures import traced
from broadstreet.store.committer import Committer
from broadstreet.store.entry import NO_ROWS, Entry, IndexRows
from broadstreet.store.index import PARAMETERS, Indexer
from broadstreet.store.protocol import FOREVER, Store, StoreError

SLICE = 500
"""So many versions are read and written at once."""

RowsOf = Callable[[Entry], IndexRows]

_TYPES = frozenset(f"fhir/{parameter.type}" for parameter in PARAMETERS)


def reindex(
    store: Store,
    committer: Committer,
    rows_of: RowsOf | None = None,
    types: Iterable[str] = _TYPES,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> int:
    """Empty the search index and compute every row again, in the order of the log; return the head.

    Versions whose rows were purged have rows again, so every position can be read again. The hub
    must not run. Where this breaks off, the index is refused to searches until it is done again.

    Parameters
    ----------
    rows_of
        Gives the index rows of an entry; without it, the body is decoded as FHIR.
    types
        The entry types that are indexed.
    progress
        Is told `(done, all)` in entries.

    Raises
    ------
    StoreError
        If an entry's body cannot be read.
    """
    rows_of = rows_of or partial(_fhir_rows, store.indexer)
    types, head, position = frozenset(types), store.head(), 0
    committer.between(lambda writer: writer.drop_index())
    while position < head:
        entries = store.entries(position, to=head, types=types, limit=SLICE)
        reached = entries[-1].seq if len(entries) == SLICE else head
        follows = store.successors(position, reached)
        rows = [(entry.seq, follows.get(entry.seq, FOREVER), rows_of(entry)) for entry in entries]
        committer.between(lambda writer, rows=rows: writer.reindex(rows))  # type: ignore[misc]
        position = reached
        progress(position, head)
    committer.between(lambda writer: writer.finish_index())
    return head


def _fhir_rows(indexer: Indexer, entry: Entry) -> IndexRows:
    if entry.body is None:
        return NO_ROWS
    try:
        return indexer.rows(fhir.decode(entry.body))
    except ValueError as error:
        reason = traced(error)  # its text may hold a patient's data
        raise StoreError(
            f"entry {entry.seq} ({entry.type}/{entry.id}) cannot be indexed: {reason}"
        ) from error
