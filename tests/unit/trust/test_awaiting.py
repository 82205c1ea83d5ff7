from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from broadstreet.model import records
from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.model.records import Access
from broadstreet.store.committer import Committer
from broadstreet.store.protocol import StoreError, StoreFull
from broadstreet.store.sqlite import SqliteStore
from broadstreet.trust import awaiting
from broadstreet.trust.access import ACCESS
from broadstreet.trust.awaiting import Answers, Overloaded
from broadstreet.trust.principals import Principal, Purpose
from broadstreet.trust.reading import Forbidden, Page, PurposeReader, Trust, recording

CLINICIAN = Principal("kim", "person", frozenset({"clinician"}), organisation="org-1")
TREATMENT, OPERATIONS = Purpose("treatment"), Purpose("operations")


class Hub:
    def __init__(self, folder: Path, clock: DrivenClock) -> None:
        self.store = SqliteStore(folder / "log.db")
        self.committer = Committer(self.store, clock, SeededIds(clock, 1))
        self.answers = Answers(Trust(self.store, recording(self.committer), clock, b"k" * 32), self.committer)

    async def ask(self, purpose: Purpose = TREATMENT) -> Page:
        return await self.answers.answer(CLINICIAN, purpose, lambda reader: reader.search("Patient", []))

    def left(self) -> list[Access]:
        held = [records.decode(entry.body or b"") for entry in self.store.entries(0, types=[ACCESS])]
        return [record for record in held if isinstance(record, Access)]


@pytest.fixture
async def hub(tmp_path: Path, clock: DrivenClock) -> AsyncIterator[Hub]:
    hub = Hub(tmp_path, clock)
    yield hub
    await hub.answers.close()
    hub.committer.close()
    hub.store.close()


async def test_an_answer_comes_once_its_access_is_durable(hub: Hub) -> None:
    page = await hub.ask()
    assert page.resources == []
    assert [(each.who, each.what, each.outcome) for each in hub.left()] == [("kim", "Patient", "answered")]


async def test_what_is_refused_leaves_an_access_as_well(hub: Hub) -> None:
    with pytest.raises(Forbidden):
        await hub.ask(OPERATIONS)
    assert [each.outcome for each in hub.left()] == ["refused"]


async def test_every_question_of_one_asker_leaves_its_access(hub: Hub) -> None:
    def two(reader: PurposeReader) -> int:
        return len(reader.search("Patient", []).resources) + len(reader.search("Encounter", []).resources)

    assert await hub.answers.answer(CLINICIAN, TREATMENT, two) == 0
    assert [each.what for each in hub.left()] == ["Patient", "Encounter"]


async def test_answers_found_at_the_same_time_share_commits(hub: Hub) -> None:
    before = hub.committer.batches
    await asyncio.gather(*(hub.ask() for _ in range(200)))
    assert len(hub.left()) == 200
    assert hub.committer.batches - before < 100


async def test_an_answer_does_not_wait_for_a_slow_question(hub: Hub) -> None:
    go_on = threading.Event()
    slow = asyncio.ensure_future(hub.answers.answer(CLINICIAN, TREATMENT, lambda _: go_on.wait(10)))
    await asyncio.wait_for(hub.ask(), 5)
    assert not slow.done()
    go_on.set()
    assert await slow


