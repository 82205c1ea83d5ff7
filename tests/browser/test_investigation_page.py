"""The page of `broadstreet investigate`, as a browser shows it."""

from __future__ import annotations

import csv
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


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page of forty cases with all that a list may hold, a map, and rows that are set aside."""
    folder = tmp_path_factory.mktemp("investigation")
    generator = np.random.default_rng(1854)
    names = [
        "id",
        "onset",
        "exposure_start",
        "exposure_end",
        "diagnosed",
        "isolated",
        "death",
        "household",
        "x",
        "y",
    ]
    rows = []
    for n in range(40):
        onset = date(2026, 3, 1) + timedelta(int(n * 1.5))
        days = [onset - timedelta(5), onset - timedelta(2), onset + timedelta(2), onset + timedelta(3)]
        died = (onset + timedelta(9)).isoformat() if n % 11 == 10 else ""
        at = generator.uniform(0, 10, 2).round(2).tolist()
        rows.append([f"case-{n}", onset.isoformat(), *(d.isoformat() for d in days), died, f"h{n // 3}", *at])
    rows.append(["case-1", "2026-03-02", "", "", "", "", "", "", "", ""])
    _write(folder / "cases.csv", names, rows)
    _write(folder / "sites.csv", ["name", "x", "y"], [["Well", 2, 3], ["Spring", 8, 8]])
    _write(folder / "contacts.csv", ["infector", "case"], [["case-30", "case-2"]])
    options = ["--sites", folder / "sites.csv", "--contacts", folder / "contacts.csv", "--out", folder]
    given = ["investigate", folder / "cases.csv", "--serial-interval", "4,2", "--incubation", "3,1", *options]
    result = CliRunner().invoke(app, [str(one) for one in given])
    assert result.exit_code == 0, result.output
    return folder / "investigation.html"


def _write(path: Path, names: list[str], rows: list[list[Any]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([names, *rows])


@pytest.fixture
def page(shown: Shown, written: Path) -> Iterator[Any]:
    with shown(written) as page:
        yield page


def test_the_page_has_a_title_a_language_and_headings_in_order(page: Any) -> None:
    assert page.title() == "Investigation of cases.csv"
    assert page.get_attribute("html", "lang") == "en"
    levels = page.eval_on_selector_all("main > h1, section > h2", "all => all.map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_scrolls_sideways(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_arrow_keys_move_through_the_cases_and_tell_who_else_it_may_have_been(page: Any) -> None:
    rows = page.locator(".rows").first
    first, second = (f"case-{rows.locator('.case').nth(k).get_attribute('data-case')}" for k in (0, 1))
    rows.focus()
    page.keyboard.press("ArrowDown")
    panel = page.locator(".panel")
    assert panel.locator("h3").text_content() == second
    assert f"{first}:" in panel.locator("li").first.text_content()
    assert panel.get_attribute("aria-live") == "polite"
    active = page.locator(".rows").first.get_attribute("aria-activedescendant")
    assert page.get_attribute(f"#{active}", "aria-selected") == "true"
    page.keyboard.press("End")
    until(page, "document.querySelector('.rows').scrollTop > 0")


def test_a_case_that_is_pointed_at_is_marked_in_the_tree_the_timeline_and_on_the_map(page: Any) -> None:
    page.locator(".rows .case").nth(2).hover()
    marked = page.eval_on_selector_all(
        ".on", "all => all.map(e => e.closest('figure, .rows').className || 'map')"
    )
    assert {"rows", "map"} <= set(marked)
    assert page.locator(".link.on").count() >= 1


def test_every_case_drawn_is_told_in_words(page: Any) -> None:
    told = page.eval_on_selector_all("[role=option]", "all => all.map(e => e.getAttribute('aria-label'))")
    assert len(told) == 80
    assert any("infected by" in words and "probability" in words for words in told)


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_every_text_stands_out_from_its_ground(page: Any) -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5:1 at least, computed from what the browser shows."""
    page.locator(".rows").first.focus()
    page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    assert page.evaluate(LOWEST_CONTRAST) >= 4.5


