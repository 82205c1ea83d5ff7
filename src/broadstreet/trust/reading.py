"""The only reader that doors, pages and workflows use: for a principal and a purpose, and never without a
trace.

Each call is one request. Policy is part of the search itself, so what may not be seen is not found, not
counted and in no total; and one `Access` entry is durable before the call returns, or raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Final, Literal, Protocol, TypeVar

from broadstreet.model import records
from broadstreet.model.clock import Clock
from broadstreet.model.records import Access, Investigation, Quarantined, Signal
from broadstreet.store.committer import Committer
from broadstreet.store.entry import Entry
from broadstreet.store.protocol import PositionGone, Reader
from broadstreet.store.quarantine import QUARANTINE
from broadstreet.store.query import ANY, AnyOf, Condition, Not, Token, TooBroad
from broadstreet.store.query.conditions import DEEPEST, Refers
from broadstreet.store.query.visible import Visible
from broadstreet.store.tables import Condition as ColumnCondition
from broadstreet.store.tables import Value
from broadstreet.trust.access import who_looked
from broadstreet.trust.categories import categories
from broadstreet.trust.counting import published
from broadstreet.trust.gathering import Gathered
from broadstreet.trust.movements import residents_shown
from broadstreet.trust.policy import Grants, Policy, standing
from broadstreet.trust.principals import Principal, Purpose
from broadstreet.trust.rows import rows
from broadstreet.trust.views import Pseudonyms, shown
from broadstreet.trust.visible import Where, visible

READ_PATHS: Final = (
    "read",
    "history",
    "search",
    "count",
    "record",
    "evidence",
    "messages",
    "message",
    "looked",
)
"""Every way to read; what is not here has no test that it leaks nothing, and does not get in."""
MOST_VERSIONS: Final = 200
_SHORT: Final = 0xFFFFFFFF
_QUARANTINED: Final = records.entry_type(Quarantined)

MOST_MESSAGES: Final = 10_000
Action = Literal["read", "history", "search", "count", "records", "messages", "looked"]
T = TypeVar("T")


class Forbidden(Exception):
    """The principal may not read so for this purpose, whatever there is; it says nothing about what is
    there."""


class Recorder(Protocol):
    """Makes an access durable: the committer of this process, or the hub's over its socket."""

    def __call__(self, access: Access, /) -> None:
        """Return once the access is durable."""
        ...


@dataclass(frozen=True)
class Shown:
    """A version of a resource as a view shows it; `id` is a pseudonym where the view has those."""

    type: str
    id: str
    version: int
    at: int
    body: bytes
    seq: int = 0


@dataclass(frozen=True)
class Page:
    """A page of a search, and the token of the next one."""

    resources: list[Shown]
    next: str | None
    at: int


@dataclass(frozen=True)
class Number:
    """How many there are: None if so few that it is not told; `exact` is false for "at least"."""

    number: int | None
    exact: bool


@dataclass(frozen=True)
class Message:
    """A message as it came, and why it is, or was, in quarantine."""

    raw: bytes
    held: Quarantined


@dataclass
class _Answer:
    """What is noted of a request while it is answered."""

    whom: dict[str, None]
    rows: int = 0


class Trust:
    """Hands out readers.

    Parameters
    ----------
    store
        What is read.
    record
        Makes accesses durable.
    clock
        Tells whether what was approved is over.
    key
        The secret, 32 bytes, that pseudonyms are made with.
    policy
        Who may see what; by default the one of `tables/policy.tsv`.
    """

    def __init__(
        self, store: Reader, record: Recorder, clock: Clock, key: bytes, policy: Policy | None = None
    ) -> None:
        self.store, self.record, self.clock, self.key = store, record, clock, key
        self.policy = policy or standing()

    def reader(self, principal: Principal, purpose: Purpose) -> PurposeReader:
        """Return the reader of a principal for a purpose."""
        return PurposeReader(self, principal, purpose)

    def noting(self, record: Recorder) -> Trust:
        """Return the same with another recorder, which sees to it that accesses are durable."""
        return Trust(self.store, record, self.clock, self.key, self.policy)


def recording(committer: Committer) -> Recorder:
    """Return what makes accesses durable in this process."""

    return Gathered(committer)