async def test_nothing_is_answered_while_its_access_cannot_be_kept(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> Future[object]:
        refused: Future[object] = Future()
        refused.set_exception(StoreFull("no room"))
        return refused

    with monkeypatch.context() as patch:
        patch.setattr(hub.committer, "submit", full)
        outcomes = await asyncio.gather(*(hub.ask() for _ in range(40)), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {StoreFull}
        assert len(set(map(id, outcomes))) == 40, (
            "nobody is handed an error that was raised in another's question"
        )
    assert (await hub.ask()).resources == [], "and the next one is tried again"


async def test_an_access_is_left_even_if_whoever_asked_has_gone(hub: Hub) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slow(reader: PurposeReader) -> Page:
        asked.set()
        go_on.wait(10)
        return reader.search("Patient", [])

    gone = asyncio.ensure_future(hub.answers.answer(CLINICIAN, TREATMENT, slow))
    await asyncio.to_thread(asked.wait)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    go_on.set()
    await hub.answers.close()
    assert [each.outcome for each in hub.left()] == ["answered"]


async def test_nobody_waits_for_a_question_whose_asker_went_before_it_began(hub: Hub) -> None:
    go_on = threading.Event()
    busy = [
        asyncio.ensure_future(hub.answers.answer(CLINICIAN, TREATMENT, lambda _: go_on.wait(10)))
        for _ in range(awaiting.THREADS)
    ]
    gone = [asyncio.ensure_future(hub.ask()) for _ in range(5)]
    await asyncio.sleep(0.05)
    for each in gone:
        each.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    go_on.set()
    await asyncio.gather(*busy)
    assert hub.answers._count(0) == 0
    assert hub.left() == [], "nothing was read for them"


async def test_a_held_access_is_kept_though_the_last_question_leaves_none(hub: Hub) -> None:
    reads, gone, go_on = threading.Event(), threading.Event(), threading.Event()

    def read(reader: PurposeReader) -> None:
        reader.search("Patient", [])
        reads.set()
        gone.wait(10)

    silent = asyncio.ensure_future(hub.answers.answer(CLINICIAN, TREATMENT, lambda _: go_on.wait(10)))
    asked = asyncio.ensure_future(hub.answers.answer(CLINICIAN, TREATMENT, read))
    await asyncio.to_thread(reads.wait, 10)
    asked.cancel()  # so that the loop does not see to it
    await asyncio.gather(asked, return_exceptions=True)
    gone.set()
    await asyncio.sleep(0.05)
    go_on.set()
    await silent
    deadline = time.monotonic() + 5
    while not hub.left() and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    assert len(hub.left()) == 1


async def test_an_error_of_the_question_reaches_whoever_asked(hub: Hub) -> None:
    def broken(reader: PurposeReader) -> None:
        reader.search("Patient", [])
        raise ValueError("a page that is not there")

    with pytest.raises(ValueError, match="not there"):
        await hub.answers.answer(CLINICIAN, TREATMENT, broken)
    assert len(hub.left()) == 1


async def test_a_reader_reads_no_more_once_its_question_is_answered(hub: Hub) -> None:
    later = await hub.answers.answer(
        CLINICIAN, TREATMENT, lambda reader: (reader.search("Patient", []) for _ in range(3))
    )
    with pytest.raises(StoreError, match="only while its question is asked"):
        next(later)
    assert hub.left() == []


async def test_a_question_that_runs_out_of_what_it_iterates_over_ends(hub: Hub) -> None:
    def first(reader: PurposeReader) -> object:
        return next(iter(reader.search("Patient", []).resources))

    with pytest.raises(RuntimeError, match="ran out"):
        await asyncio.wait_for(hub.answers.answer(CLINICIAN, TREATMENT, first), 10)
    assert len(hub.left()) == 1


async def test_an_access_that_cannot_be_written_is_its_askers_fault_alone(hub: Hub) -> None:
    def bad(reader: PurposeReader) -> Page:
        try:
            return reader.search("Pati\ud800", [])
        except ValueError as error:
            raise RuntimeError("unknown type") from error

    asked = [hub.answers.answer(CLINICIAN, TREATMENT, bad) if n % 10 == 0 else hub.ask() for n in range(100)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(outcome, Page) for outcome in outcomes) == 90
    assert len(hub.left()) == 90


async def test_all_that_was_asked_leaves_its_access_before_the_end(hub: Hub) -> None:
    asked = [asyncio.ensure_future(hub.ask()) for _ in range(50)]
    await asyncio.sleep(0)
    await hub.answers.close()
    assert len(await asyncio.gather(*asked)) == len(hub.left()) == 50
    with pytest.raises(RuntimeError, match="shutdown"):
        await hub.ask()


def test_an_access_is_left_even_if_the_loop_ends_first(tmp_path: Path, clock: DrivenClock) -> None:
    hub, asked = Hub(tmp_path, clock), threading.Event()

    def slow(reader: PurposeReader) -> Page:
        asked.set()
        time.sleep(0.1)
        return reader.search("Patient", [])

    async def ask() -> None:
        task = asyncio.ensure_future(hub.answers.answer(CLINICIAN, TREATMENT, slow))
        await asyncio.to_thread(asked.wait)
        assert not task.done()

    asyncio.run(ask())
    asyncio.run(hub.answers.close())
    assert len(hub.left()) == 1
    hub.committer.close()
    hub.store.close()


async def test_too_many_questions_at_once_are_refused(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awaiting, "MOST_WAITING", 20)
    outcomes = await asyncio.gather(*(hub.ask() for _ in range(30)), return_exceptions=True)
    assert sum(isinstance(outcome, Overloaded) for outcome in outcomes) == 10
    assert (await hub.ask()).resources == []
