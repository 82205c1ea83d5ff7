"""The one source of time: nothing else in the house asks what time it is."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)


class DrivenClock:
    """A clock that stands still until it is told to go on: for replays, demonstrations and tests."""

    def __init__(self, start: datetime) -> None:
        self._now = _in_utc(start)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the instant that the clock was last driven to."""
        return self._now

    def advance(self, to: datetime) -> datetime:
        """Drive the clock forward to `to`; return the new time.

        Raises
        ------
        ValueError
            If `to` has no time zone or lies before the clock's time.
        """
        to = _in_utc(to)
        with self._lock:
            if to < self._now:
                raise ValueError(
                    f"a clock cannot go back (is at {self._now.isoformat()}, asked for {to.isoformat()})"
                )
            self._now = to
        return to


def microseconds(instant: datetime) -> int:
    """Return an aware instant as whole microseconds since 1970-01-01T00:00Z."""
    since = (instant if instant.tzinfo is UTC else _in_utc(instant)) - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def instant(micros: int) -> datetime:
    """Return the UTC instant that lies `micros` microseconds after 1970-01-01T00:00Z."""
    return EPOCH + timedelta(microseconds=micros)


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"an instant needs a time zone ({moment.isoformat()} has none)")
    return moment.astimezone(UTC)
