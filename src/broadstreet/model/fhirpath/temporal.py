"""Dates and times that are known to some precision: a year, a month ... a fraction of a second.

Two of them compare as the spans of time that they cover. Where spans overlap, the answer is unknown (None).
Seconds and their fractions are one precision. A time without a zone, beside one with a zone, may lie in any
zone from -12:00 to +14:00.

Source: https://hl7.org/fhirpath/N1/#datetime-equality, #date-time-arithmetic
"""

from __future__ import annotations

import calendar
import re
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from typing import ClassVar, TypeVar

import msgspec

DAY = 86_400
FARTHEST_EAST, FARTHEST_WEST = 14 * 60, -12 * 60  # minutes
_TEXT = re.compile(
    r"(?:([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?)?"
    r"(?:(T)(?:([0-9]{2})(?::([0-9]{2})(?::([0-9]{2}(?:\.[0-9]+)?))?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?",
)

Parts = tuple[int | Decimal, ...]
Self = TypeVar("Self", bound="Temporal")


class Temporal(msgspec.Struct, frozen=True):
    """A date or a time; `parts` from the largest on, the seconds as a decimal with their digits."""

    parts: Parts
    zone: int | None = None  # minutes east of UTC

    names: ClassVar[tuple[str, ...]] = ("year", "month", "day", "hour", "minute", "second")

    def span(self) -> tuple[Decimal, Decimal]:
        """Return the start and end of the span, in seconds; in UTC if the zone is known."""
        first = self._seconds(self.parts)
        return first, first + self._length()

    @property
    def exact(self) -> bool:
        """Whether it is known to the second, and so covers no span."""
        return len(self.parts) == len(self.names)

    def _seconds(self, parts: Parts) -> Decimal:
        year, month, day, hour, minute, second = parts + (1, 1, 1, 0, 0, 0)[len(parts) :]
        days = date(int(year), int(month), int(day)).toordinal()
        minutes = int(hour) * 60 + int(minute) - (self.zone or 0)
        return Decimal(days * DAY + minutes * 60) + second

    def _length(self) -> int:
        year, month = (*self.parts, 1)[:2]
        days = 365 + calendar.isleap(int(year)), calendar.monthrange(int(year), int(month))[1], 1
        return (*(n * DAY for n in days), 3_600, 60, 0)[len(self.parts) - 1]


class Date(Temporal, frozen=True):
    """A year, a month or a day."""

    def __str__(self) -> str:
        return _date_text(self.parts)


class DateTime(Temporal, frozen=True):
    """A date and, if it is known, the time of day and the zone."""

    def __str__(self) -> str:
        clock = _clock_text(self.parts[3:])
        return (
            f"{_date_text(self.parts[:3])}T{clock}{_zone_text(self.zone)}"
            if clock
            else _date_text(self.parts)
        )


class Time(Temporal, frozen=True):
    """A time of day."""

    names: ClassVar[tuple[str, ...]] = ("hour", "minute", "second")

    def __str__(self) -> str:
        return _clock_text(self.parts)

    def _seconds(self, parts: Parts) -> Decimal:
        hour, minute, second = parts + (0, 0, 0)[len(parts) :]
        return Decimal(int(hour) * 3_600 + int(minute) * 60) + second

    def _length(self) -> int:
        return (3_600, 60, 0)[len(self.parts) - 1]


def parse_date(text: str) -> Date | None:
    """Return the date that a text is, as in `2015-02`; None if it is none."""
    match = _TEXT.fullmatch(text)
    parts = _parts(match) if match and match[1] and not match[4] else None
    return Date(parts) if parts else None


def parse_datetime(text: str) -> DateTime | None:
    """Return the date and time that a text is, as in `2015-02-04T14:34Z` or `2015T`; None if it is none."""
    match = _TEXT.fullmatch(text)
    if not match or not match[1] or (match[5] and not match[3]):
        return None
    parts = _parts(match)
    zone = _zone(match[8])
    return None if parts is None or (match[8] and zone is None) else DateTime(parts, zone)


def parse_time(text: str) -> Time | None:
    """Return the time that a text is, as in `14:34`; None if it is none."""
    match = _TEXT.fullmatch(f"T{text}")
    if not match or match[1] or not match[5] or match[8]:
        return None
    parts = _parts(match)
    return Time(parts) if parts else None


def compare(left: Temporal, right: Temporal) -> int | None:
    """Return -1, 0 or 1 as `left` lies before, at or after `right`; None where that is not known."""
    low, high = left.span()
    other_low, other_high = right.span()
    if (left.zone is None) != (right.zone is None):
        low, high = _widened(left, low, high)
        other_low, other_high = _widened(right, other_low, other_high)
    elif len(left.parts) == len(right.parts) and low == other_low:
        return 0
    # A span ends before its end; a moment that is known to the second is its own end.
    if high < other_low or (high == other_low and not left.exact):
        return -1
    if other_high < low or (other_high == low and not right.exact):
        return 1
    return None


def _widened(moment: Temporal, low: Decimal, high: Decimal) -> tuple[Decimal, Decimal]:
    if moment.zone is not None:
        return low, high
    return low - FARTHEST_EAST * 60, high - FARTHEST_WEST * 60


