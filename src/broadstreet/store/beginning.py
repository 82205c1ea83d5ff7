"""Where followers begin: each where its cursor stands, unless it is new, or what is kept does not fit."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from broadstreet.store.advance import Advance
from broadstreet.store.committer import Committer
from broadstreet.store.follower import Follower, Projection, Reactor, source_of
from broadstreet.store.protocol import Cursor, Store, StoreError
from broadstreet.store.tables import Change, Clear

_log = logging.getLogger(__name__)


def begun(store: Store, committer: Committer, followers: Sequence[Follower]) -> dict[str, Cursor]:
    """Make the followers' tables, decide where each begins, and return it by name.

    Raises
    ------
    StoreError
        If two of them share a name or a table, or one of them could never run as it says.
    """
    stored = store.cursors()
    cursors = dict(stored)
    ordered = in_order(followers)
    for follower in ordered:
        held = stored.get(follower.name)
        astray = _astray(store, committer.head, follower, held)
        if astray:
            _log.warning("%s begins anew: %s", source_of(follower), astray)
        if held is None or held.version != follower.version or astray:
            begins = _begins(committer.head, follower, held, stored, astray=bool(astray))
            changes = cleared(follower) if isinstance(follower, Projection) else []
            committer.commit(Advance(begins, held.seq if held else 0, changes=changes))
            cursors[follower.name] = begins
            _log.info("%s begins at %d (%s)", source_of(follower), begins.seq, begins.mode)
    tables = [table for f in ordered if isinstance(f, Projection) for table in f.tables]
    committer.between(lambda writer: writer.define(tables))
    return {follower.name: cursors[follower.name] for follower in ordered}


def cleared(projection: Projection) -> list[Change]:
    """Return the changes that empty its tables."""
    return [Clear(table) for table in projection.tables]


def in_order(followers: Sequence[Follower]) -> list[Follower]:
    """Return projections that reactors run over, then reactors, then the other projections.

    What somebody waits for comes first: each commit of a follower waits for those of the doors.

    Raises
    ------
    StoreError
        If two of them share a name or a table, or one of them could never run as it says.
    """
    _require_single("name", [follower.name for follower in followers])
    projections = [follower for follower in followers if isinstance(follower, Projection)]
    _require_single("table", [table.name for projection in projections for table in projection.tables])
    for follower in followers:
        if isinstance(follower, Projection) and not follower.barriers <= follower.types:
            unseen = ", ".join(sorted(follower.barriers - follower.types))
            raise StoreError(f"{follower.name} waits at entries that it does not want to see: {unseen}")
        if isinstance(follower, Reactor) and follower.over not in (None, *projections):
            raise StoreError(f"{follower.name} runs over a projection that is not among the followers")
    below = {follower.over.name for follower in followers if isinstance(follower, Reactor) and follower.over}
    return sorted(
        followers, key=lambda each: 1 if isinstance(each, Reactor) else 2 * (each.name not in below)
    )


def _require_single(what: str, names: Sequence[str]) -> None:
    if twice := {name for name in names if names.count(name) > 1}:
        raise StoreError(f"two followers have the same {what}: {', '.join(sorted(twice))}")


def _astray(store: Store, head: int, follower: Follower, held: Cursor | None) -> str:
    """Say why what is kept of a follower does not fit the log; empty where it does."""
    if held is None:
        return ""
    if held.seq > head:
        return f"it stands at {held.seq}, the log ends at {head} (was a backup restored?)"
    if held.seq and held.version == follower.version and isinstance(follower, Projection):
        missing = [table.name for table in follower.tables if not store.has(table)]
        return f"its table {', '.join(missing)} is missing" if missing else ""
    return ""


def _begins(
    head: int, follower: Follower, held: Cursor | None, stored: Mapping[str, Cursor], *, astray: bool
) -> Cursor:
    """Where a new follower begins, or a new version of one, or one that went astray.

    A projection is built from the first entry. A new version of a reactor begins in shadow where the
    old one stopped. A new reactor over a projection that has run begins where that stands: earlier
    entries would meet tables that already know what came after them.
    """
    if isinstance(follower, Projection):
        return Cursor(follower.name, follower.version, 0)
    if held is not None:
        if astray and held.version == follower.version and isinstance(follower, Reactor):
            return Cursor(follower.name, follower.version, head, held.mode)
        return Cursor(follower.name, follower.version, held.seq, "shadow")
    over = stored.get(follower.over.name) if follower.over else None
    return Cursor(follower.name, follower.version, over.seq if over else 0)
