"""What a scan takes, and what it says about what it does not take."""

from __future__ import annotations

import datetime
from typing import Any

import nanoarrow
import numpy as np
import pytest

from broadstreet.analysis.scan import Clusters, space_time, spatial, temporal

Columns = dict[str, Any]
PLACES: Columns = {"place": ["a", "b", "c", "d"], "x": [0.0, 1.0, 5.0, 9.0], "y": [0.0, 0.0, 2.0, 9.0]}
CASES: Columns = {
    "place": ["a", "b", "c", "d", "a", "a", "b", "c"],
    "time": [0, 1, 2, 3, 5, 5, 5, 4],
    "count": [1, 1, 1, 1, 2, 2, 1, 1],
}
POPULATION: Columns = {"place": ["a", "b", "c", "d"], "population": [100, 200, 300, 400]}


def scan(cases: Any = CASES, places: Any = PLACES, **settings: Any) -> Clusters:
    return space_time(cases, places, **{"replicates": 19, "seed": 1, "distance": "euclidean", **settings})


def changed(table: Columns, **columns: Any) -> Columns:
    return {name: values for name, values in {**table, **columns}.items() if values is not None}


def arrow(table: Columns, types: dict[str, Any]) -> Any:
    children = [nanoarrow.c_array(list(table[name]), kind) for name, kind in types.items()]
    return nanoarrow.Array(
        nanoarrow.c_array_from_buffers(
            nanoarrow.struct(types), len(children[0]), buffers=[None], children=children
        )
    )


def test_arrow_tables_and_mappings_give_the_same_clusters() -> None:
    cases = arrow(CASES, {"place": nanoarrow.string(), "time": nanoarrow.int32(), "count": nanoarrow.int64()})
    places = arrow(PLACES, {"place": nanoarrow.string(), "x": nanoarrow.float64(), "y": nanoarrow.float64()})
    assert scan(cases, places) == scan()


def test_arrays_and_lists_give_the_same_clusters() -> None:
    arrays = {name: np.array(values) for name, values in CASES.items()}
    assert scan(arrays, {name: np.array(values) for name, values in PLACES.items()}) == scan()


def test_rows_of_the_same_place_and_time_add_up_and_without_count_each_row_is_a_case() -> None:
    repeated = {
        name: [value for value, n in zip(CASES[name], CASES["count"], strict=True) for _ in range(n)]
        for name in ("place", "time")
    }
    assert scan(repeated) == scan()


@pytest.mark.parametrize(
    ("times", "start"),
    [
        ([datetime.date(2026, 3, 1 + t) for t in CASES["time"]], np.datetime64("2026-03-01")),
        ([f"2026-03-0{1 + t}" for t in CASES["time"]], np.datetime64("2026-03-01")),
        (np.datetime64("2026-03-01", "ns") + np.array(CASES["time"], "m8[D]"), np.datetime64("2026-03-01")),
        ([f"{2001 + t}" for t in CASES["time"]], np.datetime64("2001")),
        ([f"{2001 + t}-01-01" for t in CASES["time"]], np.datetime64("2001")),
        ([2001 + t for t in CASES["time"]], 2001),
    ],
)  # fmt: skip
def test_times_come_back_as_they_were_given(times: Any, start: Any) -> None:
    first, numbered = scan(changed(CASES, time=times))[0], scan()[0]
    assert (first.start, first.end) == (start + numbered.start, start + numbered.end)
    assert first.statistic == numbered.statistic


def test_the_same_seed_gives_the_same_answer_and_the_order_of_rows_does_not_matter() -> None:
    backwards = {name: values[::-1] for name, values in CASES.items()}
    assert scan() == scan() == scan(backwards)


def test_a_table_of_clusters_has_one_row_a_cluster() -> None:
    found = scan()
    table = found.table()
    assert table["places"][0] == " ".join(found[0].places)  # type: ignore[arg-type]
    assert {len(values) for values in table.values()} == {len(found)}
    assert table["p_value"] == [cluster.p_value for cluster in found]


