"""Times of a message as FHIR writes them, and as numbers that can be compared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple

from broadstreet.connectors.hl7v2.mapping.reading import Wrong
from broadstreet.connectors.hl7v2.timestamps import Precision, Timestamp, timestamp
from broadstreet.model.clock import instant, microseconds

_MINUTE = timedelta(minutes=1)
_DAY = 10  # characters of a FHIR date


class Moment(NamedTuple):
    """A time: as FHIR writes it, and its first microsecond since 1970 in UTC."""

    text: str
    micros: int


@lru_cache(maxsize=16_384)
def moment(text: str, zone: tzinfo) -> Moment | None:
    """Read an HL7 time; None for an empty one."""
    if not text:
        return None
    try:
        stated = timestamp(text, zone)
    except ValueError as error:
        raise Wrong(str(error)) from None
    return Moment(_fhir(stated), microseconds(stated.start))


def _fhir(stated: Timestamp) -> str:
    offset = stated.start.utcoffset()
    if stated.precision > Precision.DAY and offset is not None and offset % _MINUTE:
        # A zone's local mean time of long ago has seconds; FHIR has no word for such an offset.
        return Timestamp(stated.start.astimezone(UTC), stated.precision).fhir
    return stated.fhir


def at(micros: int) -> Moment:
    """Return an instant of the hub's own clock."""
    return Moment(stamp(micros), micros)


@lru_cache(maxsize=64)
def stamp(micros: int) -> str:
    """Return an instant in UTC with six decimals: such texts sort as the times do."""
    return instant(micros).isoformat(timespec="microseconds").replace("+00:00", "Z")


def precedes(end: str, start: str) -> bool:
    """Say whether a FHIR time lies before another, both to the precision that they share."""
    if len(end) <= _DAY or len(start) <= _DAY:
        shared = min(len(end), len(start))
        return end[:shared] < start[:shared]
    return _micros(end) < _micros(start)


@lru_cache(maxsize=16_384)
def _micros(text: str) -> int:
    return microseconds(datetime.fromisoformat(text))
