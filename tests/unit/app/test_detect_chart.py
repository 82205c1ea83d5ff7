"""What stands beside the axis of a chart of counts."""

from __future__ import annotations

import pytest

from broadstreet.app.detect.chart import short


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "0"), (7, "7"), (9_999, "9,999"), (10_000, "10 k"), (12_500, "12.5 k"), (150_000, "150 k"),
        (2_500_000, "2.5 M"), (3e9, "3 bn"),
    ],
)  # fmt: skip
def test_large_counts_are_short_enough_for_the_axis(count: float, told: str) -> None:
    assert short(count) == told
    assert len(told) <= 6
