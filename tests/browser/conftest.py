"""A browser, and pages in it that load nothing from elsewhere and meet no error."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

Shown = Callable[..., AbstractContextManager[Any]]


# Not wider than a module: as long as Playwright runs, its event loop counts as running in this thread, and no
# test that comes after in the same process could start one of its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium (apt-get install chromium)")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def shown(browser: Any) -> Shown:
    """Return what shows a file at 320 px; nothing may be loaded from elsewhere, and no error come up."""

    @contextmanager
    def show(file: Path, color_scheme: str = "light") -> Iterator[Any]:
        context = browser.new_context(viewport={"width": 320, "height": 800}, color_scheme=color_scheme)
        page = context.new_page()
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        yield page
        context.close()
        assert said == []
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []

    return show
