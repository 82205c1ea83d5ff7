"""What there is to say about a store and its hub: numbers, names and times, nothing about a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import get_args, get_type_hints

import msgspec

from broadstreet.app.lag import behind, unindexed
from broadstreet.model.clock import instant
from broadstreet.model.records import Delivery, Signal
from broadstreet.store.inbox import FEED, TOLERATED
from broadstreet.store.outbox import OUTBOX
from broadstreet.store.protocol import Store
from broadstreet.store.quarantine import QUARANTINE
from broadstreet.store.tables import Row, Table
from broadstreet.store.timers import DAY_CLOSED, TIMER
from broadstreet.workflows.surveillance import days_told, days_with_visits, facilities, signals, tested_from
from broadstreet.workflows.surveillance.tables import CLOSED, COUNT, FACILITY, SIGNAL

DELIVERY_STATES: tuple[str, ...] = get_args(get_type_hints(Delivery)["state"])


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
    """A signal in numbers: what, where, from when to when, observed and expected on how many days, by which
    method."""

    id: str
    status: str
    kind: str
    stream: str
    place: str
    stratum: str
    since: date
    until: date
    observed: int
    expected: float
    days: int
    method: str


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """The hub that runs on the store.

    `now` is what its clock says, `waiting` how many works wait to be committed, `unready` why it is not
    ready, `monitoring` where its metrics are.
    """

    pid: int
    started: datetime
    host: str
    port: int
    clock: str
    now: datetime
    connections: int
    waiting: int
    unready: tuple[str, ...] = ()
    monitoring: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a store, and of its hub if one runs.

    `uncounted` is how many entries the tables of signals have not seen, `unindexed` how many the search index
    has not. `tested` is how many days with visits were closed; `untested` are those that are not over;
    `too_late` is how many lie before `tested_from`, and came too late to be tested.
    `names` are what the places of signals are called, by code.
    """

    zone: str
    head: int
    newest: datetime | None
    bytes: int
    free: int | None
    day_closed: date | None
    uncounted: int
    unindexed: int
    too_late: int
    tested_from: date | None
    tested: int
    untested: tuple[date, ...]
    feeds: tuple[Feed, ...]
    quarantine: dict[str, int]
    outbox: dict[str, int]
    followers: tuple[Following, ...]
    signals: tuple[Alarm, ...]
    names: dict[str, str]
    hub: Running | None = None


def status_of(
    store: Store,
    zone: str,
    faults: Mapping[str, str] | None = None,
    hub: Running | None = None,
    districts: Mapping[str, str] = {},
) -> Status:
    """Return what there is to say.

    Parameters
    ----------
    store
        What is told about.
    zone
        The city's time zone.
    faults, hub
        What only a running hub knows: why followers stopped, and how it is.
    districts
        What the districts are called, by code.
    """
    head = store.head()
    newest = store.entries(head - 1, limit=1)
    too_late, tested, untested = days_with_visits(store) if store.has(COUNT) else ([], [], [])
    volume, alarms = store.volume(), _alarms(store)
    return Status(
        zone=zone,
        head=head,
        newest=instant(newest[0].at) if newest else None,
        bytes=sum(volume.bytes.values()),
        free=volume.free,
        day_closed=_day_closed(store),
        uncounted=behind(store),
        unindexed=unindexed(store),
        too_late=len(too_late),
        tested_from=tested_from(store) if store.has(CLOSED) else None,
        tested=len(tested),
        untested=tuple(untested),
        feeds=feeds_of(store),
        quarantine=states_of(store, QUARANTINE, ("held", "released", "discarded")),
        outbox=states_of(store, OUTBOX, DELIVERY_STATES),
        followers=followers_of(store, head, faults or {}),
        signals=alarms,
        names=_names(alarms, {**districts, **(facilities(store) if store.has(FACILITY) else {})}),
        hub=hub,
    )


def feeds_of(reader: Store) -> tuple[Feed, ...]:
    """Return what each sender has sent."""
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


def states_of(reader: Store, table: Table, states: Sequence[str]) -> dict[str, int]:
    """Return how many rows of a table are in each state, none in some."""
    counts = reader.tally(table, "state") if reader.has(table) else {}
    return {state: counts.get(state, 0) for state in states}


def followers_of(reader: Store, head: int, faults: Mapping[str, str]) -> tuple[Following, ...]:
    """Return how far each follower has come."""
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


def _alarms(reader: Store) -> tuple[Alarm, ...]:
    return tuple(alarm_of(signal) for signal in signals(reader)) if reader.has(SIGNAL) else ()


def _names(alarms: Sequence[Alarm], known: Mapping[str, str]) -> dict[str, str]:
    codes = {alarm.place.partition(":")[2] for alarm in alarms}
    return {code: known[code] for code in sorted(codes) if code in known}


def alarm_of(signal: Signal) -> Alarm:
    """Return a signal in numbers."""
    return Alarm(
        id=signal.id,
        status=signal.state,
        kind=signal.kind,
        stream=signal.where.stream,
        place=signal.where.place,
        since=signal.since,
        until=signal.until,
        observed=signal.observed,
        expected=signal.expected,
        days=days_told(signal),
        stratum=signal.where.stratum,
        method=_method(signal),
    )


def _method(signal: Signal) -> str:
    """Return the method of the newest test of the strongest series."""
    return next((e.method for e in reversed(signal.evidence) if e.where == signal.where), "")


def _day_closed(reader: Store) -> date | None:
    rows = _rows(reader, TIMER, {"name": DAY_CLOSED}, ("-day",), 1)
    return date.fromisoformat(str(rows[0][4])) if rows else None


def _rows(
    reader: Store,
    table: Table,
    where: dict[str, str] | None = None,
    order: tuple[str, ...] = (),
    limit: int | None = None,
) -> list[Row]:
    return reader.select(table, where or {}, order, limit) if reader.has(table) else []
