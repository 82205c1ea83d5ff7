"""Send parcels through the MLLP door, day by day, and count what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from broadstreet.app import requests
from broadstreet.app.control import ControlClient
from broadstreet.app.replay.parcel import Parcel
from broadstreet.connectors.hl7v2.acknowledge import Acknowledgement
from broadstreet.connectors.hl7v2.client import BlockingMllpClient
from broadstreet.connectors.hl7v2.problems import Problem

MOST_REFUSALS = 1_000
"""So many refusals are kept with their reasons; all are counted."""


@dataclass(frozen=True)
class Refusal:
    """A message that was not taken: where it was found, what the hub answered, and why."""

    origin: str
    code: str
    reason: str


@dataclass
class Tally:
    """What became of what was sent."""

    sent: int = 0
    accepted: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """How many were not taken."""
        return self.sent - self.accepted

    def add(self, parcel: Parcel, answer: Acknowledgement) -> None:
        """Count one answer."""
        self.sent += 1
        code = answer.code.value
        self.codes[code] += 1
        self.accepted += answer.accepted
        if not answer.accepted and len(self.refusals) < MOST_REFUSALS:
            reason = "; ".join(_told(problem) for problem in answer.problems) or "no reason was given"
            self.refusals.append(Refusal(parcel.origin, code, reason))


class Calendar:
    """Drives the clock of a hub that has a driven one, so that each day is over when its messages are in.

    Parameters
    ----------
    control
        The hub.
    now
        Where its clock stands.
    zone
        The city's.
    """

    def __init__(self, control: ControlClient, now: datetime, zone: ZoneInfo) -> None:
        self._control, self._now, self._zone = control, now, zone

    def reach(self, day: date) -> None:
        """Let it be the last second of a day: every day before is closed, every message of it is past."""
        self._advance(self._midnight(day + timedelta(days=1)) - timedelta(seconds=1))

    def close(self, day: date) -> None:
        """Let a day end, and the followers see it."""
        self._advance(self._midnight(day + timedelta(days=1)))
        self._control.ask(requests.Settle())

    def _advance(self, to: datetime) -> None:
        if to > self._now:
            self._control.ask(requests.Advance(to=to))
            self._now = to

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._zone)


def send_all(
    parcels: Sequence[Parcel],
    client: BlockingMllpClient,
    calendar: Calendar | None = None,
    progress: Callable[[Tally], object] = lambda _: None,
) -> Tally:
    """Send every parcel in order; return what became of them.

    Parameters
    ----------
    parcels
        In the order of sending. Time never goes back: a parcel of an earlier day is late.
    client
        The real one.
    calendar
        Drives the hub's clock; None leaves the clock alone.
    progress
        Told after each message.

    Raises
    ------
    Unanswered
        If the hub does not answer.
    """
    tally = Tally()
    day: date | None = None
    for day, of_day in groupby(_monotone(parcels), key=lambda each: each[0]):
        if calendar is not None and day is not None:
            calendar.reach(day)
        for _, parcel in of_day:
            tally.add(parcel, client.send(parcel.message))
            progress(tally)
    if calendar is not None and day is not None:
        calendar.close(day)
    return tally


def first_day(parcels: Iterable[Parcel]) -> date | None:
    """Return the first day that a parcel tells."""
    return min((parcel.day for parcel in parcels if parcel.day is not None), default=None)


def _monotone(parcels: Sequence[Parcel]) -> Iterator[tuple[date | None, Parcel]]:
    reached = first_day(parcels)
    for parcel in parcels:
        if parcel.day is not None and reached is not None:
            reached = max(reached, parcel.day)
        yield reached, parcel


def _told(problem: Problem) -> str:
    return f"{problem.location}: {problem.text}" if problem.location else problem.text
