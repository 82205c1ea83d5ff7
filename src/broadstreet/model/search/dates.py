"""Dates: the span of time that a value covers, `[low, high)` in microseconds since 1970 in UTC.

A date without a zone is read as UTC; what has no start or no end reaches to the end of time.

Source: https://hl7.org/fhir/R4/search.html#date
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from broadstreet.model import fhir
from broadstreet.model.clock import EPOCH

EARLIEST, LATEST = -(1 << 62), (1 << 62) - 1
DAY = 86_400_000_000
FIRST = EPOCH.toordinal()

Span = tuple[int, int]


def span(text: str) -> Span:
    """Return the span that a FHIR date, dateTime or instant of any precision covers.

    Raises
    ------
    ValueError
        If it is none.
    """
    if len(text) == 4:
        year = int(text)
        return _start(year, 1, 1), _start(year + 1, 1, 1)
    if len(text) == 7:
        year, month = int(text[:4]), int(text[5:])
        return _start(year, month, 1), _start(year + month // 12, month % 12 + 1, 1)
    if len(text) == 10:
        low = _start(int(text[:4]), int(text[5:7]), int(text[8:]))
        return low, low + DAY
    leap = 1_000_000 if text[17:19] == "60" else 0  # FHIR allows a leap second, Python does not know it
    moment = datetime.fromisoformat(f"{text[:17]}59{text[19:]}" if leap else text)
    # A difference, not a conversion to UTC: near the years 1 and 9999 that leaves the calendar.
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH
    low = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds + leap
    return low, low + (1 if "." in text else 1_000_000)


def _start(year: int, month: int, day: int) -> int:
    if year > 9999:
        return _start(9999, 12, 31) + DAY
    return (date(year, month, day).toordinal() - FIRST) * DAY


def of_text(text: str) -> list[Span]:
    """Return the span of a date, dateTime or instant."""
    return [span(text)]


def of_period(period: fhir.Period) -> list[Span]:
    """Return the span from its start to its end."""
    if period.start is None and period.end is None:
        return []
    low = span(period.start)[0] if period.start else EARLIEST
    high = span(period.end)[1] if period.end else LATEST
    return [(low, max(low, high))]


def of_timing(timing: fhir.Timing) -> list[Span]:
    """Return the outer limits: of the events, and of the period that bounds the repetition."""
    spans = [span(event) for event in timing.event or () if event]
    if timing.repeat is not None and timing.repeat.boundsPeriod is not None:
        spans += of_period(timing.repeat.boundsPeriod)
    return [(min(low for low, _ in spans), max(high for _, high in spans))] if spans else []


READERS = {"Period": of_period, "Timing": of_timing, "str": of_text}
