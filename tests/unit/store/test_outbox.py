from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest

from broadstreet.model import records
from broadstreet.model.clock import instant
from broadstreet.model.ids import SeededIds
from broadstreet.model.records import Delivery
from broadstreet.store.committer import Committer
from broadstreet.store.followers import Followers
from broadstreet.store.opening import open_store
from broadstreet.store.outbox import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    MOST_ATTEMPTS,
    OUTBOX,
    TYPE,
    Answer,
    Counterpart,
    Courier,
    Outbox,
    Step,
)
from broadstreet.store.protocol import StoreFull
from tests.backends import Backend
from tests.crash.counterpart import OverTcp, effects, forget, running

from .conftest import Do, JumpingClock, draft


@pytest.fixture(scope="module")
def ports() -> Iterator[tuple[int, int]]:
    """The ports of a counterpart that honours keys, and of one that does not."""
    with running(honours_keys=True) as honest, running(honours_keys=False) as forgetful:
        yield honest, forgetful


@pytest.fixture
def honest(ports: tuple[int, int]) -> int:
    """The port of a counterpart that honours keys, and has had no request yet."""
    forget(ports[0])
    return ports[0]


@pytest.fixture
def forgetful(ports: tuple[int, int]) -> int:
    """The port of a counterpart that has an effect for each request, and has had none yet."""
    forget(ports[1])
    return ports[1]


class Office:
    """A store with an outbox and a courier."""

    def __init__(self, address: str, counterpart: Counterpart, patience: float = 30.0) -> None:
        self.clock = JumpingClock()
        self.store = open_store(address)
        self.committer = Committer(self.store, self.clock, SeededIds(self.clock, self.store.head()))
        self.followers = Followers.begun(self.store, self.committer, [Outbox()])
        self.counterparts = {"printer": counterpart}
        self.courier = Courier(self.store, self.committer, self.clock, self.counterparts, patience)

    def post(self, script: str, key: str, counterpart: str = "printer") -> Delivery:
        delivery = Delivery(id=key, state="waiting", counterpart=counterpart, key=key, payload=script)
        return self.keep(delivery)

    def keep(self, delivery: Delivery) -> Delivery:
        body = records.encode(delivery)
        self.committer.commit(
            Do(lambda tx: tx.put(draft(id=delivery.id, type=TYPE, body=body, key=tx.new_id())))
        )
        self.follow()
        return delivery

    def follow(self) -> None:
        while self.followers.step():
            pass

    async def run(self) -> int:
        taken = await self.courier.run_once()
        self.follow()
        return taken

    async def run_to_the_end(self) -> None:
        """Let the courier work, and time pass, until nothing is under way."""
        for _ in range(100):
            while await self.run():
                pass
            due = [row[4] for row in self.store.select(OUTBOX) if row[2] == "unknown"]
            if not due:
                return
            self.clock.at += LONGEST_PAUSE
        raise AssertionError("a delivery is under way for ever")

    def states(self, id: str) -> list[str]:
        found = [records.decode(entry.body or b"") for entry in self.store.history(TYPE, id)]
        return [f"{d.state} {d.attempt}" for d in found if isinstance(d, Delivery)]

    def close(self) -> None:
        self.committer.close()
        self.store.close()


@pytest.fixture
def offices() -> Iterator[list[Office]]:
    opened: list[Office] = []
    yield opened
    for office in opened:
        office.close()


@pytest.fixture
def office(address: str, honest: int, offices: list[Office]) -> Office:
    offices.append(Office(address, OverTcp(honest, honours_keys=True)))
    return offices[0]


@pytest.fixture
def strict_office(address: str, forgetful: int, offices: list[Office]) -> Office:
    """An office whose counterpart does not honour keys, but can be asked."""
    offices.append(Office(address, OverTcp(forgetful, honours_keys=False)))
    return offices[0]


