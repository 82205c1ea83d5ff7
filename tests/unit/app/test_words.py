"""What people read of a signal."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from broadstreet.app.status import Alarm
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
    assert in_words(_alarm(stream="gastrointestinal", stratum="age:0-4")) == (
        "gastrointestinal, ages 0-4, in the city on 2026-03-01: 4 visits observed, 0.7 expected"
    )


@pytest.mark.parametrize(
    ("days", "told"),
    [(3, "4 visits observed, 0.7 expected"), (1, "4 visits observed on 1 day of these, 0.7 expected")],
)
def test_numbers_of_fewer_days_than_a_signal_spans_say_so(days: int, told: str) -> None:
    alarm = _alarm(until=date(2026, 3, 3), days=days)
    assert in_words(alarm) == f"fever in the city from 2026-03-01 to 2026-03-03: {told}"


def _alarm(**changed: Any) -> Alarm:
    day = date(2026, 3, 1)
    plain = Alarm(
        id="s", status="growing", kind="rise", stream="fever", place="city", stratum="all", since=day,
        until=day, observed=4, expected=0.7, days=1, method="detect",
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changed)
