"""Farrington, CUSUM, Bayes and RKI against R surveillance 1.20.3: golden values, and the shared figures."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from broadstreet.analysis.aberration import (
    Aberrations,
    bayes,
    cusum,
    farrington,
    farrington_flexible,
    rki,
)
from broadstreet.analysis.evaluation import performance

GOLDEN = json.loads((Path(__file__).parent / "golden" / "aberration_surveillance.json").read_bytes())
METHODS: dict[str, Callable[..., Aberrations]] = {
    "farringtonFlexible": farrington_flexible,
    "farrington": farrington,
    "cusum": cusum,
    "bayes": bayes,
    "rki": rki,
}
SETTINGS = {
    "b": "years_back",
    "w": "window",
    "noPeriods": "periods",
    "pastWeeksNotIncluded": "past_weeks_excluded",
    "pThresholdTrend": "trend_threshold",
    "weightsThreshold": "weights_threshold",
    "thresholdMethod": "threshold_method",
    "limit54": "limit54",
    "alpha": "alpha",
    "reweight": "reweight",
    "trend": "trend",
    "k": "reference_value",
    "h": "decision_interval",
    "trans": "transform",
    "m": "mean",
    "actY": "recent",
}
WORDS = {"nbPlugin": "nb_plugin", "pearsonNegBin": "pearson_negative_binomial", "glm": "seasonal"}
WEEKS = np.arange(575, 624)
FIELDS = ("expected", "upper", "alarm", "score", "dispersion")


def assert_agrees(found: Aberrations, reference: dict[str, Any], tolerance: float) -> None:
    for field in FIELDS:
        if field in reference:
            expected = np.array(reference[field], np.float64)
            column = getattr(found, field)[:, 0]
            exact = field == "alarm"
            np.testing.assert_allclose(
                column,
                expected,
                rtol=0.0 if exact else tolerance,
                atol=0.0 if exact else 1e-10,
                err_msg=field,
            )


def test_the_golden_values_cover_every_method() -> None:
    assert {result["method"] for result in GOLDEN["results"]} == set(METHODS)
    assert len(GOLDEN["results"]) == 166


@pytest.mark.parametrize("method", METHODS)
def test_every_setting_agrees_with_golden_values_of_r(method: str) -> None:
    weeks = range(GOLDEN["first"], GOLDEN["last"] + 1)
    for result in (each for each in GOLDEN["results"] if each["method"] == method):
        counts = GOLDEN["series"][result["series"]]
        settings = {
            SETTINGS[name]: WORDS.get(value, value) if isinstance(value, str) else value
            for name, value in result["control"].items()
        }
        if result["dated"]:
            settings["dates"] = np.datetime64(GOLDEN["epoch"]) + 7 * np.arange(len(counts))
        assert_agrees(METHODS[method](counts, weeks, **settings), result, 1e-9)


@pytest.fixture(scope="module")
def references(shared: Path) -> list[dict[str, Any]]:
    return list(json.loads((shared / "reference" / "aberration_R_surveillance.json").read_bytes()))


@pytest.mark.parametrize("series", range(3))
@pytest.mark.parametrize(
    ("setting", "settings"),
    [
        ("farrington_flexible_nbplugin", {}),
        (
            "farrington_flexible_defaults",
            {
                "periods": 1,
                "trend_threshold": 0.05,
                "threshold_method": "delta",
                "alpha": 0.05,
            },
        ),
    ],
)
def test_farrington_flexible_agrees_with_the_reference_figures(
    references: list[dict[str, Any]], series: int, setting: str, settings: dict[str, Any]
) -> None:
    reference = references[series]
    found = farrington_flexible(
        reference["counts"],
        np.array(reference["range"]) - 1,
        years_back=reference["farrington_flexible_nbplugin"]["control"]["b"],
        dates=reference["epoch"],
        **settings,
    )
    answer = reference[setting]
    assert_agrees(found, {**answer, "dispersion": answer["phi"]}, 1e-9)


@pytest.mark.parametrize("series", range(3))
def test_farrington_agrees_with_the_reference_figures(references: list[dict[str, Any]], series: int) -> None:
    reference = references[series]
    found = farrington(
        reference["counts"],
        np.array(reference["range"]) - 1,
        years_back=reference["farrington_original"]["control"]["b"],
        alpha=reference["farrington_original"]["control"]["alpha"],
        dates=reference["epoch"],
    )
    assert_agrees(found, reference["farrington_original"], 1e-9)


@pytest.fixture(scope="module")
def benchmark(shared: Path) -> tuple[NDArray[np.int64], NDArray[np.int64], Aberrations]:
    """Return counts and outbreak cases of 840 series, and what we say of weeks 576 to 624."""
    cells = table(shared / "data" / "noufaily42" / "noufaily42_series.csv.gz").astype(np.int64)
    counts, outbreak_cases = np.zeros((2, cells[:, 1].max(), cells[:, 0].max()), np.int64)
    place = cells[:, 1] - 1, cells[:, 0] - 1
    counts[place], outbreak_cases[place] = cells[:, 2], cells[:, 3]
    return counts, outbreak_cases, farrington_flexible(counts, WEEKS, years_back=5)


def test_farrington_flexible_agrees_on_840_series_of_the_noufaily_benchmark(
    benchmark: tuple[NDArray[np.int64], NDArray[np.int64], Aberrations], shared: Path
) -> None:
    _, _, found = benchmark
    reference = table(shared / "data" / "noufaily42" / "R_farringtonFlexible_reference.csv.gz")
    place = reference[:, 1].astype(int) - 576, reference[:, 0].astype(int) - 1
    assert len(reference) == found.alarm.size == 41_160
    np.testing.assert_array_equal(found.alarm[place], reference[:, 5])
    for field, column in zip(("expected", "upper", "score", "dispersion"), (3, 4, 6, 7), strict=True):
        np.testing.assert_allclose(getattr(found, field)[place], reference[:, column], rtol=1e-10)


def test_farrington_flexible_performs_as_measured_with_r(
    benchmark: tuple[NDArray[np.int64], NDArray[np.int64], Aberrations],
) -> None:
    _, outbreak_cases, found = benchmark
    outbreaks = (outbreak_cases[WEEKS] > 0).astype(np.int64)
    limited = performance(found.alarm, outbreaks)
    assert limited.false_positive_rate.value == pytest.approx(0.0094, abs=5e-5)
    assert limited.probability_of_detection.value == pytest.approx(0.484, abs=5e-4)
    assert limited.sensitivity.value == pytest.approx(0.251, abs=5e-4)
    reached = performance(found.score >= 1.0, outbreaks)  # at the bound or above, however few the cases
    assert reached.false_positive_rate.value == pytest.approx(0.0207, abs=5e-5)
    assert reached.probability_of_detection.value == pytest.approx(0.572, abs=5e-4)


def table(path: Path) -> NDArray[np.float64]:
    with gzip.open(path, "rt") as lines:
        next(lines)
        return np.array(
            [[float(cell) if cell != "NA" else np.nan for cell in line.split(",")] for line in lines]
        )
