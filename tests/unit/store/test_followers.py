from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.store.advance import Advance
from broadstreet.store.committer import Committer
from broadstreet.store.followers import Followers, promote, rebuild, settle
from broadstreet.store.opening import open_store
from broadstreet.store.protocol import Cursor, Store, StoreError, StoreFull
from broadstreet.store.tables import Table
from broadstreet.store.taking import BATCH
from tests.backends import rows_in

from .cities import ALARM, DAY, TALLY, VISIT, Alarm, Tally
from .conftest import START, say

WIDER = Table("tally", {"type": "text", "n": "integer", "since": "integer"}, key=("type",))


@contextmanager
def hub(address: str, *followers: Any) -> Iterator[tuple[Store, Committer, Followers]]:
    store, clock = open_store(address), DrivenClock(START)
    committer = Committer(store, clock, SeededIds(clock, store.head()))
    try:
        yield store, committer, Followers.begun(store, committer, followers)
    finally:
        committer.close()
        store.close()


def run(followers: Followers) -> None:
    while followers.step():
        pass


def alarms(store: Store) -> list[str]:
    return [(entry.body or b"").decode() for entry in store.entries(0, types=[ALARM], limit=10**6)]


def tally(store: Store) -> dict[Any, Any]:
    return dict(store.select(TALLY))  # type: ignore[arg-type]


def test_a_reactor_sees_the_tables_as_they_were_at_its_barrier(address: str) -> None:
    projection = Tally()
    with hub(address, projection, Alarm(projection)) as (store, committer, followers):
        say(committer, VISIT, VISIT, VISIT, DAY, VISIT, VISIT, DAY, DAY, VISIT)
        run(followers)
        assert alarms(store) == ["3", "5", "5"]
        assert tally(store) == {VISIT: 6, DAY: 3}
        assert {cursor.seq for cursor in followers.positions().values()} == {committer.head}


