"""Holidays have a level of their own; calendars and tables are read as they are published."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pytest

from broadstreet.workflows.surveillance import (
    Holidays,
    Rule,
    listed_holidays,
    read_holidays,
    read_places,
    rule,
)
from broadstreet.workflows.surveillance.days import number_of

CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
DTSTART;VALUE=DATE:20260101
RRULE:FREQ=YEARLY
SUMMARY:New Year
END:VEVENT
BEGIN:VEVENT
SUMMARY:Long
 weekend
DTSTART;VALUE=DATE:20260403
DTEND;VALUE=DATE:20260407
END:VEVENT
END:VCALENDAR
"""


def days(holidays: Holidays) -> list[int]:
    return sorted(holidays.kinds)


@pytest.mark.parametrize("sign", ["\v", "\f", "\x85", "\u2028"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_only_the_end_of_a_line_ends_a_row(sign: str, end: str) -> None:
    found = read_holidays(
        f"date,kind\n2026-01-01,New{sign}Year\n2026-01-02,Rest\n".replace("\n", end), "h.csv"
    )
    assert len(found.kinds) == 2
    places = f"code,name,x,y\nA,Old{sign}Town,0,0\nB,Port,1,1\n".replace("\n", end)
    assert [place.name for place in read_places(places, "p.csv").by_code.values()] == [
        f"Old{sign}Town",
        "Port",
    ]


def test_a_calendar_has_single_days_spans_and_days_of_each_year() -> None:
    found = read_holidays(CALENDAR.replace("\n", "\r\n"), "h.ics")
    assert {number_of(date(year, 1, 1)) for year in (2026, 2027, 2100)} <= set(days(found))
    april = [day for day in days(found) if number_of(date(2026, 4, 1)) <= day < number_of(date(2026, 5, 1))]
    assert april == [number_of(date(2026, 4, 3)) + n for n in range(4)]


def test_a_table_may_tell_kinds_apart() -> None:
    found = read_holidays(
        "date;kind;name\n2026-12-25;feast;Christmas\n2026-12-31;bridge;\n2027-12-25;feast;", "h.csv"
    )
    assert [
        found.kinds[number_of(date(*each))] for each in [(2026, 12, 25), (2026, 12, 31), (2027, 12, 25)]
    ] == [1, 2, 1]


def test_dates_may_be_listed() -> None:
    assert days(listed_holidays("2026-12-25, 2026-12-26")) == [
        number_of(date(2026, 12, 25)) + n for n in (0, 1)
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected a calendar (.ics), or a header with date, got nothing"),
        ("day,name\n2026-01-01,x", "got 'day,name'"),
        ("date\n2026-02-30", "line 2: expected a date such as 2026-12-25, got '2026-02-30'"),
        (CALENDAR.replace("YEARLY", "YEARLY;BYDAY=1MO"), "'New Year': expected single days, or the same"),
        (CALENDAR.replace("20260101", "oops"), "expected a date"),
        (CALENDAR.replace("20260407", "20270407"), "expected at most 62 days"),
    ],
)  # fmt: skip
def test_what_is_no_calendar_and_no_table_is_refused_in_a_sentence(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        read_holidays(text, "h")


def test_a_holiday_is_compared_with_holidays() -> None:
    """On holidays four times as many come to the clinics that are open; the last day is one."""
    generator, first = np.random.default_rng(1854), number_of(date(2026, 1, 1))
    holidays = Holidays({first + day: 1 for day in range(9, 300, 58)})
    feast = np.array([first + day in holidays.kinds for day in range(300)])
    counts = generator.poisson(np.where(feast, 40.0, 10.0))[:, np.newaxis]
    last = int(np.flatnonzero(feast)[-1])
    found = {
        named: rule.test_day(counts[: last + 1], first, Rule(holidays=those), 0.001, None, None)
        for named, those in {"known": holidays, "unknown": Holidays()}.items()
    }
    assert found["unknown"].alarm[0]
    assert not found["known"].alarm[0]
    assert found["known"].expected[0] == pytest.approx(40, rel=0.15)
