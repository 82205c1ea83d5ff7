"""The tables of the index are made as they are written down."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

import broadstreet.store.postgres.ddl as postgres_ddl
import broadstreet.store.postgres.migrate as postgres_migrate
import broadstreet.store.sqlite.ddl as sqlite_ddl
import broadstreet.store.sqlite.migrate as sqlite_migrate
from broadstreet.store.entry import IndexRows, Labels
from broadstreet.store.index.kinds import FOREVER, KINDS, LABELS
from broadstreet.store.protocol import Store
from broadstreet.store.sqlite import SqliteStore


@pytest.mark.parametrize(("ddl", "migrate"), [(sqlite_ddl, sqlite_migrate), (postgres_ddl, postgres_migrate)])
def test_the_migration_is_the_generated_one(ddl: ModuleType, migrate: ModuleType) -> None:
    assert ddl.index_tables() in [sql for _, sql in migrate.migrations()]


def test_a_new_store_has_the_tables_that_are_written_down(store: Store) -> None:
    written = {kind.table: ({c.name: c.type for c in kind.columns}, kind.key) for kind in KINDS}
    assert {table.name: (dict(table.columns), table.key) for table in store.index_tables()} == written


def test_rows_have_a_field_for_each_kind_and_labels_a_field_for_each_column() -> None:
    singular = [re.sub("ies$", "y", name).removesuffix("s") for name in IndexRows.__struct_fields__]
    assert singular == [kind.name for kind in KINDS]
    assert list(Labels.__struct_fields__) == [column.name for column in LABELS]


def test_the_rows_of_a_superseded_version_are_found_without_a_scan(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "log.db")
    for kind in KINDS:
        sql = (
            "EXPLAIN QUERY PLAN WITH closing (since, until) AS (VALUES (1, 2), (3, 4))"
            f" UPDATE {kind.table} SET until = closing.until FROM closing"
            f" WHERE {kind.table}.since = closing.since AND {kind.table}.until = {FOREVER}"
        )
        plan = [row[3] for row in store.connection.execute(sql)]
        assert f"SEARCH {kind.table} USING INDEX {kind.table}_since (since=?)" in plan, plan


def test_purging_reads_superseded_rows_only(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "log.db")
    for kind in KINDS:
        sql = f"EXPLAIN QUERY PLAN DELETE FROM {kind.table} WHERE until <= ? AND until < {FOREVER}"
        (plan,) = [row[3] for row in store.connection.execute(sql, (7,))]
        assert plan == f"SEARCH {kind.table} USING COVERING INDEX {kind.table}_until (until<?)"
    store.close()
