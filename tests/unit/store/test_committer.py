from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest

from broadstreet.model.clock import DrivenClock, microseconds
from broadstreet.model.ids import SeededIds
from broadstreet.store.committer import Committer
from broadstreet.store.inbox import Arrival, Receive
from broadstreet.store.opening import open_store
from broadstreet.store.protocol import Store, StoreError, StoreLocked
from broadstreet.store.tables import Table
from broadstreet.store.transaction import Transaction

from .conftest import START, Do, draft, identified


def test_entries_are_numbered_without_gaps_even_when_a_work_fails(committer: Committer, store: Store) -> None:
    def fail(tx: Transaction) -> None:
        tx.append(draft(key="lost"))
        raise ValueError("no")

    futures = [
        committer.submit(Do(lambda tx: tx.append(draft(key="a")))),
        committer.submit(Do(fail)),
        committer.submit(Do(lambda tx: tx.append(draft(key="b")))),
    ]
    assert [futures[0].result(), futures[2].result()] == [1, 2]
    with pytest.raises(ValueError, match="no"):
        futures[1].result()
    assert [(e.seq, e.key) for e in store.entries(0)] == [(1, "a"), (2, "b")]


def test_the_same_source_and_key_makes_one_entry(committer: Committer, store: Store) -> None:
    assert committer.commit(Do(lambda tx: tx.append(draft()))) == 1
    assert committer.commit(Do(lambda tx: tx.append(draft(body=b"other")))) is None
    assert len(store.entries(0)) == 1


def test_an_unchanged_resource_makes_no_new_version(committer: Committer, store: Store) -> None:
    for key, body in [("1", b"a"), ("2", b"a"), ("3", b"b")]:
        committer.commit(Do(lambda tx, key=key, body=body: tx.put(draft(key=key, body=body))))
    assert [(e.version, e.body) for e in store.history("fhir/Patient", "p1")] == [(1, b"a"), (2, b"b")]


def test_a_work_sees_what_earlier_works_of_its_batch_put(committer: Committer) -> None:
    def both(tx: Transaction) -> list[str]:
        tx.put(draft(rows=identified(tx, "urn:mrn", "7")))
        return [entry.id for entry in tx.find("Patient", "identifier", "urn:mrn", "7")]

    assert committer.commit(Do(both)) == ["p1"]


def test_a_resource_is_found_by_the_tokens_it_has_now(committer: Committer) -> None:
    def put(key: str, *codes: str) -> Do:
        return Do(lambda tx: tx.put(draft(key=key, body=key.encode(), rows=identified(tx, "s", *codes))))

    def find(code: str) -> int:
        return len(committer.commit(Do(lambda tx: tx.find("Patient", "identifier", "s", code))))

    committer.commit(put("1", "old"))
    committer.commit(put("2", "new"))
    assert (find("old"), find("new")) == (0, 1)


def test_what_an_attempt_added_is_taken_back_when_it_fails(committer: Committer, store: Store) -> None:
    def work(tx: Transaction) -> list[str]:
        tx.put(draft(key="kept", rows=identified(tx, "s", "5")))
        with pytest.raises(KeyError), tx.attempt():
            tx.put(draft(key="gone", body=b"changed", rows=identified(tx, "s", "6")))
            raise KeyError
        assert tx.known("test", "gone") is None
        current = tx.current("fhir/Patient", "p1")
        assert current is not None
        assert current.body == b"{}"
        tx.put(draft(id="p2", key="after"))
        return [e.key for e in tx.batch.entries]

    assert committer.commit(Do(work)) == ["kept", "after"]
    assert [e.seq for e in store.entries(0)] == [1, 2]


def test_an_entry_bears_the_time_of_its_commit(
    committer: Committer, store: Store, clock: DrivenClock
) -> None:
    clock.advance(START + timedelta(hours=1))
    committer.commit(Do(lambda tx: tx.append(draft())))
    assert store.entries(0)[0].at == microseconds(START + timedelta(hours=1))


def test_a_second_hub_is_refused_while_the_first_holds_the_lease(committer: Committer, address: str) -> None:
    other = open_store(address)
    with pytest.raises(StoreLocked, match="another hub"):
        other.writer()
    other.close()
    assert committer.commit(Do(lambda tx: tx.append(draft()))) == 1


