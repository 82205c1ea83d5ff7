"""EpiEstim 2.2-4 on the same incidence: golden values of our own, and the reference figures on Flu2009."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from broadstreet.analysis.renewal import (
    UncertainSerialInterval,
    discretise_serial_interval,
    estimate_r,
    wallinga_teunis,
)

GOLDEN = json.loads((Path(__file__).parent / "golden" / "renewal_epiestim.json").read_text())


def _numbers(values: list[float | None]) -> Any:
    return np.array(values, np.float64)


def _named(case: dict[str, Any]) -> str:
    kind = "moments" if len(case["serial_interval"]) == 2 else len(case["serial_interval"])
    return f"{case['series']}-{kind}-{case['window']}-{'imported' if case['imported'] else 'local'}"


@pytest.mark.parametrize("case", GOLDEN["estimate_R"], ids=_named)
def test_estimates_are_those_of_epiestim(case: dict[str, Any]) -> None:
    given = case["serial_interval"]
    mean, sd = case["prior"]
    found = estimate_r(
        GOLDEN["series"][case["series"]],
        tuple(given) if len(given) == 2 else given,
        window=case["window"],
        prior_mean=mean,
        prior_sd=sd,
        imported=GOLDEN["imported"][case["series"]] if case["imported"] else None,
    )
    for ours, theirs in (
        (found.mean, "mean"),
        (found.sd, "sd"),
        (found.quantile(0.025), "q025"),
        (found.quantile(0.95), "q95"),
    ):
        np.testing.assert_allclose(ours, _numbers(case[theirs]), rtol=1e-11, err_msg=theirs)


@pytest.mark.parametrize("case", GOLDEN["wallinga_teunis"], ids=lambda case: case["series"])
def test_cohort_estimates_are_those_of_epiestim(case: dict[str, Any]) -> None:
    found = wallinga_teunis(GOLDEN["series"][case["series"]], case["serial_interval"])
    known = np.isin(found.start, case["start"])
    np.testing.assert_array_equal(found.start[known], case["start"])
    np.testing.assert_allclose(found.mean[known], _numbers(case["mean"]), rtol=1e-11, atol=1e-13)
    assert np.isnan(found.mean[~known]).all()
    # EpiEstim draws 1,000 times: its own error is sd / sqrt(2,000)
    np.testing.assert_allclose(found.sd[known], _numbers(case["simulated_sd"]), rtol=0.15, atol=1e-9)


@pytest.mark.parametrize("case", GOLDEN["discr_si"], ids=lambda case: f"{case['mean']}-{case['sd']}")
def test_serial_intervals_are_discretised_as_by_epiestim(case: dict[str, Any]) -> None:
    found = discretise_serial_interval(range(41), case["mean"], case["sd"])
    np.testing.assert_allclose(found, case["probabilities"], atol=1e-12, rtol=0)


def test_the_reference_figures_on_flu_2009_agree_to_ten_digits(shared: Path) -> None:
    (flu,) = json.loads((shared / "reference" / "reproduction_R_EpiEstim.json").read_text())
    for name, interval in (("non_parametric", flu["si_distr"]), ("parametric", (2.6, 1.5))):
        reference = flu[name]
        found = estimate_r(flu["incidence"], interval)
        np.testing.assert_array_equal(found.start + 1, reference["t_start"])
        for ours, theirs in (
            (found.mean, "mean"),
            (found.sd, "sd"),
            (found.quantile(0.025), "q025"),
            (found.quantile(0.975), "q975"),
        ):
            np.testing.assert_allclose(ours, reference[theirs], rtol=1e-10)
    cohort = wallinga_teunis(flu["incidence"], flu["si_distr"])
    np.testing.assert_allclose(cohort.mean, flu["wallinga_teunis"]["mean"], rtol=1e-10)


def test_an_uncertain_interval_gives_what_epiestim_simulates(shared: Path) -> None:
    """EpiEstim, 2,000 x 100 draws: mean 1.8295, 1.8005, 1.5527; sd 0.662, 0.499, 0.405."""
    (flu,) = json.loads((shared / "reference" / "reproduction_R_EpiEstim.json").read_text())
    uncertain = UncertainSerialInterval(2.6, 1.0, (1.0, 4.2), 1.5, 0.5, (0.5, 2.5), draws=1000, seed=1854)
    found = estimate_r(flu["incidence"], uncertain)
    assert found.mean[:3] == pytest.approx([1.8295, 1.8005, 1.5527], rel=0.02)
    assert found.sd[:3] == pytest.approx([0.662, 0.499, 0.405], rel=0.04)
    assert found.quantile(0.975)[:3] == pytest.approx([3.467, 2.968, 2.466], rel=0.04)
