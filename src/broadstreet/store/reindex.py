"""Rebuild the search index from the log: after a parameter was added, or where the index is in doubt."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain, islice

from broadstreet.store.committer import Committer
from broadstreet.store.entry import Entry, Labels
from broadstreet.store.index import Indexer
from broadstreet.store.index.building import FEW
from broadstreet.store.index.following import FHIR_TYPES, Index, RowsOf, index_of
from broadstreet.store.index.kinds import FOREVER
from broadstreet.store.protocol import Store, StoreError

SLICE = 4_000
"""The rows of so many versions are computed at once."""
TOGETHER = 8
"""So many slices are written at once, sorted: a page that has rows of several is written once."""
AHEAD = 2
"""So many slices for each process are under way."""
Versions = tuple[list[tuple[Entry, int]], dict[int, Labels]]
"""Entries with the seq of each one's successor, and the labels of those that have any."""


def reindex(
    store: Store,
    committer: Committer,
    rows_of: RowsOf | None = None,
    types: Iterable[str] = FHIR_TYPES,
    progress: Callable[[int, int], None] = lambda *_: None,
    processes: int | None = None,
) -> int:
    """Empty the search index and compute every row again, in the order of the log; return the head.

    Versions whose rows were purged have rows again, so every position can be read again. The hub
    must not run. Where this breaks off, the index is refused to searches until it is done again.

    Parameters
    ----------
    rows_of
        Gives the index rows of an entry, in this process; without it, the body is decoded as FHIR.
    types
        The entry types that are indexed.
    progress
        Is told `(done, all)` in entries.
    processes
        How many processes compute rows, while this one reads and writes; 0 for this one alone. By default as
        many as there are processors, and none for a short log.

    Raises
    ------
    StoreError
        If an entry's body cannot be read.
    """
    head = store.head()
    if processes is None:
        processes = (os.cpu_count() or 1) if head > FEW else 0
    committer.between(lambda writer: writer.drop_index())
    slices = _slices(store, head, frozenset(types))
    if rows_of is not None or processes == 0:
        made = _made_here(slices, store.indexer, rows_of)
    else:
        made = _made_elsewhere(slices, store.indexer, processes)
    for reached, index in _together(made):
        committer.between(lambda writer, index=index: writer.reindex(index))  # type: ignore[misc]
        progress(reached, head)
    committer.between(lambda writer: writer.finish_index())
    return head


def _slices(store: Store, head: int, types: frozenset[str]) -> Iterator[tuple[int, Versions]]:
    """Yield versions, and the seq up to which all are given."""
    position = 0
    while position < head:
        entries = store.entries(position, to=head, types=types, limit=SLICE)
        reached = entries[-1].seq if len(entries) == SLICE else head
        follows, labels = store.successors(position, reached), store.labels(position, reached)
        yield reached, ([(entry, follows.get(entry.seq, FOREVER)) for entry in entries], labels)
        position = reached


def _together(made: Iterator[tuple[int, Index]]) -> Iterator[tuple[int, Index]]:
    """Join slices that follow each other."""
    while several := list(islice(made, TOGETHER)):
        reached = several[-1][0]
        yield (
            reached,
            [list(chain.from_iterable(rows)) for rows in zip(*(i for _, i in several), strict=True)],
        )


def _made_here(
    slices: Iterator[tuple[int, Versions]], indexer: Indexer, rows_of: RowsOf | None
) -> Iterator[tuple[int, Index]]:
    for reached, versions in slices:
        yield reached, index_of(versions[0], indexer, versions[1], rows_of)


def _made_elsewhere(
    slices: Iterator[tuple[int, Versions]], indexer: Indexer, processes: int
) -> Iterator[tuple[int, Index]]:
    under_way: deque[tuple[int, Future[Index]]] = deque()
    with _pool(indexer, processes) as pool:
        for reached, versions in slices:
            under_way.append((reached, pool.submit(_index_elsewhere, versions)))
            if len(under_way) > AHEAD * processes:
                first, future = under_way.popleft()
                yield first, future.result()
        for first, future in under_way:
            yield first, future.result()


@contextmanager
def _pool(indexer: Indexer, processes: int) -> Iterator[ProcessPoolExecutor]:
    # Spawned, not forked: threads and connections to the database are not for two.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, initializer=_begin, initargs=(indexer.keys.key,))
    try:
        yield pool
    except BrokenProcessPool as error:
        raise StoreError(f"a process that computed index rows has ended ({error}): rebuild again") from error
    finally:
        pool.shutdown(cancel_futures=True)


_indexer: Indexer | None = None


def _begin(key: bytes) -> None:
    global _indexer  # noqa: PLW0603 - one for each process, made as it starts
    _indexer = Indexer(key)


def _index_elsewhere(versions: Versions) -> Index:
    assert _indexer is not None
    return index_of(versions[0], _indexer, versions[1])
