from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broadstreet.model import records
from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.model.records import Access, AccessNotice, AccessRequest, Investigation
from broadstreet.store.committer import Committer
from broadstreet.store.followers import Followers
from broadstreet.store.protocol import StoreError, StoreFull
from broadstreet.store.sqlite import SqliteStore
from broadstreet.trust.access import ACCESS, Leave, Looked, who_looked
from broadstreet.trust.gathering import Gathered
from broadstreet.trust.principals import Principal
from broadstreet.trust.requests import Ask, Decide, Refused, Withdraw, allowed
from tests.unit.store.conftest import Do, draft

START = datetime(2026, 1, 5, tzinfo=UTC)
INVESTIGATOR = Principal("ines", "person", frozenset({"investigator"}))
OFFICER = Principal("omar", "person", frozenset({"privacy-officer"}))
BOTH = Principal("ines", "person", frozenset({"investigator", "privacy-officer"}))


class Hub:
    def __init__(self, folder: Path) -> None:
        self.clock = DrivenClock(START)
        self.store = SqliteStore(folder / "log.db")
        self.committer = Committer(self.store, self.clock, SeededIds(self.clock, 1))
        self.followers = Followers.begun(self.store, self.committer, [Looked()])
        self.investigate("open")

    def investigate(self, status: str) -> None:
        record = Investigation(id="i1", status=status, title="Measles", opened=START)  # type: ignore[arg-type]
        made = draft(
            id="i1",
            type="bs/Investigation",
            body=records.encode(record),
            key=f"i1-{status}-{self.store.head()}",
        )
        self.committer.commit(Do(lambda tx: tx.put(made)))

    def ask(self, who: Principal = INVESTIGATOR, **more: object) -> AccessRequest:
        asked = Ask(
            who, "i1", ("p1", "p2"), "Infectious Disease Control Act, article 34-2",
            START - timedelta(days=14), START, START + timedelta(days=30),
        )  # fmt: skip
        request: AccessRequest = self.committer.commit(dataclasses.replace(asked, **more))  # type: ignore[arg-type]
        return request

    def decide(
        self, request: AccessRequest, who: Principal = OFFICER, status: str = "approved"
    ) -> AccessRequest:
        decided: AccessRequest = self.committer.commit(Decide(who, request.id, status, "as the law says"))  # type: ignore[arg-type]
        return decided

    def count(self, *requests: AccessRequest) -> int:
        return len(allowed(self.store, requests, "i1", self.clock.now()))

    def records(self, type: str) -> list[object]:
        return [records.decode(entry.body or b"") for entry in self.store.entries(0, types=[type])]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(tmp_path)
    yield hub
    hub.committer.close()
    hub.store.close()


def access(*whom: str, **more: str) -> Access:
    said = {"who": "kim", "kind": "person", "purpose": "treatment", "action": "read", "what": "Patient"}
    return Access(id="-", outcome="answered", whom=whom, residents=len(whom), **(said | more))  # type: ignore[arg-type]


def test_an_access_is_durable_when_its_commit_returns(hub: Hub) -> None:
    seq = hub.committer.commit(Leave(access("p1")))
    (entry,) = hub.store.entries(seq - 1)
    left = records.decode(entry.body or b"")
    assert (entry.type, entry.actor, entry.seal) == (ACCESS, "kim", 0)
    assert isinstance(left, Access)
    assert (left.id, left.whom) == (entry.id, ("p1",))


def test_who_looked_at_a_resident_is_told_newest_first(hub: Hub) -> None:
    hub.committer.commit(Leave(access("p1", "p2")))
    hub.committer.commit(Leave(access("p2", who="lee", purpose="public-health", action="search")))
    hub.committer.commit(Leave(access(action="count")))
    while hub.followers.step():
        pass
    assert [one["who"] for one in who_looked(hub.store, "p2")] == ["lee", "kim"]
    assert [one["who"] for one in who_looked(hub.store, "p1")] == ["kim"]
    assert who_looked(hub.store, "p9") == []


def test_movements_are_seen_after_another_person_approved_and_the_residents_are_told(hub: Hub) -> None:
    request = hub.ask()
    assert hub.count(request) == 0
    approved = hub.decide(request)
    assert (hub.count(approved), approved.decided_by) == (1, "omar")
    notices = hub.records("bs/AccessNotice")
    assert [each.resident for each in notices if isinstance(each, AccessNotice)] == ["p1", "p2"]
    assert {entry.subject for entry in hub.store.entries(0, types=["bs/AccessNotice"])} == {"p1", "p2"}