def test_barriers_hold_in_a_log_of_many_batches(address: str) -> None:
    projection = Tally()
    with hub(address, projection, Alarm(projection)) as (store, committer, followers):
        for _ in range(5):
            say(committer, *[VISIT] * (BATCH // 2 + 1), DAY)
        say(committer, *[VISIT] * (2 * BATCH))
        run(followers)
        assert alarms(store) == [str(day * (BATCH // 2 + 1)) for day in range(1, 6)]
        assert tally(store)[VISIT] == 5 * (BATCH // 2 + 1) + 2 * BATCH


class Kept:
    """A committer that notes what followers hand in, and has no room once."""

    def __init__(self, committer: Committer, full_at: int | None = None) -> None:
        self._committer, self._full_at = committer, full_at
        self.advances: list[Advance] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._committer, name)

    def commit(self, work: Advance) -> object:
        self.advances.append(work)
        if len(self.advances) == self._full_at:
            raise StoreFull("no room")
        return self._committer.commit(work)


@pytest.mark.parametrize("full_at", [None, 1, 2, 3])
def test_what_a_projection_makes_of_many_entries_is_kept_in_pieces_and_its_reactor_runs_once(
    address: str, monkeypatch: pytest.MonkeyPatch, full_at: int | None
) -> None:
    monkeypatch.setattr("broadstreet.store.followers.PIECE", 3)
    projection = Tally()
    with hub(address, projection, Alarm(projection)) as (store, committer, begun):
        kept = Kept(committer, full_at)
        followers = Followers(store, kept, [projection, Alarm(projection)], begun.positions())
        say(committer, *[VISIT] * 6, DAY, VISIT)
        run(followers)
        run(followers)  # it had no room once
        assert alarms(store) == ["6"]
        assert tally(store) == {VISIT: 7, DAY: 1}
        pieces = [len(change.rows) for each in kept.advances for change in each.changes]  # type: ignore[union-attr]
        assert max(pieces) == 3
        assert sum(pieces) == 8 + (0 if full_at is None else pieces[full_at - 1])


def test_what_a_reactor_emits_names_its_cause_and_its_source(address: str) -> None:
    with hub(address, Alarm(None)) as (store, committer, followers):
        (day,) = say(committer, DAY)
        run(followers)
        (emitted,) = store.entries(0, types=[ALARM])
        assert (emitted.cause, emitted.source, emitted.key) == (day, "alarm@1", f"{day}:0")


def test_a_reactor_that_raises_stops_loudly_and_the_others_go_on(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    projection, broken, well = Tally(), Alarm(None), Alarm(None)
    broken.broken, well.name = True, "other"
    with hub(address, projection, broken, well) as (store, committer, followers):
        say(committer, VISIT, DAY, VISIT, DAY)
        run(followers)
        assert followers.faults["alarm"].startswith("RuntimeError in react")
        assert "broken" not in caplog.text, "the text of an exception may hold a name"
        assert "follower alarm stopped at 0" in caplog.text
        assert {entry.source for entry in store.entries(0, types=[ALARM])} == {"other@1"}
        assert tally(store) == {VISIT: 2, DAY: 2}

        broken.broken = False
        run(followers)
        assert followers.positions()["alarm"].seq == 0, "it does not try again by itself"
        followers.resume("alarm")
        run(followers)
        assert followers.faults == {}
        assert [e.key for e in store.entries(0, types=[ALARM]) if e.source == "alarm@1"] == ["2:0", "4:0"]


def test_a_follower_that_stopped_starts_again_with_the_hub(address: str) -> None:
    broken = Alarm(None)
    broken.broken = True
    with hub(address, broken) as (store, committer, followers):
        say(committer, DAY)
        run(followers)
        assert alarms(store) == []
    with hub(address, Alarm(None)) as (store, _, followers):
        run(followers)
        assert alarms(store) == ["0"]


def test_a_new_version_of_a_projection_is_built_again_even_in_another_layout(address: str) -> None:
    with hub(address, Tally()) as (_, committer, followers):
        say(committer, VISIT, VISIT, DAY)
        run(followers)
    with hub(address, Tally(version=2, table=WIDER)) as (store, _, followers):
        assert store.select(WIDER) == []
        run(followers)
        assert store.select(WIDER, order=("type",)) == [(DAY, 1, 0), (VISIT, 2, 0)]
        assert store.cursors()["tally"] == Cursor("tally", 2, 3)


def test_another_layout_under_the_same_version_is_refused(address: str) -> None:
    with hub(address, Tally()):
        pass
    with pytest.raises(StoreError, match="raise the version"), hub(address, Tally(table=WIDER)):
        pass


def test_a_rebuild_gives_what_following_gave_and_reactors_do_not_run(address: str) -> None:
    projection = Tally()
    with hub(address, projection, Alarm(projection)) as (store, committer, followers):
        say(committer, VISIT, DAY, VISIT, VISIT, DAY)
        run(followers)
        live, head = tally(store), store.head()
        told: list[tuple[int, int]] = []
        assert rebuild(store, committer, Tally(), lambda done, all: told.append((done, all))) == head
        assert tally(store) == live
        assert store.head() == head
        assert told[-1] == (head, head)


def test_a_rebuild_that_breaks_off_is_ended_by_the_next_start(address: str) -> None:
    with hub(address, Tally()) as (store, committer, followers):
        for _ in range(3):
            say(committer, *[VISIT] * BATCH)
        run(followers)
        breaks_off = Tally()
        breaks_off.fails_at = BATCH + 1
        with pytest.raises(RuntimeError):
            rebuild(store, committer, breaks_off)
        assert store.cursors()["tally"].seq == tally(store)[VISIT] == BATCH
    with hub(address, Tally()) as (store, _, followers):
        run(followers)
        assert tally(store) == {VISIT: 3 * BATCH}


def test_a_table_is_emptied_and_its_cursor_set_back_in_one_commit(address: str) -> None:
    with hub(address, Tally()) as (store, committer, followers):
        say(committer, VISIT)
        run(followers)
        before = committer.batches
        breaks_off = Tally()
        breaks_off.fails_at = 0
        with pytest.raises(RuntimeError):
            rebuild(store, committer, breaks_off)
        assert committer.batches == before + 1
        assert (tally(store), store.cursors()["tally"].seq) == ({}, 0)


def test_a_running_follower_refuses_to_go_on_when_someone_else_moved_its_cursor(address: str) -> None:
    with hub(address, Tally()) as (store, committer, followers):
        say(committer, VISIT, VISIT)
        run(followers)
        committer.commit(Advance(Cursor("tally", 1, 0), 2))
        say(committer, VISIT)
        run(followers)
        assert "stands at 0, its output begins at 2" in followers.faults["tally"]
        assert tally(store) == {VISIT: 2}, "its output was not kept"


def test_a_follower_resumes_from_where_its_cursor_stands_now(address: str) -> None:
    with hub(address, Tally()) as (store, committer, followers):
        say(committer, VISIT, VISIT)
        run(followers)
        breaks_off = Tally()
        breaks_off.fails_at = 0
        with pytest.raises(RuntimeError):
            rebuild(store, committer, breaks_off)
        say(committer, VISIT)
        run(followers)
        followers.resume("tally")
        run(followers)
        assert followers.faults == {}
        assert tally(store) == {VISIT: 3}


def test_a_replay_emits_nothing_twice(address: str) -> None:
    with hub(address, Alarm(None)) as (store, committer, followers):
        say(committer, DAY, VISIT, DAY)
        run(followers)
        head = store.head()
        committer.commit(Advance(Cursor("alarm", 1, 0), head))
    with hub(address, Alarm(None)) as (store, _, followers):
        assert followers.positions()["alarm"].seq == 0
        run(followers)
        assert (store.head(), len(alarms(store))) == (head, 2)


def test_a_new_version_of_a_reactor_runs_in_shadow_until_it_is_promoted(address: str) -> None:
    with hub(address, Alarm(None)) as (store, committer, followers):
        say(committer, DAY)
        run(followers)
        (unseen,) = say(committer, DAY)  # the old version never comes to this
    with hub(address, Alarm(None, version=2)) as (store, committer, followers):
        (seen,) = say(committer, DAY)
        run(followers)
        assert len(alarms(store)) == 1
        assert rows_in(address, "SELECT follower, version, key FROM shadow ORDER BY key") == [
            ("alarm", 2, f"{unseen}:0"),
            ("alarm", 2, f"{seen}:0"),
        ]
    with hub(address, Alarm(None, version=2)) as (store, committer, followers):
        assert followers.positions()["alarm"].mode == "shadow", "a restart does not promote"
        assert followers.promote("alarm").mode == "live"
        say(committer, DAY)
        run(followers)
        assert [entry.source for entry in store.entries(0, types=[ALARM])] == ["alarm@1", "alarm@2"]
        assert store.cursors()["alarm"].mode == "live", "what runs has seen that it was promoted"


def test_a_reactor_is_promoted_while_no_hub_runs(address: str) -> None:
    for version in (1, 2):
        with hub(address, Alarm(None, version=version)) as (store, committer, followers):
            say(committer, DAY)
            run(followers)
    with hub(address) as (store, committer, _):
        promote(store, committer, "alarm")
        with pytest.raises(StoreError, match="no reactor named alarm runs in shadow"):
            promote(store, committer, "alarm")
    with hub(address, Alarm(None, version=2)) as (store, committer, followers):
        say(committer, DAY)
        run(followers)
        assert [entry.source for entry in store.entries(0, types=[ALARM])] == ["alarm@1", "alarm@2"]


def test_a_new_reactor_begins_where_the_projection_that_it_reads_stands(address: str) -> None:
    with hub(address, Tally()) as (_, committer, followers):
        say(committer, VISIT, DAY, VISIT, DAY)
        run(followers)
    projection = Tally()
    with hub(address, projection, Alarm(projection)) as (store, committer, followers):
        say(committer, VISIT, DAY)
        run(followers)
        assert alarms(store) == ["3"], "the first two days would have been told three visits"


def test_a_new_reactor_that_reads_no_tables_begins_with_the_first_entry(address: str) -> None:
    with hub(address) as (_, committer, _unused):
        say(committer, DAY)
    with hub(address, Alarm(None)) as (store, _, followers):
        run(followers)
        assert alarms(store) == ["0"]


@pytest.mark.parametrize("stop_after", range(1, 9))
def test_a_stop_between_any_two_batches_changes_nothing(address: str, stop_after: int) -> None:
    projection = Tally()
    with hub(address, projection, Alarm(projection)) as (_, committer, followers):
        say(committer, VISIT, DAY, VISIT, DAY, VISIT, DAY, VISIT)
        for turn in range(stop_after):  # one follower at a time: finer than `step`
            followers._step(followers._followers[turn % 2])
    projection = Tally()
    with hub(address, projection, Alarm(projection)) as (store, _, followers):
        run(followers)
        assert alarms(store) == ["1", "2", "3"]
        assert tally(store) == {VISIT: 4, DAY: 3}


def test_followers_that_contradict_each_other_are_refused(address: str) -> None:
    double, other, deaf = Tally(), Tally(), Tally()
    other.name, deaf.types = "other", frozenset({VISIT})
    for followers, reason in [
        ((double, double), "the same name: tally"),
        ((double, other), "the same table: tally"),
        ((deaf,), "does not want to see: t/day"),
        ((Alarm(double),), "not among the followers"),
    ]:
        with pytest.raises(StoreError, match=reason), hub(address, *followers):
            pass


def test_followers_run_on_their_own_thread_until_they_are_stopped(address: str) -> None:
    projection = Tally()
    with hub(address, projection, Alarm(projection)) as (store, committer, followers):
        followers.start()
        for _ in range(20):
            say(committer, VISIT, DAY)
        assert settle(followers, committer, timeout=60)
        assert alarms(store) == [str(day) for day in range(1, 21)]
        followers.stop()
        say(committer, VISIT)
        assert not followers.catch_up(committer.head, timeout=0.05)


def test_a_nudge_wakes_who_waits_for_the_log_to_grow(committer: Committer) -> None:
    waiting = threading.Thread(target=committer.wait, args=(10**9,))
    waiting.start()
    while waiting.is_alive():
        committer.nudge()
        waiting.join(0.01)
