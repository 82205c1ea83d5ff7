from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from broadstreet.model import fhir
from broadstreet.model.clock import DrivenClock, microseconds
from broadstreet.store.committer import Committer
from broadstreet.store.entry import NO_ROWS
from broadstreet.store.index import EARLIEST, LATEST, Indexer, span
from broadstreet.store.protocol import PositionGone, Store, StoreError
from broadstreet.store.query import Condition, Dated, Refers, Token

from .conftest import START, Do, draft

DAY = 86_400_000_000
MRN = "urn:clinic:mrn"


def day(text: str) -> int:
    return microseconds(datetime.fromisoformat(text).replace(tzinfo=UTC))


def Encounter(status: str, subject: str, start: str, end: str | None = None) -> fhir.Encounter:  # noqa: N802
    return fhir.Encounter(
        status=status,
        class_=fhir.Coding(code="AMB"),
        subject=fhir.Reference(reference=subject),
        period=fhir.Period(start=start, end=end),
    )


def put(committer: Committer, store: Store, id: str, encounter: fhir.Encounter | None) -> int:
    body = None if encounter is None else fhir.encode(encounter)
    rows = NO_ROWS if encounter is None else store.indexer.rows(encounter)
    seq: int = committer.commit(
        Do(lambda tx: tx.put(draft(type="fhir/Encounter", id=id, body=body, key=tx.new_id(), rows=rows)))
    )
    return seq


def found(store: Store, *conditions: Condition, at: int | None = None) -> list[str]:
    return [entry.id for entry in store.search("Encounter", conditions, at=at).entries]


@pytest.fixture
def history(committer: Committer, store: Store) -> list[int]:
    """Return the seqs of: e1 arrives, e2 arrives, e1 is finished, e2 is deleted."""
    return [
        put(committer, store, "e1", Encounter("in-progress", "Patient/ann", "2026-01-05")),
        put(committer, store, "e2", Encounter("in-progress", "Patient/ben", "2026-01-07")),
        put(committer, store, "e1", Encounter("finished", "Patient/ann", "2026-01-05", "2026-01-06")),
        put(committer, store, "e2", None),
    ]


@pytest.mark.usefixtures("history")
def test_a_search_finds_what_holds_now(store: Store) -> None:
    assert found(store, Token("status", None, "finished")) == ["e1"]
    assert found(store, Token("status", None, "in-progress")) == []
    assert found(store, Refers("subject", "Patient/ann")) == ["e1"]
    assert found(store, Refers("subject", "Patient/ben")) == []


def test_a_search_at_a_position_finds_what_held_then(store: Store, history: list[int]) -> None:
    arrived, both, finished, deleted = history
    in_progress = Token("status", None, "in-progress")
    assert [found(store, in_progress, at=at) for at in (0, arrived, both, finished, deleted)] == [
        [],
        ["e1"],
        ["e2", "e1"],
        ["e2"],
        [],
    ]
    assert found(store, Refers("subject", "Patient/ben"), at=finished) == ["e2"]


def test_a_date_is_found_where_the_period_overlaps(store: Store, history: list[int]) -> None:
    at = history[2]
    for low, high, ids in [
        ("2026-01-01", "2026-01-05", []),
        ("2026-01-01", "2026-01-06", ["e1"]),
        ("2026-01-06", "2026-01-07", ["e1"]),  # the end's whole day belongs to it
        ("2026-01-07", "2026-01-08", ["e2"]),
        ("2030-01-01", "2030-01-02", ["e2"]),  # it has no end
    ]:
        assert sorted(found(store, Dated("date", "ap", day(low), day(high)), at=at)) == ids


def test_all_conditions_must_hold_and_each_version_is_found_once(store: Store, history: list[int]) -> None:
    conditions = (Token("status", None, "in-progress"), Refers("subject", "Patient/ann"))
    assert found(store, *conditions, at=history[1]) == ["e1"]
    assert found(store, *conditions, *conditions, at=history[1]) == ["e1"]
    assert (
        found(store, Token("status", None, "finished"), Refers("subject", "Patient/ben"), at=history[2]) == []
    )


def test_results_come_in_pages_that_do_not_move(committer: Committer, store: Store) -> None:
    for number in range(25):
        put(committer, store, f"e{number}", Encounter("in-progress", "Patient/ann", "2026-01-05"))
    ann, seen, page = [Refers("subject", "Patient/ann")], [], None
    while True:
        read = store.search("Encounter", ann, page=page, limit=10)
        seen += [entry.id for entry in read.entries]
        put(committer, store, f"e{len(seen)}", Encounter("finished", "Patient/ann", "2026-01-05"))
        page = read.next
        if page is None:
            break
    assert seen == [f"e{number}" for number in reversed(range(25))]


def test_a_resource_is_read_as_it_was(store: Store, history: list[int]) -> None:
    versions = [store.current("fhir/Encounter", "e1", at=at) for at in range(history[-1] + 1)]
    assert [entry and entry.version for entry in versions] == [None, 1, 1, 2, 2]
    assert store.current("fhir/Encounter", "e2") is None
    assert store.current("fhir/Patient", "e1", at=history[-1]) is None


