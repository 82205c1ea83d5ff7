from __future__ import annotations

from datetime import timedelta

import pytest

from broadstreet.model import records
from broadstreet.model.clock import DrivenClock, microseconds
from broadstreet.model.records import Fault, Quarantined
from broadstreet.store import inbox
from broadstreet.store.committer import Committer
from broadstreet.store.followers import Followers
from broadstreet.store.inbox import FEED, TOLERATED, Arrival, Discard, Receipt, Receive, Refused, Retry
from broadstreet.store.protocol import Store
from broadstreet.store.quarantine import QUARANTINE, Quarantine
from broadstreet.store.transaction import Transaction

from .conftest import START, Do, draft

TYPE = records.entry_type(Quarantined)
SEVEN = microseconds(START)


class Mapping:
    """Maps `patient:NAME`; refuses what it was told to refuse, after it has put something."""

    def __init__(self, *refuses: bytes) -> None:
        self.refuses = set(refuses)

    def __call__(self, tx: Transaction, arrival: Arrival, raw: int) -> None:
        name = arrival.body.partition(b":")[2]
        tx.put(draft(id=name.decode(), body=arrival.body, source="map@1", key=f"{raw}:0", cause=raw))
        if arrival.body in self.refuses:
            raise Refused("AE", (Fault(reason="PID-3 is missing", segment="PID", field=3),))


@pytest.fixture
def doors(committer: Committer) -> Committer:
    committer.between(lambda writer: writer.define(inbox.TABLES))
    return committer


def send(
    committer: Committer, body: bytes, control_id: str = "1", interpret: Mapping | None = None, **more: object
) -> Receipt:
    arrival = Arrival("hl7v2/ADT", "clinic", control_id, body, **more)  # type: ignore[arg-type]
    receipt: Receipt = committer.commit(Receive(arrival, interpret or Mapping()))
    return receipt


def retry(store: Store, committer: Committer, id: str, mended: bytes | None = None) -> Receipt:
    """Send what is in quarantine again, as the command line does: from the record alone."""
    entry = store.current(TYPE, id)
    assert entry is not None
    assert entry.cause is not None
    raw = store.entries(entry.cause - 1, limit=1)[0]
    receipt: Receipt = committer.commit(Retry(raw, held(store, id), Mapping(b"patient:bad"), mended))
    return receipt


def held(store: Store, id: str) -> Quarantined:
    entry = store.current(TYPE, id)
    assert entry is not None
    record = records.decode(entry.body or b"")
    assert isinstance(record, Quarantined)
    return record


def feed(store: Store) -> dict[str, object]:
    (row,) = store.select(FEED)
    return dict(zip(FEED.columns, row, strict=True))


def patients(store: Store) -> list[str]:
    return [entry.id for entry in store.entries(0, types=["fhir/Patient"])]


def test_a_message_and_what_is_mapped_from_it_are_one_commit(doors: Committer, store: Store) -> None:
    receipt = send(doors, b"patient:ann")
    raw, mapped = store.entries(0)
    assert (receipt.state, receipt.seq, receipt.id) == ("accepted", raw.seq, raw.id)
    assert (raw.type, raw.body, raw.source, mapped.cause) == ("hl7v2/ADT", b"patient:ann", "clinic", raw.seq)


def test_a_message_sent_again_is_acknowledged_and_nothing_is_new(doors: Committer, store: Store) -> None:
    first, again = send(doors, b"patient:ann"), send(doors, b"patient:ann")
    assert (again.state, again.seq, again.id) == ("duplicate", first.seq, first.id)
    assert store.head() == 2
    assert (feed(store)["messages"], feed(store)["duplicates"], feed(store)["reused"]) == (2, 1, 0)


def test_a_message_sent_twice_within_one_commit_counts_once(doors: Committer, store: Store) -> None:
    arrival = Arrival("hl7v2/ADT", "clinic", "1", b"patient:ann")

    def twice(tx: Transaction) -> list[Receipt]:
        return [Receive(arrival, Mapping()).apply(tx) for _ in range(2)]

    first, again = doors.commit(Do(twice))
    assert (first.state, again.state, again.seq) == ("accepted", "duplicate", first.seq)
    assert store.head() == 2


def test_another_message_under_the_same_control_id_is_new_and_counted(doors: Committer, store: Store) -> None:
    send(doors, b"patient:ann")
    send(doors, b"patient:ben")
    send(doors, b"patient:cat", control_id="1:2")
    assert patients(store) == ["ann", "ben", "cat"]
    assert (feed(store)["accepted"], feed(store)["reused"]) == (3, 1)


def test_a_sender_that_never_changes_its_control_id_is_heard_all_the_same(
    doors: Committer, store: Store
) -> None:
    for number in range(40):
        assert send(doors, f"patient:{number}".encode(), control_id="0").state == "accepted"
    for number in range(40):
        assert send(doors, f"patient:{number}".encode(), control_id="0").state == "duplicate"
    assert (len(patients(store)), feed(store)["reused"], feed(store)["duplicates"]) == (40, 39, 40)


