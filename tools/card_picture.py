"""Write docs/images/card.png, the card of a simulated outbreak: `python tools/card_picture.py [STORE]`.

STORE is the folder of a demonstration that was kept (`broadstreet demo --keep STORE`); without it the visits
of a simulated city are put into a hub's store directly, up to its outbreak's fifth day. It needs Chromium.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from datetime import datetime, timedelta
from datetime import time as moment
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from broadstreet.simulation.places import DISTRICTS
from playwright.sync_api import sync_playwright

from bench.signals import resources
from broadstreet.app import requests
from broadstreet.app.card.page import page
from broadstreet.app.core import Core
from broadstreet.app.demo.conductor import places_of
from broadstreet.app.errands import reached
from broadstreet.app.reach import read
from broadstreet.app.settings import PLACES, Settings
from broadstreet.simulation import City
from broadstreet.store.entry import Draft
from broadstreet.store.transaction import Transaction, Wants
from broadstreet.workflows.surveillance import signals
from broadstreet.workflows.surveillance.card import Card

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "card.png"
SEED, DAYS_OF_IT = 7, 5
WIDTH, HEIGHT = 900, 1240


class _Put:
    """The work of putting drafts."""

    weight, size = 1_000, 1_000_000

    def __init__(self, drafts: list[Draft]) -> None:
        self._drafts = drafts

    def wants(self) -> Wants:
        return Wants()

    def apply(self, tx: Transaction) -> None:
        for draft in self._drafts:
            tx.put(draft)


def main() -> None:
    """Take the card of the strongest signal, and its picture."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(sys.argv[1]) if len(sys.argv) > 1 else _simulated(Path(folder) / "hub")
        file = Path(folder) / "card.html"
        file.write_text(page(_card(store)), encoding="utf-8")
        _taken(file)


def _simulated(folder: Path) -> Path:
    city = City(SEED)
    zone = ZoneInfo(city.zone)
    folder.mkdir()
    (folder / PLACES).write_text(places_of(DISTRICTS), encoding="utf-8")
    start = datetime.combine(city.start, moment(), zone)
    settings = Settings(
        data=str(folder), zone=city.zone, clock="driven", clock_start=start, log_level="warning"
    )
    clinics = [city.clinic(number) for number in range(city.clinics)]
    names = [
        Draft(
            type="fhir/Organization", id=each.facility.code, source="tool", key=each.facility.code,
            body=msgspec.json.encode({"resourceType": "Organization", "name": each.facility.name}),
        )
        for each in clinics
    ]  # fmt: skip
    with Core(settings) as core:
        core.committer.commit(_Put(names))
        for number in range((city.truth.start - city.start).days + DAYS_OF_IT):
            visits = [visit for clinic in clinics for visit in clinic.visits(number)]
            drafts = [
                Draft(
                    type=f"fhir/{kind}",
                    id=id,
                    body=msgspec.json.encode(body),
                    source="tool",
                    key=f"{kind}{id}",
                )
                for visit in visits
                for kind, id, body in resources(visit)
            ]
            core.committer.commit(_Put(drafts))
            core.advance(start + timedelta(days=number + 1))
        core.settle()
    return folder


def _card(store: Path) -> Card:
    settings = Settings(data=str(store), zone=City(SEED).zone, clock="driven")
    with read(settings) as reader:
        rises = [each for each in signals(reader) if each.kind == "rise" and each.evidence]
    largest = max(rises, key=lambda each: each.observed - each.expected)
    with reached(settings) as ask:
        return msgspec.convert(ask(requests.SignalCard(id=largest.id)), Card)


def _taken(file: Path) -> None:
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        shown.goto(file.as_uri())
        shown.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
