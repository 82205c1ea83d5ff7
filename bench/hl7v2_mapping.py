"""Time the mapping of HL7 v2 on one core: parse, plan, look up, build, index, encode; without the disk.

The message is an ADT^A04 of a new visit with two OBX and two DG1. Batches of 50 messages go through a real
transaction and a real store, but nothing is committed: what is timed is the Python of the door.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.results import keep
from broadstreet.connectors.hl7v2.door import Door
from broadstreet.connectors.hl7v2.message import Message
from broadstreet.connectors.hl7v2.writer import Raw, build
from broadstreet.model.clock import DrivenClock, microseconds
from broadstreet.model.ids import SeededIds
from broadstreet.store import inbox
from broadstreet.store.committer import Committer
from broadstreet.store.inbox import Receive
from broadstreet.store.sqlite import SqliteStore
from broadstreet.store.transaction import Transaction

NOW = datetime(2026, 1, 31, tzinfo=UTC)
BATCH = 50
BATCHES = 20


def message(number: int, patient: int) -> bytes:
    """Return an ADT^A04 of about 1,000 bytes."""
    facility = f"CLINIC{number % 20:02d}"
    header = {"3": "EHR", "4": facility, "7": "20260105080200+0900", "9": Raw("ADT^A04^ADT_A01"),
              "10": f"{number:08d}", "11": "P", "12": "2.5.1"}  # fmt: skip
    body: list[tuple[str, dict[str, str | None]]] = [
        ("EVN", {"1": "A04", "2": "20260105080200+0900", "6": "20260105080100+0900"}),
        ("PID", {"1": "1", "3": Raw(f"P{patient:07d}^^^{facility}^MR"), "5": Raw("KIM^MINA^J"),
                 "7": "19850309", "8": "F", "11": Raw("12 MAPO-RO^^SEOUL^^04101^KR^H^^11440"),
                 "13": Raw("^PRN^PH^^82^2^5550100"), "15": "ko"}),
        ("PV1", {"1": "1", "2": "E", "3": Raw(f"ER^{number % 9}^{number % 4}^{facility}"),
                 "7": Raw(f"D{number % 50}^PARK^JIHO^^^DR"), "10": "EMR",
                 "19": Raw(f"V{number:08d}^^^{facility}^VN"), "44": "20260105080000+0900"}),
        ("PV2", {"3": Raw("^fever and cough since two days")}),
        ("OBX", {"1": "1", "2": "NM", "3": Raw("8310-5^Body temperature^LN"), "5": f"38.{number % 10}",
                 "6": Raw("Cel^^UCUM"), "8": "H", "11": "F", "14": "20260105080300+0900"}),
        ("OBX", {"1": "2", "2": "TX", "3": Raw("10182-4^History of travel^LN"), "5": "none", "11": "F",
                 "14": "20260105080300+0900"}),
        ("DG1", {"1": "1", "3": Raw("J11.1^Influenza with other respiratory manifestations^I10"),
                 "5": "20260105080400+0900", "6": "W"}),
        ("DG1", {"1": "2", "3": Raw("R50.9^Fever, unspecified^I10"), "5": "20260105080400+0900", "6": "A"}),
    ]  # fmt: skip
    return build(header, body)


class Hub:
    """A door whose works are applied without being committed."""

    def __init__(self, folder: Path) -> None:
        self.clock = DrivenClock(NOW)
        self.ids = SeededIds(self.clock, 1)
        self.store = SqliteStore(folder / "log.db")
        self.committer = Committer(self.store, self.clock, self.ids)
        self.store.writer().define(inbox.TABLES)
        indexer = self.store.indexer
        self.door = Door(self.committer, indexer, self.clock, self.ids, zone=ZoneInfo("Asia/Seoul"))

    def receive(self, raw: bytes) -> Receive:
        return self.door.receive(raw)[1]

    def apply(self, works: list[Receive]) -> int:
        """Apply works as one batch; return the number of entries."""
        writer = self.store.writer()
        tx = Transaction(writer, self.committer.head, microseconds(NOW), self.ids, self.store.indexer)
        tx.load(work.wants() for work in works)
        for work in works:
            assert work.apply(tx).state == "accepted"
        return len(tx.batch.entries)

    def commit(self, raws: list[bytes]) -> None:
        for future in [self.committer.submit(self.receive(raw)) for raw in raws]:
            future.result()

    def close(self) -> None:
        self.committer.close()
        self.store.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(Path(folder))
        warm = [message(n, n) for n in range(1_000)]
        hub.commit(warm)
        hub.commit([message(n + 1_000, n) for n in range(1_000)])  # facilities, places, people are known now
        new = batches(lambda n: message(2_000 + n, 2_000 + n))
        known = batches(lambda n: message(4_000 + n, n % 1_000))
        figures = {
            "parse: messages/s": per_second(new, lambda batch: [Message.parse(raw) for raw in batch]),
            "parse and plan: messages/s": per_second(new, lambda batch: [hub.receive(raw) for raw in batch]),
            "all, new patient: messages/s": per_second(
                new, lambda batch: hub.apply([*map(hub.receive, batch)])
            ),
            "all, known patient: messages/s": per_second(
                known, lambda batch: hub.apply([*map(hub.receive, batch)])
            ),
            "bytes of a message": len(new[0][0]),
            "entries of a message": hub.apply([hub.receive(new[0][0])]),
        }
        hub.close()
    for name, figure in figures.items():
        print(f"{name:<34} {figure:>10,.0f}")
    print(f"kept in {keep('hl7v2_mapping', {name: round(figure) for name, figure in figures.items()})}")


def batches(make: Callable[[int], bytes]) -> list[list[bytes]]:
    return [[make(batch * BATCH + n) for n in range(BATCH)] for batch in range(BATCHES)]


def per_second(work: list[list[bytes]], call: Callable[[list[bytes]], object]) -> float:
    seconds = []
    for batch in work:
        start = time.process_time()
        call(batch)
        seconds.append(time.process_time() - start)
    return BATCH / statistics.median(seconds)


if __name__ == "__main__":
    main()
