from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from broadstreet.model.clock import SystemClock
from broadstreet.model.ids import RandomIds
from broadstreet.store.committer import Committer
from broadstreet.store.followers import Followers
from broadstreet.store.protocol import StoreFull, Writer
from broadstreet.store.sqlite import SqliteStore
from broadstreet.store.sqlite.store import verify
from broadstreet.store.tables import Table
from tests.crash.city import ALARM, DAY, ORDER, SOURCE, TALLY, VISIT, Alarms, Arrive, Tally
from tests.crash.harness import Program, acknowledged

PAGES = 200


def set_pages(committer: Committer, pages: int) -> None:
    def pragma(writer: Writer) -> None:
        writer._connection.execute(f"PRAGMA max_page_count = {pages}")  # type: ignore[attr-defined]

    committer.between(pragma)


def test_a_full_disk_refuses_every_waiting_work_and_the_committer_recovers(tmp_path: Path) -> None:
    store, clock = SqliteStore(tmp_path / "log.db"), SystemClock()
    committer = Committer(store, clock, RandomIds(clock))
    set_pages(committer, PAGES)
    outcomes: dict[str, int | StoreFull] = {}

    def send(key: str) -> None:
        try:
            outcomes[key] = committer.commit(Arrive(key))
        except StoreFull as full:
            outcomes[key] = full

    async def send_too(key: str) -> None:
        try:
            outcomes[key] = await committer.committed(Arrive(key))
        except StoreFull as full:
            outcomes[key] = full

    async def send_many() -> None:
        await asyncio.gather(*(send_too(f"coroutine-{n}") for n in range(500)))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(send, (f"thread-{n}" for n in range(1000))))
    asyncio.run(send_many())

    kept = {entry.key: entry.seq for entry in store.entries(0, limit=10**6) if entry.source == SOURCE}
    assert len(outcomes) == 1500
    assert kept == {key: seq for key, seq in outcomes.items() if isinstance(seq, int)}
    refused = [key for key, outcome in outcomes.items() if isinstance(outcome, StoreFull)]
    assert refused
    assert any(key.startswith("coroutine") for key in refused)

    set_pages(committer, 2**30)
    for key in refused:
        send(key)
    kept = {entry.key: entry.seq for entry in store.entries(0, limit=10**6) if entry.source == SOURCE}
    assert kept == outcomes
    committer.close()
    store.close()
    verify(tmp_path / "log.db")


def test_a_follower_waits_for_room_and_is_not_stopped_by_a_full_disk(tmp_path: Path) -> None:
    store, clock = SqliteStore(tmp_path / "log.db"), SystemClock()
    committer = Committer(store, clock, RandomIds(clock))
    tally = Tally()
    followers = Followers.begun(store, committer, [tally, Alarms(tally)])
    set_pages(committer, PAGES)
    number = 0
    with pytest.raises(StoreFull):
        while number := number + 1:
            committer.commit(Arrive(f"{number}"))
    while followers.step():
        pass
    stood = followers.positions()
    assert followers.faults == {}
    set_pages(committer, 2**30)
    while followers.step():
        pass
    assert followers.faults == {}
    assert followers.positions() != stood
    counted = Counter(entry.type for entry in store.entries(0, limit=10**6))
    assert dict(store.select(TALLY)) == {type: counted[type] for type in (VISIT, DAY, ORDER) if counted[type]}  # type: ignore[arg-type, var-annotated]
    assert counted[ALARM] == counted[DAY]
    committer.close()
    store.close()


def test_maintenance_that_finds_no_room_leaves_no_transaction_open(tmp_path: Path) -> None:
    store, clock = SqliteStore(tmp_path / "log.db"), SystemClock()
    committer = Committer(store, clock, RandomIds(clock))
    tables = [Table(f"table_{n}", {"id": "text"}, key=("id",)) for n in range(100)]
    set_pages(committer, 1)  # no page more than there are
    with pytest.raises(StoreFull):
        committer.between(lambda writer: writer.define(tables))
    set_pages(committer, 2**30)
    assert committer.commit(Arrive("after")) == 1
    committer.between(lambda writer: writer.define(tables))
    assert store.select(tables[-1]) == []
    committer.close()
    store.close()


@pytest.mark.parametrize("limit", [2 * 2**20, 20 * 2**20])
def test_files_that_may_not_grow_lose_nothing_and_acknowledge_nothing_false(
    tmp_path: Path, limit: int
) -> None:
    database = tmp_path / "log.db"
    with Program("tests.crash.full_disk", str(database), str(limit)) as hub:
        said = hub.finish()
    full = [line.split()[1] for line in said if line.startswith("full ")]
    again = acknowledged([line.removeprefix("again ") for line in said if line.startswith("again ")])
    first = acknowledged([line for line in said if line.count(" ") == 1 and line[0].isdigit()])
    assert said[-1] == "faults 0"
    assert sorted(full) == sorted(again)
    assert not set(first) & set(again)
    assert database.with_name("log.db-wal").exists() is False, "the hub ended well"
    verify(database)
    store = SqliteStore(database, create=False)
    entries = store.entries(0, limit=10**7)
    store.close()
    kept = {entry.key: entry.seq for entry in entries if entry.source == SOURCE}
    assert kept == first | again
    assert len(first) > 30
    assert [entry.key for entry in entries if entry.source == SOURCE and entry.key in again] == list(again)
