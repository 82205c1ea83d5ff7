from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from broadstreet.model import records
from broadstreet.model.clock import microseconds
from broadstreet.model.ids import SeededIds
from broadstreet.model.records import Timer
from broadstreet.store.committer import Committer
from broadstreet.store.followers import Followers
from broadstreet.store.opening import open_store
from broadstreet.store.protocol import StoreFull
from broadstreet.store.timers import DAY_CLOSED, MOST_DAYS, TIMER, Appear, Scheduler, Timers
from broadstreet.store.transaction import Transaction

from .conftest import Do, JumpingClock, draft

TYPE = records.entry_type(Timer)
SEOUL = ZoneInfo("Asia/Seoul")

# Zones that change their clocks at midnight or skip a day, and some that do not.
ZONES = [
    "Asia/Seoul",
    "Europe/London",
    "America/New_York",
    "America/Havana",  # the clock goes from 0:00 to 1:00, and back from 1:00 to 0:00
    "Africa/Cairo",  # from 0:00 to 1:00, and back from 24:00 to 23:00
    "America/Sao_Paulo",  # until 2019 from 0:00 to 1:00, and back from 24:00 to 23:00
    "Asia/Beirut",
    "Australia/Lord_Howe",  # half an hour
    "Pacific/Apia",  # there was no 30 December 2011
    "Asia/Kathmandu",
]


class City:
    """A store, a scheduler and the timers' projection under a clock that can be set to any time."""

    def __init__(self, address: str, at: datetime, zone: ZoneInfo = SEOUL) -> None:
        self.clock = JumpingClock(at)
        self.store = open_store(address)
        self.committer = Committer(self.store, self.clock, SeededIds(self.clock, 1))
        self.followers = Followers.begun(self.store, self.committer, [Timers()])
        self.scheduler = Scheduler(self.store, self.committer, self.clock, zone)

    def run(self, at: datetime | None = None, *, follow: bool = True) -> list[str]:
        """Let the scheduler run; return the days it closed and the deadlines that became due."""
        self.clock.at = at or self.clock.at
        due = self.scheduler.run()
        while follow and self.followers.step():
            pass
        return [timer.day.isoformat() if timer.day else timer.id for timer in due]

    def put(self, timer: Timer) -> None:
        body = records.encode(timer)
        self.committer.commit(
            Do(lambda tx: tx.put(draft(type=TYPE, id=timer.id, body=body, key=tx.new_id())))
        )
        while self.followers.step():
            pass

    def status(self, id: str) -> str:
        entry = self.store.current(TYPE, id)
        assert entry is not None
        timer = records.decode(entry.body or b"")
        assert isinstance(timer, Timer)
        return timer.status

    def close(self) -> None:
        self.committer.close()
        self.store.close()


@pytest.fixture
def city(address: str) -> Iterator[City]:
    city = City(address, datetime(2026, 3, 10, 3, tzinfo=UTC))
    yield city
    city.close()


def waits(due: datetime, id: str = "call") -> Timer:
    return Timer(id=id, name="call back", due=due, status="waiting")


def test_a_day_is_closed_at_the_citys_midnight_and_once(city: City) -> None:
    assert city.run() == ["2026-03-09"]
    midnight = datetime(2026, 3, 10, 15, tzinfo=UTC)
    assert city.scheduler.next_due() == midnight
    assert city.run(midnight - timedelta(microseconds=1)) == []
    assert city.run(midnight) == ["2026-03-10"]
    assert city.run(midnight + timedelta(hours=5)) == []
    assert [entry.key for entry in city.store.entries(0)] == [
        "day-closed-2026-03-09:0",
        "day-closed-2026-03-10:0",
    ]


@pytest.mark.parametrize("name", ZONES)
def test_each_day_ends_with_its_last_microsecond_in_every_zone(address: str, name: str) -> None:
    zone = ZoneInfo(name)
    city = City(address, datetime(2009, 1, 1, tzinfo=UTC), zone)
    for year in (2009, 2011, 2017, 2023, 2025):
        city.clock.at = datetime(year, 1, 1, 12, tzinfo=UTC)
        for _ in range(365):
            before = city.clock.at
            midnight = city.scheduler.next_due()
            last = midnight - timedelta(microseconds=1)
            assert before < midnight <= before + timedelta(hours=50)
            assert midnight.astimezone(zone).date() > last.astimezone(zone).date()
            city.clock.at = midnight
    city.close()


def test_the_day_on_which_clocks_change_is_23_or_25_hours_long(address: str) -> None:
    city = City(address, datetime(2026, 3, 28, 12, tzinfo=UTC), ZoneInfo("Europe/London"))
    lengths = {}
    while city.clock.at < datetime(2026, 11, 1, tzinfo=UTC):
        begins = city.scheduler.next_due()
        city.clock.at = begins
        lengths[begins.astimezone(ZoneInfo("Europe/London")).date()] = (
            city.scheduler.next_due() - begins
        ) // timedelta(hours=1)
    assert {day: hours for day, hours in lengths.items() if hours != 24} == {
        date(2026, 3, 29): 23,
        date(2026, 10, 25): 25,
    }
    city.close()


