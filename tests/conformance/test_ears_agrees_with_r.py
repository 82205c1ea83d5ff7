"""EARS against R surveillance 1.20.3: our own golden values, and the shared reference figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from broadstreet.analysis.aberration import Aberrations, ears

GOLDEN = Path(__file__).parent / "golden" / "ears_surveillance.json"


def assert_agrees(found: Aberrations, reference: dict[str, Any]) -> None:
    np.testing.assert_allclose(found.upper[:, 0], numbers(reference["upper"]), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(found.alarm[:, 0], numbers(reference["alarm"]))


def numbers(values: list[float | None]) -> NDArray[np.float64]:
    return np.array(values, np.float64)


def test_every_setting_agrees_with_golden_values_of_r() -> None:
    golden = json.loads(GOLDEN.read_bytes())
    assert len(golden["results"]) == 18 * len(golden["series"])
    for result in golden["results"]:
        counts = golden["series"][result["series"]]
        found = ears(
            counts,
            range(result["first"], len(counts)),
            method=result["method"],
            baseline=result["baseline"],
            alpha=result["alpha"],
        )
        assert_agrees(found, result)


@pytest.mark.parametrize("method", ["C1", "C2", "C3"])
def test_three_weekly_series_agree_with_the_reference_figures(shared: Path, method: Any) -> None:
    references = json.loads((shared / "reference" / "aberration_R_surveillance.json").read_bytes())
    assert len(references) == 3
    for reference in references:
        weeks = np.array(reference["range"]) - 1
        found = ears(reference["counts"], weeks, method=method)
        assert_agrees(found, reference[f"ears_{method}"])