@pytest.mark.parametrize("control_id", ["", "a\0b", "x" * 100_000, "7:" + "0" * 64, "⚕"])
def test_any_control_id_is_taken_once(doors: Committer, store: Store, control_id: str) -> None:
    for state in ("accepted", "duplicate"):
        assert send(doors, b"patient:ann", control_id).state == state
    assert len(store.entries(0)[0].key) < 300


def test_the_same_control_id_of_two_senders_is_two_messages(doors: Committer, store: Store) -> None:
    send(doors, b"patient:ann")
    doors.commit(Receive(Arrival("hl7v2/ADT", "laboratory", "1", b"patient:ann"), Mapping()))
    assert store.select(FEED, order=("source",))[1][0] == "laboratory"
    assert [row[FEED_ROW["reused"]] for row in store.select(FEED)] == [0, 0]


FEED_ROW = {name: number for number, name in enumerate(FEED.columns)}


def test_a_message_that_cannot_be_mapped_is_kept_in_quarantine_with_the_reason(
    doors: Committer, store: Store
) -> None:
    receipt = send(doors, b"patient:bad", interpret=Mapping(b"patient:bad"))
    assert (receipt.state, receipt.verdict, receipt.attempts) == ("refused", "AE", 1)
    assert receipt.faults[0].reason == "PID-3 is missing"
    assert patients(store) == [], "what the mapping had put is taken back"
    raw, quarantined = store.entries(0)
    assert (raw.body, quarantined.cause, quarantined.type) == (b"patient:bad", raw.seq, TYPE)
    assert feed(store)["refused"] == 1


def test_each_resend_of_a_refused_message_raises_its_attempts(
    doors: Committer, store: Store, clock: DrivenClock
) -> None:
    receipts = []
    for _ in range(3):
        receipts.append(send(doors, b"patient:bad", interpret=Mapping(b"patient:bad")))
        clock.advance(clock.now() + timedelta(minutes=5))
    assert [receipt.attempts for receipt in receipts] == [1, 2, 3]
    record = held(store, receipts[0].id)
    assert (record.first, record.last) == (START, START + timedelta(minutes=10))
    assert len(store.entries(0, types=["hl7v2/ADT"])) == 1, "the message itself is kept once"


def test_a_resend_after_a_fix_releases_the_message(doors: Committer, store: Store) -> None:
    refused = send(doors, b"patient:bad", interpret=Mapping(b"patient:bad"))
    released = send(doors, b"patient:bad")
    assert (released.state, released.attempts, released.seq) == ("accepted", 2, refused.seq)
    assert held(store, refused.id).state == "released"
    assert patients(store) == ["bad"]
    assert send(doors, b"patient:bad").state == "duplicate"


def test_a_quarantined_message_is_sent_again_from_there_after_a_fix(doors: Committer, store: Store) -> None:
    id = send(doors, b"patient:ann", interpret=Mapping(b"patient:ann")).id
    assert retry(store, doors, id).state == "accepted"
    assert (held(store, id).state, patients(store)) == ("released", ["ann"])
    assert send(doors, b"patient:ann").state == "duplicate"


def test_a_mended_text_is_an_entry_of_its_own_caused_by_what_it_mends(doors: Committer, store: Store) -> None:
    refused = send(doors, b"patient:bad", interpret=Mapping(b"patient:bad"))
    released = retry(store, doors, refused.id, mended=b"patient:good")
    assert released.state == "accepted"
    mended = store.entries(released.seq - 1, limit=1)[0]
    assert (mended.body, mended.cause) == (b"patient:good", refused.seq)
    assert patients(store) == ["good"]
    assert send(doors, b"patient:bad", interpret=Mapping(b"patient:bad")).state == "duplicate"


def test_a_mended_text_that_is_refused_too_may_be_tried_again_and_mended_once_more(
    doors: Committer, store: Store
) -> None:
    id = send(doors, b"patient:worse", interpret=Mapping(b"patient:worse")).id
    assert retry(store, doors, id, mended=b"patient:bad").attempts == 2
    assert retry(store, doors, id, mended=b"patient:bad").attempts == 3
    assert retry(store, doors, id, mended=b"patient:good").state == "accepted"
    assert (held(store, id).attempts, patients(store)) == (4, ["good"])


def test_a_text_that_came_in_by_itself_cannot_mend_another(doors: Committer, store: Store) -> None:
    send(doors, b"patient:good")
    id = send(doors, b"patient:bad", interpret=Mapping(b"patient:bad")).id
    with pytest.raises(ValueError, match="discard this one"):
        retry(store, doors, id, mended=b"patient:good")
    assert held(store, id).state == "held"


