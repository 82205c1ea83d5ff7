"""What scans find: planted clusters, nothing but chance, what is adjusted for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from broadstreet.analysis.scan import space_time, spatial, temporal
from broadstreet.analysis.scan.inference import NullDistribution
from broadstreet.analysis.scan.likelihood import (
    fill_thresholds,
    log_likelihood_ratio,
    threshold,
    threshold_table,
)
from broadstreet.analysis.scan.places import read_places
from broadstreet.analysis.scan.population import person_time
from broadstreet.analysis.scan.replicates import alias_table
from broadstreet.analysis.scan.steps import read_times, study_steps

Columns = dict[str, Any]
SIDE = 5
PLACES: Columns = {
    "place": np.arange(SIDE**2),
    "x": np.repeat(np.arange(SIDE), SIDE) * 1.0,
    "y": np.tile(np.arange(SIDE), SIDE) * 1.0,
}
POPULATION: Columns = {"place": np.arange(SIDE**2), "population": np.full(SIDE**2, 1000)}
PLANTED = {6, 7, 11, 12}


def rows(counts: NDArray[np.int64]) -> Columns:
    place, time = np.nonzero(counts)
    return {"place": place, "time": time, "count": counts[place, time]}


def quiet(generator: np.random.Generator, mean: float = 1.0) -> NDArray[np.int64]:
    return generator.poisson(mean, (SIDE**2, 20))


def outbreak() -> NDArray[np.int64]:
    counts = quiet(np.random.default_rng(7))
    counts[sorted(PLANTED), 17:] += 6
    return counts


@pytest.mark.parametrize(
    ("model", "tables"),
    [
        ("permutation", {}),
        ("poisson", {"population": POPULATION}),
        ("bernoulli", {"controls": rows(quiet(np.random.default_rng(8), 5.0))}),
    ],
)
@pytest.mark.parametrize("prospective", [False, True])
def test_a_planted_cluster_is_found(model: Any, tables: Columns, prospective: bool) -> None:
    cases = rows(outbreak())
    first = space_time(
        cases, PLACES, model=model, prospective=prospective, seed=1, period=(0, 19), **tables
    )[0]  # fmt: skip
    assert len(PLANTED & set(first.places)) >= 3
    assert (first.start, first.end) == (17, 19)
    assert first.p_value == 0.001
    assert first.gumbel_p_value is not None
    assert first.gumbel_p_value < 1e-4
    assert first.recurrence_interval == (1000 if prospective else None)


def test_two_planted_clusters_are_found_apart() -> None:
    counts = outbreak()
    counts[[23, 24], 2:5] += 8
    first, second = space_time(rows(counts), PLACES, seed=1, distance="euclidean")[:2]
    assert not set(first.places) & set(second.places)
    assert {(first.start, first.end), (second.start, second.end)} == {(17, 19), (2, 4)}
    assert second.p_value == 0.001


def test_a_purely_spatial_cluster_is_found_with_or_without_times() -> None:
    counts = quiet(np.random.default_rng(9))
    counts[sorted(PLANTED)] += 1
    cases = rows(counts)
    timed = spatial(cases, PLACES, population=POPULATION, seed=1)
    assert set(timed[0].places) >= PLANTED
    assert (timed[0].start, timed[0].end, timed[0].p_value) == (0, 19, 0.001)
    timeless = {name: cases[name] for name in ("place", "count")}
    again = spatial(timeless, PLACES, population=POPULATION, seed=1)
    assert (again[0].start, again[0].end) == (None, None)
    assert again[0].statistic == pytest.approx(timed[0].statistic)
    controls = {"place": np.arange(SIDE**2), "count": np.full(SIDE**2, 40)}
    assert set(spatial(timeless, PLACES, model="bernoulli", controls=controls, seed=1)[0].places) >= PLANTED


def test_a_purely_temporal_cluster_needs_no_places_and_no_population() -> None:
    counts = quiet(np.random.default_rng(10))
    counts[:, 8:11] += 2
    cases = rows(counts)
    (found,) = temporal({"time": cases["time"], "count": cases["count"]}, seed=1)
    assert (found.start, found.end, found.p_value) == (8, 10, 0.001)
    assert (found.places, found.centre, found.radius) == ((), None, None)
    assert found.expected == pytest.approx(counts.sum() * 3 / 20)
    controls = rows(np.full((SIDE**2, 20), 3))
    (other,) = temporal(cases, model="bernoulli", controls=controls, seed=1)
    assert (other.start, other.end) == (8, 10)


def test_what_covariates_explain_is_no_cluster() -> None:
    generator = np.random.default_rng(11)
    old = np.where(np.isin(np.arange(SIDE**2), list(PLANTED)), 900, 100)
    young = 1000 - old
    cases = [
        {"place": place, "time": int(time), "age": age}
        for age, people, rate in (("old", old, 0.1), ("young", young, 0.01))
        for place in range(SIDE**2)
        for time in generator.integers(0, 20, generator.poisson(people[place] * rate))
    ]
    table = {name: [row[name] for row in cases] for name in ("place", "time", "age")}
    population = {
        "place": list(range(SIDE**2)) * 2,
        "age": ["old"] * SIDE**2 + ["young"] * SIDE**2,
        "population": [*old, *young],
    }
    crude = {"place": list(range(SIDE**2)), "population": [1000] * SIDE**2}
    assert spatial(table, PLACES, population=crude, seed=1)[0].p_value == 0.001
    adjusted = spatial(table, PLACES, population=population, covariates=["age"], seed=1)[0]
    assert adjusted.p_value is not None
    assert adjusted.p_value > 0.05


def test_a_permutation_within_categories_is_not_misled_by_a_category_of_its_own_time() -> None:
    """Children fall ill in the north early, adults in the south late: no interaction within either."""
    generator = np.random.default_rng(12)
    north = np.arange(SIDE**2) % SIDE >= 3
    place = np.concatenate([
        generator.choice(np.flatnonzero(north), 300), generator.choice(np.flatnonzero(~north), 300)
    ])  # fmt: skip
    time = np.concatenate([generator.integers(0, 10, 300), generator.integers(10, 20, 300)])
    cases = {"place": place, "time": time, "age": ["child"] * 300 + ["adult"] * 300}
    assert space_time(cases, PLACES, seed=1)[0].p_value == 0.001
    adjusted = space_time(cases, PLACES, covariates=["age"], seed=1)[0]
    assert adjusted.p_value is not None
    assert adjusted.p_value > 0.05


@pytest.mark.parametrize("model", ["permutation", "poisson", "bernoulli"])
def test_p_values_are_even_where_there_is_nothing_but_chance(model: Any) -> None:
    generator = np.random.default_rng(13)
    tables: Columns = {
        "permutation": {},
        "poisson": {"population": POPULATION},
        "bernoulli": {"controls": rows(np.full((SIDE**2, 20), 2))},
    }[model]
    p_values = [
        space_time(
            rows(quiet(generator)), PLACES, model=model, period=(0, 19), replicates=199, seed=run,
            distance="euclidean", max_duration=5, **tables,
        )[0].p_value
        for run in range(150)
    ]  # fmt: skip
    if model == "bernoulli":  # cases drawn apart from controls vary more than labels do: too few low p-values
        assert np.mean([p <= 0.05 for p in p_values if p]) < 0.12
    else:
        assert stats.kstest([p for p in p_values if p], "uniform").pvalue > 0.01


def test_the_gumbel_p_value_agrees_with_the_rank_in_the_body_of_the_distribution() -> None:
    maxima = stats.gumbel_r(loc=6.0, scale=0.9).rvs(999, random_state=3)
    chance = NullDistribution(maxima)
    for statistic in (6.0, 7.0, 8.0):
        assert chance.gumbel(statistic) == pytest.approx(chance.monte_carlo(statistic), abs=0.04)
    assert chance.gumbel(30.0) == pytest.approx(stats.gumbel_r(loc=6.0, scale=0.9).sf(30.0), rel=1.5)


def test_a_replicate_as_high_as_the_data_counts_against_them() -> None:
    chance = NullDistribution(np.array([1.0, 2.0, 3.0]))
    assert [chance.monte_carlo(x) for x in (0.5, 2.0, 2.0 + 1e-12, 3.5)] == [1.0, 0.75, 0.75, 0.25]


@pytest.mark.parametrize("individuals", [float("inf"), 900.0])
@pytest.mark.parametrize("level", [0.0, 0.7, 3.3, 12.0])
def test_no_count_below_a_threshold_exceeds_its_level(individuals: float, level: float) -> None:
    table = threshold_table(300)
    fill_thresholds(table, level, 300, individuals, 1)
    for expected in np.linspace(0.001, 290.0, 401):
        floor = threshold(table, expected)
        assert log_likelihood_ratio(floor, expected, 300, individuals) <= level or floor == 0
        after = log_likelihood_ratio(min(floor + 3, 300), expected * 1.001, 300, individuals)
        assert after > level or floor + 3 > 300 or expected > 150


def test_population_is_interpolated_between_censuses_and_constant_outside() -> None:
    places = read_places({"place": ["a", "b"], "x": [0, 1], "y": [0, 0]}, "euclidean")
    steps = study_steps(read_times(np.array([0, 9]), "cases"), None)
    population = {
        "place": ["a", "b", "a", "b"], "time": [2, 2, 6, 6], "population": [100.0, 10.0, 300.0, 10.0]
    }  # fmt: skip
    exposure, _ = person_time(population, places, steps, ())
    inner = exposure[0, 3:6, 0]
    np.testing.assert_allclose(inner, [150, 200, 250])
    np.testing.assert_allclose(exposure[0, [0, 1, 7, 8, 9], 0], [100, 100, 300, 300, 300])
    np.testing.assert_allclose(exposure[0, [2, 6], 0], [106.25, 293.75])  # half of the step on the slope
    np.testing.assert_allclose(exposure[1, :, 0], 10)


def test_a_leap_year_holds_a_day_more_of_person_time() -> None:
    places = read_places({"place": ["a", "b"], "x": [0, 1], "y": [0, 0]}, "euclidean")
    population = {"place": ["a", "b"], "population": [1.0, 1.0]}
    for years in (np.array([2023, 2025]), np.array(["2023", "2025"])):
        steps = study_steps(read_times(years, "cases"), None)
        np.testing.assert_allclose(person_time(population, places, steps, ())[0][0, :, 0], [365, 366, 365])


def test_an_alias_table_keeps_the_probabilities() -> None:
    weight = np.array([0.0, 1.0, 5.0, 0.25, 0.0, 3.75])
    keep, alias = alias_table(weight)
    mass = keep.copy()
    np.add.at(mass, alias, 1.0 - keep)
    np.testing.assert_allclose(mass / weight.size, weight / weight.sum(), atol=1e-12)


def test_distances_on_the_globe_are_great_circles() -> None:
    cities = {"place": ["Seoul", "Busan"], "lat": [37.5665, 35.1796], "lon": [126.9780, 129.0756]}
    places = read_places(cities, "great_circle")
    assert places.distance_from(0)[1] == pytest.approx(325.1, abs=0.5)
    antipodes = read_places({"place": [0, 1], "lat": [0, 0], "lon": [0, 180]}, "great_circle")
    assert antipodes.distance_from(0)[1] == pytest.approx(np.pi * 6371.0088)


def test_places_at_the_same_distance_enter_a_circle_together() -> None:
    cross = {"place": ["o", "n", "e", "s", "w", "far"], "x": [0, 0, 1, 0, -1, 50], "y": [0, 1, 0, -1, 0, 0]}
    cases = {"place": ["n", "e", "s", "w", *["far"] * 6], "time": [3, 3, 3, 3, 0, 1, 2, 2, 1, 0]}
    first = space_time(cases, cross, seed=1)[0]
    assert (set(first.places), first.centre, first.radius) == ({"o", "n", "e", "s", "w"}, (0.0, 0.0), 1.0)
