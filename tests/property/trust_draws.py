"""Questions drawn at random, each answered by the reader and by the oracle."""

from __future__ import annotations

import json
from typing import Any

from broadstreet.model.clock import microseconds
from broadstreet.store.query import ANY, AnyOf, Dated, Not, Refers, Token
from broadstreet.trust.reading import Forbidden, PurposeReader

from .trust_city import City
from .trust_oracle import (
    CODES,
    DAY,
    GENDERS,
    LOOKED_EACH,
    MESSAGES,
    MOVED,
    MOVING,
    RESIDENTS,
    SEARCHED,
    START,
    TYPES,
    Oracle,
)


def shown_ids(reader: PurposeReader, found: list[Any], view: str) -> set[str]:
    assert view == "full" or not any(b"text " in each.body or b"Name" in each.body for each in found)
    back = {
        reader._pseudonyms.of(id): id for id in [*RESIDENTS, *(f"thing-{n:03}" for n in range(240)), *MOVED]
    }
    if view == "pseudonymous":
        assert not any(name in each.body.decode() for each in found for name in RESIDENTS)
        return {back[each.id] for each in found}
    return {each.id for each in found}


class Draw:
    """One question, its answer by the reader and by the oracle."""

    def __init__(self, city: City) -> None:
        self.city, self.random = city, city.random
        self.principal, self.purpose = city.principal(), city.purpose()
        self.oracle = Oracle(self.principal, self.purpose)
        self.reader = city.trust.reader(self.principal, self.purpose)
        self.type = self.random.choice(TYPES)
        self.newest = [t for t in city.things if t.is_newest and t.type == self.type]

    days: range | None = None

    def ask(self, path: str) -> None:
        head = self.city.store.head()
        try:
            getattr(self, path)()
        except Forbidden:
            self.refused(path)
        assert self.city.store.head() == head + 1, "one access for each request"
        access = self.city.last_access()
        assert (access.who, access.purpose) == ("somebody", self.purpose.name)

    def refused(self, path: str) -> None:
        view, allowed = self.oracle.view, bool(self.oracle.rules)
        access = self.city.last_access()
        assert (access.outcome, access.rows, access.whom) == ("refused", 0, ())
        if path in ("messages", "message"):
            assert not self.oracle.may_record("message") or view != "full"
            return
        if path == "looked":
            assert not self.oracle.may_know_who_looked(self.resident)
            return
        by_id = view == "pseudonymous" and path in ("read", "history")
        shows_none = view == "count" and path in ("read", "history", "search", "evidence")
        assert not allowed or by_id or shows_none or (self.identifying and view != "full")

    identifying = False

    def conditions(self) -> tuple[list[Any], set[str]]:  # noqa: PLR0911 - a kind each
        """Return conditions and the ids of what meets them among all that there is."""
        kind = self.random.choice(("none", "code", "code", "not", "any", "subject", "id", "days", "days"))
        self.identifying = kind in ("id", "subject") and self.oracle.view in ("pseudonymous", "count")
        codes = GENDERS if self.type == "Patient" else CODES
        wanted = self.random.sample(codes, 2)
        if kind == "none":
            return [], {t.id for t in self.newest}
        if kind == "id":
            id = self.random.choice(self.newest).id
            return [Token("_id", ANY, id)], {id}
        if kind == "days" and self.type in MOVING:
            self.identifying, first = False, self.random.randrange(-2, 12)
            self.days = range(first, first + self.random.randrange(1, 8))
            low, high = (microseconds(START) + DAY * day for day in (self.days.start, self.days.stop))
            meets = {t.id for t in self.newest if t.day in self.days}
            return [Dated("date", "eq", low, high)], meets
        if kind == "subject" and self.type != "Patient":
            resident = self.random.choice(RESIDENTS)
            meets = {t.id for t in self.newest if t.resident == resident}
            return [Refers("subject", f"Patient/{resident}")], meets
        self.identifying = False
        tokens = [Token(SEARCHED[self.type], ANY, code) for code in wanted]
        if kind == "any":
            return [AnyOf(tuple(tokens))], {t.id for t in self.newest if t.code in wanted}
        if kind == "not":
            return [Not(tokens[0])], {t.id for t in self.newest if t.code != wanted[0]}
        return [tokens[0]], {t.id for t in self.newest if t.code == wanted[0]}

    def visible(self, ids: set[str]) -> set[str]:
        return {t.id for t in self.newest if t.id in ids and self.oracle.may(t, self.days)}

    def search(self) -> None:
        conditions, ids = self.conditions()
        found, page = [], None
        result = self.reader.search(self.type, conditions, limit=1_000)
        found = result.resources
        assert result.next is None
        assert page is None
        assert shown_ids(self.reader, found, self.oracle.view) == self.visible(ids)
        access = self.city.last_access()
        assert access.rows == len(found)
        assert set(access.whom) == {t.resident for t in self.newest if t.id in self.visible(ids)}

    def count(self) -> None:
        conditions, ids = self.conditions()
        number, expected = self.reader.count(self.type, conditions).number, len(self.visible(ids))
        small = 0 < expected < 5 and self.oracle.view != "full"
        assert number == (None if small else expected)

    def read(self) -> None:
        thing = self.random.choice([*self.newest, None])
        found = self.reader.read(self.type, thing.id if thing else "nobody")
        seen = thing is not None and self.oracle.may(thing)
        assert (found is not None) == seen
        if found is not None and thing is not None:
            assert json.loads(found.body)["id"] == found.id == thing.id
        assert self.city.last_access().rows == int(seen)

    def history(self) -> None:
        thing = self.random.choice(self.newest)
        versions = [t for t in self.city.things if t.id == thing.id and self.oracle.may(t)]
        expected = len(versions) if self.oracle.may(thing) else 0
        assert len(self.reader.history(self.type, thing.id)) == expected

    def evidence(self) -> None:
        found = self.reader.evidence("signal", limit=1_000)
        visits = [t for t in self.city.things if t.is_newest and t.type == "Encounter" and self.oracle.may(t)]
        seen = {t.id for t in visits} if self.oracle.may_record("surveillance") else set()
        assert shown_ids(self.reader, found, self.oracle.view) == seen
        assert self.city.last_access().rows == len(seen)

    def record(self) -> None:
        kind, id, category = self.random.choice(
            [
                ("Signal", "signal", "surveillance"),
                ("Investigation", "open", "investigation"),
                ("AccessRequest", "request-asked-1", "investigation"),
                ("Signal", "unknown", "none"),
                ("Patient", RESIDENTS[0], "none"),
            ]
        )
        assert (self.reader.record(kind, id) is not None) == self.oracle.may_record(category)

    def messages(self) -> None:
        everything = self.random.random() < 0.5
        found = self.reader.messages(everything=everything)
        assert self.oracle.may_record("message")
        assert self.oracle.view == "full"
        wanted = {id for id, state in MESSAGES.items() if everything or state == "held"}
        assert {each["id"] for each in found} == wanted

    def message(self) -> None:
        id = self.random.choice([*MESSAGES, "unknown", "", RESIDENTS[0]])
        found = self.reader.message(id)
        assert self.oracle.may_record("message")
        assert self.oracle.view == "full"
        assert (found.raw if found else None) == (f"raw {id}".encode() if id in MESSAGES else None)

    resident = ""

    def looked(self) -> None:
        own = self.principal.resident or "nobody"
        self.resident = self.random.choice([own, own, *RESIDENTS, "nobody"])
        found = self.reader.looked(self.resident)
        assert self.oracle.may_know_who_looked(self.resident)
        assert len(found) == (LOOKED_EACH if self.resident in RESIDENTS else 0)