def test_what_left_the_quarantine_is_not_sent_again_from_there(doors: Committer, store: Store) -> None:
    id = send(doors, b"patient:bad", interpret=Mapping(b"patient:bad")).id
    retry(store, doors, id, mended=b"patient:good")
    head = store.head()
    for mended in (None, b"patient:better"):
        with pytest.raises(ValueError, match="it is released"):
            retry(store, doors, id, mended)
    with pytest.raises(ValueError, match="it is released"):
        doors.commit(Discard(id, "too late"))
    assert store.head() == head


def test_a_discarded_message_stays_in_the_log_with_the_note(doors: Committer, store: Store) -> None:
    receipt = send(doors, b"patient:bad", interpret=Mapping(b"patient:bad"))
    doors.commit(Discard(receipt.id, "a test message"))
    record = held(store, receipt.id)
    assert (record.state, record.note, record.attempts) == ("discarded", "a test message", 1)
    assert send(doors, b"patient:bad").state == "duplicate"
    assert store.entries(receipt.seq - 1, limit=1)[0].body == b"patient:bad"


@pytest.mark.parametrize("note", ["", "x" * 10_001])
def test_a_note_that_no_record_can_hold_is_refused_before_it_is_in_the_log(
    doors: Committer, store: Store, note: str
) -> None:
    id = send(doors, b"patient:bad", interpret=Mapping(b"patient:bad")).id
    with pytest.raises(ValueError, match="note"):
        doors.commit(Discard(id, note))
    assert held(store, id).state == "held"


def test_discarding_what_is_not_there_is_refused(doors: Committer) -> None:
    with pytest.raises(ValueError, match="nowhere is in quarantine"):
        doors.commit(Discard("nowhere", "a note"))


def test_a_mapping_that_breaks_leaves_nothing_and_the_sender_may_send_again(
    doors: Committer, store: Store
) -> None:
    def breaks(tx: Transaction, arrival: Arrival, raw: int) -> None:
        Mapping()(tx, arrival, raw)
        next(iter(()))

    good = doors.submit(Receive(Arrival("hl7v2/ADT", "clinic", "1", b"patient:ann"), Mapping()))
    bad = doors.submit(Receive(Arrival("hl7v2/ADT", "clinic", "2", b"patient:ben"), breaks))
    assert good.result().state == "accepted"
    with pytest.raises(RuntimeError, match="ran out"):
        bad.result()
    assert (patients(store), feed(store)["messages"]) == (["ann"], 1)
    assert send(doors, b"patient:ben", control_id="2").state == "accepted"


def test_a_feed_says_how_late_its_messages_are_and_when_the_last_came(doors: Committer, store: Store) -> None:
    send(doors, b"patient:a", "1", sent=SEVEN - 5_000_000)
    send(doors, b"patient:b", "2", sent=SEVEN - 1_000_000)
    send(doors, b"patient:c", "3")
    row = feed(store)
    assert (row["late_sum"], row["late_n"], row["last_at"]) == (6_000, 2, SEVEN)
    assert row["bytes"] == len(b"patient:a") * 3


def test_messages_that_are_decades_late_add_up_without_end(doors: Committer, store: Store) -> None:
    year_one = -62_135_596_800_000_000  # what a sender without a clock writes

    def many(tx: Transaction) -> None:
        for number in range(400):
            arrival = Arrival("hl7v2/ADT", "clinic", str(number), b"patient:a", sent=year_one)
            Receive(arrival, Mapping()).apply(tx)

    doors.commit(Do(many))
    assert send(doors, b"patient:b", sent=year_one).state == "accepted"
    assert feed(store)["late_sum"] == 401 * inbox.LATEST_MS


def test_what_was_tolerated_is_counted(doors: Committer, store: Store) -> None:
    send(doors, b"patient:a", "1", tolerated={"LF for CR": 2, "no MSH-12": 1})
    send(doors, b"patient:b", "2", tolerated={"LF for CR": 3})
    assert store.select(TOLERATED, order=("what",)) == [
        ("clinic", "LF for CR", 5),
        ("clinic", "no MSH-12", 1),
    ]


def test_the_quarantine_is_a_table_with_a_row_for_each_message(doors: Committer, store: Store) -> None:
    followers = Followers.begun(store, doors, [Quarantine()])
    first = send(doors, b"patient:bad", interpret=Mapping(b"patient:bad"))
    second = send(doors, b"patient:odd", "2", interpret=Mapping(b"patient:odd"))
    doors.commit(Discard(second.id, "odd"))
    while followers.step():
        pass
    rows = [dict(zip(QUARANTINE.columns, row, strict=True)) for row in store.select(QUARANTINE)]
    assert {row["raw"]: (row["state"], row["reason"]) for row in rows} == {
        first.seq: ("held", "PID-3 is missing"),
        second.seq: ("discarded", "PID-3 is missing"),
    }
