"""Write docs/images/card.png, the card of a simulated outbreak: `python tools/card_picture.py STORE`.

STORE is the folder of a demonstration that was kept (`broadstreet demo --keep STORE`). It needs Chromium.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import msgspec
from playwright.sync_api import sync_playwright

from broadstreet.app import requests
from broadstreet.app.card.page import page
from broadstreet.app.errands import reached
from broadstreet.app.load import FILE, load
from broadstreet.app.reach import read
from broadstreet.workflows.surveillance import signals
from broadstreet.workflows.surveillance.card import Card

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "card.png"
WIDTH, HEIGHT = 900, 1240


def main() -> None:
    """Take the card of the strongest rise, and its picture."""
    if len(sys.argv) != 2:
        sys.exit("expected the folder of a demonstration that was kept: python tools/card_picture.py STORE")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "card.html"
        file.write_text(page(_card(Path(sys.argv[1]))), encoding="utf-8")
        _taken(file)


def _card(store: Path) -> Card:
    settings = load(store / FILE, {}, {"data": str(store)})
    with read(settings) as reader:
        rises = [each for each in signals(reader) if each.kind == "rise" and each.evidence]
    strongest = min(rises, key=lambda each: min(e.chance or 1.0 for e in each.evidence))
    with reached(settings) as ask:
        return msgspec.convert(ask(requests.SignalCard(id=strongest.id)), Card)


def _taken(file: Path) -> None:
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        shown.goto(file.as_uri())
        shown.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
