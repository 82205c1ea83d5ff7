from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from broadstreet.model import records
from broadstreet.model.clock import DrivenClock
from broadstreet.model.records import Timer
from broadstreet.store import housekeeping
from broadstreet.store.committer import Committer
from broadstreet.store.followers import Followers
from broadstreet.store.housekeeping import PURGE, PURGE_EVERY, Housekeeper
from broadstreet.store.protocol import Store
from broadstreet.store.timers import Scheduler, Timers
from tests.unit.store.conftest import START, Do, draft, identified

KEPT = timedelta(hours=24)


class Hub:
    """A store whose time is driven, with the projection of timers."""

    def __init__(self, store: Store, committer: Committer, clock: DrivenClock) -> None:
        self.store, self.committer, self.clock = store, committer, clock
        self.followers = Followers.begun(store, committer, [Timers()])
        self.scheduler = Scheduler(store, committer, clock, ZoneInfo("UTC"))
        self.keeper = Housekeeper(store, committer, clock, KEPT)

    def pass_time(self, by: timedelta) -> bool:
        """Let time pass; return whether there was housekeeping."""
        self.clock.advance(self.clock.now() + by)
        while self.followers.step():
            pass
        self.scheduler.run()
        return self.keeper.run()

    def put(self, body: bytes) -> None:
        self.committer.commit(
            Do(
                lambda tx: tx.put(
                    draft(body=body, key=body.decode(), rows=identified(tx, "s", body.decode()))
                )
            )
        )

    def timer(self) -> Timer:
        entry = self.store.current("bs/Timer", PURGE)
        assert entry is not None
        timer = records.decode(entry.body or b"")
        assert isinstance(timer, Timer)
        return timer

    def rows(self) -> int:
        return sum(self.store.count(table) for table in self.store.index_tables())


@pytest.fixture
def hub(store: Store, committer: Committer, clock: DrivenClock) -> Hub:
    return Hub(store, committer, clock)


def test_superseded_rows_are_purged_by_a_timer_in_the_log_after_a_day(hub: Hub) -> None:
    assert hub.pass_time(timedelta(0)), "there is no timer yet"
    assert (hub.timer().status, hub.timer().due) == ("waiting", START + PURGE_EVERY)
    hub.put(b"1")
    hub.put(b"2")
    rows = hub.rows()
    assert not hub.pass_time(timedelta(minutes=59))
    for _ in range(22):
        assert hub.pass_time(PURGE_EVERY)
        assert hub.rows() == rows
    hub.pass_time(PURGE_EVERY)
    hub.pass_time(PURGE_EVERY)
    assert hub.rows() < rows
    assert hub.store.oldest_position() >= 3


def test_a_hub_that_died_between_timer_and_purge_does_it_at_its_next_start(hub: Hub) -> None:
    hub.pass_time(timedelta(0))
    hub.clock.advance(START + PURGE_EVERY)
    while hub.followers.step():
        pass
    hub.scheduler.run()
    assert hub.timer().status == "due"
    assert Hub(hub.store, hub.committer, hub.clock).keeper.run()
    assert (hub.timer().status, hub.timer().due) == ("waiting", START + 2 * PURGE_EVERY)


def test_a_large_purge_is_done_in_steps_between_which_others_commit(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "STEP", 3)
    for number in range(10):
        hub.put(f"{number}".encode())
    rows, head, batches = hub.rows(), hub.store.head(), []
    between = hub.committer.between
    monkeypatch.setattr(hub.committer, "between", lambda call: batches.append(1) or between(call))
    hub.clock.advance(START + KEPT + timedelta(seconds=1))
    purged = hub.keeper.purge()
    assert purged == rows - hub.rows() > 0
    assert (len(batches), hub.store.oldest_position()) == (4, head)
