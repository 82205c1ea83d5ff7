"""What people read of a signal."""

from __future__ import annotations

from datetime import date

import pytest

from broadstreet.app.words import group_in_words, in_words

NAMES = {"D02": "Old Town"}


@pytest.mark.parametrize(
    ("place", "stratum", "told"),
    [
        ("city", "all", "the city"),
        ("city", "age:0-4", "the city, ages 0-4"),
        ("district:D02", "age:65+", "Old Town (D02), ages 65 and over"),
        ("area:D02", "all", "the area around Old Town (D02)"),
    ],
)
def test_of_whom_a_count_is_is_said_unless_it_is_everybody(place: str, stratum: str, told: str) -> None:
    assert group_in_words(place, stratum, NAMES) == told


def test_a_signal_of_an_age_band_does_not_pass_for_one_of_the_whole_city() -> None:
    day = date(2026, 3, 1)
    assert in_words("gastrointestinal", "city", "age:0-4", day, day, 4, 0.7) == (
        "gastrointestinal, ages 0-4, in the city on 2026-03-01: 4 visits observed, 0.7 expected"
    )
