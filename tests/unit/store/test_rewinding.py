from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from broadstreet.model import fhir
from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.store.advance import Advance
from broadstreet.store.committer import Committer
from broadstreet.store.followers import Followers
from broadstreet.store.opening import open_store
from broadstreet.store.protocol import Cursor, Store
from broadstreet.store.rewinding import rewind
from broadstreet.store.sqlite.store import restore
from tests.unit.store.cities import ALARM, DAY, TALLY, VISIT, Alarm, Tally
from tests.unit.store.conftest import START, Do, draft, say

SAID = (VISIT, VISIT, DAY, VISIT, DAY, VISIT, VISIT, DAY)


@contextmanager
def hub(address: str) -> Iterator[tuple[Store, Committer]]:
    store, clock = open_store(address), DrivenClock(START)
    committer = Committer(store, clock, SeededIds(clock, store.head()))
    yield store, committer
    committer.close()
    store.close()


def followed(store: Store, committer: Committer) -> tuple[list[Any], dict[Any, Any]]:
    """Let followers see everything; return what the alarms say, by cause, and what is counted."""
    tally = Tally()
    followers = Followers.begun(store, committer, [tally, Alarm(tally)])
    while followers.step():
        pass
    assert followers.faults == {}
    assert {cursor.seq for cursor in followers.positions().values()} == {store.head()}
    alarms = [(e.cause, (e.body or b"").decode()) for e in store.entries(0, types=[ALARM])]
    return sorted(alarms, key=str), dict(store.select(TALLY))  # type: ignore[arg-type]


@pytest.mark.parametrize("interleaved", [False, True])
@pytest.mark.parametrize("to", range(len(SAID) + 4))
def test_a_log_cut_at_any_position_goes_on_as_if_nothing_had_followed(
    address: str, to: int, interleaved: bool
) -> None:
    with hub(address) as (store, committer):
        for type in SAID:
            say(committer, type)
            if interleaved:
                followed(store, committer)
        followed(store, committer)
        kept = [e for e in store.entries(0, to=to) if e.type != ALARM]
        tally = Tally()
        lost = rewind(store, committer, [tally, Alarm(tally)], to)
        assert store.head() == to
        assert lost.entries == len(SAID) + 3 - to
        alarms, counts = followed(store, committer)
        days = [e.seq for e in kept if e.type == DAY]
        visits = [e.seq for e in kept if e.type == VISIT]
    assert alarms == sorted([(day, str(sum(visit < day for visit in visits))) for day in days], key=str), (
        "each day that stays has its alarm once, with the count of its time"
    )
    assert counts == {t: n for t, n in ((VISIT, len(visits)), (DAY, len(days))) if n}
    with hub(address) as (store, _):
        assert [entry.seq for entry in store.entries(0)] == list(range(1, store.head() + 1)), "no gap"


def test_newest_versions_and_the_index_are_those_of_the_position(address: str) -> None:
    def put(committer: Committer, store: Store, id: str, gender: str | None) -> int:
        body = b'{"resourceType":"Patient","id":"%s","gender":"%s"}' % (id.encode(), (gender or "").encode())
        rows = store.indexer.rows(fhir.decode(body)) if gender else None
        more = {"rows": rows} if rows is not None else {}
        made = draft(id=id, body=body if gender else None, key=f"{id}{gender}", **more)
        seq = committer.commit(Do(lambda tx: tx.put(made)))
        assert isinstance(seq, int)
        return seq

    with hub(address) as (store, committer):
        put(committer, store, "a", "female")
        put(committer, store, "b", "male")
        position = store.head()
        before = {e.id: e.body for e in store.currents("fhir/Patient")}
        rows = [list(store.rows(table)) for table in store.index_tables()]
        put(committer, store, "a", "male")
        put(committer, store, "b", None)
        put(committer, store, "c", "other")
        rewind(store, committer, [], position)
        assert {e.id: e.body for e in store.currents("fhir/Patient")} == before
        assert [list(store.rows(table)) for table in store.index_tables()] == rows
        assert put(committer, store, "a", "other") == position + 1
        assert store.history("fhir/Patient", "a")[-1].version == 2


def test_a_position_beyond_the_log_is_refused(address: str) -> None:
    with hub(address) as (store, committer):
        say(committer, VISIT)
        with pytest.raises(ValueError, match="expected a position from 0 to 1, where the log ends, got 2"):
            rewind(store, committer, [], 2)
        assert rewind(store, committer, [], 1).sentences() == []


def test_followers_that_stand_beyond_the_log_begin_anew(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    with hub(address) as (store, committer):
        say(committer, VISIT, DAY)
        right = followed(store, committer)
        for name in ("tally", "alarm"):  # their cursors were kept elsewhere, and an older log was restored
            committer.commit(Advance(Cursor(name, 1, 1_000), store.cursors()[name].seq))
        assert followed(store, committer) == right
        assert "tally@1 begins anew: it stands at 1000, the log ends at 3" in caplog.text
        say(committer, VISIT, DAY)
        alarms, counts = followed(store, committer)
    assert [body for _, body in alarms] == ["1", "2"]
    assert counts == {VISIT: 2, DAY: 2}


def test_a_projection_whose_table_was_deleted_by_hand_is_built_again(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    with hub(address) as (store, committer):
        say(committer, VISIT, DAY, VISIT)
        right = followed(store, committer)
        committer.between(lambda writer: writer._connection.execute("DROP TABLE tally"))  # type: ignore[attr-defined]
    with hub(address) as (store, committer):
        assert followed(store, committer) == right
    assert "tally@1 begins anew: its table tally is missing" in caplog.text


def test_the_copy_that_is_prepared_is_thrown_away_if_that_fails(tmp_path: Path) -> None:
    with hub(str(tmp_path / "log.db")) as (store, committer):
        say(committer, VISIT)
        store.backup(tmp_path / "copy.db")
    before = (tmp_path / "log.db").read_bytes()

    def fail(_: Path) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        restore(tmp_path / "copy.db", tmp_path / "log.db", fail)
    assert (tmp_path / "log.db").read_bytes() == before
    assert {file.name for file in tmp_path.iterdir()} == {"log.db", "log.db.lease", "copy.db"}
