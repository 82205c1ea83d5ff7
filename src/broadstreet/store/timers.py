"""Timers: the scheduler is the only one who turns the clock into entries.

It closes each day of the city at its midnight (a timer named "day-closed"), and marks the
deadlines due that workflows have asked for. A year replays in minutes, for no follower asks the time.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from broadstreet.model import records
from broadstreet.model.clock import Clock, instant, microseconds
from broadstreet.model.records import Timer
from broadstreet.store.committer import Committer
from broadstreet.store.entry import Draft, Entry
from broadstreet.store.protocol import Reader
from broadstreet.store.tables import Between, Change, Table, TableReader, Upsert
from broadstreet.store.transaction import Transaction, Wants

DAY_CLOSED = "day-closed"
MOST_DAYS = 400
"""So many days are closed at once at most: a clock that jumps by decades does not flood the log."""

TIMER = Table(
    "timer",
    {"id": "text", "name": "text", "status": "text", "due": "integer", "day": "text", "about": "text"},
    key=("id",),
    indexes=(("status", "due"), ("name", "day")),
)

_TYPE = records.entry_type(Timer)
_log = logging.getLogger(__name__)


class Timers:
    """The projection that knows which timers wait."""

    name = "timers"
    version = 1
    types = frozenset({_TYPE})
    tables: tuple[Table, ...] = (TIMER,)
    barriers = frozenset[str]()

    def project(self, entries: Sequence[Entry], tables: TableReader) -> list[Change]:  # noqa: ARG002
        """Return one row a timer."""
        rows = [_row(records.decode(entry.body)) for entry in entries if entry.body]
        return [Upsert(TIMER, rows)]


class Scheduler:
    """Appends what has become due by the clock.

    Parameters
    ----------
    zone
        The city's time zone: its midnight closes the day.
    """

    def __init__(self, reader: Reader, committer: Committer, clock: Clock, zone: ZoneInfo) -> None:
        self._reader, self._committer, self._clock, self._zone = reader, committer, clock, zone
        self._closed: date | None = None

    def next_due(self) -> datetime:
        """Return when there will be something to do: the next midnight, or a deadline before it."""
        today = self._clock.now().astimezone(self._zone).date()
        waiting = self._reader.select(TIMER, {"status": "waiting"}, order=("due",), limit=1)
        due = [self._midnight(today + timedelta(days=1))]
        due += [instant(int(row[3] or 0)) for row in waiting]
        return min(due)

    def run(self) -> list[Timer]:
        """Append every timer that is due now and was not appended yet; return them."""
        now = self._clock.now()
        yesterday = now.astimezone(self._zone).date() - timedelta(days=1)
        due = [*self._days(yesterday), *self._deadlines(now)]
        appeared: list[Timer] = self._committer.commit(Appear(tuple(due))) if due else []
        self._closed = yesterday
        return appeared

    def _days(self, yesterday: date) -> list[Timer]:
        last = self._last_closed(yesterday) or yesterday - timedelta(days=1)
        first = last + timedelta(days=1)
        if (yesterday - first).days >= MOST_DAYS:
            _log.warning(
                "the clock jumped from %s to %s: only the last %d days are closed", last, yesterday, MOST_DAYS
            )
            first = yesterday - timedelta(days=MOST_DAYS - 1)
        return [self._day(first + timedelta(days=n)) for n in range((yesterday - first).days + 1)]

    def _last_closed(self, until: date) -> date | None:
        """The newest day closed up to `until`; later ones were closed by a clock that ran ahead."""
        if self._closed is not None and self._closed <= until:
            return self._closed
        for day in (until - timedelta(days=n) for n in range(MOST_DAYS)):
            if self._reader.current(_TYPE, _day_id(day)) is not None:  # the log: its projection may lag
                return day
        rows = self._reader.select(
            TIMER, {"name": DAY_CLOSED, "day": Between("", until.isoformat())}, order=("-day",), limit=1
        )
        return date.fromisoformat(str(rows[0][4])) if rows else None

    def _day(self, day: date) -> Timer:
        due = self._midnight(day + timedelta(days=1))
        return Timer(id=_day_id(day), name=DAY_CLOSED, due=due, status="due", day=day)

    def _deadlines(self, now: datetime) -> list[Timer]:
        waiting = self._reader.select(
            TIMER,
            {"status": "waiting", "due": Between(-(1 << 62), microseconds(now))},
            order=("due",),
            limit=1000,
        )
        found = [self._reader.current(_TYPE, str(row[0])) for row in waiting]
        timers = [records.decode(entry.body) for entry in found if entry is not None and entry.body]
        return [_due(timer) for timer in timers if isinstance(timer, Timer) and timer.status == "waiting"]

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._zone).astimezone(UTC)


@dataclass(frozen=True)
class Appear:
    """The work of appending due timers, each once."""

    timers: tuple[Timer, ...]

    @property
    def weight(self) -> int:
        """About how many entries it will add."""
        return len(self.timers)

    @property
    def size(self) -> int:
        """About how many bytes it will add."""
        return 300 * len(self.timers)

    def wants(self) -> Wants:
        """Say what it will read."""
        return Wants(resources=tuple((_TYPE, timer.id) for timer in self.timers))

    def apply(self, tx: Transaction) -> list[Timer]:
        """Append the timers that are not there and those that still wait; return them."""
        return [timer for timer in self.timers if _appear(tx, timer)]


def _appear(tx: Transaction, timer: Timer) -> bool:
    held = tx.current(_TYPE, timer.id)
    if held is not None and records.decode(held.body or b"") != _waiting(timer):
        return False  # it has appeared, or was cancelled or put off since we looked
    cause = held.seq if held else None
    draft = Draft(
        type=_TYPE,
        id=timer.id,
        body=records.encode(timer),
        source="scheduler@1",
        key=f"{timer.id}:{cause or 0}",
        cause=cause,
    )
    return tx.put(draft) is not None


def _waiting(timer: Timer) -> Timer:
    return msgspec.structs.replace(timer, status="waiting")


def _day_id(day: date) -> str:
    return f"{DAY_CLOSED}-{day}"


def _due(timer: Timer) -> Timer:
    return msgspec.structs.replace(timer, status="due")


def _row(record: records.AnyRecord) -> tuple[str | int | None, ...]:
    assert isinstance(record, Timer)
    day = record.day.isoformat() if record.day else None
    return (record.id, record.name, record.status, microseconds(record.due), day, record.about)
