"""Which place and time explains the cases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.visited_city import Outbreak, build, outbreak
from broadstreet.analysis.exposure import VisitRanking, rank_visits

# Ten cases, forty controls. Cases ate at the kitchen on day 3; half of all people go to the market each day.
CASES = {"id": [f"c{n}" for n in range(10)], "onset": [6, 7, 7, 6, 8, 7, 6, 9, 7, 8]}
CONTROLS = {"id": [f"k{n}" for n in range(40)]}


def visits(at_kitchen: int = 7, day: int = 3) -> dict[str, Any]:
    rows = [(f"c{n}", "kitchen", day) for n in range(at_kitchen)]
    rows += [(f"k{n}", "kitchen", day) for n in range(2)]
    for n, who in enumerate(CASES["id"] + CONTROLS["id"]):
        rows += [(who, "market", each) for each in range(1, 8) if (each + n) % 2]
        rows += [(who, f"shop {n % 5}", 2)]
    return dict(zip(("id", "place", "day"), map(list, zip(*rows, strict=True)), strict=True))


def ranked(**changes: Any) -> VisitRanking:
    given: dict[str, Any] = {"visits": visits(), "cases": CASES, "controls": CONTROLS, "window": (1, 7)}
    return rank_visits(**given | changes)


@pytest.fixture(scope="module")
def city_outbreak() -> Outbreak:
    return outbreak(build(3, people=8_000, places=150), 5, attack=0.2)


def test_the_place_that_the_cases_share_comes_before_the_one_that_everybody_visits() -> None:
    found = ranked()
    assert found.places["place"][0] == "kitchen"
    assert found.places["first"][0] == found.places["last"][0] == 3
    assert found.places["probability"][0] > 0.95
    assert found.common_source > 0.95
    market = found.places["place"].index("market")
    assert found.places["cases"][market] > found.places["cases"][0]
    assert found.places["log_bayes_factor"][market] < 0.0


def test_the_probabilities_of_the_places_and_of_no_common_source_sum_to_one() -> None:
    found = ranked()
    assert sum(found.places["probability"]) == pytest.approx(found.common_source)
    nothing = ranked(visits=visits(at_kitchen=1))
    assert nothing.common_source < 0.5


def test_each_case_has_its_own_probability_to_come_from_the_first_place() -> None:
    chance = dict(zip(*ranked().cases.values(), strict=True))
    assert chance["c0"] > 0.9
    assert chance["c9"] < 0.6


def test_a_visit_outside_of_the_window_before_onset_says_nothing() -> None:
    late = ranked(visits=visits(day=12), window=(1, 7))
    assert "kitchen" not in late.places["place"]
    assert ranked(window=(1, 2)).places["place"][0] != "kitchen"


def test_the_false_discovery_rate_is_low_for_the_source_and_high_for_shops() -> None:
    found = ranked()
    rate = dict(zip(found.places["place"], found.places["q_value"], strict=True))
    assert rate["kitchen"] < 0.01
    assert min(rate[place] for place in rate if place.startswith("shop")) > 0.2


def test_the_incubation_period_tells_the_day() -> None:
    """All cases visited on days 2 and 4; onsets 4 days after day 2, and an incubation period of 4 days."""
    both = [(who, "kitchen", day) for who in CASES["id"] for day in (2, 4)]
    given = dict(zip(("id", "place", "day"), map(list, zip(*both, strict=True)), strict=True))
    found = ranked(visits=given, cases=CASES | {"onset": [6] * 10}, incubation=(4.0, 0.5))
    assert (found.places["first"][0], found.places["last"][0]) == (2, 2)


def test_who_lives_with_a_case_adds_little_as_they_go_out_together() -> None:
    rows = [(f"c{n}", "park", 3) for n in range(4)] + [("k0", "park", 3), ("k1", "market", 3)]
    given = dict(zip(("id", "place", "day"), map(list, zip(*rows, strict=True)), strict=True))
    alone = ranked(visits=given)
    family = ranked(
        visits=given,
        cases=CASES | {"household": ["h", "h", "h", "h"] + [f"h{n}" for n in range(6)]},
        controls=CONTROLS | {"household": [f"x{n}" for n in range(40)]},
    )
    assert family.places["log_bayes_factor"][0] < alone.places["log_bayes_factor"][0] - 3.0


def test_controls_of_the_same_area_and_age_explain_what_people_like_the_cases_do() -> None:
    """All who live in the north visit the bakery there; all cases live in the north."""
    homes = ["north"] * 20 + ["south"] * 20
    rows = [(f"c{n}", "bakery", 3) for n in range(8)] + [(f"k{n}", "bakery", 3) for n in range(16)]
    given = dict(zip(("id", "place", "day"), map(list, zip(*rows, strict=True)), strict=True))
    matched = ranked(
        visits=given, cases=CASES | {"home": ["north"] * 10}, controls=CONTROLS | {"home": homes}
    )
    unmatched = ranked(visits=given)
    assert matched.places["log_bayes_factor"][0] < 1.0 < unmatched.places["log_bayes_factor"][0]


def test_the_source_of_an_outbreak_in_a_city_is_found(city_outbreak: Outbreak) -> None:
    found = rank_visits(city_outbreak.visits, city_outbreak.cases, city_outbreak.controls, (1, 14))
    assert found.places["place"][0] == str(city_outbreak.source)


def test_dates_come_back_as_dates() -> None:
    start = np.datetime64("2026-03-01")
    found = ranked(
        visits=visits() | {"day": [str(start + day) for day in visits()["day"]]},
        cases=CASES | {"onset": [str(start + day) for day in CASES["onset"]]},
    )
    assert found.places["first"][0] == "2026-03-04"


def test_a_stay_of_several_days_counts_on_each() -> None:
    rows = visits()
    stay = {
        "id": rows["id"],
        "place": rows["place"],
        "start": rows["day"],
        "end": [day + 1 for day in rows["day"]],
    }
    assert ranked(visits=stay).places["place"][0] == "kitchen"


def test_rows_that_cannot_be_used_are_set_aside_and_the_rest_is_ranked() -> None:
    rows = visits()
    wrong = {
        "id": [*rows["id"], None, "c1", "c1"],
        "place": [*rows["place"], "kitchen", "kitchen", "kitchen"],
        "day": [*rows["day"], 3, "no day", None],
    }
    found = ranked(
        visits=wrong,
        cases={"id": [*CASES["id"], "c1", "c99"], "onset": [*CASES["onset"], 7, None]},
        controls={"id": [*CONTROLS["id"], "k1", "c1"]},
    )
    told = {(one.table, one.row): one.why for one in found.set_aside}
    last = len(rows["id"])
    assert told["visits", last] == "the id or the place is missing"
    assert told["visits", last + 2] == "the day is missing"
    assert "no date" in told["visits", last + 1]
    assert told["cases", 10] == "the id is that of an earlier row"
    assert told["cases", 11].startswith("no onset")
    assert told["controls", 41] == "the control is a case"
    assert len(told) == 7
    assert found.places["place"][0] == "kitchen"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"visits": {"id": [1], "place": ["a"]}}, "visits needs the column day, or start and end"),
        ({"visits": {"id": ["c1"], "place": ["a"], "day": [100]}}, "no visit of a case 1 to 7 days before"),
        ({"cases": {"id": ["a"], "onset": [None]}}, "cases must have a row or more that can be used"),
        ({"controls": {"id": []}}, "controls must have a row or more"),
        ({"window": (7, 1)}, "window"),
        ({"window": 3}, "window must be"),
        ({"recall": 1.5}, "recall must lie between 0 and 1"),
        ({"longest": 0}, "longest must lie between 1"),
    ],
)
def test_what_cannot_be_ranked_is_refused_with_the_reason(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ranked(**change)


def test_three_thousand_cases_are_the_most() -> None:
    with pytest.raises(ValueError, match="cases must be at most 3,000"):
        ranked(cases={"id": list(range(3001)), "onset": [5] * 3001})
