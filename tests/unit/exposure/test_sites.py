"""Which site explains cases on a map."""

from __future__ import annotations

import csv
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from broadstreet.analysis.exposure import rank_sites

SNOW = Path(os.environ.get("BROADSTREET_SHARED", "../shared")) / "data" / "snow_1854"
# A river between two sites: who lives at (1, 0) is 2 from A as the crow flies, 12 by the bridge at (0, 6).
RIVER = {
    "street": ["left", "left", "bridge", "bridge", "right", "right"],
    "x": [-1.0, -1.0, -1.0, 1.0, 1.0, 1.0],
    "y": [0.0, 6.0, 6.0, 6.0, 6.0, -6.0],
}
SITES = {"site": ["A", "B"], "x": [-1.0, 1.0], "y": [0.0, -5.0]}


def drawn(site: tuple[float, float], number: int, reach: float, seed: int = 1854) -> dict[str, Any]:
    """Return cases around a site in a square of 10 by 10."""
    generator = np.random.default_rng(seed)
    homes = generator.uniform(0.0, 10.0, (40_000, 2))
    risk = np.exp(-np.hypot(*(homes - site).T) / reach)
    chosen = homes[generator.choice(len(homes), number, replace=False, p=risk / risk.sum())]
    return {"x": chosen[:, 0], "y": chosen[:, 1]}


def snow(name: str) -> dict[str, Any]:
    if not SNOW.exists():
        pytest.skip("no shared data (BROADSTREET_SHARED names its folder)")
    with (SNOW / f"Snow.{name}.csv").open() as file:
        rows = list(csv.DictReader(file))
    table: dict[str, Any] = {key: [row[key] for row in rows] for key in rows[0]}
    return table | {axis: [float(cell) for cell in table[axis]] for axis in "xy"}


def test_the_broad_street_pump_explains_the_deaths_in_soho() -> None:
    pumps = snow("pumps")
    found = rank_sites(snow("deaths"), pumps | {"site": pumps["label"]}, snow("streets"))
    assert found.walking
    assert found.sites["site"][0] == "Broad St"
    assert found.sites["probability"][0] > 0.999
    assert found.sites["ratio"][0] == max(found.sites["ratio"])
    assert Counter(found.cases["nearest"]).most_common(1)[0][0] == "Broad St"
    assert len(found.cases["nearest"]) == 578


def test_who_is_near_is_told_by_walking_where_there_are_streets() -> None:
    cases = {"x": [1.0], "y": [0.5]}
    assert rank_sites(cases, SITES).cases["nearest"] == ["A"]
    walked = rank_sites(cases, SITES, RIVER).cases
    assert walked["nearest"] == ["B"]
    assert walked["distance"] == pytest.approx([5.5])
    assert walked["next_distance"] == pytest.approx([5.5 + 2.0 + 6.0])


def test_the_door_of_a_case_and_the_way_of_a_site_to_its_street_are_walked_too() -> None:
    cases = {"x": [1.5], "y": [0.0]}
    sites = {"site": ["A"], "x": [-1.25], "y": [1.0]}
    assert rank_sites(cases, sites, RIVER).cases["distance"] == pytest.approx([0.5 + 6.0 + 2.0 + 5.0 + 0.25])


def test_an_end_that_touches_the_middle_of_a_street_is_a_crossing_and_a_bridge_is_none() -> None:
    streets = {"street": ["a", "a", "b", "b"], "x": [0.0, 10.0, 4.0, 4.0], "y": [0.0, 0.0, 0.0, 5.0]}
    sites = {"site": ["A"], "x": [0.0], "y": [0.0]}
    case = {"x": [4.0], "y": [5.0]}
    assert rank_sites(case, sites, streets).cases["distance"] == pytest.approx([9.0])
    over = streets | {"y": [0.0, 0.0, -5.0, 5.0]}
    assert rank_sites(case, sites, over).cases["distance"] == [np.inf]


def test_the_site_that_cases_were_drawn_around_is_found() -> None:
    generator = np.random.default_rng(5)
    at = generator.uniform(1.0, 9.0, (12, 2))
    sites = {"site": list(range(12)), "x": at[:, 0], "y": at[:, 1]}
    first = [
        rank_sites(drawn(tuple(at[site]), 40, 1.0, seed=site), sites).sites["site"][0] == site
        for site in range(12)
    ]
    assert sum(first) >= 11