@pytest.mark.parametrize(
    ("script", "states", "happened"),
    [
        ("ok", ["waiting 0", "sent 1", "confirmed 1"], 1),
        ("refuse", ["waiting 0", "sent 1", "refused 1"], 0),
        ("lost", ["waiting 0", "sent 1", "unknown 1", "sent 2", "confirmed 2"], 1),
        ("silent", ["waiting 0", "sent 1", "unknown 1", "sent 2", "confirmed 2"], 1),
        (
            "silent lost refuse",
            ["waiting 0", "sent 1", "unknown 1", "sent 2", "unknown 2", "sent 3", "refused 3"],
            1,
        ),
    ],
)
async def test_each_step_of_a_delivery_is_an_entry(
    office: Office, honest: int, script: str, states: list[str], happened: int
) -> None:
    key = f"steps {script}"
    office.post(script, key)
    await office.run_to_the_end()
    assert office.states(key) == states
    assert effects(honest).get(key, 0) == happened
    assert office.store.select(OUTBOX)[0][2] == states[-1].split()[0]


@pytest.mark.parametrize(
    ("script", "states", "happened"),
    [
        ("ok", ["waiting 0", "sent 1", "confirmed 1"], 1),
        ("silent", ["waiting 0", "sent 1", "unknown 1", "confirmed 2"], 1),
        ("lost", ["waiting 0", "sent 1", "unknown 1", "waiting 1", "sent 2", "confirmed 2"], 1),
        ("refuse", ["waiting 0", "sent 1", "refused 1"], 0),
    ],
)
async def test_a_counterpart_that_does_not_honour_keys_is_asked_before_any_retry(
    strict_office: Office, forgetful: int, script: str, states: list[str], happened: int
) -> None:
    key = f"asked {script}"
    strict_office.post(script, key)
    await strict_office.run_to_the_end()
    assert strict_office.states(key) == states
    assert effects(forgetful).get(key, 0) == happened


async def test_where_no_one_can_be_asked_a_person_decides_and_nothing_happens_twice(
    address: str, forgetful: int, offices: list[Office]
) -> None:
    mute = OverTcp(forgetful, honours_keys=False, can_be_asked=False)
    offices.append(office := Office(address, mute))
    office.post("silent", "mute")
    await office.run_to_the_end()
    assert office.states("mute")[:3] == ["waiting 0", "sent 1", "unknown 1"]
    assert office.states("mute")[-1] == f"dead {MOST_ATTEMPTS}"
    assert effects(forgetful)["mute"] == 1
    assert await office.run() == 0


async def test_a_delivery_that_never_arrives_is_dead_after_the_last_attempt(
    office: Office, honest: int
) -> None:
    office.post("lost " * MOST_ATTEMPTS, "gone")
    await office.run_to_the_end()
    assert office.states("gone")[-1] == f"dead {MOST_ATTEMPTS}"
    assert effects(honest).get("gone", 0) == 0


async def test_a_retry_waits_twice_as_long_each_time(office: Office) -> None:
    office.post("lost " * (MOST_ATTEMPTS - 1), "patient")
    pauses = []
    for _ in range(MOST_ATTEMPTS - 1):
        await office.run()
        due = instant(int(office.store.select(OUTBOX)[0][4] or 0))
        pauses.append(due - office.clock.at)
        office.clock.at = due - timedelta(microseconds=1)
        assert await office.run() == 0, "it is not due yet"
        office.clock.at = due
    assert pauses == [min(FIRST_PAUSE * 2**n, LONGEST_PAUSE) for n in range(MOST_ATTEMPTS - 1)]


@pytest.mark.parametrize("arrived", [True, False])
async def test_after_a_crash_in_the_middle_of_sending_the_effect_comes_about_once(
    backend: Backend, honest: int, forgetful: int, offices: list[Office], arrived: bool
) -> None:
    for port, honours in ((honest, True), (forgetful, False)):
        key = f"crash {arrived} {honours}"
        counterpart = OverTcp(port, honours_keys=honours)
        first = Office(backend.address(str(honours)), counterpart)
        waiting = first.post("ok", key)
        sent = msgspec.structs.replace(waiting, state="sent", attempt=1)
        assert await first.committer.committed(Step(waiting, sent))
        if arrived:
            await counterpart.send(key, "ok")
        first.close()  # the answer is never written down

        offices.append(again := Office(backend.address(str(honours)), counterpart))
        again.follow()
        await again.run_to_the_end()
        assert again.states(key)[-1].startswith("confirmed")
        assert effects(port)[key] == 1


