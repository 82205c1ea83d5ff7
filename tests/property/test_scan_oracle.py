"""Scans of tiny inputs against one that looks at every cylinder in plain Python."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from broadstreet.analysis.scan import Clusters, space_time
from broadstreet.analysis.scan.circles import circles
from broadstreet.analysis.scan.inference import simulate
from broadstreet.analysis.scan.maxima import group_circles, search
from broadstreet.analysis.scan.places import read_places
from broadstreet.analysis.scan.study import read_study
from broadstreet.analysis.scan.windows import windows
from tests import scan_oracle as oracle

GRID = st.tuples(st.integers(0, 4), st.integers(0, 4))
SETTINGS = st.fixed_dictionaries(
    {
        "prospective": st.booleans(),
        "max_fraction": st.sampled_from([0.2, 0.35, 0.5]),
        "min_cases": st.integers(1, 3),
        "max_duration": st.integers(1, 4),
    }
)


@st.composite
def studies(draw: st.DrawFn) -> dict[str, Any]:
    """Return points on a small grid (some coincide, many are equally far) and tables by place and step."""
    points = draw(st.lists(GRID, min_size=2, max_size=7).filter(lambda some: len(set(some)) > 1))
    steps = draw(st.integers(4, 6))
    numbers = lambda least, most: st.lists(  # noqa: E731
        st.lists(st.integers(least, most), min_size=steps, max_size=steps),
        min_size=len(points),
        max_size=len(points),
    )
    cases = draw(numbers(0, 4).filter(lambda table: sum(map(sum, table)) > 0))
    return {"points": points, "cases": cases, "people": draw(numbers(1, 9)), "settings": draw(SETTINGS)}


def places_of(points: list[tuple[int, int]]) -> dict[str, list[Any]]:
    return {"place": list(range(len(points))), "x": [x for x, _ in points], "y": [y for _, y in points]}


def rows_of(table: list[list[int]], column: str = "count") -> dict[str, list[int]]:
    cells = [(place, time, n) for place, row in enumerate(table) for time, n in enumerate(row)]
    return dict(zip(("place", "time", column), map(list, zip(*cells, strict=True)), strict=True))


def expect(model: str, study: dict[str, Any]) -> oracle.Best | None:
    cases, people, settings = study["cases"], study["people"], study["settings"]
    total = sum(map(sum, cases))
    everyone = None
    if model == "permutation":
        by_time = [sum(column) for column in zip(*cases, strict=True)]
        expected = [[sum(row) * n / total for n in by_time] for row in cases]
    else:
        if model == "bernoulli":
            people = everyone = [
                [c + n for c, n in zip(*rows, strict=True)] for rows in zip(cases, people, strict=True)
            ]
        expected = [[n * total / sum(map(sum, people)) for n in row] for row in people]
    return oracle.most_likely(
        cases,
        expected,
        oracle.discs(study["points"], [sum(row) for row in expected], settings["max_fraction"]),
        oracle.spans(len(cases[0]), settings["max_duration"], prospective=settings["prospective"]),
        settings["min_cases"],
        everyone,
    )


def tables(model: str, study: dict[str, Any]) -> dict[str, Any]:
    if model == "poisson":
        return {"population": rows_of(study["people"], "population")}
    return {"controls": rows_of(study["people"])} if model == "bernoulli" else {}


def scan(model: str, study: dict[str, Any], **more: Any) -> Clusters:
    return space_time(
        rows_of(study["cases"]), places_of(study["points"]), model=model, distance="euclidean",
        **tables(model, study), **study["settings"], **{"replicates": 0, **more},
    )  # fmt: skip


def some_circle(study: dict[str, Any], model: str) -> bool:
    try:
        scan(model, study)
    except ValueError as error:
        if "no circle holds" in str(error):
            return False
        raise
    return True


@pytest.mark.parametrize("model", ["permutation", "bernoulli"])
@given(study=studies())
def test_the_most_likely_cluster_is_that_of_every_cylinder_looked_at(
    model: str, study: dict[str, Any]
) -> None:
    best = expect(model, study)
    if not some_circle(study, model):
        assert best is None
        return
    found = scan(model, study)
    if best is None:
        assert found == []
        return
    assert found[0].statistic == pytest.approx(best.statistic, abs=1e-9)
    inside = frozenset(found[0].places)
    window = (found[0].start, found[0].end + 1)
    rows = [study["cases"][place][window[0] : window[1]] for place in inside]
    assert found[0].observed == sum(map(sum, rows))
    if (inside, window) == (best.places, best.window):
        assert found[0].expected == pytest.approx(best.expected)


@given(study=studies())
def test_with_a_population_that_stays_the_most_likely_cluster_is_that_of_every_cylinder(
    study: dict[str, Any],
) -> None:
    study["people"] = [[row[0]] * len(row) for row in study["people"]]
    best = expect("poisson", study)
    if not some_circle(study, "poisson"):
        assert best is None
        return
    found = scan("poisson", study)
    assert (found[0].statistic if found else None) == (
        pytest.approx(best.statistic, abs=1e-9) if best else None
    )


@given(study=studies(), seed=st.integers(0, 1000))
def test_clusters_do_not_overlap_and_become_less_likely(study: dict[str, Any], seed: int) -> None:
    assume(some_circle(study, "permutation"))
    found = scan("permutation", study, replicates=19, seed=seed)
    inside = [place for cluster in found for place in cluster.places]
    assert len(inside) == len(set(inside))
    assert [c.statistic for c in found] == sorted((c.statistic for c in found), reverse=True)
    assert [c.p_value for c in found] == sorted(c.p_value for c in found if c.p_value)
    assert all(c.observed > c.expected for c in found)


@given(study=studies(), seed=st.integers(0, 1000))
def test_the_order_of_rows_and_the_names_of_places_do_not_matter(study: dict[str, Any], seed: int) -> None:
    assume(some_circle(study, "permutation"))
    rows = rows_of(study["cases"])
    order = list(range(len(rows["place"])))
    random.Random(seed).shuffle(order)
    mixed = {name: [values[row] for row in order] for name, values in rows.items()}
    mixed["place"] = [f"place {place}" for place in mixed["place"]]
    named = places_of(study["points"])
    named["place"] = [f"place {place}" for place in named["place"]]
    settings = {**study["settings"], "replicates": 0, "distance": "euclidean"}
    one = scan("permutation", study)
    other = space_time(mixed, named, **settings)
    assert [(c.start, c.end, c.statistic, len(c.places)) for c in one] == [
        (c.start, c.end, c.statistic, len(c.places)) for c in other
    ]


@pytest.mark.parametrize("model", ["permutation", "poisson", "bernoulli"])
@given(study=studies(), seed=st.integers(0, 1000))
def test_the_maximum_of_each_replicate_is_that_of_every_cylinder_looked_at(
    model: str, study: dict[str, Any], seed: int
) -> None:
    """Draw replicates, look at each one's counts, and scan them in plain Python."""
    assume(some_circle(study, model))
    settings = study["settings"]
    places = read_places(places_of(study["points"]), "euclidean")
    given_tables = {"population": None, "controls": None, **tables(model, study)}
    held, steps = read_study(
        rows_of(study["cases"]),
        places,
        model=model,
        covariates=(),
        period=None,
        timeless=False,
        **given_tables,
    )
    around = circles(places, held.expected.sum(axis=1), settings["max_fraction"], None)
    spans = windows(steps.count, settings["max_duration"], prospective=False)
    lanes = 32
    counts = np.zeros((len(places.names), steps.count * lanes), np.uint16)
    seeds = np.random.SeedSequence(seed).generate_state(lanes, np.uint64)
    held.drawer(spans.bin_of_step)(counts, lanes, seeds)
    cumulated = np.zeros((len(places.names), steps.count + 1))
    np.cumsum(held.expected, axis=1, out=cumulated[:, 1:])
    group_end = group_circles(cumulated[:, -1], around.places, around.centre_end, around.circle_end, 2.0)
    maxima = np.zeros(lanes)
    search(
        maxima, counts, lanes, cumulated, around.places, around.centre_end, around.circle_end, group_end,
        spans.bounds, held.cases, held.individuals, settings["min_cases"],
    )  # fmt: skip
    by_lane = counts.reshape(len(places.names), steps.count, lanes).astype(int)
    people = held.expected * (held.individuals / held.cases) if model == "bernoulli" else None
    for lane in range(0, lanes, 8):
        table = np.diff(by_lane[:, :, lane], prepend=0, axis=1).tolist()
        assert sum(map(sum, table)) == held.cases
        best = oracle.most_likely(
            table,
            held.expected.tolist(),
            oracle.discs(study["points"], held.expected.sum(axis=1).tolist(), settings["max_fraction"]),
            oracle.spans(steps.count, settings["max_duration"], prospective=False),
            settings["min_cases"],
            None if people is None else np.rint(people).tolist(),
        )
        assert maxima[lane] == pytest.approx(best.statistic if best else 0.0, abs=1e-6)


