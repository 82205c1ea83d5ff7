"""A door with a real store, and messages built segment by segment."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from broadstreet.connectors.hl7v2.acknowledge import Acknowledgement
from broadstreet.connectors.hl7v2.door import Door
from broadstreet.connectors.hl7v2.writer import Raw, build
from broadstreet.model import fhir, records
from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.store import inbox
from broadstreet.store.committer import Committer
from broadstreet.store.sqlite import SqliteStore

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Seoul")

PID = {"3": Raw("4711^^^CLINIC^MR"), "5": Raw("KIM^MINA"), "7": "19850309", "8": "F"}
PV1 = {"2": "E", "3": Raw("ER^101^2^CLINIC"), "19": Raw("V1^^^CLINIC^VN"), "44": "20260105080000"}


class Hub:
    """A door and its store, as a test speaks with them."""

    def __init__(self, folder: Path) -> None:
        self.clock = DrivenClock(NOW)
        self.store = SqliteStore(folder / "log.db")
        self.committer = Committer(self.store, self.clock, SeededIds(self.clock, 1))
        self.store.writer().define(inbox.TABLES)
        self.door = self.new_door()
        self.sent = 0

    def take(self, processing_ids: str) -> None:
        """Take messages of these environments from now on (MSH-11)."""
        self.door = self.new_door(processing_ids)

    def new_door(self, processing_ids: str = "PTD") -> Door:
        ids = SeededIds(self.clock, 2)
        return Door(
            self.committer, self.store.indexer, self.clock, ids, zone=ZONE, processing_ids=processing_ids
        )

    def send(self, kind: str, *body: tuple[str, dict[str, Any]], **header: Any) -> Acknowledgement:
        return self.send_bytes(self.message(kind, *body, **header))

    def message(self, kind: str, *body: tuple[str, dict[str, Any]], **header: Any) -> bytes:
        self.sent += 1
        names = {"facility": "4", "id": "10", "at": "7", "version": "12", "processing": "11"}
        fields = {
            "3": "EHR", "4": "CLINIC", "7": f"2026010508{self.sent:02d}00", "9": Raw(kind),
            "10": str(self.sent), "11": "P", "12": "2.5.1",
        }  # fmt: skip
        return build(fields | {names[name]: value for name, value in header.items()}, body)

    def send_bytes(self, raw: bytes) -> Acknowledgement:
        return Acknowledgement.parse(self.answer_to(raw))

    def answer_to(self, raw: bytes) -> bytes:
        return asyncio.run(self.door.handle(raw, None))

    def visit(
        self, event: str = "A04", *more: tuple[str, dict[str, Any]], at: str | None = None, **pv1: Any
    ) -> Acknowledgement:
        """Send an ADT of the usual patient and visit; `PV1_3="..."` changes a field, None removes it."""
        changed = {name.removeprefix("PV1_"): value for name, value in pv1.items()}
        header = {} if at is None else {"at": at}
        return self.send(f"ADT^{event}", ("PID", PID), ("PV1", PV1 | changed), *more, **header)

    def all(self, kind: type) -> list[Any]:
        entries = self.store.currents(f"fhir/{kind.__name__}")
        return [fhir.decode(entry.body, kind) for entry in entries if entry.body]

    def one(self, kind: type) -> Any:
        found = self.all(kind)
        assert len(found) == 1, f"{len(found)} of {kind.__name__}"
        return found[0]

    def quarantined(self) -> list[records.Quarantined]:
        entries = self.store.currents("bs/Quarantined")
        found = [records.decode(entry.body) for entry in entries if entry.body]
        return [each for each in found if isinstance(each, records.Quarantined)]

    def tolerated(self) -> dict[str, int]:
        return {what: n for _, what, n in self.store.select(inbox.TOLERATED)}

    def check_all(self) -> None:
        """Every version of every resource must be valid FHIR."""
        for entry in self.store.entries(0, limit=100_000):
            if entry.type.startswith("fhir/") and entry.body:
                fhir.validate(fhir.decode(entry.body))

    def close(self) -> None:
        self.committer.close()
        self.store.close()
