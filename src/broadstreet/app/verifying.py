"""Verify a store: the file, the log, the index and every projection, each against what the log says."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

from broadstreet.app.followers import projections_of
from broadstreet.app.indexing import rebuild_index
from broadstreet.app.reach import read
from broadstreet.app.settings import Settings
from broadstreet.app.stores import opened, place_of
from broadstreet.model.clock import SystemClock
from broadstreet.model.ids import RandomIds
from broadstreet.store.committer import Committer
from broadstreet.store.follower import Projection
from broadstreet.store.protocol import Store, StoreError, Writer
from broadstreet.store.seal.keyring import KEYS
from broadstreet.store.sqlite import SqliteStore
from broadstreet.store.sqlite.store import verify as verify_file
from broadstreet.store.tables import Between, Table
from broadstreet.store.verification import Finding, verify_index, verify_log, verify_projection

PARTS = ("file", "log", "index", "projections")
_SEAL: Final = Table("entry", {"seq": "integer", "seal": "integer"}, key=("seq",))
_HIGHEST: Final = 2**62
_TRIED: Final = 100
"""So many sealed entries are opened to see whose the keys are: one that is damaged must not speak for all."""
Begin = Callable[[str], Callable[[int, int], None]]
"""Is told what is checked next; returns what is told how far that has come."""


def verified(
    settings: Settings, backup: Path | None, parts: Iterable[str], begin: Begin
) -> Iterator[Finding]:
    """Yield what is not as it should be. Of a store on a server a copy is verified.

    Parameters
    ----------
    settings
        Which projections there are.
    backup
        Instead of the store. A hub may write to it meanwhile. What is built again lies beside it.
    parts
        Which of `PARTS` are checked.

    Raises
    ------
    StoreError
        If the file is damaged or not a store.
    """
    if backup is None and settings.database:
        settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(prefix=".verify-", dir=settings.folder) as folder:
            yield from _verified_on_a_server(settings, Path(folder), set(parts), begin)
        return
    file, parts = backup or settings.file, set(parts)
    if "file" in parts:
        begin("file")(0, 1)
        verify_file(file)
    if backup is not None:
        _require_keys(settings, backup)
    with ExitStack() as stack:
        aside = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".verify-", dir=file.parent)))
        store = stack.enter_context(closing(opened(settings, file, create=False)))
        scratch = stack.enter_context(closing(SqliteStore(aside / "scratch.db")))
        writer = scratch.writer()
        stack.enter_context(store.snapshot())
        if "log" in parts:
            yield from _readable("log", lambda: verify_log(store, scratch, writer, begin("log")))
        if "projections" in parts:
            held = projections_of(settings).values()
            yield from _readable("projections", lambda: _projections(store, held, scratch, writer, begin))
        if "index" in parts:
            store.backup(aside / "copy.db")
            yield from _readable("index", lambda: _index(settings, store, aside / "copy.db", begin))


def _require_keys(settings: Settings, backup: Path) -> None:
    """Refuse keys none of which opens what they should have sealed: they are another hub's, or nobody's."""
    refusal = (
        f"these keys ({settings.keys_folder}) do not belong to this backup: name the hub that it is of with"
        " --data"
    )
    if not (settings.keys_folder / KEYS).exists():
        raise StoreError(refusal)
    with closing(opened(settings, backup, create=False)) as store:
        sealed = store.select(_SEAL, {"seal": Between(1, _HIGHEST)}, order=("seq",), limit=_TRIED)
        if sealed and not any(_opens(store, int(seq or 0)) for seq, _ in sealed):
            raise StoreError(refusal)


def _opens(store: Store, seq: int) -> bool:
    try:
        store.entries(seq - 1, limit=1)
    except StoreError:
        return False
    return True


def _verified_on_a_server(
    settings: Settings, folder: Path, parts: set[str], begin: Begin
) -> Iterator[Finding]:
    """Verify a copy, and against it the index, which is in no copy."""
    copy = folder / "copy.db"
    with read(settings) as store, read(settings) as other, store.snapshot():
        other.backup(copy)
        yield from verified(settings, copy, parts - {"index"}, begin)
        if "index" in parts:
            yield from _readable("index", lambda: _index(settings, store, copy, begin))


def _readable(part: str, check: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Yield findings; an entry that cannot be opened is one, and ends its part."""
    try:
        yield from check()
    except StoreError as error:
        yield Finding(part, str(error), "Restore a backup with `broadstreet restore`")


def _projections(
    store: Store, projections: Iterable[Projection], scratch: Store, writer: Writer, begin: Begin
) -> Iterator[Finding]:
    for projection in projections:
        progress = begin(projection.name)
        yield from verify_projection(store, projection, scratch, writer, progress)


def _index(settings: Settings, store: Store, copy: Path, begin: Begin) -> Iterator[Finding]:
    """Compare the index with the one that is made anew from a copy of its log."""
    progress, clock = begin("index"), SystemClock()
    with closing(opened(settings, copy)) as rebuilt:
        with closing(Committer(rebuilt, clock, RandomIds(clock))) as committer:
            rebuild_index(rebuilt, committer, place_of(settings, copy), progress)
        yield from verify_index(store, rebuilt)