@pytest.mark.parametrize("width", [390, 1280])
def test_every_link_drawn_has_its_probability_beside_it_within_the_chart(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.locator(".rows .link").count() == page.locator(".odds").count() > 0
    outside = page.eval_on_selector_all(
        ".odds",
        """all => all.filter(e => {
          const [text, chart] = [e, e.closest('svg')].map(one => one.getBoundingClientRect());
          return text.left < chart.left || text.right > chart.right;
        }).length""",
    )
    assert outside == 0


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_numbers_of_the_tiles_stay_within_them(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("document.querySelector('.tiles b').textContent = 'above 99.9\\u00a0%'")
    wider = "all => all.filter(e => e.scrollWidth > e.clientWidth).length"
    assert page.eval_on_selector_all(".tiles li", wider) == 0


def test_on_a_phone_the_alternatives_are_not_cut(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.locator(".rows .case").nth(20).click()
    panel = page.locator(".panel")
    assert panel.locator("li").count() > 1
    assert panel.evaluate("e => e.scrollHeight <= e.clientHeight")


def test_labels_of_the_axis_do_not_overlap_where_it_spans_years(shown: Shown, tmp_path: Path) -> None:
    days = [date(2025, 10, 30) + timedelta(3 * n) for n in range(29)]
    _write(tmp_path / "cases.csv", ["id", "onset"], [[n, day.isoformat()] for n, day in enumerate(days)])
    given = ["investigate", tmp_path / "cases.csv", "--disease", "measles", "--out", tmp_path]
    assert CliRunner().invoke(app, [str(one) for one in given]).exit_code == 0
    with shown(tmp_path / "investigation.html") as page:
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            places = page.eval_on_selector_all(
                ".rows svg.head",
                """all => all.map(head => [...head.querySelectorAll('text')]
                  .map(e => e.getBoundingClientRect()).filter(box => box.width)
                  .map(box => [box.left, box.right]))""",
            )
            assert all(one[1] < other[0] for axis in places for one, other in pairwise(axis))


LONG = {
    "CASE-20260401-": "CASE-20260401-{:04d}",
    "names": "Müller-Lüdenscheidt, Maximilian {}",
    "한국": "서울특별시 강남구 보건소 환자 {}",
    "the middle": "WWW {:02d} of the hospital of Mitte",
}


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write a page of cases with long ids, by what these have in common; the last id has 200 signs."""
    pages = {}
    for what, pattern in LONG.items():
        folder = tmp_path_factory.mktemp("named")
        names = [pattern.format(n) for n in range(11)] + ["x" * 200]
        rows = [[name, (date(2026, 3, 1) + timedelta(3 * n)).isoformat()] for n, name in enumerate(names)]
        _write(folder / "cases.csv", ["id", "onset"], rows)
        given = ["investigate", folder / "cases.csv", "--disease", "influenza", "--out", folder]
        assert CliRunner().invoke(app, [str(one) for one in given]).exit_code == 0
        pages[what] = folder / "investigation.html"
    return pages


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("what", LONG)
def test_long_ids_are_cut_so_that_they_differ_and_fit(
    shown: Shown, named: dict[str, Path], what: str, width: int
) -> None:
    with shown(named[what]) as page:
        page.set_viewport_size({"width": width, "height": 800})
        for chart in page.locator(".rows .names").all():
            labels = chart.locator("text").all_text_contents()
            assert len(labels) == len(set(labels)) == 12
            assert chart.evaluate(
                """e => [...e.querySelectorAll('text')].every(text =>
                  text.getBoundingClientRect().left >= e.getBoundingClientRect().left)"""
            )


def test_a_long_id_leaves_room_for_the_other_columns_on_a_phone(shown: Shown, named: dict[str, Path]) -> None:
    with shown(named["names"]) as page:
        page.set_viewport_size({"width": 390, "height": 800})
        page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
        rights = page.eval_on_selector_all(
            "table", "all => all.map(t => t.querySelectorAll('thead th')[1].getBoundingClientRect().right)"
        )
        assert len(rights) >= 3
        assert max(rights) <= 390


def test_the_tree_is_counted_in_links_and_in_cases_with_which_it_begins(page: Any) -> None:
    summary = page.locator("summary", has_text="The tree as a table").text_content()
    links = page.locator(".rows .link").count()
    assert (
        summary == f"The tree as a table: {links} links, {40 - links} cases without an infector in the list"
    )


def test_the_page_prints_whole(page: Any) -> None:
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('.rows')).maxHeight") == "none"
    assert page.evaluate("getComputedStyle(document.querySelector('.panel')).display") == "none"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert "infector in the tree" in page.locator("details table").first.inner_text()
