"""Random principals, purposes and questions against an oracle that shares no code with the policy's compiler.

The oracle reads the policy's table by itself, keeps what each resource is about in plain Python, and goes
through all of them for each question. On each back end; `make soak` draws 100,000 on each.
"""

from __future__ import annotations

import csv
import inspect
import json
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import pytest

from broadstreet.model import fhir, records
from broadstreet.model.clock import DrivenClock, SystemClock, microseconds
from broadstreet.model.ids import RandomIds, SeededIds
from broadstreet.model.records import (
    Access,
    AccessRequest,
    Evidence,
    Investigation,
    Quarantined,
    Signal,
    Stratum,
)
from broadstreet.store.committer import Committer
from broadstreet.store.entry import Draft, Labels
from broadstreet.store.follower import Projection
from broadstreet.store.quarantine import Quarantine
from broadstreet.store.query import ANY, AnyOf, Dated, Not, Refers, Token
from broadstreet.store.seal import Keyring, SealedStore
from broadstreet.store.transaction import Transaction
from broadstreet.trust.access import Leave, Looked
from broadstreet.trust.principals import Principal, Purpose, purposes, roles
from broadstreet.trust.reading import READ_PATHS, Forbidden, PurposeReader, Trust, recording
from tests.backends import NAMES, NO_SERVER, Backend, has
from tests.unit.store.conftest import Do, draft

START = datetime(2026, 1, 5, tzinfo=UTC)
SOAK = os.environ.get("BROADSTREET_SOAK") == "1"
DRAWS = {"sqlite": 100_000 if SOAK else 2_000, "postgres": 100_000 if SOAK else 500}
DAY = 86_400_000_000
WINDOW = 9
"""Days, from START, of which movements are approved."""
RESIDENTS = [f"resident-{n:02}" for n in range(12)]
ORGANISATIONS, DISTRICTS, CODES = ["org-1", "org-2", ""], ["D01", "D02", ""], ["c1", "c2", "c3"]
CASE, APPROVED = RESIDENTS[:3], RESIDENTS[2:4]
MESSAGES: dict[str, Literal["held", "released"]] = {
    "message-1": "held", "message-2": "held", "message-3": "released",
}  # fmt: skip
LOOKED_EACH = 3
MOVED = [f"moved-{number:02}" for number in range(12)]
TYPES = ("Patient", "Condition", "Observation", "Encounter")
MOVING = ("Observation", "Encounter")
"""Types that have a date here."""
SEARCHED = {"Patient": "gender", "Condition": "code", "Observation": "code", "Encounter": "class"}
GENDERS = ["female", "male", "other"]
ORDER = ["count", "pseudonymous", "limited", "full"]
SENSITIVITY = {"normal": 1, "restricted": 2, "very-restricted": 3}


def table(name: str) -> list[dict[str, str]]:
    text = (files("broadstreet.trust") / "tables" / f"{name}.tsv").read_text()
    return list(csv.DictReader([x for x in text.splitlines() if not x.startswith("#")], delimiter="\t"))


CATEGORIES = table("categories")
POLICY = table("policy")


@dataclass
class Thing:
    """A version of a resource and what is true of it."""

    seq: int
    type: str
    id: str
    resident: str
    organisation: str
    district: str
    category: str
    sensitivity: int
    code: str
    day: int
    is_newest: bool = True


class Oracle:
    """Says what may be seen, from first principles."""

    def __init__(self, principal: Principal, purpose: Purpose) -> None:
        self.principal, self.purpose = principal, purpose
        fit = [r for r in POLICY if r["role"] in principal.roles and r["purpose"] == purpose.name]
        self.view = max((r["view"] for r in fit), key=ORDER.index, default="count")
        self.rules = [r for r in fit if r["view"] == self.view]

    def may(self, thing: Thing, days: range | None = None) -> bool:
        """Say whether a thing may be seen, of whoever asks for what was on these days."""
        return any(self._fits(rule, thing, days) for rule in self.rules)

    def may_record(self, category: str) -> bool:
        return any(category in names(r["category"]) and r["scope"] == "city" for r in self.rules)

    def may_know_who_looked(self, resident: str) -> bool:
        own = self.principal.resident == resident != ""
        return self.may_record("access") or (
            own and any("access" in names(r["category"]) and r["scope"] == "self" for r in self.rules)
        )

    def _fits(self, rule: dict[str, str], thing: Thing, days: range | None) -> bool:
        who = self.principal
        in_scope = {
            "self": thing.resident == who.resident != "",
            "case": self.purpose.about == "open" and thing.resident in CASE,
            "approved": self.purpose.about == "open"
            and thing.resident in APPROVED
            and days is not None
            and days.start >= 0
            and days.stop <= WINDOW,
            "organisation": thing.organisation == who.organisation != "",
            "district": thing.district == who.district != "",
            "city": True,
        }[rule["scope"]]
        return (
            in_scope
            and thing.category in names(rule["category"])
            and thing.sensitivity <= SENSITIVITY[rule["most"]]
        )


