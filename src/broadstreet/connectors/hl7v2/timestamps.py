"""HL7 times: ``YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]``, with the precision that was stated."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta, timezone, tzinfo
from enum import IntEnum
from functools import lru_cache

_FORM = re.compile(
    r"([0-9]{4})(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(\.[0-9]{1,9})?)?)?)?)?)?"
    r"([+-][0-9]{4})?"
)
_FIRST = (1, 1, 1, 0, 0, 0)  # what an unstated month, day, hour, minute or second begins with
_FARTHEST_OFFSET = timedelta(hours=14)  # Kiribati; IANA time zone database


class Precision(IntEnum):
    """Say which part of a time is the last that was stated."""

    YEAR = 1
    MONTH = 2
    DAY = 3
    HOUR = 4
    MINUTE = 5
    SECOND = 6
    FRACTION = 7


@dataclass(frozen=True, slots=True)
class Timestamp:
    """Hold a time as it was stated.

    Parameters
    ----------
    start : the first moment that the text can mean, aware
    precision : the last part that was stated
    """

    start: datetime
    precision: Precision

    @property
    def fhir(self) -> str:
        """Return the FHIR dateTime of the same precision (minutes and seconds are filled with zeros)."""
        if self.precision is Precision.FRACTION:
            return self.start.isoformat(timespec="milliseconds")
        if self.precision > Precision.DAY:
            return self.start.isoformat(timespec="seconds")
        return self.start.date().isoformat()[: (4, 7, 10)[self.precision - 1]]


def timestamp(text: str, zone: tzinfo) -> Timestamp:
    """Read an HL7 time.

    Parameters
    ----------
    text : the value of a TS, DTM or DT field
    zone : zone of a source that states no offset

    Returns
    -------
    The time and its precision.

    Raises
    ------
    ValueError
        If the text is not of the form, or no such date, time or offset exists.

    Source
    ------
    HL7 v2.8 chapter 2A, section 2.A.22 (DTM).
    """
    match = _FORM.fullmatch(text)
    if not match:
        raise ValueError(f"a time must look like YYYYMMDDHHMMSS.SSSS+ZZZZ, from YYYY on (is {text[:40]!r})")
    *parts, fraction, offset = match.groups()
    stated = [int(part) for part in parts if part is not None]
    year, month, day, hour, minute, second = (*stated, *_FIRST[len(stated) :])
    microsecond = int(fraction[1:7].ljust(6, "0")) if fraction else 0
    try:
        start = datetime(year, month, day, hour, minute, second, microsecond, _zone(offset) or zone)
        if not 1 < year < MAXYEAR:
            start.astimezone(UTC)  # refuses what lies outside the calendar in UTC
    except (ValueError, OverflowError) as error:
        raise ValueError(f"no such time: {error} (is {text!r})") from None
    return Timestamp(start, Precision(len(stated) + bool(fraction)))


@lru_cache(maxsize=256)
def _zone(offset: str | None) -> timezone | None:
    if offset is None:
        return None
    minutes = int(offset[3:5])
    size = timedelta(hours=int(offset[1:3]), minutes=minutes)
    if minutes > 59 or size > _FARTHEST_OFFSET:
        raise ValueError(f"offset {offset} must be within 14 hours")
    return timezone(-size if offset[0] == "-" else size)
