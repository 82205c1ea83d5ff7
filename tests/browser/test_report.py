"""The page of a demonstration, as a browser shows it."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from tests.browser.conftest import Shown
from tests.browser_contrast import LOWEST_CONTRAST
from tests.browser_wait import until
from tests.demo_run import DemoRun


@pytest.fixture
def page(shown: Shown, demo_run: DemoRun) -> Iterator[Any]:
    with shown(demo_run.page) as page:
        yield page


def test_the_page_has_a_title_a_language_and_headings_in_order(page: Any) -> None:
    assert "outbreak" in page.title()
    assert page.get_attribute("html", "lang") == "en"
    levels = page.eval_on_selector_all("h1, h2, h3", "all => all.map(h => +h.tagName[1])")
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_picture_is_shown_and_told_in_words(page: Any) -> None:
    image = page.locator("img")
    assert image.count() == 1
    assert "The outbreak from" in image.get_attribute("alt")
    assert image.evaluate("i => i.complete && i.naturalWidth > 100")


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_nothing_scrolls_sideways(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_small_and_large_screens_get_pictures_of_their_own(page: Any) -> None:
    small = page.evaluate("document.querySelector('img').currentSrc")
    page.set_viewport_size({"width": 1280, "height": 800})
    until(page, "before => document.querySelector('img').currentSrc !== before", small)


def test_the_numbers_can_be_opened_with_the_keyboard(page: Any) -> None:
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is not None
    assert page.locator("details").first.locator("tbody tr").count() > 20


def test_every_text_stands_out_from_its_ground(page: Any) -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5:1 at least, computed from what the browser shows."""
    page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    assert page.evaluate(LOWEST_CONTRAST) >= 4.5


def test_every_table_says_what_its_rows_and_columns_are(demo_run: DemoRun) -> None:
    tags: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append(tag + ("" if "scope" not in dict(attrs) else f":{dict(attrs)['scope']}"))

    Reader().feed(demo_run.page.read_text(encoding="utf-8"))
    assert tags.count("table") == tags.count("caption") == 2
    assert tags.count("th:col") == 10
    assert tags.count("th:row") > 20
    assert "th" not in tags
    assert "script" not in tags
