"""Write docs/images/investigation.png, the picture of `broadstreet investigate` in the docs.

`python tools/investigation_picture.py LINELIST.csv --disease NAME` runs the command with what is given, and
takes the page as a browser shows it, with a case pointed at.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from typer.testing import CliRunner

from broadstreet.cli import app

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "investigation.png"
WIDTH, HEIGHT = 1000, 1660
STEPS = 24  # cases down from the first


def main() -> None:
    """Run the investigation and write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        result = CliRunner().invoke(app, ["investigate", *sys.argv[1:], "--out", folder])
        if result.exit_code:
            sys.exit(result.output)
        _take(Path(folder) / "investigation.html")


def _take(page_file: Path) -> None:
    with sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--force-color-profile=srgb"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(page_file.as_uri())
        page.locator(".rows").first.focus()
        for _ in range(STEPS):
            page.keyboard.press("ArrowDown")
        page.evaluate("document.querySelector('.rows').scrollTop = 120; scrollTo(0, 0)")
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
