from __future__ import annotations

import sqlite3

import pytest

from broadstreet.store.sqlite.rows import look_up, write_rows

COUNTS = (0, 1, 2, 3, 5, 63, 64, 65, 100, 128, 129, 2_047, 2_048, 2_113)


def table() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL, said BLOB) STRICT")
    return connection


@pytest.mark.parametrize("count", COUNTS)
def test_as_many_rows_are_written_and_found_as_were_given(count: int) -> None:
    connection, rows = table(), [(n, -n, None if n % 2 else b"\0") for n in range(count)]
    write_rows(connection, "INSERT INTO t", 3, "", rows)
    assert connection.execute("SELECT * FROM t ORDER BY id").fetchall() == rows
    ids = [(n,) for n in range(-3, count)]
    found = look_up(connection, ["id"], "SELECT t.id FROM wanted w JOIN t ON t.id = w.id", ids)
    assert sorted(found) == [(n,) for n in range(count)]


@pytest.mark.parametrize("count", COUNTS[1:])
def test_rows_with_the_same_key_are_added_in_their_order(count: int) -> None:
    connection, after = table(), "ON CONFLICT DO UPDATE SET n = n + excluded.n, said = excluded.said"
    write_rows(connection, "INSERT INTO t", 3, after, [(7, 1, b"%d" % n) for n in range(count)])
    assert connection.execute("SELECT * FROM t").fetchall() == [(7, count, b"%d" % (count - 1))]


def test_a_row_without_a_value_that_it_must_have_is_refused_and_not_left_out() -> None:
    with pytest.raises(sqlite3.IntegrityError):
        write_rows(table(), "INSERT INTO t", 3, "", [(1, 1, None), (2, None, None), (3, 1, None)])