async def test_a_step_is_taken_once_however_many_try(office: Office) -> None:
    waiting = office.post("ok", "raced")
    sent = msgspec.structs.replace(waiting, state="sent", attempt=1)
    steps = await asyncio.gather(*(office.committer.committed(Step(waiting, sent)) for _ in range(10)))
    assert sorted(steps) == [False] * 9 + [True]


async def test_two_turns_at_once_send_nothing_twice(strict_office: Office, forgetful: int) -> None:
    for number in range(20):
        strict_office.post("ok", f"turns {number}")
    await asyncio.gather(*(strict_office.courier.run_once() for _ in range(5)))
    strict_office.follow()
    await strict_office.run_to_the_end()
    happened = effects(forgetful)
    assert [happened[f"turns {number}"] for number in range(20)] == [1] * 20


async def test_a_counterpart_that_does_not_answer_is_not_waited_for_for_ever(
    address: str, honest: int, offices: list[Office]
) -> None:
    offices.append(office := Office(address, OverTcp(honest, honours_keys=True), patience=0.05))
    office.post("hang", "hung")
    await office.run()
    assert office.states("hung") == ["waiting 0", "sent 1", "unknown 1"]


async def test_deliveries_to_a_counterpart_that_is_not_configured_wait_and_hold_up_no_one(
    office: Office, honest: int
) -> None:
    for number in range(120):
        office.post("ok", f"a stranger {number:03}", counterpart="stranger")
    office.post("ok", "z printer")
    assert await office.run() == 1
    assert effects(honest)["z printer"] == 1
    assert office.states("a stranger 000") == ["waiting 0"]


async def test_a_delivery_is_sent_however_its_record_was_written(office: Office, honest: int) -> None:
    body = (
        b'{ "payload": "ok", "key": "odd", "counterpart": "printer", "attempt": 0,'
        b' "state": "waiting", "type": "Delivery", "id": "odd" }'
    )
    office.committer.commit(Do(lambda tx: tx.put(draft(id="odd", type=TYPE, body=body))))
    office.follow()
    await office.run_to_the_end()
    assert effects(honest)["odd"] == 1


async def test_when_an_answer_cannot_be_kept_the_others_are_and_nothing_is_lost(
    office: Office, honest: int
) -> None:
    for number in range(5):
        office.post("ok", f"full {number}")

    class FillsUp(OverTcp):
        async def send(self, key: str, payload: str) -> Answer:
            answer = await super().send(key, payload)
            if key == "full 3":
                raise_once.append(StoreFull("no room"))
            return answer

    raise_once: list[StoreFull] = []
    committed = office.committer.committed

    async def sometimes_full(work: Step) -> object:
        if raise_once and work.then.id == "full 3":
            raise raise_once.pop()
        return await committed(work)

    office.committer.committed = sometimes_full  # type: ignore[assignment, method-assign]
    office.courier._counterparts["printer"] = FillsUp(honest, honours_keys=True)
    with pytest.raises(StoreFull):
        await office.run()
    office.follow()
    assert office.states("full 3") == ["waiting 0", "sent 1"]
    office.courier._counterparts["printer"] = office.counterparts["printer"]
    await office.run_to_the_end()
    happened = effects(honest)
    assert [happened[f"full {number}"] for number in range(5)] == [1] * 5
    assert {row[2] for row in office.store.select(OUTBOX)} == {"confirmed"}


async def test_where_no_counterpart_listens_the_delivery_stays_under_way(
    address: str, offices: list[Office]
) -> None:
    with running(honours_keys=True) as port:
        pass
    offices.append(office := Office(address, OverTcp(port, honours_keys=True)))
    office.post("ok", "absent")
    await office.run()
    assert office.states("absent") == ["waiting 0", "sent 1", "unknown 1"]
