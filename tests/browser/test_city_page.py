"""The page of an epidemic in the synthetic city, as a browser shows it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from broadstreet.app.city.plan import Plan, Source, built, scenario_of
from broadstreet.app.city.reporting import PAGE, write_report
from broadstreet.simulation.epidemic import run
from tests.browser.conftest import Shown
from tests.browser_wait import until

pytest.importorskip("matplotlib", reason="matplotlib is not installed")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of cholera from a pump, in a city of 3,000."""
    folder = tmp_path_factory.mktemp("city")
    plan = Plan(population=3_000, days=25, sources=(Source(kind="pump", pathogen="cholera", attack=0.5),))
    city = built(plan)
    write_report(folder, plan, run(city, scenario_of(plan, city)))
    return folder / PAGE


@pytest.fixture
def page(shown: Shown, report: Path) -> Iterator[Any]:
    with shown(report) as page:
        yield page


def test_the_city_page_has_one_first_heading_and_others_in_order(page: Any) -> None:
    assert page.get_attribute("html", "lang") == "en"
    levels = page.eval_on_selector_all("h1, h2, h3", "all => all.map(h => +h.tagName[1])")
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_map_is_shown_and_told_in_words_on_small_and_large_screens(page: Any) -> None:
    image = page.locator("img")
    assert "A map of the city" in image.get_attribute("alt")
    assert image.evaluate("i => i.complete && i.naturalWidth > 100")
    small = page.evaluate("document.querySelector('img').currentSrc")
    page.set_viewport_size({"width": 1280, "height": 800})
    until(page, "before => document.querySelector('img').currentSrc !== before", small)


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_nothing_of_the_city_page_scrolls_sideways(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_truth_stands_beside_the_picture(page: Any) -> None:
    told = page.inner_text("main")
    assert "a pump in D01" in told
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.locator("tbody tr").count() == 25