def test_cases_spread_like_people_have_no_source() -> None:
    generator = np.random.default_rng(7)
    cases = {"x": generator.uniform(0, 10, 100), "y": generator.uniform(0, 10, 100)}
    found = rank_sites(cases, {"site": ["A", "B"], "x": [0.0, 10.0], "y": [5.0, 0.0]})
    assert found.none > 0.8


def test_a_crowded_quarter_is_no_evidence_where_the_population_is_known() -> None:
    generator = np.random.default_rng(8)
    homes = np.concatenate([generator.normal(2.0, 0.5, (900, 2)), generator.uniform(0.0, 10.0, (100, 2))])
    ill = homes[generator.choice(1000, 80, replace=False)]
    cases = {"x": ill[:, 0], "y": ill[:, 1]}
    sites = {"site": ["crowded", "quiet"], "x": [2.0, 8.0], "y": [2.0, 8.0]}
    people = {"x": homes[:, 0], "y": homes[:, 1], "population": np.ones(1000)}
    assert rank_sites(cases, sites).none < 0.01
    assert rank_sites(cases, sites, population=people).none > 0.5


def test_rows_with_a_count_are_as_many_rows_of_one_case() -> None:
    once = rank_sites({"x": [1.0, 2.0], "y": [1.0, 1.0], "count": [3, 1]}, SITES)
    apart = rank_sites({"x": [1.0, 1.0, 1.0, 2.0], "y": [1.0] * 4}, SITES)
    assert once.sites["log_bayes_factor"] == pytest.approx(apart.sites["log_bayes_factor"])
    assert once.sites["nearest"] == apart.sites["nearest"]


def test_degrees_become_metres() -> None:
    cases = {"lon": [-0.1367, -0.1367], "lat": [51.5133, 51.5133]}
    sites = {"site": ["pump"], "lon": [-0.1367], "lat": [51.5142]}
    found = rank_sites(cases, sites)
    assert found.unit == "m"
    assert found.cases["distance"] == pytest.approx([100.1, 100.1], abs=0.1)  # 0.0009 degrees of latitude


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cases": {"a": [1]}}, "cases needs columns x and y, or lon and lat"),
        ({"cases": {"x": [], "y": []}}, "cases must have a row or more"),
        ({"cases": {"x": [None], "y": [1.0]}}, "cases must have a row or more with coordinates"),
        ({"cases": {"x": [1.0], "y": [1.0], "count": [0]}}, "cases must hold a case or more"),
        ({"cases": {"lon": [10.0], "lat": [50.0]}}, "sites needs the column"),
        ({"sites": {"site": ["A", "A"], "x": [1, 2], "y": [1, 2]}}, "sites names 'A' more than once"),
        ({"sites": {"site": [], "x": [], "y": []}}, "sites must have a row or more"),
        ({"sites": {"site": ["A"], "x": [1.0], "y": [1.0]}}, "lie at one point"),
        ({"streets": {"street": ["a", "b"], "x": [0, 1], "y": [0, 1]}}, "two different points in a row"),
        ({"population": {"x": [1.0], "y": [2.0], "population": [-1]}}, "population row 0"),
        ({"population": {"x": [1.0], "y": [2.0], "population": [0]}}, "must count somebody"),
    ],
)
def test_what_cannot_be_ranked_is_refused_with_the_reason(change: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"cases": {"x": [1.0], "y": [1.0]}, "sites": SITES} | change
    with pytest.raises(ValueError, match=said):
        rank_sites(**given)


def test_rows_without_a_point_are_set_aside_and_the_rest_is_ranked() -> None:
    cases = {"x": [1.0, None, "abc", 2.0], "y": [1.0, 1.0, 1.0, np.inf]}
    sites = {"site": ["A", "B", "C"], "x": [1.0, 5.0, "?"], "y": [2.0, 5.0, 1.0]}
    found = rank_sites(cases, sites)
    assert [(one.table, one.row, one.id, one.why) for one in found.set_aside] == [
        ("cases", 1, "", "x is missing"),
        ("cases", 2, "", "x must be a number (is 'abc')"),
        ("cases", 3, "", "y must be finite (is inf)"),
        ("sites", 2, "C", "x must be a number (is '?')"),
    ]
    assert found.cases["nearest"] == ["A", None, None, None]
    assert sorted(found.sites["site"]) == ["A", "B"]


def test_a_place_far_from_the_cases_is_refused() -> None:
    cases = {"lon": [10.0, 10.1, 10.0], "lat": [50.0, 50.0, 50.1]}
    with pytest.raises(ValueError, match="sites row 0: lon and lat must lie within 3 degrees"):
        rank_sites(cases, {"site": ["A"], "lon": [20.0], "lat": [50.0]})