@given(study=studies(), seed=st.integers(0, 1000))
def test_a_prospective_scan_draws_the_same_chance_from_fewer_bins(study: dict[str, Any], seed: int) -> None:
    """Steps before the earliest window are one bin: the maxima are those of all steps kept apart."""
    assume(some_circle(study, "permutation"))
    places = read_places(places_of(study["points"]), "euclidean")
    held, steps = read_study(
        rows_of(study["cases"]), places, model="permutation", covariates=(), period=None, timeless=False,
        population=None, controls=None,
    )  # fmt: skip
    around = circles(places, held.expected.sum(axis=1), 0.5, None)
    apart = windows(steps.count, steps.count, prospective=True)
    alive = type(apart)(apart.bounds[:2], apart.bin_of_step, apart.step_of_edge)
    few = windows(steps.count, 2, prospective=True)
    maxima = []
    for spans in (alive, few):
        cumulated = np.concatenate(
            [np.zeros((len(places.names), 1)), np.cumsum(held.expected, axis=1)], axis=1
        )
        edges = np.ascontiguousarray(cumulated[:, spans.step_of_edge])
        maxima.append(simulate(held, edges, around, spans, min_cases=1, replicates=40, seed=seed).maxima)
    np.testing.assert_allclose(maxima[0], maxima[1], atol=1e-9)
