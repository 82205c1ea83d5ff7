"""A small city whose every resource is known in plain Python, with labels drawn at random."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

from broadstreet.model import fhir, records
from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
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
from broadstreet.store.seal import Keyring, SealedStore
from broadstreet.store.transaction import Transaction
from broadstreet.trust.access import Leave, Looked
from broadstreet.trust.principals import Principal, Purpose, purposes, roles
from broadstreet.trust.reading import Trust, recording
from tests.backends import Backend
from tests.unit.store.conftest import Do, draft

from .trust_oracle import (
    APPROVED,
    CASE,
    CATEGORIES,
    CODES,
    DISTRICTS,
    GENDERS,
    LOOKED_EACH,
    MESSAGES,
    MOVED,
    MOVING,
    ORGANISATIONS,
    RESIDENTS,
    START,
    TYPES,
    Thing,
)


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
