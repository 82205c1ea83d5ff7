"""A data folder whose log has an outbreak, without a hub."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from datetime import time as moment
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from broadstreet.app.core import Core
from broadstreet.app.settings import Settings
from broadstreet.model import fhir
from broadstreet.store.entry import Draft
from broadstreet.trust.labels import labels_of
from tests.unit.store.conftest import Do

ZONE = ZoneInfo("Asia/Seoul")
FIRST = date(2026, 1, 5)
USUAL = (2, 3, 1, 2, 3, 2, 1)
OUTBREAK = FIRST + timedelta(days=28)


def store_in(folder: Path) -> Path:
    """Return the folder; its log has four quiet weeks, a day with many fevers, and a quiet day."""
    live(folder, (*USUAL * 4, 14, 2))
    return folder


def live(folder: Path, numbers: tuple[int, ...], late: int = 0) -> None:
    """Let so many fevers come each day, and at the end some late ones of the day `OUTBREAK`."""
    (folder / "broadstreet.toml").write_text('zone = "Asia/Seoul"\nclock = "driven"\n')
    (folder / "places.csv").write_text("code,name,x,y\nD1,Riverside,0,0\n")
    start = datetime.combine(FIRST, moment(), ZONE)
    settings = Settings(data=str(folder), zone="Asia/Seoul", clock="driven", clock_start=start)
    with Core(settings) as core:
        _put(core, "Patient", "p1", {"address": [{"district": "D1"}]})
        for number, visits in enumerate(numbers):
            day = FIRST + timedelta(days=number)
            for visit in range(visits):
                _put(core, "Encounter", f"e{number}-{visit}", _encounter(day))
            core.advance(datetime.combine(day + timedelta(days=1), moment(), ZONE))
            core.settle()
        for visit in range(late):
            _put(core, "Encounter", f"late-{visit}", _encounter(OUTBREAK))
        core.settle()


def late(folder: Path, day: date) -> None:
    """Let a visit of a day come after all that has come."""
    settings = Settings(data=str(folder), zone="Asia/Seoul", clock="driven")
    with Core(settings) as core:
        _put(core, "Encounter", f"late-{day}", _encounter(day))
        core.settle()


def _put(core: Core, type: str, id: str, body: dict[str, Any]) -> None:
    content = json.dumps({"resourceType": type, "id": id, **body}).encode()
    labels = labels_of(fhir.decode(content), core.store.indexer)
    draft = Draft(type=f"fhir/{type}", id=id, body=content, source="door", key=id, labels=labels)
    core.committer.commit(Do(lambda tx: tx.put(draft)))


def _encounter(day: date) -> dict[str, Any]:
    return {
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": "Patient/p1"},
        "period": {"start": f"{day}T10:00:00+09:00"},
        "reasonCode": [{"text": "fever"}],
    }
