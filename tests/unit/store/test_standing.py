from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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
from broadstreet.store.protocol import Cursor, Store, StoreError, StoreFull, StoreUnavailable
from broadstreet.store.tables import TableReader

from .cities import ALARM, DAY, TALLY, VISIT, Alarm, Tally
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


def test_nothing_is_kept_behind_a_reactor_whose_move_could_not_be_kept(address: str) -> None:
    projection = Tally()
    with city(address, projection, named("a"), Outbreak(projection)) as (
        store,
        committer,
        watched,
        followers,
    ):
        say(committer, VISIT, DAY)
        commit, fates = watched.commit, iter([None, StoreError("astray"), None, StoreFull("full")])

        def fails(work: Advance) -> object:
            fate = next(fates, None)
            if fate is not None:
                raise fate
            return commit(work)

        for follower in followers._running():  # moves that are pending, as between two followers of a round
            followers._step(follower)
        say(committer, VISIT, VISIT, DAY)
        next(fates)
        watched.commit = fails  # type: ignore[method-assign]
        followers._step(projection)
        assert dict(store.select(TALLY)) == {VISIT: 1, DAY: 1}  # type: ignore[arg-type]
        watched.commit = commit  # type: ignore[method-assign]
        while followers.step():
            pass
        said = [entry.body for entry in store.entries(0, types=[ALARM])]
        assert said == [b"3"]


def test_who_only_moves_and_was_moved_by_someone_else_stops_alone(address: str) -> None:
    with city(address, named("a"), named("b")) as (_, committer, _watched, followers):
        say(committer, DAY, DAY)
        followers.step()
        committer.commit(Advance(Cursor("a", 1, 1), 2))
        say(committer, DAY)
        followers.step()
        assert set(followers.faults) == {"a"}
        assert followers.positions()["b"].seq == committer.head


class Outbreak(Alarm):
    """Says nothing before there were three visits."""

    name = "outbreak"

    def react(self, entries: Sequence[Entry], tables: TableReader) -> list[Emission]:
        return [said for said in super().react(entries, tables) if int(said.body or b"0") >= 3]


@pytest.mark.parametrize("speaks", [False, True])
def test_a_silent_reactor_sees_no_later_day_though_its_move_could_not_be_kept(
    address: str, *, speaks: bool
) -> None:
    projection = Tally()
    others = [Alarm(None)] if speaks else []
    with city(address, projection, Outbreak(projection), *others) as (store, committer, watched, followers):
        days = [say(committer, VISIT, DAY)[-1], say(committer, VISIT, VISIT, DAY)[-1]]
        commit = watched.commit

        def fails(work: Advance) -> object:
            if any(cursor.follower == "outbreak" for cursor in work.cursors):
                watched.commit = commit  # type: ignore[method-assign]
                raise StoreFull("full")
            return commit(work)

        watched.commit = fails  # type: ignore[method-assign]
        for _ in range(8):
            followers.step()
        said = [entry for entry in store.entries(0, types=[ALARM]) if entry.source == "outbreak@1"]
        assert [(entry.cause, entry.body) for entry in said] == [(days[1], b"3")]


@pytest.mark.parametrize("seed", range(8))
def test_whatever_fails_in_between_each_day_is_told_as_it_was(address: str, seed: int) -> None:
    chance, projection = random.Random(seed), Tally()
    with city(address, named("a"), projection, Outbreak(projection), Alarm(None)) as (
        store, committer, watched, followers,
    ):  # fmt: skip
        commit, visits, expected = watched.commit, 0, []

        def uncertain(work: Advance) -> object:
            fate = chance.random()
            if fate < 0.3:
                raise StoreFull("full")
            answer = commit(work)
            if fate < 0.5:
                raise StoreUnavailable("the answer was lost")
            return answer

        watched.commit = uncertain  # type: ignore[method-assign]
        for _ in range(6):
            some = chance.randrange(3)
            day = say(committer, *[VISIT] * some, DAY)[-1]
            visits += some
            expected += [(day, str(visits).encode())] if visits >= 3 else []
            for _ in range(chance.randrange(6)):
                followers.step()
        watched.commit = commit  # type: ignore[method-assign]
        while followers.step() or followers.positions()["tally"].seq < committer.head:
            pass
        said = [entry for entry in store.entries(0, types=[ALARM]) if entry.source == "outbreak@1"]
        assert [(entry.cause, entry.body) for entry in said] == expected
        assert dict(store.select(TALLY)) == {VISIT: visits, DAY: 6} or not visits  # type: ignore[arg-type]


def test_who_waits_is_told_though_the_answer_of_the_commit_was_lost(address: str) -> None:
    with city(address, Tally()) as (_, committer, watched, followers):
        say(committer, VISIT)
        commit = watched.commit

        def lost(work: Advance) -> object:
            watched.commit = commit  # type: ignore[method-assign]
            commit(work)
            raise StoreUnavailable("the answer was lost")

        watched.commit = lost  # type: ignore[method-assign]
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(followers.catch_up, committer.head, 60)
            while not followers.waited_for:
                time.sleep(0.001)
            assert not followers.step()
            followers.step()
            assert waiting.result(5)


@pytest.mark.parametrize("error", [StoreFull("full"), StoreUnavailable("away")])
@pytest.mark.parametrize("silent_first", [False, True])
def test_a_store_that_is_full_or_away_is_nobodys_fault(
    address: str, error: StoreFull | StoreUnavailable, *, silent_first: bool
) -> None:
    two: list[Follower] = [named("a"), Alarm(None)] if silent_first else [Tally(), named("b")]
    with city(address, *two) as (store, committer, watched, followers):
        say(committer, VISIT, DAY)
        watched.fails = error
        for _ in range(3):
            assert not followers.step(), "whoever runs it rests before it tries again"
        assert {cursor.seq for cursor in followers.positions().values()} == {0}
        watched.fails = None
        assert followers.step()
        while followers.step():
            pass
        assert followers.faults == {}
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
