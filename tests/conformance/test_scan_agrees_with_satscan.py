"""The figures of SaTScan 10.3.2 on its sample data."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from broadstreet.analysis.scan import space_time

Columns = dict[str, list[Any]]


def rows(path: Path) -> list[list[str]]:
    if not path.exists():
        pytest.skip(f"no {path.name} in the shared data")
    return [line.split() for line in path.read_text().splitlines() if line.strip()]


def places(path: Path) -> Columns:
    return {
        "place": [row[0] for row in rows(path)],
        "lat": [float(row[1]) for row in rows(path)],
        "lon": [float(row[2]) for row in rows(path)],
    }


@pytest.fixture
def fever(shared: Path) -> tuple[Columns, Columns]:
    folder = shared / "data" / "nyc_fever_2001"
    table = rows(folder / "NYCfever.cas")
    cases = {
        "place": [row[0] for row in table],
        "count": [int(row[1]) for row in table],
        "time": ["{}-{:0>2}-{:0>2}".format(*row[2].split("/")) for row in table],
    }
    return cases, places(folder / "NYCfever.geo")


@pytest.fixture
def brain_cancer(shared: Path) -> tuple[Columns, Columns, Columns]:
    folder = shared / "data" / "new_mexico_1973_91"
    cases = dict(
        zip(("place", "count", "time", "age", "sex"), zip(*rows(folder / "nm.cas"), strict=True), strict=True)
    )
    people = dict(
        zip(
            ("place", "time", "population", "age", "sex"),
            zip(*rows(folder / "nm.pop"), strict=True),
            strict=True,
        )
    )
    return (
        {**cases, "count": [int(n) for n in cases["count"]], "time": [int(year) for year in cases["time"]]},
        places(folder / "nm.geo"),
        {
            **people,
            "time": [1900 + int(year) for year in people["time"]],
            "population": [int(n) for n in people["population"]],
        },
    )


def within_monte_carlo_error(p_value: float | None, reference: float, replicates: int) -> bool:
    assert p_value is not None
    return abs(p_value - reference) < 4 * math.sqrt(2 * reference * (1 - reference) / (replicates + 1))


def test_the_fever_of_new_york_is_found_where_and_when_satscan_finds_it(
    fever: tuple[Columns, Columns],
) -> None:
    cases, zip_codes = fever
    first, second = space_time(cases, zip_codes, prospective=True, max_radius=3.0, max_duration=7, seed=1)[:2]
    assert first.places == ("11418", "11415", "11419", "11435", "11416", "11421", "11451", "11375", "11417")
    assert (first.start, first.end) == (np.datetime64("2001-11-22"), np.datetime64("2001-11-24"))
    assert (first.observed, round(first.expected, 2), round(first.radius or 0, 2)) == (4, 0.67, 2.90)
    assert round(first.statistic, 6) == 3.845418
    assert within_monte_carlo_error(first.p_value, 0.2, 999)
    assert first.recurrence_interval == pytest.approx(1 / first.p_value)
    assert (second.places, second.observed, round(second.expected, 2)) == (("11372",), 2, 0.16)
    assert (second.start, second.end) == (np.datetime64("2001-11-24"), np.datetime64("2001-11-24"))
    assert round(second.statistic, 6) == 3.164201


def test_the_brain_cancer_of_new_mexico_is_adjusted_for_age_and_sex_as_in_satscan(
    brain_cancer: tuple[Columns, Columns, Columns],
) -> None:
    cases, counties, population = brain_cancer
    first = space_time(
        cases, counties, model="poisson", population=population, covariates=("age", "sex"), seed=1
    )[0]
    assert " ".join(map(str, first.places)) == (
        "Torrance Bernalillo Valencia SantaFe Guadelupe Socorro Sandoval SanMiguel LosAlamos"
    )
    assert (first.start, first.end, first.observed) == (1985, 1989, 236)
    assert (round(first.expected, 2), round(first.relative_risk, 2)) == (176.22, 1.42)
    assert round(first.statistic, 6) == 10.979758
    assert within_monte_carlo_error(first.p_value, 0.014, 999)
    assert within_monte_carlo_error(first.gumbel_p_value, 0.014, 999)
    assert first.recurrence_interval is None
