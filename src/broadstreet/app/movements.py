"""Ask for movements and decide about it, and the investigations that it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from broadstreet.app import requests
from broadstreet.app.callers import Callers
from broadstreet.app.core import Core
from broadstreet.model import records
from broadstreet.model.records import AccessRequest, AnyRecord, Investigation
from broadstreet.store.entry import Entry
from broadstreet.trust.investigations import Close, Open
from broadstreet.trust.principals import Principal, Purpose
from broadstreet.trust.reading import Trust
from broadstreet.trust.requests import ASKS, DECIDES, Ask, Decide, Withdraw

R = TypeVar("R", AccessRequest, Investigation)


@dataclass(frozen=True)
class Movements:
    """Answers what is asked about movements, for whoever presents a token."""

    core: Core
    callers: Callers
    trust: Trust

    def answers(self) -> dict[type, Callable[[Any], Any]]:
        """Return what answers each request."""
        return {
            requests.InvestigationOpen: self._open,
            requests.InvestigationClose: self._close,
            requests.InvestigationList: self._investigations,
            requests.MovementsAsk: self._ask,
            requests.MovementsList: self._list,
            requests.MovementsShow: self._show,
            requests.MovementsDecide: self._decide,
            requests.MovementsWithdraw: self._withdraw,
        }

    def _open(self, request: requests.InvestigationOpen) -> Investigation:
        opened: Investigation = self.core.committer.commit(
            Open(self._who(request), request.title, tuple(request.cases), tuple(request.signals))
        )
        return opened

    def _close(self, request: requests.InvestigationClose) -> Investigation:
        held = self._investigation(request.id)
        closed: Investigation = self.core.committer.commit(
            Close(self._who(request), held.id, request.finding)
        )
        return closed

    def _investigations(self, request: requests.InvestigationList) -> dict[str, Any]:
        self._require_concerned(self._who(request))
        found = self._all(Investigation)
        shown = [each for each in found if request.everything or each.status == "open"]
        return {"investigations": [_without_cases(each) for each in reversed(shown)]}

    def _ask(self, request: requests.MovementsAsk) -> AccessRequest:
        work = Ask(
            self._who(request), self._investigation(request.investigation).id, tuple(request.residents),
            request.basis, request.start, request.end, request.expires,
        )  # fmt: skip
        asked: AccessRequest = self.core.committer.commit(work)
        return asked

    def _list(self, request: requests.MovementsList) -> dict[str, Any]:
        self._require_concerned(self._who(request))
        titles = {each.id: each for each in self._all(Investigation)}
        told = [self._told(each, titles.get(each.investigation)) for each in self._all(AccessRequest)]
        shown = [each for each in told if request.everything or each["state"] in ("asked", "approved")]
        return {"requests": shown[::-1]}

    def _show(self, request: requests.MovementsShow) -> dict[str, Any]:
        """Show a request with its residents, which is a reading about them."""
        who, held = self._who(request), self._request(request.id)
        purpose = Purpose("audit") if DECIDES in who.roles else Purpose("investigation", held.investigation)
        found = self.trust.reader(who, purpose).record("AccessRequest", held.id)
        if not isinstance(found, AccessRequest):
            raise ValueError("requests are shown to investigators and privacy officers")
        held_for = self._all(Investigation)
        about = next((each for each in held_for if each.id == found.investigation), None)
        return {"request": self._told(found, about), "residents": list(found.residents)}

    def _decide(self, request: requests.MovementsDecide) -> dict[str, Any]:
        work = Decide(self._who(request), self._request(request.id).id, request.status, request.reason)
        decided: AccessRequest = self.core.committer.commit(work)
        notices = len(decided.residents) if decided.status == "approved" else 0
        return {"id": decided.id, "status": decided.status, "notices": notices}

    def _withdraw(self, request: requests.MovementsWithdraw) -> dict[str, Any]:
        work = Withdraw(self._who(request), self._request(request.id).id, request.reason)
        withdrawn: AccessRequest = self.core.committer.commit(work)
        return {"id": withdrawn.id, "status": withdrawn.status}

    def _who(self, request: Any) -> Principal:
        return self.callers.principal(request.token)

    def _require_concerned(self, who: Principal) -> None:
        if who.kind != "person" or not who.roles & {ASKS, DECIDES}:
            raise ValueError(f"this is told to a person with the role {ASKS} or {DECIDES}")

    def _told(self, held: AccessRequest, about: Investigation | None) -> dict[str, Any]:
        """Return a request without its residents, and how it stands by now."""
        state: str = held.status
        if held.status in ("asked", "approved"):
            if about is None or about.status != "open":
                state = "over: the investigation is closed"
            elif self.core.clock.now() >= held.expires:
                state = "over: its time has come"
        return {
            "id": held.id, "state": state, "investigation": held.investigation,
            "title": about.title if about else "", "residents": len(held.residents), "basis": held.basis,
            "start": held.start, "end": held.end, "expires": held.expires, "asked_by": held.asked_by,
            "decided_by": held.decided_by, "reason": held.reason,
        }  # fmt: skip

    def _investigation(self, id: str) -> Investigation:
        return _one(self._all(Investigation), id, "an investigation", "broadstreet investigation list --all")

    def _request(self, id: str) -> AccessRequest:
        return _one(self._all(AccessRequest), id, "a request", "broadstreet movements list --all")

    def _all(self, kind: type[R]) -> list[R]:
        """Return all of a kind, the oldest first: ids are in the order of time."""
        found: list[R] = []
        after = ""
        while entries := self.core.store.currents(records.entry_type(kind), after=after):
            found += [held for entry in entries if isinstance(held := _record(entry), kind)]
            after = entries[-1].id
        return found


def _record(entry: Entry) -> AnyRecord | None:
    return records.decode(entry.body) if entry.body else None


def _without_cases(held: Investigation) -> dict[str, Any]:
    return {
        "id": held.id, "status": held.status, "title": held.title, "opened": held.opened,
        "cases": len(held.cases), "lead": held.lead or "", "closed": held.closed,
    }  # fmt: skip


def _one(all: list[R], id: str, what: str, see: str) -> R:
    """Return the one whose id ends so."""
    found = [each for each in all if each.id.endswith(id)]
    if len(found) != 1:
        raise ValueError(
            f"expected the id of {what}, or an end that only one has (got {id!r}, which {len(found)} have):"
            f" see `{see}`"
        )
    return found[0]
