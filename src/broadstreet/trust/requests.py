"""Requests to see movements: asked by one person, decided by another, told to the residents, and over in
time.

A request names the investigation, the residents, the legal basis, and the window of time that is asked for.
It counts as long as it is approved, its time has not come, and the investigation is open: whoever reads
asks `allowed` each time, so nothing has to be switched off.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from msgspec.structs import replace

from broadstreet.model import records
from broadstreet.model.clock import instant
from broadstreet.model.records import AccessNotice, AccessRequest, Investigation
from broadstreet.store.entry import Draft, Entry
from broadstreet.store.transaction import Transaction, Wants
from broadstreet.trust.principals import Principal

LONGEST_WINDOW: Final = timedelta(days=60)
LONGEST: Final = timedelta(days=90)
"""So long a request may be good; then it is asked for again."""
ASKS: Final = "investigator"
DECIDES: Final = "privacy-officer"
SOURCE: Final = "trust.requests@1"
_REQUEST = records.entry_type(AccessRequest)
_INVESTIGATION = records.entry_type(Investigation)


class Refused(Exception):
    """The request cannot be made or decided so; the text says why."""


class Currents(Protocol):
    """What tells the newest version of a record: a store's reader, or a transaction."""

    def current(self, type: str, id: str) -> Entry | None:
        """Return the newest version of a resource; None if there is none."""
        ...


@dataclass(frozen=True)
class Ask:
    """The work of asking.

    Raises
    ------
    Refused
        When applied: if the principal may not ask, or the investigation is not open, or a limit is passed.
    """

    principal: Principal
    investigation: str
    residents: tuple[str, ...]
    basis: str
    start: datetime
    end: datetime
    expires: datetime
    weight: int = 1
    size: int = 1_000

    def wants(self) -> Wants:
        """Say what it will read."""
        return Wants(resources=((_INVESTIGATION, self.investigation),))

    def apply(self, tx: Transaction) -> AccessRequest:
        """Put the request; return it."""
        require_person(self.principal, ASKS)
        now = instant(tx.at)
        _require_open(tx, self.investigation)
        if not self.start < self.end <= self.start + LONGEST_WINDOW:
            raise Refused(f"a window begins before it ends and has at most {LONGEST_WINDOW.days} days")
        if not now < self.expires <= now + LONGEST:
            raise Refused(f"a request ends in the future, and within {LONGEST.days} days")
        if not self.residents or not self.basis.strip():
            raise Refused("a request names at least one resident, and its legal basis")
        request = AccessRequest(
            id=tx.new_id(), status="asked", investigation=self.investigation,
            residents=tuple(dict.fromkeys(self.residents)), basis=self.basis, start=self.start, end=self.end,
            expires=self.expires, asked_by=self.principal.name, asked_at=now,
        )  # fmt: skip
        _put(tx, request, self.principal)
        return request


@dataclass(frozen=True)
class Decide:
    """The work of deciding: by a person who did not ask, once.

    Raises
    ------
    Refused
        When applied: if the principal may not decide, or there is nothing to be decided.
    """

    principal: Principal
    request: str
    status: Literal["approved", "refused"]
    reason: str
    weight: int = 1
    size: int = 1_000

    def wants(self) -> Wants:
        """Say what it will read."""
        return Wants(resources=((_REQUEST, self.request),))

    def apply(self, tx: Transaction) -> AccessRequest:
        """Put the decision, and if it is approved the notices to the residents; return the request."""
        require_person(self.principal, DECIDES)
        held, now = _request(tx, self.request), instant(tx.at)
        if held is None or held.status != "asked":
            raise Refused(f"there is no request {self.request!r} that waits for a decision")
        if held.asked_by == self.principal.name:
            raise Refused("a request is decided by another person than the one who asked")
        if self.status == "approved":
            _require_open(tx, held.investigation)
            if now >= held.expires:
                raise Refused("the time of the request is over: it is asked for again")
        decided = replace(
            held, status=self.status, decided_by=self.principal.name, decided_at=now, reason=self.reason
        )
        seq = _put(tx, decided, self.principal)
        if self.status == "approved":
            for number, resident in enumerate(decided.residents):
                _notify(tx, decided, resident, seq, number, now)
        return decided


@dataclass(frozen=True)
class Withdraw:
    """The work of ending a request before its time, by who asked or who decides.

    Raises
    ------
    Refused
        When applied: if the principal may not, or it is over already.
    """

    principal: Principal
    request: str
    reason: str
    weight: int = 1
    size: int = 1_000

    def wants(self) -> Wants:
        """Say what it will read."""
        return Wants(resources=((_REQUEST, self.request),))

    def apply(self, tx: Transaction) -> AccessRequest:
        """Put the end; return the request."""
        held = _request(tx, self.request)
        if held is None or held.status not in ("asked", "approved"):
            raise Refused(f"there is no request {self.request!r} that could be withdrawn")
        if self.principal.name != held.asked_by and DECIDES not in self.principal.roles:
            raise Refused(f"a request is withdrawn by who asked, or by a {DECIDES}")
        withdrawn = replace(held, status="withdrawn", reason=self.reason)
        _put(tx, withdrawn, self.principal)
        return withdrawn


def allowed(
    currents: Currents, requests: Iterable[AccessRequest], investigation: str, at: datetime
) -> list[AccessRequest]:
    """Return those requests that let an investigation see movements at an instant."""
    held = currents.current(_INVESTIGATION, investigation)
    record = records.decode(held.body) if held is not None and held.body else None
    if not isinstance(record, Investigation) or record.status != "open":
        return []
    return [
        each
        for each in requests
        if each.investigation == investigation and each.status == "approved" and at < each.expires
    ]


def require_person(principal: Principal, role: str) -> None:
    """Refuse whoever is no person with a role."""
    if principal.kind != "person" or role not in principal.roles:
        raise Refused(f"this is for a person with the role {role}")


def _require_open(tx: Transaction, id: str) -> None:
    held = tx.current(_INVESTIGATION, id)
    record = records.decode(held.body) if held is not None and held.body else None
    if not isinstance(record, Investigation) or record.status != "open":
        raise Refused(f"there is no open investigation {id!r}")


def _request(tx: Transaction, id: str) -> AccessRequest | None:
    held = tx.current(_REQUEST, id)
    record = records.decode(held.body) if held is not None and held.body else None
    return record if isinstance(record, AccessRequest) else None


def _put(tx: Transaction, request: AccessRequest, principal: Principal) -> int:
    seq = tx.put(
        Draft(
            type=_REQUEST,
            id=request.id,
            body=records.encode(request),
            source=SOURCE,
            key=f"{request.id}:{request.status}",
            actor=principal.name,
        )
    )
    assert seq is not None
    return seq


def _notify(
    tx: Transaction, request: AccessRequest, resident: str, cause: int, number: int, now: datetime
) -> None:
    notice = AccessNotice(
        id=tx.new_id(), resident=resident, request=request.id, basis=request.basis, start=request.start,
        end=request.end, expires=request.expires, approved_at=now,
    )  # fmt: skip
    tx.put(
        Draft(
            type=records.entry_type(AccessNotice),
            id=notice.id,
            body=records.encode(notice),
            source=SOURCE,
            key=f"{cause}:{number}",
            cause=cause,
            subjects=(resident,),
        )
    )
