"""The desk: carries out requests on a core, whether they came over the socket or from a command."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from broadstreet.app import requests
from broadstreet.app.backups import backed_up
from broadstreet.app.callers import Callers, trust_of
from broadstreet.app.card.asking import card_for
from broadstreet.app.core import Core
from broadstreet.app.erasing import erase
from broadstreet.app.followers import districts_of
from broadstreet.app.judging import judged
from broadstreet.app.movements import Movements
from broadstreet.app.receiving.suspects import unread_of
from broadstreet.app.status import Running, Status, status_of
from broadstreet.connectors.hl7v2.unread import UNREAD
from broadstreet.model import records
from broadstreet.model.records import Quarantined, Signal
from broadstreet.store.entry import Entry
from broadstreet.store.inbox import Arrival, Discard, Receipt, Retry
from broadstreet.store.transaction import Transaction
from broadstreet.trust.erasure import MayNotErase
from broadstreet.trust.principals import Purpose
from broadstreet.trust.reading import Forbidden, PurposeReader
from broadstreet.trust.requests import Refused
from broadstreet.workflows.surveillance.card import Card

Tell = Callable[[], Running]
_MOST_NAMED = 100
_SEEN_WITHIN = 5.0
"""In seconds; so long a list waits for followers."""


class Door(Protocol):
    """What a desk needs of a door."""

    def interpret(self, tx: Transaction, arrival: Arrival, cause: int) -> None:
        """Map a message that is in the store already."""
        ...

    def text_of(self, raw: bytes) -> str:
        """Return the text of a message as it came."""
        ...


class Desk:
    """Answers requests.

    Parameters
    ----------
    core
        What they are carried out on.
    door
        Maps a message: a retry does the same.
    running
        Tells about the hub; None if none runs.
    """

    def __init__(self, core: Core, door: Door, running: Tell | None = None) -> None:
        self._core, self._door, self._running = core, door, running
        settings = core.settings
        self._callers, self._districts = Callers(settings.folder), districts_of(settings)
        self._trust = trust_of(core.store, core.committer, core.clock, settings.keys_folder)
        self._answers: dict[type, Callable[[Any], Any]] = {
            requests.Advance: self._advance,
            requests.Settle: self._settle,
            requests.Status: self._status,
            requests.SignIn: self._sign_in,
            requests.QuarantineList: self._messages,
            requests.QuarantineShow: self._message,
            requests.Looked: self._looked,
            requests.Erase: self._erase,
            requests.QuarantineRetry: self._retry,
            requests.QuarantineDiscard: self._discard,
            requests.SignalCard: self._card,
            requests.SignalJudge: self._judge,
            requests.Backup: self._backup,
            requests.Resume: self._resume,
            requests.Promote: self._promote,
            **Movements(core, self._callers, self._trust).answers(),
        }

    def answer(self, request: requests.Request) -> Any:
        """Do what is asked and return the answer, of JSON's types or structs.

        Raises
        ------
        ValueError, KeyError, StoreError, OSError
            If it cannot be done; the text is one sentence.
        """
        try:
            return self._answers[type(request)](request)
        except (Forbidden, MayNotErase, Refused) as error:
            raise ValueError(str(error)) from None

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
        return status_of(core.store, core.settings.zone, core.followers.faults, running, self._districts)

    def _sign_in(self, request: requests.SignIn) -> dict[str, str]:
        session = self._callers.sign_in(request.name, request.password)
        return {"name": session.principal.name, "token": session.access}

    def _await_followers(self) -> None:
        """Let a list hold what was acknowledged before it was asked for; rather an old list than none."""
        self._core.followers.catch_up(self._core.committer.head, _SEEN_WITHIN)

    def _reader(self, request: Any, purpose: str) -> PurposeReader:
        return self._trust.reader(self._callers.principal(request.token), Purpose(purpose))

    def _messages(self, request: requests.QuarantineList) -> dict[str, Any]:
        reader = self._reader(request, "operations")
        self._await_followers()
        return {"messages": reader.messages(everything=request.everything, limit=request.limit)}

    def _message(self, request: requests.QuarantineShow) -> dict[str, Any]:
        found = self._reader(request, "operations").message(request.id)
        if found is None:
            raise ValueError(
                f"expected the id of one message in quarantine, got {request.id!r}; see `quarantine list`"
            )
        return {"raw": found.raw, "held": records.encode(found.held).decode()}

    def _looked(self, request: requests.Looked) -> dict[str, Any]:
        principal = self._callers.principal(request.token)
        purpose = "self-access" if principal.resident else "audit"
        self._await_followers()
        return {"looked": self._trust.reader(principal, Purpose(purpose)).looked(request.of, request.limit)}

    def _erase(self, request: requests.Erase) -> dict[str, Any]:
        principal = self._callers.principal(request.token)
        erased, found = erase(self._core, principal, request.resident, request.basis, self._text_of())
        residents = (erased.resident, *erased.also)
        accounts = [account.name for account in self._callers.accounts.of_resident(residents)]
        for name in accounts:
            self._callers.accounts.disable(name)
        doubtful, others = found.doubtful[:_MOST_NAMED], list(found.others)[:_MOST_NAMED]
        return {"erasure": erased, "doubtful": doubtful, "others": others, "disabled": accounts}

    def _text_of(self) -> Callable[[bytes], str]:
        """Return what reads messages for a search: those that nobody is to read as plain characters."""
        unread = unread_of(self._core.store)

        def text_of(raw: bytes) -> str:
            if unread and sha256(raw).digest() in unread:
                return raw.decode("utf-8", "backslashreplace")
            return self._door.text_of(raw)

        return text_of

    def _retry(self, request: requests.QuarantineRetry) -> Receipt:
        self._require_operator(request)
        entry, held = self._held(request.id)
        raw = self._core.store.entries((entry.cause or 0) - 1, limit=1)[0]
        if held.kind == UNREAD and request.mended in {None, raw.body}:
            raise ValueError("reading this message ends a process: send it mended, or discard it")
        receipt: Receipt = self._core.committer.commit(Retry(raw, held, self._door.interpret, request.mended))
        return receipt

    def _discard(self, request: requests.QuarantineDiscard) -> dict[str, Any]:
        self._require_operator(request)
        self._held(request.id)
        discarded: Quarantined = self._core.committer.commit(Discard(request.id, request.note))
        return {"id": discarded.id, "state": discarded.state}

    def _require_operator(self, request: Any) -> None:
        if "operator" not in self._callers.principal(request.token).roles:
            raise ValueError("messages are mended and discarded by a person with the role operator")

    def _held(self, id: str) -> tuple[Entry, Quarantined]:
        entry = self._core.store.current(records.entry_type(Quarantined), id)
        held = records.decode(entry.body) if entry is not None and entry.body else None
        if entry is None or not isinstance(held, Quarantined):
            raise ValueError(f"expected the id of a message in quarantine, got {id!r}; see `quarantine list`")
        if held.state != "held":
            raise ValueError(f"expected a message that is held, but {id} is {held.state} already")
        return entry, held

    def _card(self, request: requests.SignalCard) -> Card:
        name = "investigation" if request.investigation else "public-health"
        purpose = Purpose(name, request.investigation)
        if self._core.indexing is None:  # no process keeps the index: what it has not seen would be missing
            self._core.settle_index()
        reader = self._trust.reader(self._callers.principal(request.token), purpose)
        return card_for(self._core, reader, request.id)

    def _judge(self, request: requests.SignalJudge) -> Signal:
        return judged(self._core, self._callers.principal(request.token), request)

    def _backup(self, request: requests.Backup) -> dict[str, Any]:
        target = Path(request.to)
        return {
            "head": backed_up(self._core.store, self._core.settings, target),
            "bytes": target.stat().st_size,
        }

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
