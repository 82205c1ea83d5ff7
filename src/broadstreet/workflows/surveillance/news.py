"""What an entry says to the counts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from broadstreet.model import records
from broadstreet.model.failures import traced
from broadstreet.model.records import Signal, Timer
from broadstreet.store.entry import Entry
from broadstreet.store.timers import DAY_CLOSED
from broadstreet.workflows.surveillance import resources
from broadstreet.workflows.surveillance.days import number_of
from broadstreet.workflows.surveillance.tables import (
    CLOSED,
    FACILITY,
    FINDING,
    RESIDENT,
    SIGNAL,
    VISIT,
    Closed,
    Facility,
    Finding,
    Held,
    Resident,
    Visit,
)

_log = logging.getLogger(__name__)

TIMER = records.entry_type(Timer)
EMITTED = records.entry_type(Signal)
TESTS = "surveillance.tests"
"""The name of the reactor that emits signals."""
_verdict = msgspec.json.Encoder(order="deterministic").encode

Row = Resident | Visit | Finding | Facility | Closed | Held


class News(NamedTuple):
    """A row that an entry writes in a table, or removes (`row` is None); `key` is its id there."""

    seq: int
    table: str
    key: str
    row: Row | None


class _Resource(NamedTuple):
    table: str
    prefix: str
    read: resources.Reading


_RESOURCES = {
    "fhir/Patient": _Resource(RESIDENT.name, "", resources.resident),
    "fhir/Encounter": _Resource(VISIT.name, "", resources.visit),
    "fhir/Condition": _Resource(FINDING.name, "Condition/", resources.condition),
    "fhir/Observation": _Resource(FINDING.name, "Observation/", resources.observation),
    "fhir/Organization": _Resource(FACILITY.name, "", resources.facility),
}


def news_of(entries: Sequence[Entry], zone: ZoneInfo) -> list[News]:
    """Return what the entries say, in order.

    A body that cannot be read is as if it were not there: the log has a warning, the counts go on.
    """
    return [said for entry in entries for said in _READERS[entry.type](entry, zone)]


def _of_resource(entry: Entry, zone: ZoneInfo) -> list[News]:
    table, prefix, read = _RESOURCES[entry.type]
    row = None
    if entry.body is not None:
        try:
            row = read(entry.id, entry.body, zone)
        except msgspec.MsgspecError as error:
            _warn(entry, error)
    return [News(entry.seq, table, prefix + entry.id, row)]


def _of_timer(entry: Entry, _: ZoneInfo) -> list[News]:
    timer = _record(entry)
    if not isinstance(timer, Timer) or timer.name != DAY_CLOSED or timer.day is None or timer.status != "due":
        return []
    return [News(entry.seq, CLOSED.name, "", Closed(number_of(timer.day), entry.seq))]


def _of_signal(entry: Entry, _: ZoneInfo) -> list[News]:
    signal = _record(entry)
    if not isinstance(signal, Signal) or entry.body is None:
        return [News(entry.seq, SIGNAL.name, entry.id, None)]
    where, origin = signal.where, entry.source.partition("@")[0]
    judged = entry.body if signal.verdict and origin != TESTS else b""
    held = Held(
        entry.id, where.stream, where.place, where.stratum, number_of(signal.since), number_of(signal.until),
        signal.status, signal.verdict.finding if signal.verdict else "",
        _verdict(signal.verdict).decode() if signal.verdict else "", origin, entry.body, judged,
    )  # fmt: skip
    return [News(entry.seq, SIGNAL.name, entry.id, held)]


def _record(entry: Entry) -> records.AnyRecord | None:
    if entry.body is None:
        return None
    try:
        return records.decode(entry.body)
    except ValueError as error:
        _warn(entry, error)
        return None


def _warn(entry: Entry, error: Exception) -> None:
    _log.warning("entry %d (%s) cannot be counted: %s", entry.seq, entry.type, traced(error))


_READERS: dict[str, Callable[[Entry, ZoneInfo], list[News]]] = {
    **dict.fromkeys(_RESOURCES, _of_resource),
    TIMER: _of_timer,
    EMITTED: _of_signal,
}
TYPES = frozenset(_READERS)
