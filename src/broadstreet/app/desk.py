"""The desk: carries out requests on a core, whether they came over the socket or from a command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from broadstreet.app import requests
from broadstreet.app.core import Core
from broadstreet.app.status import Running, Status, status_of
from broadstreet.model import records
from broadstreet.model.records import Quarantined
from broadstreet.store.entry import Entry
from broadstreet.store.inbox import Discard, Interpret, Receipt, Retry

Tell = Callable[[], Running]


class Desk:
    """Answers requests.

    Parameters
    ----------
    core
        What they are carried out on.
    interpret
        How the door maps a message: a retry does the same.
    running
        Tells about the hub; None if none runs.
    """

    def __init__(self, core: Core, interpret: Interpret, running: Tell | None = None) -> None:
        self._core, self._interpret, self._running = core, interpret, running
        self._answers: dict[type, Callable[[Any], Any]] = {
            requests.Advance: self._advance,
            requests.Settle: self._settle,
            requests.Status: self._status,
            requests.QuarantineRetry: self._retry,
            requests.QuarantineDiscard: self._discard,
            requests.Backup: self._backup,
            requests.Resume: self._resume,
            requests.Promote: self._promote,
        }

    def answer(self, request: requests.Request) -> Any:
        """Do what is asked and return the answer, of JSON's types or structs.

        Raises
        ------
        ValueError, KeyError, StoreError, OSError
            If it cannot be done; the text is one sentence.
        """
        return self._answers[type(request)](request)

    def _advance(self, request: requests.Advance) -> dict[str, Any]:
        due = self._core.advance(request.to)
        return {"now": self._core.clock.now(), "timers": [timer.id for timer in due]}

    def _settle(self, _: requests.Settle) -> dict[str, Any]:
        self._core.settle()
        if self._core.indexing is not None:
            self._core.settle_index()
        return {"head": self._core.committer.head}

    def _status(self, _: requests.Status) -> Status:
        core = self._core
        running = self._running() if self._running else None
        return status_of(core.store, core.settings.zone, core.followers.faults, running)

    def _retry(self, request: requests.QuarantineRetry) -> Receipt:
        entry, held = self._held(request.id)
        raw = self._core.store.entries((entry.cause or 0) - 1, limit=1)[0]
        receipt: Receipt = self._core.committer.commit(Retry(raw, held, self._interpret, request.mended))
        return receipt

    def _discard(self, request: requests.QuarantineDiscard) -> dict[str, Any]:
        self._held(request.id)
        discarded: Quarantined = self._core.committer.commit(Discard(request.id, request.note))
        return {"id": discarded.id, "state": discarded.state}

    def _held(self, id: str) -> tuple[Entry, Quarantined]:
        entry = self._core.store.current(records.entry_type(Quarantined), id)
        held = records.decode(entry.body) if entry is not None and entry.body else None
        if entry is None or not isinstance(held, Quarantined):
            raise ValueError(f"expected the id of a message in quarantine, got {id!r}; see `quarantine list`")
        if held.state != "held":
            raise ValueError(f"expected a message that is held, but {id} is {held.state} already")
        return entry, held

    def _backup(self, request: requests.Backup) -> dict[str, Any]:
        target = Path(request.to)
        return {"head": self._core.store.backup(target), "bytes": target.stat().st_size}

    def _resume(self, request: requests.Resume) -> dict[str, Any]:
        faults = self._core.followers.faults
        if request.follower not in faults:
            stopped = ", ".join(faults) or "none has stopped"
            raise ValueError(f"expected a follower that has stopped ({stopped}), got {request.follower!r}")
        self._core.followers.resume(request.follower)
        return {"follower": request.follower}

    def _promote(self, request: requests.Promote) -> dict[str, Any]:
        reached = self._core.followers.promote(request.follower)
        return {"follower": reached.follower, "version": reached.version, "seq": reached.seq}
