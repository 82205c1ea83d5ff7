"""How ids are cut beside the charts of an investigation: so that they stay different."""

from __future__ import annotations

import pytest

from broadstreet.app.investigate.labels import labels


@pytest.mark.parametrize(
    ("pattern", "first"),
    [
        ("c{:02d}", "c00"),
        ("CASE-20260401-{:04d}", "…0401-0000"),
        ("{:02d} Maximilian of Mitte", "00 Maximil…"),
        ("ward {:02d} and then much text Z", "ward 00 a…"),
        ("the hospital of Mitte, case {:02d}, in the ward", "…00…"),
    ],
)
def test_what_tells_ids_apart_is_kept(pattern: str, first: str) -> None:
    cut = labels([pattern.format(n) for n in range(40)])
    assert cut[0] == first
    assert len(set(cut)) == 40


def test_short_ids_stay_whole_beside_long_ones() -> None:
    assert labels(["a", "b", "x" * 50])[:2] == ["a", "b"]


def test_wide_signs_take_more_room() -> None:
    assert len(labels(["서울특별시강남구보건소환자"])[0]) < len(labels(["seoul-gangnam-case"])[0])