def test_after_a_purge_older_positions_are_refused_with_the_remedy(
    store: Store, committer: Committer, history: list[int]
) -> None:
    in_progress = Token("status", None, "in-progress")
    assert committer.between(lambda writer: writer.purge(history[2])) == 5  # the rows of one version
    assert store.oldest_position() == history[2]
    with pytest.raises(PositionGone, match="start again without a position") as gone:
        found(store, in_progress, at=history[1])
    assert (gone.value.asked, gone.value.oldest) == (history[1], history[2])
    assert found(store, in_progress, at=history[2]) == ["e2"]
    assert found(store, Token("status", None, "finished")) == ["e1"]


def test_a_smaller_purge_does_not_bring_positions_back(
    store: Store, committer: Committer, history: list[int]
) -> None:
    committer.between(lambda writer: writer.purge(history[2]))
    assert committer.between(lambda writer: writer.purge(history[0])) == 0
    assert store.oldest_position() == history[2]


def test_a_purge_never_reaches_beyond_the_log(store: Store, committer: Committer, history: list[int]) -> None:
    committer.between(lambda writer: writer.purge(10**9))
    assert store.oldest_position() == history[-1]
    assert found(store, Token("status", None, "finished"), at=history[-1]) == ["e1"]


def test_a_purge_that_comes_while_a_page_is_read_is_noticed(
    store: Store, committer: Committer, history: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = store.run

    def purge_first(sql: str, values: object = ()) -> object:
        if "token_index" in sql:
            committer.between(lambda writer: writer.purge(history[2]))
        return read(sql, values)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "run", purge_first)
    with pytest.raises(PositionGone):
        found(store, Token("status", None, "in-progress"), at=history[1])


def test_an_index_under_reconstruction_is_not_searched(
    store: Store, committer: Committer, history: list[int]
) -> None:
    committer.between(lambda writer: writer.drop_index())
    assert not store.indexed()
    with pytest.raises(StoreError, match="search index is incomplete"):
        found(store, Token("status", None, "finished"))
    with pytest.raises(StoreError, match="search index is incomplete"):
        committer.commit(Do(lambda tx: tx.find("Patient", "identifier", MRN, "7")))
    committer.between(lambda writer: writer.finish_index())
    assert found(store, Token("status", None, "finished"), at=history[-1]) == []


def test_what_cannot_be_searched_is_refused_with_what_can(store: Store) -> None:
    with pytest.raises(ValueError, match="can be searched by: _id, _lastUpdated"):
        store.search("Encounter", [Token("colour", None, "red")])
    with pytest.raises(ValueError, match="searched as a date, not as a token"):
        store.search("Encounter", [Token("date", None, "x")])
    with pytest.raises(ValueError, match="no resource named 'Encouter'"):
        store.search("Encouter", [Token("status", None, "x")])


def test_tokens_of_one_store_say_nothing_about_another() -> None:
    assert Indexer(b"a" * 32).hashed("7") != Indexer(b"b" * 32).hashed("7")
    assert Indexer(b"a" * 32).hashed("7") == Indexer(b"a" * 32).hashed("7")


def test_a_position_is_found_by_the_time_of_its_commit(
    committer: Committer, store: Store, clock: DrivenClock
) -> None:
    for hour in range(5):
        clock.advance(START + timedelta(hours=hour))
        committer.commit(Do(lambda tx, h=hour: [tx.append(draft(key=f"{h}:{n}")) for n in range(3)]))
    at = microseconds(START)
    assert store.seq_at(at - 1) == 0
    assert [store.seq_at(at + hour * 3_600_000_000) for hour in range(6)] == [3, 6, 9, 12, 15, 15]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2024", "2024-01-01T00:00:00+00:00", "2025-01-01T00:00:00+00:00"),
        ("2024-12", "2024-12-01T00:00:00+00:00", "2025-01-01T00:00:00+00:00"),
        ("2024-02-29", "2024-02-29T00:00:00+00:00", "2024-03-01T00:00:00+00:00"),
        ("2024-02-29T10:00:00+09:00", "2024-02-29T01:00:00+00:00", "2024-02-29T01:00:01+00:00"),
        ("2024-02-29T10:00:00.5Z", "2024-02-29T10:00:00.500000+00:00", "2024-02-29T10:00:00.500001+00:00"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00+00:00", "2017-01-01T00:00:01+00:00"),
        ("0001-01-01", "0001-01-01T00:00:00+00:00", "0001-01-02T00:00:00+00:00"),
    ],
)
def test_a_date_covers_all_that_its_precision_leaves_open(text: str, low: str, high: str) -> None:
    expected = tuple(microseconds(datetime.fromisoformat(moment)) for moment in (low, high))
    assert span(text, text) == expected


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "9999", "9999-12"]
)
def test_the_ends_of_the_calendar_are_indexed_in_order(text: str) -> None:
    low, high = span(text, text)
    assert EARLIEST < low < high < LATEST


def test_an_open_end_reaches_to_the_end_of_time() -> None:
    assert span("2026", None) == (day("2026-01-01"), LATEST)
    assert span(None, "2026-01-05") == (EARLIEST, day("2026-01-06"))
    assert span("2026-01-07", "2026-01-05") == (day("2026-01-07"), day("2026-01-07"))
