"""Followers in a process of their own: what the hub sees of them, and what happens when either dies."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from broadstreet.app.core import Core
from broadstreet.app.following.beside import FollowersBeside
from broadstreet.app.hub import Hub
from broadstreet.app.monitoring.health import readiness_of
from broadstreet.app.process import HubProcess
from broadstreet.app.settings import Settings
from broadstreet.model import records
from broadstreet.model.records import Quarantined
from broadstreet.store.entry import Draft
from broadstreet.store.protocol import (
    PositionGone,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreUnavailable,
)
from broadstreet.store.quarantine import QUARANTINE
from tests.processes import child_of, is_running, until
from tests.unit.app.conftest import START
from tests.unit.app.test_core import Put


def put(number: int, body: bytes | None = None) -> Put:
    """Return the work of keeping a message in quarantine, or something that is called so and is none."""
    record = Quarantined(
        id=f"q{number}", state="held", source="test", control_id="", kind="", verdict="AR", faults=(),
        attempts=1, first=START, last=START,
    )  # fmt: skip
    body = body or records.encode(record)
    return Put(Draft(type="bs/Quarantined", id=record.id, body=body, source="test", key=f"{number}"))


@pytest.fixture
def beside(settings: Settings) -> Iterator[Core]:
    with Core(settings, beside=True) as core:
        yield core


def process_of(core: Core) -> int:
    followers = core.followers
    assert isinstance(followers, FollowersBeside)
    return followers.process


def test_what_is_committed_is_followed(beside: Core) -> None:
    for number in range(3):
        beside.committer.commit(put(number))
    beside.settle()
    assert beside.store.count(QUARANTINE) == 3
    assert {cursor.seq for cursor in beside.followers.positions().values()} == {beside.committer.head}
    assert readiness_of(beside).ok


def test_an_order_that_cannot_be_done_says_why(beside: Core) -> None:
    with pytest.raises(StoreError, match="no reactor named nobody runs in shadow"):
        beside.followers.promote("nobody")


def test_an_order_reaches_followers_that_somebody_waits_for_and_that_always_have_more_to_do(
    beside: Core,
) -> None:
    until(lambda: beside.followers.ready)
    committed, answered = [0], threading.Event()

    def commit() -> None:
        while committed[0] < 3_000 and not answered.is_set():
            beside.committer.commit(put(committed[0]))
            committed[0] += 1

    waiting = threading.Thread(target=beside.followers.catch_up, args=(2**40, 30.0), daemon=True)
    committing = threading.Thread(target=commit)
    waiting.start()
    committing.start()
    until(lambda: committed[0] > 50)
    with pytest.raises(StoreError, match="runs in shadow"):
        beside.followers.promote("nobody")
    answered.set()
    committing.join()
    assert committed[0] < 3_000, "it was answered before there was nothing more to do"


def test_a_follower_that_raises_is_told_of_and_the_others_go_on(beside: Core) -> None:
    beside.committer.commit(put(1, b"KIM MINA"))
    until(lambda: beside.followers.faults)
    assert list(beside.followers.faults) == ["quarantine"]
    assert "KIM" not in str(beside.followers.faults)
    assert beside.followers.catch_up(beside.committer.head, 30), "nobody waits for one that has stopped"
    with pytest.raises(StoreError, match="a follower has stopped"):
        beside.settle()
    beside.followers.resume("quarantine")
    until(lambda: beside.followers.faults)


def test_a_process_that_is_killed_is_started_again_and_does_nothing_twice(beside: Core) -> None:
    for number in range(40):
        beside.committer.commit(put(number))
        if number % 10 == 5:
            killed = process_of(beside)
            os.kill(killed, signal.SIGKILL)
            until(lambda killed=killed: beside.followers.running and process_of(beside) != killed)
            beside.settle()  # one that ends before it has come to work is started again later each time
    beside.settle()
    assert beside.store.count(QUARANTINE) == 40
    assert readiness_of(beside).ok


def test_an_order_to_a_process_that_is_killed_is_answered(beside: Core) -> None:
    process = process_of(beside)
    os.kill(process, signal.SIGSTOP)
    beside.committer.commit(put(1))
    with pytest.raises(StoreError, match="has ended"):
        try:
            order = beside.followers._order("promote", "nobody")  # type: ignore[attr-defined]
        finally:
            os.kill(process, signal.SIGKILL)
        order.result(30)


def test_a_process_that_cannot_be_started_again_for_whatever_reason_is_tried_again(
    beside: Core, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Meanwhile nobody waits for what it would be ordered."""
    monkeypatch.setattr("broadstreet.app.following.beside.PAUSE_AFTER_END", 0.05)
    monkeypatch.setattr("broadstreet.app.following.beside.LONGEST_PAUSE", 0.05)
    followers = beside.followers
    assert isinstance(followers, FollowersBeside)
    until(lambda: followers.ready)
    begun, orders = followers._begun, []
    failures = iter([MemoryError(), RuntimeError("no thread"), OSError(24, "too many open files")])

    def fails_first() -> Any:
        for failure in failures:
            orders.append(followers._order("resume", "nobody"))
            raise failure
        return begun()

    monkeypatch.setattr(followers, "_begun", fails_first)
    os.kill(process_of(beside), signal.SIGKILL)
    until(lambda: len(orders) == 3)
    for order in orders:
        with pytest.raises(StoreError, match="cannot be started"):
            order.result(30)
    beside.committer.commit(put(1))
    beside.settle()
    assert caplog.text.count("cannot be started") == 3


def test_a_hub_is_ready_once_its_followers_follow(beside: Core) -> None:
    os.kill(process_of(beside), signal.SIGSTOP)
    assert not beside.followers.ready
    os.kill(process_of(beside), signal.SIGCONT)
    until(lambda: beside.followers.ready)


def test_a_hub_whose_followers_cannot_begin_takes_messages_nevertheless(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FollowersBeside, "ready", False)
    monkeypatch.setattr("broadstreet.app.hub.FOLLOWERS_BEGIN_WITHIN", 0.1)
    hub, came = Hub(settings), []

    def ready(*where: object) -> None:
        came.append(where)
        hub.stop()

    asyncio.run(hub.run(ready))
    assert came


def test_the_process_ends_with_its_hub(settings: Settings) -> None:
    with HubProcess(settings) as hub:
        running = hub.status().hub
        assert running is not None
        following = child_of(running.pid, "app.following")
        assert following
        os.kill(running.pid, signal.SIGKILL)
        until(lambda: not is_running(following))


def test_an_order_after_the_end_is_refused(settings: Settings) -> None:
    with Core(settings, beside=True) as core:
        core.followers.stop()
        with pytest.raises(StoreError, match="the followers have ended"):
            core.followers.resume("quarantine")


@pytest.mark.parametrize(
    "error", [StoreError("a"), PositionGone(3, 5), StoreFull("b"), StoreUnavailable("c"), StoreLocked("d")]
)
def test_errors_pass_the_line_as_they_are(error: StoreError) -> None:
    passed = pickle.loads(pickle.dumps(error))
    assert (type(passed), str(passed), vars(passed)) == (type(error), str(error), vars(error))


def test_a_draft_that_passed_the_line_leaves_no_label_of_its_own(beside: Core) -> None:
    passed = pickle.loads(pickle.dumps(put(1)))
    beside.committer.commit(passed)
    assert beside.store.labels(0, beside.committer.head) == {}
