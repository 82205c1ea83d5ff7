from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadstreet.store.committer import Committer
from broadstreet.store.protocol import Store, StoreError
from broadstreet.store.tables import (
    Between,
    Change,
    Clear,
    Delete,
    Increment,
    OneOf,
    Row,
    Table,
    Upsert,
    merged,
)

from .conftest import Do

COUNT = Table(
    "count", {"place": "text", "day": "integer", "n": "integer", "last": "integer"}, key=("place", "day")
)
NAME = Table("name", {"id": "text", "text": "text"}, key=("id",), indexes=(("text",),))


def keep(committer: Committer, *changes: Change) -> None:
    committer.commit(Do(lambda tx: tx.change(changes)))


@pytest.fixture
def tables(committer: Committer) -> Committer:
    committer.between(lambda writer: writer.define([COUNT, NAME]))
    return committer


def test_rows_are_written_added_to_and_removed_by_their_key(tables: Committer, store: Store) -> None:
    keep(tables, Upsert(COUNT, [("x", 1, 5, 5), ("y", 1, 7, 7)]))
    keep(tables, Increment(COUNT, [("x", 1, 2, 9), ("z", 1, 1, 1)], replace=("last",)))
    keep(tables, Delete(COUNT, [("y", 1)]))
    assert store.select(COUNT, order=("place",)) == [("x", 1, 7, 9), ("z", 1, 1, 1)]


def test_changes_of_one_commit_take_effect_in_their_order(tables: Committer, store: Store) -> None:
    keep(
        tables,
        Upsert(NAME, [("a", "first")]),
        Delete(NAME, [("a",)]),
        Upsert(NAME, [("b", "kept")]),
        Clear(COUNT),
        Upsert(NAME, [("a", "second"), ("a", "third")]),
    )
    assert store.select(NAME, order=("id",)) == [("a", "third"), ("b", "kept")]


def test_a_cleared_table_has_the_columns_that_it_has_now(tables: Committer, store: Store) -> None:
    keep(tables, Upsert(NAME, [("a", "old")]))
    wider = Table("name", {"id": "text", "text": "text", "more": "real"}, key=("id",))
    keep(tables, Clear(wider), Upsert(wider, [("b", "new", 1.5)]))
    assert store.select(wider) == [("b", "new", 1.5)]


def test_a_table_in_another_layout_is_refused(tables: Committer) -> None:
    other = Table("name", {"id": "text", "text": "integer"}, key=("id",))
    with pytest.raises(StoreError, match="raise the version"):
        tables.between(lambda writer: writer.define([other]))
    with pytest.raises(StoreError, match="raise the version"):
        tables.between(lambda writer: writer.define([Table("entry", {"seq": "integer"}, key=("seq",))]))


def test_a_row_of_the_wrong_width_is_refused_and_nothing_of_its_work_is_kept(
    tables: Committer, store: Store
) -> None:
    with pytest.raises(ValueError, match="has 4 values"):
        keep(tables, Upsert(NAME, [("a", "x")]), Upsert(COUNT, [("x", 1, 5), ("y", 1, 7, 7, 7)]))
    assert store.select(NAME) == []


def test_a_value_of_the_wrong_type_is_refused(tables: Committer, store: Store) -> None:
    with pytest.raises(StoreError, match="cannot store"):
        keep(tables, Upsert(COUNT, [("x", "Monday", 5, 5)]))
    assert store.select(COUNT) == []


def test_rows_are_selected_by_conditions_and_in_order(tables: Committer, store: Store) -> None:
    keep(tables, Upsert(COUNT, [(place, day, 10 * day, 0) for place in "xyz" for day in range(5)]))
    found = store.select(
        COUNT, {"place": OneOf(("x", "z")), "day": Between(1, 2)}, order=("-day", "place"), limit=3
    )
    assert [row[:2] for row in found] == [("x", 2), ("z", 2), ("x", 1)]
    assert store.select(COUNT, {"place": OneOf(())}) == []
    with pytest.raises(ValueError, match="no column colour"):
        store.select(COUNT, {"colour": 1})


def test_a_table_whose_key_is_not_among_its_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="no column when"):
        Table("bad", {"id": "text"}, key=("id",), indexes=(("when",),))


keys = st.tuples(st.sampled_from("xy"), st.integers(0, 2))
rows = st.lists(
    st.builds(lambda k, n, m: (*k, n, m), keys, st.integers(-9, 9), st.integers(-9, 9)), max_size=4
)
changes = st.lists(
    st.one_of(
        st.builds(Upsert, st.just(COUNT), rows),
        st.builds(Increment, st.just(COUNT), rows, st.sampled_from([(), ("last",)])),
        st.builds(Delete, st.just(COUNT), st.lists(keys, max_size=3)),
        st.just(Clear(COUNT)),
    ),
    max_size=12,
)


@given(changes)
def test_merged_changes_have_the_same_effect_as_one_after_the_other(changes: list[Change]) -> None:
    one_by_one: dict[Row, Row] = {}
    at_once: dict[Row, Row] = {}
    for change in changes:
        _apply(one_by_one, change)
    for change in merged(changes):
        _apply_piece(at_once, change)
    assert at_once == one_by_one


def _apply(held: dict[Row, Row], change: Any) -> None:
    if isinstance(change, Clear):
        held.clear()
    elif isinstance(change, Delete):
        for key in change.keys:
            held.pop(key, None)
    else:
        for row in change.rows:
            before = held.get(row[:2])
            if isinstance(change, Upsert) or before is None:
                held[row[:2]] = row
            else:
                last = row[3] if "last" in change.replace else before[3] + row[3]
                held[row[:2]] = (*row[:2], before[2] + row[2], last)


def _apply_piece(held: dict[Row, Row], change: Any) -> None:
    keys = [] if isinstance(change, Clear) else getattr(change, "keys", None)
    if keys is None:
        keys = [row[:2] for row in change.rows]
    assert len(set(keys)) == len(keys)
    _apply(held, change)
