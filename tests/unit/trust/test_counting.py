from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadstreet.trust.counting import THRESHOLD, published, published_parts


def test_small_counts_are_left_out_and_nobody_is_told() -> None:
    assert [published(n) for n in (0, 1, THRESHOLD - 1, THRESHOLD)] == [0, None, None, THRESHOLD]


def test_a_part_that_could_be_computed_from_the_total_takes_another_with_it() -> None:
    assert published_parts({"D1": 40, "D2": 2, "D3": 9}) == {"D1": 40, "D2": None, "D3": None}


def test_large_parts_are_all_told() -> None:
    assert published_parts({"D1": 40, "D2": 9, "D3": 0}) == {"D1": 40, "D2": 9, "D3": 0}


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        published(-1)


@given(st.dictionaries(st.integers(0, 20), st.integers(0, 12), max_size=8))
def test_what_is_left_out_cannot_be_computed_from_what_is_told(counts: dict[int, int]) -> None:
    told = published_parts(counts)
    hidden = [counts[key] for key, value in told.items() if value is None]
    assert all(value is None or value == counts[key] for key, value in told.items())
    assert not any(value is not None and 0 < value < THRESHOLD for value in told.values())
    others = [value for value in told.values() if value]
    assert not hidden or not others or (len(hidden) >= 2 and sum(hidden) >= THRESHOLD)
