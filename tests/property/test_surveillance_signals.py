"""The signals are what testing all counts anew gives, whatever came late, was corrected or moved."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadstreet.model import records
from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.model.records import Signal, Timer
from broadstreet.store.committer import Committer
from broadstreet.store.entry import Draft
from broadstreet.store.followers import Followers, rebuild
from broadstreet.store.opening import open_store
from broadstreet.store.transaction import Transaction, Wants
from broadstreet.workflows import surveillance
from broadstreet.workflows.surveillance.tables import TABLES
from tests.backends import NAMES, NO_SERVER, Backend, has

ZONE = ZoneInfo("Asia/Seoul")
FIRST, DAYS = date(2026, 1, 5), 16
RULE = surveillance.Rule(method="C1", alpha=0.001, baseline=9)
Z = statistics.NormalDist().inv_cdf(0.999)

# How many visits more or fewer a change makes of a day, and after which day's closing it arrives.
CHANGES = st.lists(
    st.tuples(
        st.integers(0, DAYS - 1),
        st.integers(0, DAYS - 1),
        st.sampled_from([-9, -5, -2, -1, 1, 2, 5, 9]),
        st.sampled_from(["D1", "D2"]),
    ),
    max_size=8,
)
NUMBERS = st.lists(st.sampled_from([0, 1, 1, 2, 2, 3, 3, 4, 9, 12]), min_size=DAYS, max_size=DAYS)


class Put:
    """The work of putting drafts."""

    size, weight = 100, 1

    def __init__(self, drafts: list[Draft]) -> None:
        self.drafts = drafts

    def wants(self) -> Wants:
        return Wants()

    def apply(self, tx: Transaction) -> None:
        for draft in self.drafts:
            tx.put(draft)


class Log:
    """Writes a log of visits and closings, so many entries a commit, and follows it."""

    def __init__(self, address: str, stride: int) -> None:
        clock = DrivenClock(datetime.combine(FIRST, time(), UTC))
        self.store = open_store(address)
        self.committer = Committer(self.store, clock, SeededIds(clock, 1))
        self.counts = surveillance.Counts(ZONE, lambda complaint, _: {"fever"} if complaint else set())
        self.followers = self.follow()
        self.stride, self.waiting, self.keys = stride, 0, 0
        self.visits: dict[str, tuple[int, str]] = {}

    def follow(self) -> Followers:
        tests = surveillance.Tests(self.counts, RULE)
        return Followers.begun(self.store, self.committer, [self.counts, tests])

    def add(self, day: int, home: str) -> None:
        id = f"e{self.keys}"
        self.visits[id] = (day, home)
        start = f"{FIRST + timedelta(days=day)}T12:00:00+09:00"
        self._put(
            "fhir/Encounter", id,
            status="finished", subject={"reference": f"Patient/{home}"}, period={"start": start},
            reasonCode=[{"text": "fever"}],
        )  # fmt: skip

    def remove(self, day: int, home: str) -> None:
        id = next((id for id, visit in self.visits.items() if visit == (day, home)), None)
        if id is not None:
            del self.visits[id]
            self._put("fhir/Encounter", id, status="cancelled")

    def settle_in(self) -> None:
        for home in ("D1", "D2"):
            self._put("fhir/Patient", home, address=[{"district": home}])

    def close_day(self, day: int) -> None:
        on = FIRST + timedelta(days=day)
        due = datetime.combine(on + timedelta(days=1), time(), ZONE).astimezone(UTC)
        timer = Timer(id=f"day-closed-{on}", name="day-closed", due=due, status="due", day=on)
        self._commit(
            Draft(type="bs/Timer", id=timer.id, body=records.encode(timer), source="t", key=timer.id)
        )

    def rest(self) -> None:
        while self.followers.step():
            assert self.followers.faults == {}

    def _put(self, type: str, id: str, **body: Any) -> None:
        self.keys += 1
        self._commit(
            Draft(type=type, id=id, body=json.dumps(body).encode(), source="door", key=str(self.keys))
        )

    def _commit(self, draft: Draft) -> None:
        self.committer.commit(Put([draft]))
        self.waiting += 1
        if self.waiting >= self.stride:
            self.waiting = 0
            self.rest()


def lived(log: Log, numbers: list[int], changes: Iterable[tuple[int, int, int, str]]) -> None:
    log.settle_in()
    for day, number in enumerate(numbers):
        for n in range(number):
            log.add(day, ("D1", "D2")[n % 2])
        log.close_day(day)
        for after, changed, difference, home in changes:
            if after == day:
                for _ in range(abs(difference)):
                    (log.add if difference > 0 else log.remove)(changed, home)
    log.close_day(DAYS)  # what changed lies in baselines, which are looked at when a day is closed
    log.rest()


def expected(log: Log) -> list[tuple[str, int, int]]:
    """Test every closed day of every series, as one would explain it to a colleague."""
    found: list[tuple[str, int, int]] = []
    everywhere = Counter(day for day, _ in log.visits.values())
    for place in ("city", "district:D1", "district:D2"):
        counts = Counter(day for day, home in log.visits.values() if place in ("city", f"district:{home}"))
        alarms = []
        first = min(everywhere, default=DAYS)
        for day in range(first + 7, DAYS):
            length = 9 if day - 9 >= first else 7
            baseline = [counts[past] for past in range(day - length, day)]
            bound = statistics.mean(baseline) + Z * statistics.stdev(baseline)
            if counts[day] > bound and counts[day] >= 3 and len(set(baseline)) > 1:
                alarms.append(day)
        found += [(place, day, counts[day]) for day in alarms]
    return sorted(found)


def emitted(log: Log) -> list[tuple[str, int, int]]:
    """Return the tests of all signals; each is in one signal alone, and says how that lives."""
    told = []
    for signal in surveillance.signals(log.store):
        days = [(each.day - FIRST).days for each in signal.evidence]
        lives = "withdrawn" if not days else "closed" if DAYS - max(days) >= 3 else "alive"
        assert (signal.status if signal.status in ("withdrawn", "closed") else "alive") == lives
        assert signal.joined is None or not days
        told += [(e.where.place, (e.day - FIRST).days, e.observed) for e in signal.evidence]
    return sorted(told)


@pytest.mark.parametrize("kind", NAMES)
@settings(max_examples=25, deadline=None)
@given(numbers=NUMBERS, changes=CHANGES, stride=st.sampled_from([1, 3, 20, 10_000]))
def test_signals_follow_from_the_counts_alone(
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    numbers: list[int],
    changes: list[tuple[int, int, int, str]],
    stride: int,
) -> None:
    if not has(kind):
        pytest.skip(NO_SERVER)
    backend = Backend(kind, tmp_path_factory.mktemp("log"))
    log = Log(backend.address(), stride)
    try:
        lived(log, numbers, changes)
        assert emitted(log) == expected(log)
        for signal in surveillance.signals(log.store):
            assert_evidence_names_its_visits(log, signal)
        before, head = [log.store.select(table, order=table.key) for table in TABLES], log.store.head()
        rebuild(log.store, log.committer, log.counts)
        log.followers = log.follow()
        log.rest()
        assert [log.store.select(table, order=table.key) for table in TABLES] == before
        assert log.store.head() == head
    finally:
        log.committer.close()
        log.store.close()
        backend.close()


def assert_evidence_names_its_visits(log: Log, signal: Signal) -> None:
    for evidence in signal.evidence:
        day, place = (evidence.day - FIRST).days, evidence.where.place
        ids = {
            id for id, (on, home) in log.visits.items() if on == day and place in ("city", f"district:{home}")
        }
        assert set(evidence.visits) == ids