def test_the_days_of_a_downtime_are_closed_in_order(address: str) -> None:
    first = City(address, datetime(2026, 3, 10, 3, tzinfo=UTC))
    first.run()
    first.close()
    again = City(address, datetime(2026, 3, 14, 3, tzinfo=UTC))
    assert again.run() == ["2026-03-10", "2026-03-11", "2026-03-12", "2026-03-13"]
    again.close()


def test_a_downtime_is_caught_up_even_when_the_projection_lags(address: str) -> None:
    first = City(address, datetime(2026, 3, 10, 3, tzinfo=UTC))
    first.run(follow=False)
    first.close()
    again = City(address, datetime(2026, 3, 12, 3, tzinfo=UTC))
    assert again.store.select(TIMER) == []
    assert again.run(follow=False) == ["2026-03-10", "2026-03-11"]
    again.close()


def test_a_day_whose_commit_failed_is_closed_with_the_next_run(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise StoreFull("no room")

    with monkeypatch.context() as patched:
        patched.setattr(city.committer._writer, "write", full)
        with pytest.raises(StoreFull):
            city.run()
    assert city.run() == ["2026-03-09"]


def test_a_clock_that_jumps_far_ahead_does_not_flood_the_log(city: City) -> None:
    city.run()
    closed = city.run(datetime(2056, 3, 10, 3, tzinfo=UTC))
    assert len(closed) == MOST_DAYS
    assert closed[-1] == "2056-03-09"


def test_a_clock_that_came_back_from_the_future_goes_on_closing_days(address: str) -> None:
    city = City(address, datetime(2026, 3, 10, 3, tzinfo=UTC))
    city.run()
    city.run(datetime(2036, 3, 10, 3, tzinfo=UTC))
    assert city.run(datetime(2026, 3, 10, 4, tzinfo=UTC)) == []
    assert city.run(datetime(2026, 3, 11, 3, tzinfo=UTC)) == ["2026-03-10"]
    city.close()
    again = City(address, datetime(2026, 3, 12, 3, tzinfo=UTC))
    assert again.run() == ["2026-03-11"], "a restart does not forget it"
    again.close()


def test_a_clock_that_goes_back_a_day_closes_nothing_twice(city: City) -> None:
    city.run()
    city.run(datetime(2026, 3, 11, 3, tzinfo=UTC))
    assert city.run(datetime(2026, 3, 10, 3, tzinfo=UTC)) == []
    assert city.run(datetime(2026, 3, 11, 3, tzinfo=UTC)) == []
    assert city.run(datetime(2026, 3, 12, 3, tzinfo=UTC)) == ["2026-03-11"]
    days = [row[4] for row in city.store.select(TIMER, {"name": DAY_CLOSED}, order=("day",))]
    assert days == ["2026-03-09", "2026-03-10", "2026-03-11"]


def test_a_deadline_becomes_due_at_its_time_and_once(city: City) -> None:
    city.run()
    due = city.clock.at + timedelta(hours=1)
    city.put(waits(due))
    assert city.scheduler.next_due() == due
    assert city.run(due - timedelta(microseconds=1)) == []
    assert city.run(due) == ["call"]
    assert city.run(due) == []
    assert city.status("call") == "due"
    assert city.store.select(TIMER, {"id": "call"})[0][2:4] == ("due", microseconds(due))


def test_a_deadline_that_is_set_again_becomes_due_again(city: City) -> None:
    city.run()
    for hour in (1, 2, 3):
        due = city.clock.at + timedelta(minutes=5 * hour)
        city.put(waits(due))
        assert city.run(due) == ["call"]


def test_a_cancelled_deadline_never_becomes_due(city: City) -> None:
    city.run()
    due = city.clock.at + timedelta(hours=1)
    city.put(waits(due))
    city.put(Timer(id="call", name="call back", due=due, status="cancelled"))
    assert city.run(due) == []


def test_a_deadline_cancelled_between_the_look_and_the_commit_stays_cancelled(city: City) -> None:
    due = city.clock.at
    city.put(waits(due))
    cancelled = Timer(id="call", name="call back", due=due, status="cancelled")

    def cancel_then_appear(tx: Transaction) -> list[Timer]:
        tx.put(draft(type=TYPE, id="call", body=records.encode(cancelled), key="cancel"))
        appearing = Timer(id="call", name="call back", due=due, status="due")
        return Appear((appearing,)).apply(tx)

    assert city.committer.commit(Do(cancel_then_appear)) == []
    assert city.status("call") == "cancelled"


def test_more_deadlines_than_one_run_takes_all_become_due(city: City) -> None:
    city.run()
    due = city.clock.at
    bodies = {f"call-{n}": records.encode(waits(due, f"call-{n}")) for n in range(1500)}
    city.committer.commit(
        Do(lambda tx: [tx.put(draft(type=TYPE, id=id, body=body, key=id)) for id, body in bodies.items()])
    )
    while city.followers.step():
        pass
    assert [len(city.run()), len(city.run()), len(city.run())] == [1000, 500, 0]
