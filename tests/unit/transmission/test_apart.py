"""Reasons say how far apart two cases are as people say it."""

from __future__ import annotations

import pytest

from broadstreet.analysis.transmission import infer


@pytest.mark.parametrize(
    ("away", "unit", "said"),
    [
        (1.01, "km", "1.0 km apart"),
        (5914.3, "km", "5,914 km apart"),
        (0.4213, "km", "421 m apart"),
        (0.0, "km", "at the same point"),
        (5914.3, "", "5,914 apart"),
        (1.0123, "", "1.01 apart"),
        (0.00005123, "", "0.0000512 apart"),
        (40.0, "steps", "40 steps apart"),
    ],
)
def test_distances_have_their_unit_and_no_exponent(away: float, unit: str, said: str) -> None:
    cases = {"id": ["a", "b"], "onset": [0, 5], "x": [0.0, away], "y": [0.0, 0.0]}
    found = infer(cases, serial_interval=(5.0, 2.0), unit=unit, seed=1)
    assert said in found.infectors["reasons"][found.infectors["infector"].index("a")].split("; ")
