"""Compute the rows of a whole log, in several processes, each with a stage of its own to lay them down in.

The log is cut into slices, which the processes take in turns. A stage is the back end's: what its rows become
afterwards (sorted, indexed, put in place) is told there. A process whose parent is gone ends by itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

from broadstreet.store.index.following import FHIR_TYPES, Index, index_of
from broadstreet.store.index.indexer import Indexer
from broadstreet.store.index.kinds import FOREVER
from broadstreet.store.protocol import Reader, Store, StoreError

SLICE = 4_000
"""Positions whose rows are computed at once."""
FEW = 50_000
"""Up to so many entries, further processes would take longer to start than they save."""

Opening = Callable[[], Store]
"""Opens the log in a process of its own; it is pickled on its way there."""
Progress = Callable[[int, int], None]


class Stage(Protocol):
    """Where one process lays down rows."""

    def write(self, index: Sequence[Sequence[tuple[Any, ...]]]) -> None:
        """Keep whole rows, by kind in the order of `KINDS`."""
        ...

    def close(self) -> None:
        """Let all of them be seen by whoever puts the stages together."""
        ...


@dataclass(frozen=True)
class Share:
    """What one process computes: the slices `number`, `number + of`, ... of the positions up to `head`.

    Versions that were superseded at or before `purged` have no rows.
    """

    log: Opening
    stage: Callable[[int], Stage]
    head: int
    purged: int
    number: int
    of: int
    slice: int

    def slices(self) -> Iterator[tuple[int, int]]:
        """Yield the bounds of each slice: `after < seq <= to`."""
        for after in range(self.number * self.slice, self.head, self.of * self.slice):
            yield after, min(after + self.slice, self.head)

    def compute(self) -> Iterator[int]:
        """Lay down the rows of each slice; yield how many entries it had."""
        with closing(self.log()) as log, closing(self.stage(self.number)) as stage:
            indexer = Indexer(log.indexer.keys.key)
            for after, to in self.slices():
                stage.write(_rows_of_slice(log, indexer, after, to, self.purged))
                yield to - after


def build(
    log: Opening, stage: Callable[[int], Stage], head: int, purged: int, progress: Progress,
    processes: int | None = None,
) -> int:  # fmt: skip
    """Compute the rows of all positions up to `head`; return in how many stages they are.

    Parameters
    ----------
    log, stage
        Open the log, and the stage of a number, in whichever process.
    head, purged
        See `Share`.
    progress
        Is told `(done, all)` in entries.
    processes
        By default as many as there are processors, and this one alone for a short log.

    Raises
    ------
    StoreError
        If an entry's body cannot be read, or a process ends before its work.
    """
    if processes is None:
        processes = min(os.cpu_count() or 1, 8) if head > FEW else 1
    done = 0
    shares = [Share(log, stage, head, purged, number, processes, SLICE) for number in range(processes)]
    for entries in shares[0].compute() if processes == 1 else _elsewhere(shares):
        done += entries
        progress(done, head)
    return processes


def _rows_of_slice(log: Reader, indexer: Indexer, after: int, to: int, purged: int) -> Index:
    entries = log.entries(after, to=to, types=FHIR_TYPES, limit=to - after)
    follows = log.successors(after, to)
    versions = [(entry, until) for entry in entries if (until := follows.get(entry.seq, FOREVER)) > purged]
    return index_of(versions, indexer, log.labels(after, to))


def _elsewhere(shares: Sequence[Share]) -> Iterator[int]:
    with _started(shares) as running:
        while running:
            for told in wait(list(running)):
                assert isinstance(told, Connection)
                message = _received(told)
                if isinstance(message, int):
                    yield message
                elif message is None:
                    running.pop(told).join()
                else:
                    raise StoreError(message)


def _received(told: Connection) -> int | str | None:
    """Return how many entries were done, what went wrong, or None for the end."""
    try:
        message: int | str | None = told.recv()
    except EOFError:
        return "a process that computed index rows has ended: rebuild again"
    return message


@contextmanager
def _started(shares: Sequence[Share]) -> Iterator[dict[Connection, BaseProcess]]:
    # Spawned, not forked: threads and connections to the database are not for two.
    context = multiprocessing.get_context("spawn")
    running: dict[Connection, BaseProcess] = {}
    processes: list[BaseProcess] = []
    try:
        for share in shares:
            ours, theirs = context.Pipe(duplex=False)
            process: BaseProcess = context.Process(
                target=_compute, args=(share, theirs, os.getpid()), daemon=True
            )
            process.start()
            theirs.close()
            running[ours] = process
            processes.append(process)
        yield running
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _compute(share: Share, told: Connection, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us is told, and ends us
    try:
        for entries in share.compute():
            if os.getppid() != parent:
                return
            told.send(entries)
    except StoreError as error:
        told.send(str(error))
    else:
        told.send(None)
