from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from broadstreet.app.core import Core
from broadstreet.app.settings import Settings
from broadstreet.model.records import Timer
from broadstreet.store.entry import Draft, IndexRows
from broadstreet.store.protocol import StoreError, StoreLocked
from broadstreet.store.timers import Appear, Timers
from broadstreet.store.transaction import Transaction, Wants
from tests.unit.app.conftest import START


class Put:
    weight, size = 1, 100

    def __init__(self, draft: Draft) -> None:
        self.draft = draft

    def wants(self) -> Wants:
        return Wants()

    def apply(self, tx: Transaction) -> None:
        tx.put(self.draft)


def patient(body: bytes, key: str) -> Put:
    rows = IndexRows(tokens=((1, hash(body), 0),))
    return Put(Draft(type="fhir/Patient", id="p", body=body, source="test", key=key, rows=rows))


def test_each_day_that_a_driven_clock_passes_is_closed_once(core: Core) -> None:
    closed = core.advance(START + timedelta(days=3))
    assert [timer.day for timer in closed] == [date(2026, 1, 4) + timedelta(days=n) for n in range(4)]
    assert core.advance(START + timedelta(days=3)) == []


def test_a_deadline_is_due_once_the_clock_has_passed_it(core: Core) -> None:
    deadline = Timer(id="t", name="call back", due=START + timedelta(hours=2), status="waiting")
    core.committer.commit(Appear((deadline,)))
    assert "t" not in [timer.id for timer in core.advance(START + timedelta(hours=1))]
    assert [timer.id for timer in core.advance(START + timedelta(hours=2))] == ["t"]


def test_a_clock_does_not_go_back(core: Core) -> None:
    with pytest.raises(ValueError, match="a clock cannot go back"):
        core.advance(START - timedelta(hours=1))


def test_a_hub_with_the_system_clock_cannot_be_told_the_time(settings: Settings) -> None:
    own = msgspec.structs.replace(settings, clock="system", clock_start=None)
    with Core(own) as core, pytest.raises(ValueError, match='clock = "driven"'):
        core.advance(START)


def test_a_driven_clock_goes_on_where_the_log_ended(settings: Settings) -> None:
    with Core(settings) as core:
        core.advance(START + timedelta(days=2))
    with Core(msgspec.structs.replace(settings, clock_start=None)) as core:
        assert core.clock.now() == START + timedelta(days=2)


def test_a_driven_clock_on_an_empty_store_must_be_told_where_to_begin(settings: Settings) -> None:
    with pytest.raises(ValueError, match="clock_start: expected the instant"):
        Core(msgspec.structs.replace(settings, clock_start=None))
    Core(settings).close()  # the store was given back


def test_two_hubs_cannot_write_to_one_store(settings: Settings, core: Core) -> None:
    with pytest.raises(StoreLocked, match="another hub"):
        Core(settings)
    core.settle()


def test_index_rows_superseded_long_ago_are_purged_and_others_kept(core: Core) -> None:
    core.committer.commit(patient(b"1", "1"))
    core.committer.commit(patient(b"2", "2"))
    assert core.housekeeper.purge() == 0
    core.advance(START + timedelta(minutes=59))
    assert core.store.oldest_position() == 0
    core.advance(START + timedelta(hours=25))
    core.committer.commit(patient(b"3", "3"))
    assert core.store.oldest_position() == core.store.seq_at(
        int((START + timedelta(hours=1)).timestamp() * 1e6)
    )


def test_a_follower_that_stopped_is_told_when_everything_should_be_seen(
    settings: Settings,
) -> None:
    class Failing:
        name, version, types, tables, barriers = "failing", 1, frozenset({"bs/Timer"}), (), frozenset()

        def project(self, *_: object) -> list[object]:
            raise RuntimeError("no")

    with Core(settings, followers=[Timers(), Failing()]) as core:  # type: ignore[list-item]
        core.scheduler.run()
        with pytest.raises(StoreError, match="failing: RuntimeError in project"):
            core.settle()


def test_a_data_folder_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    with Core(Settings(data=str(folder), clock="driven", clock_start=datetime(2026, 1, 1, tzinfo=UTC))):
        assert (folder / "log.db").exists()


def test_settling_ends_after_the_time_that_it_is_given(core: Core) -> None:
    core.followers.stop()
    core.committer.commit(patient(b"{}", "1"))
    with pytest.raises(StoreError, match=r"after 0\.1 seconds"):
        core.settle(0.1)
