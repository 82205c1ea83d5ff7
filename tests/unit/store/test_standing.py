from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.store.advance import Advance
from broadstreet.store.committer import Committer
from broadstreet.store.entry import Entry
from broadstreet.store.follower import Emission, Follower
from broadstreet.store.followers import Followers
from broadstreet.store.opening import open_store
from broadstreet.store.protocol import Cursor, Store, StoreFull, StoreUnavailable
from broadstreet.store.tables import TableReader

from .cities import DAY, TALLY, VISIT, Alarm, Tally
from .conftest import START, say

OTHER = "t/other"


class Silent(Alarm):
    """Looks at each day and says nothing."""

    name = "silent"

    def react(self, entries: Sequence[Entry], tables: TableReader) -> list[Emission]:  # noqa: ARG002
        return []


class Watched:
    """A committer that fails when it is told to, and notes what the store knew before each commit."""

    def __init__(self, store: Store, committer: Committer) -> None:
        self._store, self._committer = store, committer
        self.fails: StoreFull | StoreUnavailable | None = None
        self.seen: list[dict[str, Cursor]] = []

    @property
    def head(self) -> int:
        return self._committer.head

    @property
    def closed(self) -> bool:
        return self._committer.closed

    def commit(self, work: Advance) -> object:
        if self.fails is not None:
            raise self.fails
        answer = self._committer.commit(work)
        self.seen.append(dict(self._store.cursors()))
        return answer

    def wait(self, beyond: int, timeout: float | None = None) -> int:
        return self._committer.wait(beyond, timeout)

    def nudge(self) -> None:
        self._committer.nudge()


@contextmanager
def city(address: str, *followers: Follower) -> Iterator[tuple[Store, Committer, Watched, Followers]]:
    store, clock = open_store(address), DrivenClock(START)
    committer = Committer(store, clock, SeededIds(clock, store.head()))
    begun = Followers.begun(store, committer, followers)
    watched = Watched(store, committer)
    try:
        yield store, committer, watched, Followers(store, watched, followers, begun.positions())
    finally:
        committer.close()
        store.close()


def named(name: str) -> Silent:
    silent = Silent(None)
    silent.name = name
    return silent


def test_all_that_have_nothing_to_say_move_in_one_commit(address: str) -> None:
    with city(address, *map(named, "abcdef")) as (store, committer, watched, followers):
        say(committer, DAY, OTHER)
        assert followers.step()
        assert not followers.step()
        assert len(watched.seen) == 1
        assert {cursor.seq for cursor in store.cursors().values()} == {committer.head}


def test_a_move_goes_along_with_what_another_has_to_say(address: str) -> None:
    with city(address, named("first"), Alarm(None)) as (_, committer, watched, followers):
        (day,) = say(committer, DAY)
        followers.step()
        assert len(watched.seen) == 1
        assert (watched.seen[0]["first"].seq, watched.seen[0]["alarm"].seq) == (day, day)


def test_no_table_is_known_to_be_past_a_day_that_its_silent_reactor_has_not_seen(address: str) -> None:
    projection = Tally()
    with city(address, projection, Silent(projection)) as (_, committer, watched, followers):
        days = [say(committer, VISIT, VISIT, DAY)[-1] for _ in range(5)]
        while followers.step():
            pass
        assert watched.seen
        for kept in watched.seen:
            past = [day for day in days if day < kept["tally"].seq]
            assert not past or kept["silent"].seq >= past[-1]


def test_who_was_moved_by_someone_else_stops_and_the_others_go_on(address: str) -> None:
    with city(address, Tally(), named("a"), named("b")) as (store, committer, _, followers):
        say(committer, VISIT, DAY)
        followers.step()
        committer.commit(Advance(Cursor("a", 1, 1), 2))
        say(committer, DAY)
        followers.step()
        assert "stands at 1, its output begins at 2" in followers.faults["a"]
        assert set(followers.faults) == {"a"}
        say(committer, VISIT)
        followers.step()
        assert dict(store.select(TALLY)) == {VISIT: 2, DAY: 2}  # type: ignore[arg-type]
        assert followers.positions()["b"].seq == committer.head

        followers.resume("a")
        followers.step()
        assert (followers.faults, store.cursors()["a"].seq) == ({}, committer.head)


def test_who_only_moves_and_was_moved_by_someone_else_stops_alone(address: str) -> None:
    with city(address, named("a"), named("b")) as (_, committer, _watched, followers):
        say(committer, DAY, DAY)
        followers.step()
        committer.commit(Advance(Cursor("a", 1, 1), 2))
        say(committer, DAY)
        followers.step()
        assert set(followers.faults) == {"a"}
        assert followers.positions()["b"].seq == committer.head


@pytest.mark.parametrize("error", [StoreFull("full"), StoreUnavailable("away")])
def test_a_store_that_is_full_or_away_is_nobodys_fault(
    address: str, error: StoreFull | StoreUnavailable
) -> None:
    with city(address, Tally(), named("a")) as (store, committer, watched, followers):
        say(committer, VISIT, DAY)
        watched.fails = error
        for _ in range(3):
            assert not followers.step(), "whoever runs it rests before it tries again"
        assert {cursor.seq for cursor in followers.positions().values()} == {0}
        watched.fails = None
        assert followers.step()
        assert followers.faults == {}
        assert dict(store.select(TALLY)) == {VISIT: 1, DAY: 1}  # type: ignore[arg-type]
        assert {cursor.seq for cursor in store.cursors().values()} == {committer.head}


def test_what_was_kept_although_it_was_reported_as_failed_is_not_kept_twice(address: str) -> None:
    with city(address, Tally(), named("a")) as (store, committer, watched, followers):
        say(committer, VISIT, DAY)
        commit = watched.commit

        def lost(work: Advance) -> object:
            commit(work)
            raise StoreUnavailable("the answer was lost")

        watched.commit = lost  # type: ignore[method-assign]
        followers.step()
        watched.commit = commit  # type: ignore[method-assign]
        while followers.step():
            pass
        assert followers.faults == {}
        assert dict(store.select(TALLY)) == {VISIT: 1, DAY: 1}  # type: ignore[arg-type]
