"""A town of two districts after four quiet weeks, and what officers say of its signals."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from broadstreet.model.records import Signal, Verdict
from broadstreet.workflows import surveillance

from .conftest import FIRST, ZONE, Town, encounter, patient
from .risen import USUAL

BURST = 28
"""The day of the first rise, after four quiet weeks."""


def quiet_town(file: Path) -> Town:
    """Return the town after four quiet weeks."""
    town = Town(file, lambda counts: [surveillance.Tests(counts)])
    town.put_all([("Patient", "p1", patient("D1")), ("Patient", "p2", patient("D2"))])
    for number in range(BURST):
        come(town, number, USUAL[number % 7])
        come(town, number, USUAL[(number + 3) % 7], who="p2")
        close(town, number)
    return town


def on(number: int) -> date:
    return FIRST + timedelta(days=number)


def come(town: Town, number: int, visits: int, who: str = "p1", why: str = "fever") -> list[str]:
    ids = [f"v{town.keys + n}" for n in range(visits)]
    town.put_all([("Encounter", id, encounter(on(number), who=who, why=why)) for id in ids])
    town.follow()
    return ids


def close(town: Town, *numbers: int) -> None:
    for number in numbers:
        town.close_day(on(number))
        town.follow()


def judge(
    town: Town, signal: Signal, number: int, finding: Literal["verified", "dismissed"] = "dismissed"
) -> None:
    at = datetime.combine(on(number), time(9), ZONE).astimezone(UTC)
    verdict = Verdict(finding=finding, by="kim", at=at, reason="a coding mistake")
    town.put_record(msgspec.structs.replace(signal, verdict=verdict))
    town.follow()


def rises(town: Town) -> list[Signal]:
    return [s for s in surveillance.signals(town.store) if s.kind == "rise" and not s.joined]
