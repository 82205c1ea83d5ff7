"""The card of a signal, as a browser shows it."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from broadstreet.app.card.page import page as page_of
from broadstreet.workflows.surveillance.card import Visit
from tests.browser.conftest import Shown
from tests.browser_contrast import LOWEST_CONTRAST
from tests.unit.surveillance.risen import card, town_with_a_rise

HEADINGS = [
    "How sure this is", "Day by day", "Which tests agree", "Where the patients live",
    "Who reported, and who came", "What the data cannot show", "The most similar signals before it",
    "The visits", "What to do, and where this comes from",
]  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("card")
    town = town_with_a_rise(folder / "log.db")
    try:
        visit = Visit(
            seq=7, id="0199-long-id-of-a-visit", day="2026-02-02 10:00", source="Clinic", codes="R50.9"
        )
        text = page_of(msgspec.structs.replace(card(town), visits=(visit,) * 14))
    finally:
        town.close()
    (folder / "card.html").write_text(text, encoding="utf-8")
    return folder / "card.html"


@pytest.fixture(params=["light", "dark"])
def page(shown: Shown, written: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    with shown(written, request.param) as page:
        yield page


def opened(page: Any) -> None:
    page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")


def test_the_page_has_a_title_a_language_and_headings_in_order(page: Any) -> None:
    assert page.title() == "Fever: more visits than expected in Riverside (D1)"
    assert page.get_attribute("html", "lang") == "en"
    assert page.eval_on_selector_all("h2", "all => all.map(h => h.textContent)") == HEADINGS
    levels = page.eval_on_selector_all("h1, h2, h3", "all => all.map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_what_where_since_when_how_many_and_how_sure_is_seen_without_scrolling(page: Any) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    shown = page.eval_on_selector_all(
        ".facts li",
        "all => all.filter(l => l.getBoundingClientRect().bottom < innerHeight).map(l => l.innerText)",
    )
    assert [fact.split("\n")[0] for fact in shown] == [
        "Visits, 2 February 2026", "Where", "Since", "Evidence", "Judged by officers",
    ]  # fmt: skip
    assert "14 seen, 2.0 expected" in shown[0]


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_nothing_scrolls_sideways(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    opened(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_every_number_of_the_tests_that_agree_is_in_sight_without_scrolling_sideways(
    page: Any, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    ends = page.eval_on_selector_all(
        ".stacked tbody td", "all => all.map(c => c.getBoundingClientRect()).map(r => [r.left, r.right])"
    )
    assert ends
    assert all(0 <= left <= right <= width for left, right in ends)
    cut = "t => { for (let e = t; e; e = e.parentElement) if (e.scrollHeight > e.clientHeight + 1"
    cut += " && getComputedStyle(e).overflowY === 'auto') return true; return false }"
    assert not page.eval_on_selector(".stacked", cut)


def test_on_a_phone_each_number_stands_beside_its_name(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    names = page.eval_on_selector_all(
        ".stacked tbody tr:first-child > *",
        "all => all.map(c => getComputedStyle(c, '::before').content.replaceAll('\"', ''))",
    )
    head = ["what", "where", "who", "days", "seen", "expected", "by chance", "method"]
    assert names[:8] == head


def test_chart_and_map_are_told_in_words(page: Any) -> None:
    told = [
        page.evaluate("e => e.querySelector('title').textContent", e)
        for e in page.locator("svg:visible").element_handles()
    ]
    assert "counts from" in told[0]
    assert told[1] == "Map of 1 districts. Most visits: Riverside 14 (2.0 usual)."


def test_the_numbers_can_be_opened_and_scrolled_with_the_keyboard(page: Any) -> None:
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is not None
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "region"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_every_text_stands_out_from_its_ground(page: Any) -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5:1 at least, computed from what the browser shows."""
    opened(page)
    assert page.evaluate(LOWEST_CONTRAST) >= 4.5


def test_what_can_be_pressed_is_large_enough(page: Any) -> None:
    """WCAG 2.2, 2.5.8: 24 by 24 pixels."""
    heights = page.eval_on_selector_all("summary", "all => all.map(s => s.getBoundingClientRect().height)")
    assert min(heights) >= 24


def test_every_table_says_what_its_rows_and_columns_are(written: Path) -> None:
    tags: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append(tag + ("" if "scope" not in dict(attrs) else f":{dict(attrs)['scope']}"))

    Reader().feed(written.read_text(encoding="utf-8"))
    assert tags.count("table") == tags.count("caption") >= 6
    assert "th" not in tags
    assert "script" not in tags
