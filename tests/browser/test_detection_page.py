"""The page of `broadstreet detect`, as a browser shows it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from broadstreet.cli import app
from tests.browser.conftest import Shown
from tests.browser_contrast import LOWEST_CONTRAST
from tests.browser_wait import until

NAMES = ["Riverside", "Old Town", "University Quarter, north of the railway and the river"]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("detection")
    generator = np.random.default_rng(1854)
    rows = ["week,district,cases"]
    for at, name in enumerate(NAMES):
        counts = generator.poisson(15 * (at + 1), 220)
        counts[-1] += 60 if at == 0 else 0
        rows += [f'{date(2021, 1, 4) + timedelta(7 * week)},"{name}",{n}' for week, n in enumerate(counts)]
    (folder / "cases.csv").write_text("\n".join(rows))
    result = CliRunner().invoke(app, ["detect", str(folder / "cases.csv"), "--out", str(folder)])
    assert result.exit_code == 0, result.output
    return folder / "detection.html"


@pytest.fixture(params=["light", "dark"])
def page(shown: Shown, written: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    with shown(written, request.param) as page:
        yield page


def test_the_page_has_a_title_a_language_and_headings_in_order(page: Any) -> None:
    assert page.title() == "Alarms in cases.csv"
    assert page.get_attribute("html", "lang") == "en"
    levels = page.eval_on_selector_all("h1, h2, h3", "all => all.map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_nothing_scrolls_sideways(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "kind"), [(320, "narrow"), (1280, "wide")])
def test_each_screen_shows_one_chart_of_each_series_and_tells_it_in_words(
    page: Any, width: int, kind: str
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    charts = page.get_by_role("img")
    assert charts.count() == len(NAMES)
    first = charts.first
    assert kind in first.get_attribute("class")
    assert page.evaluate("svg => svg.querySelector('title').textContent", first.element_handle()).startswith(
        "Riverside: counts from"
    )


def test_labels_of_the_charts_do_not_lie_on_each_other(page: Any) -> None:
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(_OVERLAPS) == []


def test_the_numbers_can_be_opened_and_scrolled_with_the_keyboard(page: Any) -> None:
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is not None
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "region"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("End")
    until(page, "document.activeElement.scrollTop > 0")


def test_every_text_stands_out_from_its_ground(page: Any) -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5:1 at least, computed from what the browser shows."""
    page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    assert page.evaluate(LOWEST_CONTRAST) >= 4.5


def test_what_can_be_pressed_is_large_enough(page: Any) -> None:
    """WCAG 2.2, 2.5.8: 24 by 24 pixels."""
    heights = page.eval_on_selector_all("summary", "all => all.map(s => s.getBoundingClientRect().height)")
    assert min(heights) >= 24


_OVERLAPS = """
() => {
  const found = [];
  for (const svg of document.querySelectorAll('section svg')) {
    if (!svg.checkVisibility()) continue;
    const boxes = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
    for (const [a, p] of boxes) for (const [b, q] of boxes)
      if (p !== q && p.left < q.right && q.left < p.right && p.top < q.bottom && q.top < p.bottom)
        found.push([a, b]);
  }
  return found;
}
"""
