"""Dates and times of some precision."""

from __future__ import annotations

from decimal import Decimal

import pytest

from broadstreet.model.fhirpath.temporal import (
    Temporal,
    compare,
    parse_date,
    parse_datetime,
    parse_time,
    shift,
)


def moment(text: str) -> Temporal | None:
    return parse_date(text) or parse_datetime(text)


@pytest.mark.parametrize(
    ("left", "right", "compared"),
    [
        ("2018-03", "2018-04-01", -1),
        ("2018-03", "2018-03-01", None),
        ("2018-03-31", "2018-03", None),
        ("2018", "2018", 0),
        ("2018-03-01T10:30", "2018-03-01T10:30:00", None),
        ("2018-03-01T10:30:00", "2018-03-01T10:30:00.0", 0),
        ("2018-03-01T10:29:59.999", "2018-03-01T10:30", -1),
        ("2018-03-01T10:00:00Z", "2018-03-01T12:00:00+02:00", 0),
        ("2018-03-01T10:00:00Z", "2018-03-01T12:00:00", None),
        ("2018-03-01T10:00:00Z", "2018-03-03T12:00:00", -1),
        ("9999-12-31T23:59:59-12:00", "9999-12", None),
        ("0001-01-01T00:00:00+14:00", "0001-01-01", None),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.9Z", 1),
    ],
)
def test_two_moments_compare_as_the_spans_that_they_cover(
    left: str, right: str, compared: int | None
) -> None:
    assert compare(moment(left), moment(right)) == compared
    assert compare(moment(right), moment(left)) == (None if compared is None else -compared)


@pytest.mark.parametrize(
    ("start", "amount", "unit", "end"),
    [
        ("2024-01-31", 1, "month", "2024-02-29"),
        ("2024-02-29", 1, "year", "2025-02-28"),
        ("2014", 24, "month", "2016"),
        ("2014", 23, "month", "2015"),
        ("2014-12", 31, "day", "2015-01"),
        ("2019-03-01", -24, "hour", "2019-02-28"),
        ("2019-03-01T00:00:00.000+09:00", -1, "millisecond", "2019-02-28T23:59:59.999+09:00"),
        ("2019-03-01T00:30:00Z", 90, "second", "2019-03-01T00:31:30Z"),
        ("2019-03-01T23", 1, "hour", "2019-03-02T00"),
    ],
)
def test_a_moment_moves_in_its_own_precision(start: str, amount: int, unit: str, end: str) -> None:
    assert str(shift(moment(start), Decimal(amount), unit)) == str(moment(end))


def test_a_time_of_day_goes_round_the_clock() -> None:
    assert str(shift(parse_time("23:30"), Decimal(90), "minute")) == "01:00"
    assert str(shift(parse_time("00:00:00.5"), Decimal(-1), "second")) == "23:59:59.5"


@pytest.mark.parametrize(
    "text", ["2015-13", "2015-02-29", "15", "2015-1", "2015T10", "0000", "2015-01-01T24:00"]
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse_date(text) is None
    assert parse_datetime(text) is None


def test_the_calendar_has_an_end() -> None:
    with pytest.raises(OverflowError, match="outside of the years 1 to 9999"):
        shift(moment("9999-12-31"), Decimal(1), "day")