def shift(moment: Self, amount: Decimal, unit: str) -> Self:
    """Add an amount of a calendar's unit; what is finer than the precision of `moment` is left away.

    Raises
    ------
    OverflowError
        If the result lies outside of the years 1 to 9999.
    """
    count = int(amount)
    if isinstance(moment, Time):
        seconds = _coarse(moment, count, unit, DAY)
        return type(moment)(_time_parts(moment, (moment.span()[0] + seconds % DAY + DAY) % DAY))
    if unit in ("year", "month") or len(moment.parts) < 3:
        return _shift_months(moment, _months(count, unit))
    seconds = _coarse(moment, count, unit, 10_000 * 366 * DAY)
    local = moment.span()[0] + (moment.zone or 0) * 60 + seconds
    days, rest = divmod(local, DAY)
    try:
        day = date.fromordinal(int(days))
    except (ValueError, OverflowError):
        raise OverflowError("outside of the years 1 to 9999") from None
    clock = _time_parts(moment, rest)[: len(moment.parts) - 3]
    return type(moment)((day.year, day.month, day.day, *clock), moment.zone)


_SECONDS = {"week": 7 * DAY, "day": DAY, "hour": 3_600, "minute": 60, "second": 1, "millisecond": 1}
_FINEST = {3: DAY, 4: 3_600, 5: 60, 6: 1}  # seconds, by the number of parts of a date with time


def _coarse(moment: Temporal, count: int, unit: str, at_most: int) -> Decimal:
    """Return the seconds to add, whole in the finest part that `moment` has."""
    if unit not in _SECONDS:
        raise OverflowError(f"a time of day has no {unit}")
    seconds = Decimal(count) * _SECONDS[unit]
    if unit == "millisecond":
        seconds /= 1000
    if abs(seconds) > at_most and not isinstance(moment, Time):
        raise OverflowError("outside of the years 1 to 9999")
    finest = _FINEST[len(moment.parts) + (3 if isinstance(moment, Time) else 0)]
    return seconds if finest == 1 else Decimal(int(seconds / finest) * finest)


def _time_parts(moment: Temporal, seconds: Decimal) -> Parts:
    hours, rest = divmod(seconds, 3_600)
    minutes, second = divmod(rest, 60)
    known = moment.parts if isinstance(moment, Time) else moment.parts[3:]
    if len(known) == 3:
        digits = max(_digits(known[2]), _digits(second.normalize()))
        second = second.quantize(Decimal(1).scaleb(-digits), ROUND_FLOOR)
    return (int(hours), int(minutes), second)[: len(known)]


def _digits(number: int | Decimal) -> int:
    exponent = Decimal(number).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _months(count: int, unit: str) -> int:
    """Return whole months: 30 days are one, as the standard says."""
    if unit in ("year", "month"):
        return count * 12 if unit == "year" else count
    days = int(Decimal(count) * _SECONDS[unit] / (1000 if unit == "millisecond" else 1) / DAY)
    return (
        int(days / 30)
        if abs(days) < 365
        else int(days / 365) * 12 + int((abs(days) % 365) / 30) * (1, -1)[days < 0]
    )


def _shift_months(moment: Self, months: int) -> Self:
    if len(moment.parts) == 1:
        months = int(months / 12) * 12
    year, month = divmod(int(moment.parts[0]) * 12 + int((*moment.parts, 1)[1]) - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError("outside of the years 1 to 9999")
    parts: Parts = (year, month + 1)
    if len(moment.parts) > 2:
        parts = (
            *parts,
            min(int(moment.parts[2]), calendar.monthrange(year, month + 1)[1]),
            *moment.parts[3:],
        )
    return type(moment)(parts[: len(moment.parts)], moment.zone)


def _parts(match: re.Match[str]) -> Parts | None:
    texts = match.groups()
    parts: Parts = tuple(
        Decimal(text) if index == 6 else int(text)
        for index, text in enumerate(texts)
        if text is not None and index not in (3, 7)
    )
    hour, minute, second = int(texts[4] or 0), int(texts[5] or 0), Decimal(texts[6] or 0)
    in_bounds = hour <= 23 and minute <= 59 and second < 61  # a leap second has the number 60
    try:
        date(*(int(text or 1) for text in texts[:3]))
    except ValueError:
        return None
    return parts if in_bounds else None


def _zone(text: str | None) -> int | None:
    if text is None or text == "Z":
        return 0 if text else None
    hours, minutes = int(text[1:3]), int(text[4:])
    if hours * 60 + minutes > FARTHEST_EAST or minutes > 59:
        return None
    return (hours * 60 + minutes) * (-1 if text[0] == "-" else 1)


def _zone_text(zone: int | None) -> str:
    if zone is None:
        return ""
    hours, minutes = divmod(abs(zone), 60)
    return "Z" if zone == 0 else f"{'-' if zone < 0 else '+'}{hours:02}:{minutes:02}"


def _date_text(parts: Parts) -> str:
    return "-".join(f"{part:0{4 if index == 0 else 2}}" for index, part in enumerate(parts))


def _clock_text(parts: Parts) -> str:
    written = [f"{int(part):02}" for part in parts[:2]]
    if len(parts) == 3:
        whole, _, fraction = f"{parts[2]:f}".partition(".")
        written.append(f"{whole:0>2}{'.' if fraction else ''}{fraction}")
    return ":".join(written)
