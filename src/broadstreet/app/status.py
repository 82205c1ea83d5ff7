"""What there is to say about a store and its hub: numbers, names and times, nothing about a person."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import msgspec

from broadstreet.model.clock import instant
from broadstreet.model.records import Signal
from broadstreet.store.inbox import FEED, TOLERATED
from broadstreet.store.protocol import Reader, StoreError
from broadstreet.store.quarantine import QUARANTINE
from broadstreet.store.tables import Row, Table
from broadstreet.store.timers import DAY_CLOSED, TIMER
from broadstreet.workflows.surveillance import days_with_visits, signals
from broadstreet.workflows.surveillance.tables import COUNT, SIGNAL


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """What one sender has sent; `late_seconds` is the mean from the sender's time to ours."""

    source: str
    messages: int
    accepted: int
    refused: int
    duplicates: int
    reused: int
    bytes: int
    late_seconds: float | None
    last_at: datetime
    last_sent: datetime | None
    tolerated: dict[str, int]


class Following(msgspec.Struct, frozen=True, kw_only=True):
    """How far a follower has come; `fault` is why it stopped."""

    name: str
    version: int
    seq: int
    behind: int
    mode: str
    fault: str | None = None


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """A signal in numbers: what, where, from when to when, observed and expected, by which method."""

    id: str
    status: str
    stream: str
    place: str
    since: date
    until: date
    observed: int
    expected: float
    method: str


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """The hub that runs on the store; `now` is what its clock says."""

    pid: int
    started: datetime
    host: str
    port: int
    clock: str
    now: datetime
    connections: int


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a store, and of its hub if one runs.

    `tested` is how many days with visits were closed; `untested` are those that are not over.
    """

    zone: str
    head: int
    newest: datetime | None
    bytes: int
    day_closed: date | None
    tested: int
    untested: tuple[date, ...]
    feeds: tuple[Feed, ...]
    quarantine: dict[str, int]
    followers: tuple[Following, ...]
    signals: tuple[Alarm, ...]
    hub: Running | None = None


def status_of(
    reader: Reader, file: Path, zone: str, faults: dict[str, str] | None = None, hub: Running | None = None
) -> Status:
    """Return what there is to say.

    Parameters
    ----------
    reader, file
        The store and its file.
    zone
        The city's time zone.
    faults, hub
        What only a running hub knows: why followers stopped, and where it listens.
    """
    head = reader.head()
    newest = reader.entries(head - 1, limit=1)
    tested, untested = days_with_visits(reader) if _has(reader, COUNT) else ([], [])
    return Status(
        zone=zone,
        head=head,
        newest=instant(newest[0].at) if newest else None,
        bytes=sum(part.stat().st_size for part in (file, Path(f"{file}-wal")) if part.exists()),
        day_closed=_day_closed(reader),
        tested=len(tested),
        untested=tuple(untested),
        feeds=_feeds(reader),
        quarantine=_quarantine(reader),
        followers=_followers(reader, head, faults or {}),
        signals=_alarms(reader),
        hub=hub,
    )


def _feeds(reader: Reader) -> tuple[Feed, ...]:
    tolerated: dict[str, dict[str, int]] = {}
    for source, what, n in _rows(reader, TOLERATED):
        tolerated.setdefault(str(source), {})[str(what)] = int(n or 0)
    return tuple(_feed(row, tolerated.get(str(row[0]), {})) for row in _rows(reader, FEED))


def _feed(row: Row, tolerated: dict[str, int]) -> Feed:
    held = dict(zip(FEED.columns, row, strict=True))
    numbers = {
        name: int(held[name] or 0)
        for name in ("messages", "accepted", "refused", "duplicates", "reused", "bytes")
    }
    late_n, late_sum = int(held["late_n"] or 0), int(held["late_sum"] or 0)
    last_sent = held["last_sent"]
    return Feed(
        source=str(held["source"]),
        **numbers,
        late_seconds=late_sum / late_n / 1e3 if late_n else None,
        last_at=instant(int(held["last_at"] or 0)),
        last_sent=None if last_sent is None else instant(int(last_sent)),
        tolerated=tolerated,
    )


def _quarantine(reader: Reader) -> dict[str, int]:
    counts = {"held": 0, "released": 0, "discarded": 0}
    for row in _rows(reader, QUARANTINE):
        counts[str(row[2])] += 1
    return counts


def _followers(reader: Reader, head: int, faults: dict[str, str]) -> tuple[Following, ...]:
    return tuple(
        Following(
            name=cursor.follower,
            version=cursor.version,
            seq=cursor.seq,
            behind=head - cursor.seq,
            mode=cursor.mode,
            fault=faults.get(cursor.follower),
        )
        for cursor in reader.cursors().values()
    )


def _alarms(reader: Reader) -> tuple[Alarm, ...]:
    return tuple(_alarm(signal) for signal in signals(reader)) if _has(reader, SIGNAL) else ()


def _alarm(signal: Signal) -> Alarm:
    return Alarm(
        id=signal.id,
        status=signal.status,
        stream=signal.where.stream,
        place=signal.where.place,
        since=signal.since,
        until=signal.until,
        observed=signal.observed,
        expected=signal.expected,
        method=signal.evidence[-1].method if signal.evidence else "",
    )


def _day_closed(reader: Reader) -> date | None:
    rows = _rows(reader, TIMER, {"name": DAY_CLOSED}, ("-day",), 1)
    return date.fromisoformat(str(rows[0][4])) if rows else None


def _rows(
    reader: Reader,
    table: Table,
    where: dict[str, str] | None = None,
    order: tuple[str, ...] = (),
    limit: int | None = None,
) -> list[Row]:
    return reader.select(table, where or {}, order, limit) if _has(reader, table) else []


def _has(reader: Reader, table: Table) -> bool:
    """Say whether a hub has made the table yet."""
    try:
        reader.select(table, limit=1)
    except StoreError as error:
        if "no such table" in str(error):
            return False
        raise
    return True