def names(words: str) -> list[str]:
    if words in ("personal", "impersonal"):
        wanted = "yes" if words == "personal" else "no"
        return [row["category"] for row in CATEGORIES if row["personal"] == wanted]
    return words.split(",")


class City:
    draws = 0

    def __init__(self, backend: Backend, folder: Path) -> None:
        self.random = random.Random(7)
        self.clock = DrivenClock(START)
        self.inner = backend.open()
        self.store = SealedStore(self.inner, Keyring(folder / "keys"))
        self.committer = Committer(self.store, self.clock, SeededIds(self.clock, 1))
        self.trust = Trust(self.store, recording(self.committer), self.clock, b"k" * 32)
        self.things: list[Thing] = []
        for number in range(240):
            self.add(number, RESIDENTS[number] if number < len(RESIDENTS) else None)
        for thing in self.random.sample(self.things, 60):
            self.add(len(self.things), None, thing)
        for number, id in enumerate(MOVED):
            resident, day = APPROVED[number // 6], 1 + number
            self.put(Thing(0, MOVING[number % 2], id, resident, "", "", "movement", 1, "c1", day), number)
        self.add_records()
        self.add_messages()
        self.add_accesses()

    def add(self, number: int, patient: str | None, before: Thing | None = None) -> None:
        pick = self.random.choice
        type = before.type if before else "Patient" if patient else pick(TYPES[1:])
        resident = before.resident if before else patient or pick(RESIDENTS)
        id = before.id if before else patient or f"thing-{number:03}"
        code = pick(GENDERS if type == "Patient" else CODES)
        category = pick([row["category"] for row in CATEGORIES])
        organisation, district, sensitivity = pick(ORGANISATIONS), pick(DISTRICTS), self.random.randint(0, 3)
        day = self.random.randrange(20)
        put = Thing(0, type, id, resident, organisation, district, category, sensitivity, code, day)
        self.put(put, number)

    def put(self, thing: Thing, number: int) -> None:
        resource = made(thing.type, thing.id, thing.resident, thing.code, number, thing.day)
        hashed = self.store.indexer.hashed
        labels = Labels(
            organisation=hashed(thing.organisation) if thing.organisation else 0,
            district=hashed(thing.district) if thing.district else 0,
            category=next(int(row["number"]) for row in CATEGORIES if row["category"] == thing.category),
            sensitivity=thing.sensitivity,
        )
        put = Draft(
            type=f"fhir/{thing.type}", id=thing.id, body=fhir.encode(resource), source="test",
            key=str(len(self.things)), subjects=(thing.resident,), rows=self.store.indexer.rows(resource),
            labels=labels,
        )  # fmt: skip
        thing.seq = self.committer.commit(Do(lambda tx: tx.put(put)))
        for other in self.things:
            other.is_newest = other.is_newest and other.id != thing.id
        self.things.append(thing)

    def add_records(self) -> None:
        where = Stratum(stream="fever", place="city")
        day, soon = START.date(), START + timedelta(days=9)
        seen = Evidence(
            where=where, day=day, observed=1, expected=0.1, upper=0.5, method="test",
            visits=tuple(f"thing-{number:03}" for number in range(240)),
        )  # fmt: skip
        held: list[Any] = [
            Signal(
                id="signal",
                status="opened",
                where=where,
                since=day,
                until=day,
                observed=1,
                expected=0.1,
                evidence=(seen,),
            ),
            *(
                Investigation(id=state, status=state, title="x", opened=START, cases=tuple(CASE))  # type: ignore[arg-type]
                for state in ("open", "closed")
            ),
            *(
                AccessRequest(
                    id=f"request-{status}-{n}",
                    status=status,
                    investigation="open",
                    residents=tuple(whom),  # type: ignore[arg-type]
                    basis="law",
                    start=START,
                    end=soon,
                    expires=expires,
                    asked_by="a",
                    asked_at=START,
                )
                for n, (status, whom, expires) in enumerate(
                    [("approved", APPROVED, soon), ("asked", RESIDENTS, soon), ("approved", RESIDENTS, START)]
                )
            ),
        ]

        def put(tx: Transaction) -> None:
            for one in held:
                body = records.encode(one)
                tx.put(draft(id=one.id, type=records.entry_type(one), body=body, key=one.id))

        self.committer.commit(Do(put))

    def add_messages(self) -> None:
        """Keep two messages in quarantine, and one that was released."""

        def put(tx: Transaction) -> None:
            for id, state in MESSAGES.items():
                seq = tx.append(draft(id=id, type="hl7v2/Message", body=f"raw {id}".encode(), key=id))
                held = Quarantined(
                    id=id, state=state, source="s", control_id=id, kind="", verdict="AE", faults=(),
                    attempts=1, first=START, last=START,
                )  # fmt: skip
                body, type = records.encode(held), records.entry_type(held)
                tx.put(draft(id=id, type=type, body=body, key=f"{id}q", cause=seq))

        self.committer.commit(Do(put))
        self.project(Quarantine())

    def add_accesses(self) -> None:
        for number in range(LOOKED_EACH):
            access = Access(
                id="-", who=f"kim{number}", kind="person", purpose="audit", action="read", what="Patient",
                outcome="answered", whom=tuple(RESIDENTS),
            )  # fmt: skip
            self.committer.commit(Leave(access))
        self.project(Looked())

    def project(self, projection: Projection) -> None:
        entries = self.store.entries(0, types=projection.types, limit=10_000)
        self.committer.between(lambda writer: writer.define(projection.tables))
        changes = projection.project(entries, self.store)
        self.committer.commit(Do(lambda tx: tx.change(changes)))

    def principal(self) -> Principal:
        pick = self.random.choice
        held = frozenset(self.random.sample(sorted(roles()), self.random.choice((0, 1, 1, 1, 2))))
        return Principal(
            "somebody", "person", held, pick(ORGANISATIONS), pick(DISTRICTS), pick([*RESIDENTS, ""])
        )

    def purpose(self) -> Purpose:
        name = self.random.choice(sorted(purposes()))
        about = self.random.choice(("open", "open", "closed", "unknown"))
        return Purpose(name, about if purposes()[name] else "")

    def last_access(self) -> Access:
        access = records.decode(self.store.entries(self.store.head() - 1)[0].body or b"")
        assert isinstance(access, Access)
        return access

    def close(self) -> None:
        self.committer.close()
        self.store.close()


def made(type: str, id: str, resident: str, code: str, number: int, day: int) -> Any:
    at = (START + timedelta(days=day, hours=12)).isoformat()
    subject = fhir.Reference(reference=f"Patient/{resident}")
    coded = fhir.CodeableConcept(coding=[fhir.Coding(system="s", code=code)], text=f"text {number}")
    if type == "Patient":
        return fhir.Patient(id=id, gender=code, name=[fhir.HumanName(family=f"Name{number}")])
    if type == "Condition":
        return fhir.Condition(id=id, code=coded, subject=subject)
    if type == "Observation":
        return fhir.Observation(id=id, status="final", code=coded, subject=subject, effectiveDateTime=at)
    said = [fhir.CodeableConcept(text=f"text {number}")]
    kind = fhir.Coding(system="s", code=code)
    when = fhir.Period(start=at, end=at)
    return fhir.Encounter(id=id, status="planned", class_=kind, subject=subject, reasonCode=said, period=when)


@pytest.fixture(scope="module", params=NAMES)
def city(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    if not has(request.param):
        pytest.skip(NO_SERVER)
    folder = tmp_path_factory.mktemp("city")
    backend = Backend(request.param, folder)
    city = City(backend, folder)
    city.draws = DRAWS[request.param]
    yield city
    city.close()
    backend.close()


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


def test_no_way_to_read_shows_more_or_less_than_the_policy_says(city: City) -> None:
    for number in range(city.draws):
        Draw(city).ask(READ_PATHS[number % len(READ_PATHS)])


def test_every_way_to_read_is_in_the_list_that_is_tested() -> None:
    public = {name for name, _ in inspect.getmembers(PurposeReader, inspect.isfunction) if name[0] != "_"}
    assert public == set(READ_PATHS)
    assert all(hasattr(Draw, path) for path in READ_PATHS)


def test_what_is_not_there_and_what_may_not_be_seen_are_answered_alike(city: City) -> None:
    clinician = Principal("kim", "person", frozenset({"clinician"}), "org-1")
    reader = city.trust.reader(clinician, Purpose("treatment"))
    hidden = next(t for t in city.things if t.is_newest and t.organisation == "org-2" and t.type == "Patient")
    assert reader.read("Patient", hidden.id) is None
    before = city.last_access()
    assert reader.read("Patient", "nobody") is None
    assert (before.outcome, before.rows, before.whom) == ("answered", 0, ())
    assert city.last_access().outcome == "answered"


def statements(city: City, ask: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what the store is asked for while something is read."""
    asked: list[str] = []
    run = city.inner.run  # type: ignore[attr-defined]

    def spied(sql: str, values: Any) -> Any:
        asked.append(sql)
        return run(sql, values)

    with monkeypatch.context() as patch:
        patch.setattr(city.inner, "run", spied)
        ask()
    return asked


@pytest.mark.parametrize("path", ["read", "history"])
def test_what_may_not_be_seen_takes_the_same_work_as_what_is_not_there(
    city: City, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No time is asserted: the statements are the same, and none reads a body."""
    clinician = Principal("kim", "person", frozenset({"clinician"}), "org-1")
    reader = city.trust.reader(clinician, Purpose("treatment"))
    hidden = next(t for t in city.things if t.is_newest and t.organisation == "org-2" and t.type == "Patient")
    forbidden = statements(city, lambda: getattr(reader, path)("Patient", hidden.id), monkeypatch)
    unknown = statements(city, lambda: getattr(reader, path)("Patient", "resident-99"), monkeypatch)
    assert forbidden == unknown != []
    assert not any("body" in sql for sql in forbidden)


def test_ids_cannot_be_counted_through(city: City) -> None:
    """Ids are random, so that one tells nothing of another; and each guess leaves a trace."""
    ids = RandomIds(SystemClock())
    one = ids.new()
    clinician = Principal("kim", "person", frozenset({"clinician"}), "org-1")
    reader, head = city.trust.reader(clinician, Purpose("treatment")), city.store.head()
    guesses = [f"{int(one.replace('-', ''), 16) + step:032x}" for step in range(1, 51)]
    assert all(reader.read("Patient", guess) is None for guess in guesses)
    assert city.store.head() == head + len(guesses)
    drawn = [ids.new() for _ in range(1_000)]
    assert len({each[-16:] for each in drawn}) == 1_000, "the end of an id is drawn, not counted"


def test_movements_are_seen_within_the_approved_window_and_through_a_search_by_date_alone(city: City) -> None:
    investigator = Principal("ines", "person", frozenset({"investigator"}))
    reader = city.trust.reader(investigator, Purpose("investigation", "open"))
    moved = [
        t
        for t in city.things
        if t.is_newest and t.category == "movement" and t.resident in APPROVED and t.type in MOVING
    ]
    assert moved
    for thing in moved:
        low = microseconds(START) + DAY * thing.day
        found = reader.search(thing.type, [Dated("date", "eq", low, low + DAY)]).resources
        assert (thing.id in {each.id for each in found}) == (thing.day < WINDOW)
        since = reader.search(thing.type, [Dated("date", "ge", low, low + 1)], limit=1_000).resources
        assert thing.id not in {each.id for each in since}, "what has no end is not within the window"
        assert reader.read(thing.type, thing.id) is None


def test_movements_are_seen_no_more_once_the_approval_the_investigation_or_the_time_is_over(
    city: City,
) -> None:
    """Nothing is switched off: whoever reads asks each time."""
    whole = [Dated("date", "eq", microseconds(START), microseconds(START) + WINDOW * DAY)]
    moved = {
        t.id for t in city.things
        if t.is_newest and t.type in MOVING and t.category == "movement" and t.resident in APPROVED
        and t.day < WINDOW
    }  # fmt: skip

    def seen(trust: Trust, about: str) -> set[str]:
        investigator = Principal("ines", "person", frozenset({"investigator"}))
        reader = trust.reader(investigator, Purpose("investigation", about))
        found = [each for type in MOVING for each in reader.search(type, whole, limit=1_000).resources]
        return moved & {each.id for each in found}

    late = Trust(city.store, recording(city.committer), DrivenClock(START + timedelta(days=10)), b"k" * 32)
    assert moved
    assert seen(city.trust, "open") == moved
    assert seen(city.trust, "closed") == seen(city.trust, "unknown") == seen(late, "open") == set()
