"""Days as numbers, and the city's day of an instant."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

_EPOCH = date(1970, 1, 1).toordinal()
_YEARS = range(1900, 2200)
"""Other years are mistakes; a visit dated so counts nowhere."""
_DATE = len("2026-01-05")


def number_of(day: date) -> int:
    """Return the day as days since 1970-01-01."""
    return day.toordinal() - _EPOCH


def date_of(number: int) -> date:
    """Return the date that lies `number` days after 1970-01-01."""
    return date.fromordinal(number + _EPOCH)


def city_day(moment: str | None, zone: ZoneInfo) -> int | None:
    """Return the city's day of a FHIR dateTime.

    Parameters
    ----------
    moment
        A date, or a time with its offset; a time without one is the city's.
    zone
        The city's time zone.

    Returns
    -------
    int or None
        Days since 1970-01-01. None if the moment is missing, is only a year or month, is none, or lies
        outside of the years 1900 to 2199.
    """
    if moment is None or len(moment) < _DATE or not moment[:4].isdigit() or int(moment[:4]) not in _YEARS:
        return None
    try:
        if len(moment) == _DATE:
            return number_of(date.fromisoformat(moment))
        return number_of(_parsed(moment, zone).date())
    except ValueError:
        return None


def _parsed(moment: str, zone: ZoneInfo) -> datetime:
    if moment[16:19] == ":60":  # a leap second, which Python's datetime has not
        moment = f"{moment[:16]}:59{moment[19:]}"
    parsed = datetime.fromisoformat(moment)
    return parsed if parsed.tzinfo is None else parsed.astimezone(zone)