def test_nobody_approves_what_they_asked_for(hub: Hub) -> None:
    request = hub.ask(BOTH)
    with pytest.raises(Refused, match="another person"):
        hub.decide(request, BOTH)


def test_a_refusal_tells_no_one_and_is_final(hub: Hub) -> None:
    request = hub.ask()
    refused = hub.decide(request, status="refused")
    assert hub.count(refused) == 0
    assert hub.records("bs/AccessNotice") == []
    with pytest.raises(Refused, match="waits for a decision"):
        hub.decide(request)


def test_an_approval_ends_with_its_time_its_withdrawal_and_its_investigation(hub: Hub) -> None:
    approved = hub.decide(hub.ask())
    hub.investigate("closed")
    assert hub.count(approved) == 0
    hub.investigate("open")
    record = hub.store.current("bs/Investigation", "i1")
    assert record is not None
    hub.clock.advance(START + timedelta(days=30))
    assert hub.count(approved) == 0
    withdrawn = hub.committer.commit(Withdraw(INVESTIGATOR, approved.id, "no longer needed"))
    assert hub.count(withdrawn) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"investigation": "i9"},
        {"residents": ()},
        {"basis": " "},
        {"start": START, "end": START},
        {"start": START - timedelta(days=61)},
        {"expires": START},
        {"expires": START + timedelta(days=91)},
        {"principal": OFFICER},
        {"principal": Principal("ines", "client", frozenset({"investigator"}))},
    ],
)
def test_a_request_that_may_not_be_made_is_refused_with_the_reason(
    hub: Hub, wrong: dict[str, object]
) -> None:
    with pytest.raises(Refused):
        hub.ask(**wrong)  # type: ignore[arg-type]
    assert hub.records("bs/AccessRequest") == []


def test_only_who_asked_or_who_decides_withdraws(hub: Hub) -> None:
    request = hub.ask()
    with pytest.raises(Refused, match="is withdrawn by"):
        hub.committer.commit(
            Withdraw(Principal("eve", "person", frozenset({"investigator"})), request.id, "")
        )


def test_accesses_of_many_connections_are_durable_together_and_each_before_its_answer(hub: Hub) -> None:
    gathered, before, head = Gathered(hub.committer), hub.committer.batches, hub.store.head()
    with ThreadPoolExecutor(32) as pool:
        answered = list(pool.map(lambda n: (gathered(access(f"p{n}")), hub.committer.head)[1], range(320)))
    assert len(answered) == 320
    assert hub.store.head() == head + 320
    assert hub.committer.batches - before < 320, "several stand in one commit"


def test_what_cannot_be_made_durable_is_told_to_everyone_who_waits(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered = Gathered(hub.committer)

    def full(*_: object) -> Future[object]:
        refused: Future[object] = Future()
        refused.set_exception(StoreFull("no room"))
        return refused

    def asked(_: int) -> str:
        try:
            gathered(access("p1"))
        except StoreFull:
            return "refused"
        return "answered"

    with monkeypatch.context() as patch, ThreadPoolExecutor(8) as pool:
        patch.setattr(hub.committer, "submit", full)
        assert set(pool.map(asked, range(40))) == {"refused"}
    assert asked(0) == "answered", "and the next one is tried again"


def test_who_holds_is_committed_with_the_next_who_does_not(hub: Hub) -> None:
    gathered, before = Gathered(hub.committer), hub.committer.batches
    held = [gathered.leave([access("p1")], hold=True) for _ in range(3)]
    assert not any(left.together.done.done() for left in held)
    last = gathered.leave([access("p2")])
    last.together.done.result(10)
    for left in (*held, last):
        left.require_durable()
    assert (len(hub.records(ACCESS)), hub.committer.batches - before) == (4, 1)


def test_who_holds_is_committed_at_the_end(hub: Hub) -> None:
    gathered = Gathered(hub.committer)
    left = gathered.leave([access("p1")], hold=True)
    gathered.finish()
    assert left.together.done.done()
    assert len(hub.records(ACCESS)) == 1
    gathered.begin(left.together)
    assert len(hub.records(ACCESS)) == 1, "nothing is committed twice"


def test_what_is_left_after_the_committer_closed_is_told_as_an_error(hub: Hub) -> None:
    gathered = Gathered(hub.committer)
    hub.committer.close()
    with pytest.raises(StoreError, match="closed"):
        gathered(access("p1"))
