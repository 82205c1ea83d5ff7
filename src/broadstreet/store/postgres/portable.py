"""A copy of the store in one SQLite file, and back: what was backed up on one back end is restored on either.

The tables have the same names and columns on both, so a copy is each table, row by row, out of one snapshot.
Restored is in one transaction, under the lease; the schema that was there is kept beside it.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg

from broadstreet.store.postgres import tables, upkeep
from broadstreet.store.postgres.address import Address
from broadstreet.store.postgres.connection import Connection, connect, told
from broadstreet.store.postgres.copying import copy_in
from broadstreet.store.postgres.lease import held
from broadstreet.store.postgres.migrate import migrate, schema_of
from broadstreet.store.postgres.reader import PostgresReader
from broadstreet.store.protocol import StoreError
from broadstreet.store.sqlite import SqliteStore
from broadstreet.store.sqlite import upkeep as file_upkeep
from broadstreet.store.sqlite.beside import remove
from broadstreet.store.sqlite.connection import sync
from broadstreet.store.sqlite.index_rows import IDENTITY, WHOLE
from broadstreet.store.sqlite.rows import write_rows
from broadstreet.store.sqlite.store import verify
from broadstreet.store.sqlite.writer import create as create_in_file
from broadstreet.store.tables import Row, Table

AT_ONCE = 2_000
LEASE, INDEX_META = "lease", "index_meta"
SCHEMA = "schema"
"""The row of `meta` with the number of the schema: each back end has its own."""


def copy_to_file(reader: PostgresReader, target: Path) -> int:
    """Write the store to a file that appears when it is whole and on the disk; return its head.

    Raises
    ------
    StoreError
        If there is a file already, or no room for the copy.
    """
    if target.exists():
        raise StoreError(f"{target} exists already, and a backup never overwrites: name another file")
    if not target.parent.is_dir():
        raise StoreError(f"cannot copy the store to {target.name}: there is no folder {target.parent}")
    left_out = {LEASE, INDEX_META, *(WHOLE if reader.index_is_beside else [IDENTITY])}
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    try:
        SqliteStore(part, index_beside=reader.index_is_beside).close()
        remove(part)
        with closing(sqlite3.connect(part, isolation_level=None)) as file, reader.snapshot():
            head = reader.head()
            for table in reader.tables():
                if table.name not in left_out:
                    _write_to_file(file, table, reader.rows(table))
            file.execute("PRAGMA journal_mode = delete")
        sync(part)
        part.rename(target)
        sync(target.parent)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"cannot copy the store to {target.name}: {error}") from error
    finally:
        remove(part)
        for rest in ("", "-wal", "-shm", ".lease"):
            part.with_name(part.name + rest).unlink(missing_ok=True)
    return head


def restore(backup: Path, address: str, prepare: Callable[[Path], None] = lambda _: None) -> int:
    """Put a backup in the place of a store that no hub uses; return its head.

    Parameters
    ----------
    backup
        A file that `backup` wrote, on either back end.
    address
        The store; the schema that was there is kept as `<schema>_before_restore`.
    prepare
        Given a copy of the file before it takes its place; what it raises leaves the store as it was.

    Raises
    ------
    StoreError
        If the backup is damaged or not a store.
    StoreLocked
        If a hub uses the store.
    """
    verify(backup)
    place = Address.parse(address)
    with tempfile.TemporaryDirectory(prefix="broadstreet-") as folder:
        copy = Path(folder) / "copy.db"
        shutil.copyfile(backup, copy)
        prepare(copy)
        with closing(connect(place, read_only=False)) as connection, closing(SqliteStore(copy)) as file:
            try:
                with held(place, connection), connection.transaction():
                    _replace(connection, place, file)
            except psycopg.Error as error:
                raise told(error) from error
            return file.head()


def _replace(connection: Connection, place: Address, file: SqliteStore) -> None:
    began = _set_aside(connection, place) if schema_of(connection, place) else (0, 0)
    migrate(connection, place)
    for table in file_upkeep.tables_of(file.connection):
        tables.create(connection, table)
        rows = file.rows(table)
        if table.name == "meta":
            connection.execute("DELETE FROM meta WHERE name <> %s", (SCHEMA,))
            rows = (row for row in rows if row[0] != SCHEMA)
        copy_in(connection, table.name, upkeep.types_of(connection, table.name), rows)
    sql = "UPDATE lease SET epoch = %s, commits = %s"  # a hub that had the old one must not write to this
    connection.execute(sql, (began[0] + 1, began[1]))


def _set_aside(connection: Connection, place: Address) -> tuple[int, int]:
    """Give the schema that is there another name; return the epoch and count of its lease."""
    lease: Any = connection.execute("SELECT epoch, commits FROM lease").fetchone()
    name = place.schema[:40] + "_before_restore"  # the server would cut it after 63 letters
    kept, number = name, 1
    while connection.execute("SELECT to_regnamespace(%s)", (kept,)).fetchone() != (None,):
        number += 1
        kept = f"{name}_{number}"
    connection.execute(f"ALTER SCHEMA {place.schema} RENAME TO {kept}")
    return lease or (0, 0)


def _write_to_file(file: sqlite3.Connection, table: Table, rows: Iterator[Row]) -> None:
    if file_upkeep.has_table(file, table.name):
        keep = f" WHERE name <> '{SCHEMA}'" if table.name == "meta" else ""
        file.execute(f'DELETE FROM "{table.name}"{keep}')
    else:
        create_in_file(file, table)
    if table.name == "meta":
        rows = (row for row in rows if row[0] != SCHEMA)
    names = ", ".join(f'"{name}"' for name in table.columns)
    while some := list(islice(rows, AT_ONCE)):
        file.execute("BEGIN")
        write_rows(file, f'INSERT INTO "{table.name}" ({names})', len(table.columns), "", some)
        file.execute("COMMIT")
