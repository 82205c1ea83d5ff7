"""A town whose log, counts and tests are real; only its syndromes are two words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from broadstreet.model import records
from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.model.records import Timer
from broadstreet.store.committer import Committer
from broadstreet.store.entry import Draft
from broadstreet.store.follower import Reactor
from broadstreet.store.followers import Followers, rebuild
from broadstreet.store.sqlite import SqliteStore
from broadstreet.store.transaction import Transaction, Wants
from broadstreet.workflows.surveillance import Counts
from broadstreet.workflows.surveillance.tables import ALL, COUNT, TABLES

ZONE = ZoneInfo("Asia/Seoul")
FIRST = date(2026, 1, 5)


def classify(complaint: str, codes: Iterable[str]) -> set[str]:
    """Name a fever by word or code, influenza-like illness by fever with cough, and a rash."""
    found = {"fever"} if "fever" in complaint or "R50.9" in codes else set()
    found |= {"ili"} if found and "cough" in complaint else set()
    return found | ({"rash"} if "rash" in complaint else set())


class Put:
    """The work of putting drafts."""

    weight = 1
    size = 100

    def __init__(self, drafts: list[Draft]) -> None:
        self.drafts = drafts

    def wants(self) -> Wants:
        return Wants()

    def apply(self, tx: Transaction) -> None:
        for draft in self.drafts:
            tx.put(draft)


class Town:
    """A store with its committer, and followers that run when they are asked to."""

    def __init__(self, path: Path, reactors: Callable[[Counts], list[Reactor]] = lambda _: []) -> None:
        self.clock = DrivenClock(datetime.combine(FIRST, time(), UTC))
        self.store = SqliteStore(path)
        self.committer = Committer(self.store, self.clock, SeededIds(self.clock, 1))
        self.projection = Counts(ZONE, classify)
        self.reactors = reactors(self.projection)
        self.keys = 0
        self.open()

    def open(self) -> None:
        self.followers = Followers.begun(self.store, self.committer, [self.projection, *self.reactors])

    def put(self, type: str, id: str, body: dict[str, Any] | None) -> None:
        self.put_all([(type, id, body)])

    def put_all(self, resources: Iterable[tuple[str, str, dict[str, Any] | None]]) -> None:
        drafts = []
        for type, id, body in resources:
            self.keys += 1
            content = None if body is None else json.dumps({"resourceType": type, **body}).encode()
            drafts.append(Draft(type=f"fhir/{type}", id=id, body=content, source="door", key=str(self.keys)))
        self.committer.commit(Put(drafts))

    def close_day(self, day: date) -> None:
        due = datetime.combine(day + timedelta(days=1), time(), ZONE).astimezone(UTC)
        self.put_record(Timer(id=f"day-closed-{day}", name="day-closed", due=due, status="due", day=day))

    def put_record(self, record: records.Record, source: str = "officer") -> None:
        self.keys += 1
        self.committer.commit(
            Put(
                [
                    Draft(
                        type=records.entry_type(record),
                        id=record.id,
                        body=records.encode(record),
                        source=source,
                        key=str(self.keys),
                    )
                ]
            )
        )

    def follow(self) -> None:
        """Let the followers come to rest."""
        while self.followers.step():
            assert self.followers.faults == {}

    def counts(self) -> dict[tuple[str, str, date], int]:
        self.follow()
        return {
            (row[0], row[1], date(1970, 1, 1) + timedelta(days=row[3])): row[4]  # type: ignore[misc, arg-type]
            for row in self.store.select(COUNT, {"stratum": ALL})
        }

    def tables(self) -> dict[str, list[Any]]:
        return {table.name: self.store.select(table, order=table.key) for table in TABLES}

    def rebuild(self) -> None:
        rebuild(self.store, self.committer, self.projection)
        self.open()

    def close(self) -> None:
        self.committer.close()
        self.store.close()


def patient(home: str | None = "D1", into: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"address": [{"district": home}]} if home else {}
    if into:
        body |= {
            "active": False,
            "link": [{"other": {"reference": f"Patient/{into}"}, "type": "replaced-by"}],
        }
    return body


def encounter(
    day: date = FIRST, who: str = "p1", where: str = "c1", why: str = "fever", **more: Any
) -> dict[str, Any]:
    return {
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": f"Patient/{who}"},
        "serviceProvider": {"reference": f"Organization/{where}"},
        "period": {"start": f"{day}T10:00:00+09:00"},
        "reasonCode": [{"text": why}],
    } | more


def temperature(value: float, unit: str = "Cel", visit: str = "e1", **more: Any) -> dict[str, Any]:
    return {
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8310-5"}]},
        "encounter": {"reference": f"Encounter/{visit}"},
        "valueQuantity": {"value": value, "code": unit},
    } | more


def diagnosis(code: str, visit: str = "e1", **more: Any) -> dict[str, Any]:
    coding = {"system": "http://hl7.org/fhir/sid/icd-10", "code": code}
    return {"code": {"coding": [coding]}, "encounter": {"reference": f"Encounter/{visit}"}} | more


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path / "log.db")
    yield town
    town.close()
