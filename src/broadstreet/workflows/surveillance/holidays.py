"""Holidays: on them people come to clinics differently, and each kind has a level of its own."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from broadstreet.workflows.surveillance.days import number_of

MOST_KINDS = 30
"""As many as `analysis.aberration.detect` takes."""
MOST = 20_000
LONGEST = 62
"""Days of one entry of a calendar."""
_LAST_YEAR = 2199
_CALENDAR = "BEGIN:VCALENDAR"


@dataclass(frozen=True, eq=False)
class Holidays:
    """The kind of holiday, from 1 up, by day (as days since 1970-01-01)."""

    kinds: Mapping[int, int] = field(default_factory=dict)

    def of(self, first: int, days: int) -> NDArray[np.int64] | None:
        """Return the kinds of so many days from `first` on, 0 for none; None without any holiday."""
        found = [self.kinds.get(day, 0) for day in range(first, first + days)] if self.kinds else []
        return np.array(found, np.int64) if any(found) else None


ORDINARY = Holidays()
"""No day is a holiday."""


def listed_holidays(text: str) -> Holidays:
    """Return holidays of one kind, from dates with spaces or commas between.

    Raises
    ------
    ValueError
        If one is no date.
    """
    return _of_one_kind(_date(word, "holidays") for word in text.replace(",", " ").split())


def read_holidays(text: str, origin: str) -> Holidays:
    """Return the holidays of a calendar (iCalendar), or of a table: date, and kind if they differ.

    A table has a header; commas, semicolons or tabs part the columns; `origin` is named in errors.

    Raises
    ------
    ValueError
        If it is neither, a date is none, or an event repeats otherwise than every year.
    """
    text = text.lstrip("\ufeff \r\n")
    if text[: len(_CALENDAR)].upper() == _CALENDAR:
        return _of_one_kind(_of_calendar(text, origin))
    return _of_table(text, origin)


def _of_one_kind(days: Iterable[date]) -> Holidays:
    return Holidays({number_of(day): 1 for day in days})


def _of_table(text: str, origin: str) -> Holidays:
    whole = io.StringIO(text, newline=None).read().split("\n")  # no other sign ends a line of a table
    lines = [line for line in whole if line.strip() and not line.startswith("#")]
    parts = max(",;\t", key=lines[0].count) if lines else ","
    rows = csv.DictReader(io.StringIO("\n".join(lines)), delimiter=parts)
    rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or ()]
    if "date" not in rows.fieldnames:
        got = repr(lines[0][:80]) if lines else "nothing"
        raise ValueError(f"{origin}: expected a calendar (.ics), or a header with date, got {got}")
    numbers: dict[str, int] = {}
    found: dict[int, int] = {}
    for line, row in enumerate(rows, start=2):
        kind = (row.get("kind") or "").strip().lower()
        day = _date((row["date"] or "").strip(), f"{origin}, line {line}")
        found[number_of(day)] = numbers.setdefault(kind, len(numbers) + 1)
    if len(numbers) > MOST_KINDS:
        raise ValueError(f"{origin}: expected at most {MOST_KINDS} kinds of holidays, got {len(numbers)}")
    return Holidays(found)


def _of_calendar(text: str, origin: str) -> Iterator[date]:
    number = 0
    for event in _events(text):
        name = f"{origin}, event {event.get('SUMMARY', '')[:40]!r}"
        for day in _days_of(event, name):
            number += 1
            if number > MOST:
                raise ValueError(f"{origin}: expected at most {MOST:,} holidays")
            yield day


def _events(text: str) -> Iterator[dict[str, str]]:
    """Yield the properties of each event, without their parameters (RFC 5545, section 3.1)."""
    event: dict[str, str] | None = None
    for line in text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "").split("\n"):
        name, _, value = line.partition(":")
        name = name.partition(";")[0].upper()
        if (name, value) == ("BEGIN", "VEVENT"):
            event = {}
        elif (name, value) == ("END", "VEVENT") and event is not None:
            yield event
            event = None
        elif event is not None:
            event[name] = value.strip()


def _days_of(event: Mapping[str, str], name: str) -> Iterator[date]:
    first = _date(event.get("DTSTART", "")[:8], name)
    end = _date(event["DTEND"][:8], name) if "DTEND" in event else first
    days = max((end - first).days, 1)
    if days > LONGEST:
        raise ValueError(f"{name}: expected at most {LONGEST} days, got {days}")
    rule = event.get("RRULE", "").upper()
    if rule and rule.replace(";INTERVAL=1", "") != "FREQ=YEARLY":
        raise ValueError(f"{name}: expected single days, or the same day each year, got the rule {rule!r}")
    for year in range(first.year, (_LAST_YEAR if rule else first.year) + 1):
        if (first.month, first.day) == (2, 29) and not _is_leap(year):
            continue
        start = first.replace(year=year)
        yield from (start + timedelta(days=n) for n in range(days))


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _date(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{where}: expected a date such as 2026-12-25, got {text!r}") from None