def test_nothing_is_written_after_close(committer: Committer) -> None:
    committer.close()
    with pytest.raises(StoreError, match="closed"):
        committer.submit(Do(lambda tx: tx.append(draft())))


def test_a_reopened_store_goes_on_where_it_stopped(store: Store, address: str, clock: DrivenClock) -> None:
    first = Committer(store, clock, SeededIds(clock, 1))
    first.commit(Do(lambda tx: tx.append(draft(key="a"))))
    first.close()
    store.close()
    again = open_store(address)
    second = Committer(again, clock, SeededIds(clock, 2))
    assert second.commit(Do(lambda tx: tx.append(draft(key="b")))) == 2
    second.close()
    again.close()


async def test_coroutines_wait_for_durability_too(committer: Committer, store: Store) -> None:
    works = [Do(lambda tx, n=n: tx.append(draft(key=str(n)))) for n in range(50)]
    seqs = await asyncio.gather(*(committer.committed(work) for work in works))
    assert sorted(seqs) == list(range(1, 51))
    assert store.head() == 50


def test_a_work_that_breaks_the_commit_does_not_take_the_others_with_it(
    committer: Committer, store: Store
) -> None:
    def break_it(tx: Transaction) -> None:
        tx.batch.index[0].append((1, 1, None))

    futures = [
        committer.submit(Do(lambda tx: tx.append(draft(key="a")))),
        committer.submit(Do(break_it)),
        committer.submit(Do(lambda tx: tx.append(draft(key="b")))),
    ]
    assert sorted([futures[0].result(), futures[2].result()]) == [1, 2]
    with pytest.raises(StoreError):
        futures[1].result()
    assert [e.key for e in store.entries(0)] == ["a", "b"]


def test_a_work_that_iterates_past_the_end_fails_alone(committer: Committer, store: Store) -> None:
    async def both() -> list[object]:
        works = [Do(lambda _: next(iter(()))), Do(lambda tx: tx.append(draft()))]
        return await asyncio.gather(*map(committer.committed, works), return_exceptions=True)

    failed, seq = asyncio.run(both())
    assert isinstance(failed, RuntimeError)
    assert seq == store.head() == 1


def test_a_work_that_cannot_say_how_much_it_weighs_is_refused_at_the_door(committer: Committer) -> None:
    with pytest.raises(TypeError):
        committer.submit(Receive(Arrival("t/raw", "clinic", "1", None), print))  # type: ignore[arg-type]
    assert committer.commit(Do(lambda tx: tx.append(draft()))) == 1, "the committer goes on"


def test_who_no_longer_waits_does_not_stop_the_committer(committer: Committer) -> None:
    futures = [committer.submit(Do(lambda tx, n=n: tx.append(draft(key=str(n))))) for n in range(200)]
    for future in futures[::2]:
        future.cancel()
    assert all(isinstance(future.result(), int) for future in futures[1::2])
    assert committer.commit(Do(lambda tx: tx.append(draft(key="after")))) is not None


def test_a_work_is_committed_or_refused_but_never_forgotten_while_the_committer_closes(
    store: Store, clock: DrivenClock
) -> None:
    committer = Committer(store, clock, SeededIds(clock, 1))
    outcomes: list[str] = []
    ready = threading.Barrier(9)

    def write(name: int) -> None:
        ready.wait()
        try:
            for number in range(1000):
                committer.commit(Do(lambda tx, n=number: tx.append(draft(key=f"{name}:{n}"))))
        except StoreError:
            outcomes.append("refused")

    writers = [threading.Thread(target=write, args=(name,), daemon=True) for name in range(8)]
    for writer in writers:
        writer.start()
    ready.wait()
    committer.close()
    for writer in writers:
        writer.join(timeout=60)
    assert outcomes == ["refused"] * 8
    assert len(store.entries(0, limit=10**6)) == store.head()


def test_what_asks_for_the_write_side_alone_and_fails_leaves_nothing_behind(
    committer: Committer, store: Store
) -> None:
    good = Table("good", {"id": "text"}, key=("id",))
    bad = Table("entry", {"id": "text"}, key=("id",))
    with pytest.raises(StoreError, match="table entry has the columns"):
        committer.between(lambda writer: writer.define([good, bad]))
    with pytest.raises(StoreError, match="good"):
        store.select(good)
    assert committer.commit(Do(lambda tx: tx.append(draft()))) == 1
