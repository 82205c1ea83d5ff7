"""How the signals of a hub's own history did, by what officers said of them: as told then, and told anew.

Told anew is the log, counted and tested again by the settings of today (`hindsight`). There, visits that came
late count as if they had come in time: what it gains in days is what it may gain at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from broadstreet.app.hindsight import SIGNAL, as_of
from broadstreet.app.settings import Settings
from broadstreet.model import records
from broadstreet.model.clock import instant
from broadstreet.model.records import Signal
from broadstreet.store.protocol import Reader, StoreError
from broadstreet.workflows.surveillance import closed_days, signals

NEAR = timedelta(days=3)
"""Signals of one syndrome and place that are no further apart are thought to be of the same visits."""
MONTH = 30.4


@dataclass(frozen=True)
class Told:
    """A signal, the day on whose end at the latest it was told first, and the verdict on it (empty: none)."""

    signal: Signal
    on: date
    finding: str


@dataclass(frozen=True)
class Account:
    """The signals of one way of telling; and of the verified ones, how many it found and how much earlier.

    `leads` are the days between being told then and told so, one of each verified signal that was found.
    """

    way: str
    told: tuple[Told, ...]
    days: int
    verified: int
    leads: tuple[int, ...]

    def of(self, finding: str) -> int:
        """Return how many signals have a verdict."""
        return sum(each.finding == finding for each in self.told)

    @property
    def a_month(self) -> float:
        """Signals in 30.4 days."""
        return len(self.told) * MONTH / self.days

    @property
    def days_to_tell(self) -> float | None:
        """Days from the first sign until it was told; the median."""
        return median((each.on - each.signal.since).days for each in self.told) if self.told else None

    @property
    def lead(self) -> float | None:
        """Days that verified signals were told earlier than then; the median."""
        return median(self.leads) if self.leads else None


def accounts(store: Reader, settings: Settings) -> tuple[date, date, list[Account]]:
    """Return the first and the last day closed, and the rises told then and told anew.

    Raises
    ------
    StoreError
        If no day was closed yet.
    """
    span = closed_days(store)
    if span is None:
        raise StoreError("expected a history with days that are over, got none yet")
    zone = ZoneInfo(settings.zone)
    then = [Told(s, _first_told(store, s, zone), _finding(s)) for s in _standing(signals(store))]
    anew = [told_anew(s, then) for s in _standing(as_of(store, settings, span[1]))]
    days = (span[1] - span[0]).days + 1
    ways = (("as told then", then), ("by the settings of today", anew))
    return *span, [_account(way, told, then, days) for way, told in ways]


def is_same(one: Signal, other: Signal) -> bool:
    """Return whether two signals are of the same visits: some that both name, or syndrome, place and days."""
    if _visits(one) & _visits(other):
        return True
    near = one.since - NEAR <= other.until and other.since - NEAR <= one.until
    return near and one.where == other.where


def told_anew(signal: Signal, then: Sequence[Told]) -> Told:
    """Return a signal of today with the day of its first test, and the verdict on one of the same visits."""
    same = [each.finding for each in then if each.finding and is_same(each.signal, signal)]
    finding = "verified" if "verified" in same else same[0] if same else ""
    return Told(signal, min((each.day for each in signal.evidence), default=signal.since), finding)


def _standing(found: Iterable[Signal]) -> list[Signal]:
    """Return the rises that were not taken back, and all that officers judged."""
    rises = [each for each in found if each.kind == "rise" and not each.joined]
    return [each for each in rises if each.verdict or each.status != "withdrawn"]


def _account(way: str, told: Sequence[Told], then: Sequence[Told], days: int) -> Account:
    verified = [each for each in then if each.finding == "verified"]
    found = [(real, [each for each in told if is_same(real.signal, each.signal)]) for real in verified]
    leads = tuple((real.on - min(each.on for each in same)).days for real, same in found if same)
    return Account(way, tuple(told), days, len(verified), leads)


def _first_told(store: Reader, signal: Signal, zone: ZoneInfo) -> date:
    first = store.history(SIGNAL, signal.id)[0]
    told = records.decode(first.body or b"")
    assert isinstance(told, Signal)
    return max(told.until, instant(first.at).astimezone(zone).date() - timedelta(days=1))


def _finding(signal: Signal) -> str:
    return signal.verdict.finding if signal.verdict else ""


def _visits(signal: Signal) -> frozenset[str]:
    return frozenset(id for each in signal.evidence for id in each.visits)