class PurposeReader:
    """Reads for one principal and one purpose."""

    def __init__(self, trust: Trust, principal: Principal, purpose: Purpose) -> None:
        self._trust, self._principal, self._purpose = trust, principal, purpose
        self._grants: Grants = trust.policy.grants(principal, purpose)
        name = f"{purpose.name} {purpose.about}".strip()
        self._pseudonyms = Pseudonyms(trust.key, name)

    def read(self, type: str, id: str) -> Shown | None:
        """Return the newest version of a resource; None if there is none, or none that may be seen."""

        def answer(noted: _Answer) -> Shown | None:
            self._require_ids()
            found = self._found(type, id, None)
            return self._show(found, noted)[0] if found else None

        return self._leaving("read", type, [Token("_id", ANY, id)], answer)

    def history(self, type: str, id: str) -> list[Shown]:
        """Return the versions of a resource that may be seen, oldest first.

        A version is seen if the newest one is, and it was so itself at its time. How it was is known as
        long as superseded index rows are kept; older versions are left out.
        """

        def answer(noted: _Answer) -> list[Shown]:
            self._require_ids()
            newest = self._found(type, id, None)
            versions = self._trust.store.history(f"fhir/{type}", id)[-MOST_VERSIONS:] if newest else []
            seqs = [each.seq for each in versions if each.body is not None and each.seq != newest[0].seq]
            return self._show([found for seq in seqs for found in self._found(type, id, seq)] + newest, noted)

        return self._leaving("history", type, [Token("_id", ANY, id)], answer)

    def search(
        self,
        type: str,
        conditions: Sequence[Condition],
        *,
        at: int | None = None,
        page: str | None = None,
        limit: int = 50,
    ) -> Page:
        """Return a page of what meets the conditions and may be seen; arguments and errors as the store's
        search.

        Movements are found only by days: `Dated("date", "eq", low, high)` within the window that a second
        person approved.

        Raises
        ------
        Forbidden
            If the view does not show resources, or a condition asks for what it does not show.
        """

        def answer(noted: _Answer) -> Page:
            self._require_shown()
            self._require_searchable(type, conditions)
            found = self._trust.store.search(
                type, conditions, visible=self._visible(conditions), at=at, page=page, limit=limit
            )
            return Page(self._show(found.entries, noted), found.next, found.at)

        return self._leaving("search", type, conditions, answer)

    def count(self, type: str, conditions: Sequence[Condition]) -> Number:
        """Return how many resources meet the conditions and may be seen; small numbers are not told in a
        view of counts.

        Raises
        ------
        Forbidden
            If nothing is granted, or a condition asks for what the view does not show.
        """

        def answer(noted: _Answer) -> Number:
            self._require_granted()
            self._require_searchable(type, conditions)
            found = self._trust.store.count_found(type, conditions, visible=self._visible(conditions))
            noted.rows = found.number
            number = found.number if self._grants.view == "full" else published(found.number)
            return Number(number, found.exact)

        return self._leaving("count", type, conditions, answer)

    def record(self, kind: str, id: str) -> records.AnyRecord | None:
        """Return a local record, such as a `Signal`; None if there is none, or its kind may not be seen."""

        def answer(noted: _Answer) -> records.AnyRecord | None:
            self._require_granted()
            held = self._trust.store.current(f"bs/{kind}", id) if self._sees_in_city(kind) else None
            if held is None or held.body is None:
                return None
            noted.rows, found = 1, records.decode(held.body)
            noted.whom |= dict.fromkeys(_residents_in(found))
            return found

        return self._leaving("records", kind, [], answer)

    def evidence(self, signal: str, limit: int = 200) -> list[Shown]:
        """Return the visits that a signal counted, as far as they may be seen: the newest version of each.

        Who sees signals may see what they rest on, also where residents have pseudonyms.

        Raises
        ------
        Forbidden
            If the view does not show resources.
        """

        def answer(noted: _Answer) -> list[Shown]:
            self._require_shown()
            held = self._trust.store.current(records.entry_type(Signal), signal)
            record = records.decode(held.body) if held is not None and held.body else None
            if not isinstance(record, Signal) or not self._sees_in_city("Signal"):
                return []
            ids = sorted({visit for each in record.evidence for visit in each.visits})
            found = (entry for id in ids for entry in self._found("Encounter", id, None))
            return self._show(islice(found, limit), noted)

        return self._leaving("search", "Encounter", [Token("_signal", ANY, signal)], answer)

    def messages(self, *, everything: bool = False, limit: int = 50) -> list[dict[str, Value]]:
        """Return the rows of the quarantine by their column names, newest first.

        Parameters
        ----------
        everything
            Those that were released or discarded as well.
        limit
            At most so many.

        Raises
        ------
        Forbidden
            If messages may not be seen.
        """

        def answer(noted: _Answer) -> list[dict[str, Value]]:
            self._require_messages()
            where: dict[str, ColumnCondition] = {} if everything else {"state": "held"}
            found = self._trust.store.select(QUARANTINE, where, ("-last",), min(limit, MOST_MESSAGES))
            noted.rows = len(found)
            return [dict(zip(QUARANTINE.columns, row, strict=True)) for row in found]

        return self._leaving("messages", "Quarantined", [], answer)

    def message(self, id: str) -> Message | None:
        """Return a message that is or was in quarantine; the end of its id will do where only one has it.

        Raises
        ------
        Forbidden
            If messages may not be seen.
        """

        def answer(noted: _Answer) -> Message | None:
            self._require_messages()
            ids = [str(row[0]) for row in self._trust.store.select(QUARANTINE, {})]
            ids = [each for each in ids if id and each.endswith(id)]
            entry = self._trust.store.current(_QUARANTINED, ids[0]) if len(ids) == 1 else None
            held = records.decode(entry.body) if entry is not None and entry.body else None
            if entry is None or entry.cause is None or not isinstance(held, Quarantined):
                return None
            noted.rows = 1
            return Message(self._trust.store.entries(entry.cause - 1, limit=1)[0].body or b"", held)

        return self._leaving("messages", "Quarantined", [Token("_id", ANY, id)], answer)

    def looked(self, resident: str, limit: int = 1_000) -> list[dict[str, str | int]]:
        """Return who looked at a resident, newest first, by the column names of `access.LOOKED`.

        Raises
        ------
        Forbidden
            Unless accesses may be seen in the whole city, or the resident is the principal.
        """

        def answer(noted: _Answer) -> list[dict[str, str | int]]:
            self._require_granted()
            if not self._sees_in_city("Access") and not self._is_self(resident, "Access"):
                raise Forbidden("who looked at a resident is told to privacy officers, and to the resident")
            found = who_looked(self._trust.store, resident, limit)
            noted.rows = len(found)
            if found:
                noted.whom[resident] = None
            return found

        return self._leaving("looked", "Access", [Token("_id", ANY, resident)], answer)

    # -- policy ----------------------------------------------------------------------------------

    def _visible(self, conditions: Sequence[Condition] = ()) -> Visible:
        where = Where(self._principal)
        if self._purpose.about:
            approved = residents_shown(
                self._trust.store, self._purpose.about, conditions, self._trust.clock.now()
            )
            where = Where(self._principal, self._cases(), approved)
        return visible(self._grants, where, self._trust.store.indexer.hashed)

    def _cases(self) -> tuple[str, ...]:
        held = self._trust.store.current(records.entry_type(Investigation), self._purpose.about)
        record = records.decode(held.body) if held is not None and held.body else None
        return record.cases if isinstance(record, Investigation) and record.status == "open" else ()

    def _sees_in_city(self, kind: str) -> bool:
        number = _category_of_record(kind)
        return any(number in grant.categories for grant in self._grants.grants if grant.scope == "city")

    def _is_self(self, resident: str, kind: str) -> bool:
        number, own = _category_of_record(kind), self._principal.resident
        grants = (grant for grant in self._grants.grants if grant.scope == "self")
        return bool(own) and own == resident and any(number in grant.categories for grant in grants)

    def _require_messages(self) -> None:
        self._require_granted()
        if not self._sees_in_city("Quarantined") or self._grants.view != "full":
            raise Forbidden("messages as they came are not shown for this purpose")

    def _require_granted(self) -> None:
        if not self._grants.grants:
            raise Forbidden(f"{self._principal.name} has no role that reads for {self._purpose.name}")

    def _require_shown(self) -> None:
        self._require_granted()
        if self._grants.view == "count":
            raise Forbidden("numbers are shown for this purpose, and no resources: count instead")

    def _require_ids(self) -> None:
        self._require_shown()
        if self._grants.view == "pseudonymous":
            raise Forbidden("residents have pseudonyms for this purpose, and are not read by their ids")

    def _require_searchable(self, type: str, conditions: Sequence[Condition]) -> None:
        if self._grants.view == "full":
            return
        known = _searchable(type)
        for parameter, one in _flat(conditions):
            by_id = isinstance(one, Refers) or parameter == "_id"
            if parameter not in known and not (by_id and self._grants.view == "limited"):
                raise Forbidden(
                    f"{type} is not searched by {parameter!r} for this purpose"
                    f" (but by: {', '.join(sorted(known))})"
                )

    # -- answering -------------------------------------------------------------------------------

    def _found(self, type: str, id: str, at: int | None) -> list[Entry]:
        try:
            condition = Token("_id", ANY, id)
            return self._trust.store.search(
                type, [condition], visible=self._visible(), at=at, limit=1
            ).entries
        except (PositionGone, TooBroad):
            return []

    def _show(self, entries: Iterable[Entry], noted: _Answer) -> list[Shown]:
        found = []
        for entry in entries:
            assert entry.body is not None
            noted.rows += 1
            if entry.subject is not None:
                noted.whom[entry.subject] = None
            pseudonymous = self._grants.view == "pseudonymous"
            id = self._pseudonyms.of(entry.id) if pseudonymous else entry.id
            body = shown(entry.body, self._grants.view, self._pseudonyms)
            found.append(Shown(entry.type.partition("/")[2], id, entry.version, entry.at, body, entry.seq))
        return found

    def _leaving(
        self, action: Action, what: str, conditions: Sequence[Condition], answer: Callable[[_Answer], T]
    ) -> T:
        """Answer, and leave an access behind in every case, durable before anything leaves."""
        noted = _Answer({})
        outcome: Literal["answered", "refused", "failed"] = "failed"
        try:
            answered = answer(noted)
            outcome = "answered"
        except Forbidden:
            outcome = "refused"
            raise
        finally:
            self._trust.record(self._access(action, what, conditions, noted, outcome))
        return answered

    def _access(
        self,
        action: Action,
        what: str,
        conditions: Sequence[Condition],
        noted: _Answer,
        outcome: Literal["answered", "refused", "failed"],
    ) -> Access:
        principal, hashed = self._principal, self._trust.store.indexer.hashed
        return Access(
            id="-", who=principal.name, kind=principal.kind, roles=tuple(sorted(principal.roles)),
            organisation=principal.organisation, purpose=self._purpose.name, about=self._purpose.about,
            action=action, what=what[:200] or "-", outcome=outcome,
query=tuple(f"{name[:40]}:{hashed(repr(one)) & _SHORT:08x}" for name, one in _flat(conditions)),
            residents=len(noted.whom), rows=noted.rows, whom=tuple(noted.whom),
        )  # fmt: skip


def _residents_in(record: records.AnyRecord) -> tuple[str, ...]:
    """Return the residents whom a record names: who reads it has read about them."""
    match record:
        case records.AccessRequest(residents=residents):
            return residents
        case records.Investigation(cases=cases):
            return cases
        case records.AccessNotice(resident=resident) | records.Erasure(resident=resident):
            return (resident,)
    return ()


def _flat(conditions: Iterable[Condition], depth: int = 0) -> Iterator[tuple[str, Condition]]:
    """Yield conditions with the parameters they name; the store refuses those that stand too deep in
    others."""
    for one in conditions:
        if isinstance(one, Not | AnyOf):
            inner = (one.condition,) if isinstance(one, Not) else one.conditions
            yield from _flat(inner, depth + 1) if depth <= DEEPEST else ()
        else:
            yield one.parameter, one


@cache
def _searchable(type: str) -> frozenset[str]:
    return frozenset(row["parameter"] for row in rows("searchable") if row["type"] in (type, "*"))


@cache
def _category_of_record(kind: str) -> int:
    """Return the number of a local record's category; 0, which nobody is granted, for unknown kinds."""
    names = {row["type"]: row["category"] for row in rows("records")}
    return categories()[names[kind]].number if kind in names else 0
