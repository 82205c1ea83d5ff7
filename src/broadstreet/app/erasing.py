"""Erase a resident from a store, whether a hub runs on it or not: each step, and the proof."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from broadstreet.app.core import Core
from broadstreet.app.stores import keyring_of
from broadstreet.model.records import Access, Erasure
from broadstreet.store.protocol import StoreError
from broadstreet.trust.access import Leave
from broadstreet.trust.belongings import Belongings, TextOf, belongings
from broadstreet.trust.erasure import Begin, Finish, readable, require_may_erase, telling, traces
from broadstreet.trust.principals import Principal

MOST_NAMED = 100
"""Files that the record names."""
MOST_ROUNDS = 5
"""So often it is looked again whether something came in about the resident meanwhile."""


def erase(
    core: Core, principal: Principal, resident: str, basis: str, text_of: TextOf
) -> tuple[Erasure, Belongings]:
    """Erase a resident; return the record of it, and what was found: also what others have, and keep.

    While the files are written anew, nothing is committed.

    Parameters
    ----------
    core
        The store under its lease.
    principal
        Who orders it: a person who is privacy officer.
    resident
        Id of the Patient.
    basis
        By which right.
    text_of
        Reads messages as they came.

    Raises
    ------
    MayNotErase
        If the principal is none.
    ValueError
        If there is no such resident.
    StoreError
        If it could not be finished; ordered again, it goes on.
    """
    require_may_erase(principal)
    order, found = _deleted(core, principal, resident, basis, text_of)
    keys = keyring_of(core.store).destroy(found.residents, found.seals)
    hashed = [core.store.indexer.hashed(id) for id in found.residents]
    rows = core.committer.between(lambda writer: writer.erase(sorted(found.entries), hashed))
    core.settle()
    core.settle_index()
    core.committer.between(lambda writer: writer.compact())
    words, files = telling(core.store, found.words), _files(core)
    done = replace(
        order,
        keys=keys,
        rows=rows,
        entries=len(found.full),
        messages=len(found.messages & found.full),
        readable=readable(core.store, found),
        words=len(words),
        traces=traces(files, words),
        searched=tuple(file.name for file in files[:MOST_NAMED]),
    )
    erased: Erasure = core.committer.commit(Finish(done))
    core.committer.commit(Leave(_access(principal, erased)))
    return erased, found


def _files(core: Core) -> list[Path]:
    """Return the files of the store and whatever else lies in the data folder: logs, stores set aside."""
    others = [file for file in core.settings.folder.rglob("*") if file.is_file()]
    return sorted({*(file.absolute() for file in core.store.files()), *(file.absolute() for file in others)})


def _access(principal: Principal, erased: Erasure) -> Access:
    """Return that the resident was looked at: what is theirs was gone through."""
    whom = (erased.resident, *erased.also)
    return Access(
        id="-", who=principal.name, kind=principal.kind, roles=tuple(sorted(principal.roles)),
        purpose="audit", action="erase", what="Patient", outcome="answered", residents=len(whom),
        rows=erased.entries, whom=whom,
    )  # fmt: skip


def _deleted(
    core: Core, principal: Principal, resident: str, basis: str, text_of: TextOf
) -> tuple[Erasure, Belongings]:
    """State that it begins and delete what is theirs, until nothing is; return all that there was."""
    order: Erasure | None = None
    for _ in range(MOST_ROUNDS):
        core.settle()  # the table of the quarantine must know all messages
        found = belongings(core.store, resident, text_of)
        if order is not None and not found.live:
            return order, found
        begun = core.committer.commit(Begin(principal, found.residents, tuple(found.live), basis))
        order = order or begun
    raise StoreError(f"messages about the resident keep coming in: erase {resident} again")
