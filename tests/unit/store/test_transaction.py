from __future__ import annotations

import pytest

from broadstreet.store.committer import Committer
from broadstreet.store.entry import IndexRows
from broadstreet.store.protocol import MOST_PREFIXED, Store
from broadstreet.store.transaction import Transaction
from tests.backends import rows_in

from .conftest import Do, draft, identified

ODD_KEYS = ["a\0b", "a", "", "ключ", "键\U0010ffff", "x" * 5000, "'; DROP TABLE entry; --", '"]']


def test_deleting_what_was_never_there_makes_no_entry(committer: Committer, store: Store) -> None:
    assert committer.commit(Do(lambda tx: tx.put(draft(body=None)))) is None
    assert store.head() == 0


def test_a_deleted_resource_is_gone_but_keeps_its_history_and_its_versions(
    committer: Committer, store: Store
) -> None:
    for key, body in [("1", b"a"), ("2", None), ("3", None), ("4", b"a")]:
        committer.commit(Do(lambda tx, key=key, body=body: tx.put(draft(key=key, body=body))))
    assert [(e.version, e.body) for e in store.history("fhir/Patient", "p1")] == [
        (1, b"a"),
        (2, None),
        (3, b"a"),
    ]
    assert store.current("fhir/Patient", "p1", at=2) is None
    assert store.currents("fhir/Patient") == store.entries(2)


def test_a_deleted_resource_is_found_no_more_in_the_same_batch(committer: Committer) -> None:
    def put_and_delete(tx: Transaction) -> tuple[int, int]:
        tx.put(draft(key="1", rows=identified(tx, "urn:mrn", "7")))
        before = len(tx.find("Patient", "identifier", "urn:mrn", "7"))
        tx.put(draft(key="2", body=None))
        return before, len(tx.find("Patient", "identifier", "urn:mrn", "7"))

    assert committer.commit(Do(put_and_delete)) == (1, 0)


def test_a_key_that_is_used_twice_in_one_batch_makes_one_entry(committer: Committer, store: Store) -> None:
    def twice(tx: Transaction) -> list[int | None]:
        raw = tx.append(draft(key="raw"))
        mapped = [draft(id=id, key=f"{raw}:0", source="map@1", cause=raw) for id in ("p1", "p2")]
        return [tx.put(each) for each in mapped]

    assert committer.commit(Do(twice)) == [2, None]
    assert [e.id for e in store.entries(1)] == ["p1"]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_any_text_is_a_key(committer: Committer, store: Store, key: str) -> None:
    assert committer.commit(Do(lambda tx: tx.append(draft(key=key)))) == 1
    assert committer.commit(Do(lambda tx: tx.append(draft(key=key, body=b"again")))) is None
    assert committer.commit(Do(lambda tx: tx.known("test", key))) == 1
    found = store.keyed("test", key)
    assert found is not None
    assert found.key == key


@pytest.mark.parametrize("id", ODD_KEYS)
def test_any_text_is_an_id(committer: Committer, store: Store, id: str) -> None:
    committer.commit(Do(lambda tx: tx.put(draft(id=id, key="1"))))
    committer.commit(Do(lambda tx: tx.put(draft(id=id, key="2", body=b"changed"))))
    assert [e.version for e in store.history("fhir/Patient", id)] == [1, 2]


def test_a_key_that_no_disk_can_hold_fails_alone(committer: Committer, store: Store) -> None:
    good = committer.submit(Do(lambda tx: tx.append(draft(key="good"))))
    bad = committer.submit(Do(lambda tx: tx.append(draft(key="\ud800"))))
    assert good.result() == 1
    with pytest.raises(UnicodeEncodeError):
        bad.result()
    assert [e.key for e in store.entries(0)] == ["good"]


def test_a_prefix_finds_the_entries_of_the_log_and_of_this_batch(committer: Committer) -> None:
    committer.commit(Do(lambda tx: tx.append(draft(key="7:old"))))
    committer.commit(Do(lambda tx: tx.append(draft(key="70:other"))))

    def add_and_look(tx: Transaction) -> list[str]:
        tx.append(draft(key="7:new"))
        tx.put(draft(key="7:resource"))
        return [entry.key for entry in tx.with_prefix("test", "7:")]

    assert committer.commit(Do(add_and_look)) == ["7:old", "7:new", "7:resource"]


def test_a_prefix_that_very_many_keys_have_costs_no_more_than_a_few(committer: Committer) -> None:
    committer.commit(Do(lambda tx: [tx.append(draft(key=f"1:{n:04}")) for n in range(500)]))
    found = committer.commit(Do(lambda tx: [e.key for e in tx.with_prefix("test", "1:")]))
    assert found == [f"1:{n:04}" for n in range(MOST_PREFIXED)]


def test_an_attempt_that_fails_gives_its_keys_and_seqs_back(committer: Committer, store: Store) -> None:
    def work(tx: Transaction) -> int | None:
        with pytest.raises(KeyError), tx.attempt():
            tx.append(draft(key="tried"))
            tx.append(draft(key="tried too"))
            raise KeyError
        return tx.append(draft(key="tried"))

    assert committer.commit(Do(work)) == 1
    assert [e.key for e in store.entries(0)] == ["tried"]


def test_entries_about_several_residents_name_each_of_them_once(
    committer: Committer, store: Store, address: str
) -> None:
    committer.commit(Do(lambda tx: tx.append(draft(key="1", subjects=("a",)))))
    committer.commit(Do(lambda tx: tx.append(draft(key="2", subjects=("a", "b", "a")))))
    assert [e.subject for e in store.entries(0)] == ["a", None]
    assert rows_in(address, "SELECT * FROM entry_subject ORDER BY subject") == [(2, "a"), (2, "b")]


def test_a_work_that_hands_in_the_same_row_twice_fails_alone(committer: Committer, store: Store) -> None:
    rows = IndexRows(tokens=((1, 5, 0), (1, 5, 0)))
    good = committer.submit(Do(lambda tx: tx.put(draft(key="good"))))
    bad = committer.submit(Do(lambda tx: tx.put(draft(id="p2", key="bad", rows=rows))))
    assert good.result() == 1
    assert "unique" in str(bad.exception()).lower()
    assert [e.key for e in store.entries(0)] == ["good"]