def test_without_replicates_there_are_no_p_values() -> None:
    first = scan(replicates=0, prospective=True)[0]
    assert (first.p_value, first.gumbel_p_value, first.recurrence_interval) == (None, None, None)


def test_one_replicate_is_not_enough_for_a_gumbel_distribution() -> None:
    first = scan(replicates=1)[0]
    assert first.p_value in (0.5, 1.0)
    assert first.gumbel_p_value is None


def test_nothing_is_found_where_nothing_exceeds_what_is_expected() -> None:
    assert scan({"place": ["a", "b", "a", "b"], "time": [0, 0, 1, 1]}) == []
    assert scan({"place": ["a"], "time": [0]}, period=(0, 9)) == []


def test_all_cases_inside_make_an_infinite_relative_risk() -> None:
    first = scan(
        {"place": ["a"] * 3, "time": [4] * 3}, model="poisson", population=POPULATION, period=(0, 9)
    )[0]
    assert (first.relative_risk, first.observed, first.places) == (float("inf"), 3, ("a",))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cases": changed(CASES, place=["z"] * 8)}, "cases names 1 place.s. that places does not have: 'z'"),
        ({"cases": changed(CASES, place=list(range(8)))}, "they are int and str"),
        ({"cases": changed(CASES, place=[None] * 8)}, "cases row 0: place is missing"),
        ({"cases": changed(CASES, time=None)}, "cases needs the column.s. time; it has place, count"),
        ({"cases": changed(CASES, time=["2001/11/1"] * 8)}, "ISO text such as 2001-11-22"),
        ({"cases": changed(CASES, time=["2001-11-01", "NaT"] * 4)}, "cases row 1: time is missing"),
        ({"cases": changed(CASES, time=[0.5] * 8)}, "time must be whole numbers or dates"),
        ({"cases": changed(CASES, time=[float("nan")] * 8)}, "time must be whole numbers or dates"),
        ({"cases": changed(CASES, time=np.array(["2001-11-01T12"] * 8, "datetime64[h]"))}, "whole days"),
        ({"cases": changed(CASES, time=[1] * 8)}, "two steps or more"),
        ({"cases": changed(CASES, time=[0, 30000] * 4)}, "at most 20,000 can be scanned"),
        ({"cases": changed(CASES, count=[-1] * 8)}, "count must be a whole number from 0 .is -1"),
        ({"cases": changed(CASES, count=[1.5] * 8)}, "count must be a whole number from 0 .is 1.5"),
        ({"cases": changed(CASES, count=[float("nan")] * 8)}, "count must be a finite number"),
        ({"cases": changed(CASES, count=["many"] * 8)}, "count must be numbers"),
        ({"cases": changed(CASES, count=[0] * 8)}, "all counts are 0"),
        ({"cases": changed(CASES, count=[10**6] * 8)}, "at most 5,000,000 can be scanned"),
        ({"cases": changed(CASES, count=[1])}, "must be equally long"),
        ({"cases": {"place": [], "time": []}}, "cases has no rows"),
        ({"cases": changed(CASES, place=[["a"]] * 8)}, "place must be text or a number"),
        ({"places": changed(PLACES, place=["a", "a", "c", "d"])}, "names 'a' more than once"),
        ({"places": changed(PLACES, x=[1] * 4, y=[1] * 4)}, "two or more points"),
        ({"places": {"place": ["a"], "x": [1], "y": [1]}}, "use scan.temporal"),
        ({"places": changed(PLACES, x=[0, 1, 2, float("inf")])}, "places row 3: x must be a finite number"),
        ({"places": changed(PLACES, x=None)}, "needs columns x and y"),
        ({"places": changed(PLACES, x=None), "distance": "great_circle"}, "needs columns lat and lon"),
        ({"places": {"place": ["a"], "lat": [99], "lon": [0]}, "distance": "great_circle"}, "degrees"),
        ({"places": [1, 2]}, "must be a mapping of columns or a table"),
        ({"period": (3, 1)}, "must not end before it begins"),
        ({"period": (0, 3)}, "lies outside of the period 0 to 3 .4 such row"),
        ({"period": ("2001-01-01", "2001-02-01")}, "time must be whole numbers, as in cases; got dates"),
        ({"model": "normal"}, "must be 'permutation', 'poisson' or 'bernoulli'"),
        ({"model": "poisson"}, "needs population"),
        ({"model": "bernoulli"}, "needs controls"),
        ({"population": POPULATION}, "takes no population; use model='poisson'"),
        ({"model": "bernoulli", "controls": changed(CASES, count=[0] * 8)}, "holds no control"),
        ({"model": "bernoulli", "controls": CASES, "covariates": ["sex"]}, "covariates adjust the"),
        ({"covariates": "sex"}, "must be a sequence of column names"),
        ({"covariates": ["sex"]}, "cases needs the column.s. sex"),
        ({"max_fraction": 0.6}, "max_fraction must be above 0 and at most 0.5"),
        ({"max_fraction": 0.01}, "raise max_fraction"),
        ({"max_radius": float("nan")}, "max_radius must be a finite number"),
        ({"max_duration": 7}, "at most the 6 step"),
        ({"max_duration": 0}, "max_duration must be a whole number of 1 or more"),
        ({"max_duration": 1.5}, "max_duration must be a whole number"),
        ({"min_cases": 0}, "min_cases must be a whole number of 1 or more"),
        ({"replicates": 10**6}, "from 0 to 99,999"),
        ({"distance": "manhattan"}, "must be 'great_circle' or 'euclidean'"),
    ],
)  # fmt: skip
def test_what_cannot_be_scanned_is_refused_with_the_reason(change: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        scan(**change)


@pytest.mark.parametrize(
    ("population", "message"),
    [
        (changed(POPULATION, population=[1, 2, 3, -4]), "population must be 0 or more .is -4"),
        (changed(POPULATION, population=[0, 2, 3, 4]), "'a' has cases but no population at risk"),
        ({"place": ["a", "b"], "population": [1, 2]}, "no row for 'c' .* .2 such place"),
        (changed(POPULATION, place=["a", "b", "c", "z"]), "population names 1 place"),
        ({"population": [1, 2]}, "population needs the column place"),
        ({"place": ["a"], "people": [1]}, "population needs the column.s. population"),
        (changed(POPULATION, time=["1990"] * 4), "time must be whole numbers, as in cases; got dates"),
    ],
)
def test_a_population_with_gaps_is_refused_with_the_reason(population: Columns, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        scan(model="poisson", population=population)


def test_a_category_without_population_is_refused() -> None:
    cases = changed(CASES, sex=["f"] * 7 + ["m"])
    with pytest.raises(ValueError, match=r"no row for the category \('m',\)"):
        scan(cases, model="poisson", population=changed(POPULATION, sex=["f"] * 4), covariates=["sex"])


def test_a_purely_spatial_or_temporal_scan_takes_no_permutation() -> None:
    with pytest.raises(ValueError, match="purely spatial scan takes"):
        spatial(CASES, PLACES, model="permutation")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="purely temporal scan takes"):
        temporal(CASES, model="permutation")  # type: ignore[arg-type]


def test_a_hundred_thousand_rows_are_read() -> None:
    generator = np.random.default_rng(1)
    cases = {"place": generator.integers(0, 4, 100_000), "time": generator.integers(0, 10, 100_000)}
    found = scan(cases, changed(PLACES, place=[0, 1, 2, 3]), replicates=9)
    assert found[0].observed > found[0].expected


def test_too_many_places_are_refused() -> None:
    many = np.arange(20_001)
    with pytest.raises(ValueError, match="at most 20,000 can be scanned: use larger areas"):
        scan(CASES, {"place": many, "x": many, "y": many})
