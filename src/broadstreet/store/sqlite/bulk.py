"""Make the file of a search index whole at once, aside, and put it in place.

Rows are laid down as they come, in a file for each process that computes them, without any index or
journal: what breaks off is thrown away. Then SQLite sorts each table once into the order of its key, so that
every page is written once, and makes the further indexes last.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broadstreet.store.index.kinds import KINDS, Kind
from broadstreet.store.protocol import StoreError
from broadstreet.store.sqlite.connection import connect
from broadstreet.store.sqlite.ddl import further_indexes, index_table
from broadstreet.store.sqlite.rows import write_rows

META = "index_meta (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID"
"""The table of what an index says about itself."""
CACHE_KIB = 256 * 1024
SORTING_THREADS = 2


@dataclass(frozen=True)
class Aside:
    """The files that an index is made in, beside the one that it will be."""

    index: Path

    @property
    def whole(self) -> Path:
        """The file that takes its place."""
        return self.index.with_name(self.index.name + ".new")

    def stage(self, number: int) -> Path:
        """Return the file that the process of a number writes."""
        return self.index.with_name(f"{self.index.name}.stage{number}")

    def open_stage(self, number: int) -> SqliteStage:
        """Begin the stage of a number."""
        return SqliteStage(self.stage(number))

    def remove(self) -> None:
        """Delete them all."""
        for file in self.index.parent.glob(f"{self.index.name}.stage*"):
            file.unlink(missing_ok=True)
        for rest in ("", "-wal", "-shm"):
            self.whole.with_name(self.whole.name + rest).unlink(missing_ok=True)


class SqliteStage:
    """A file of rows in the order in which they came."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._connection = _connect(path)
        for kind in KINDS:
            self._connection.execute(f"CREATE TABLE {kind.table} ({_names(kind)})")

    def write(self, index: Sequence[Sequence[tuple[Any, ...]]]) -> None:
        """Keep whole rows, by kind in the order of `KINDS`."""
        with _told():
            self._connection.execute("BEGIN")
            for kind, rows in zip(KINDS, index, strict=True):
                write_rows(self._connection, f"INSERT INTO {kind.table}", len(kind.columns), "", rows)
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def put_together(aside: Aside, stages: int, meta: dict[str, int | str]) -> None:
    """Make the whole file from its stages, with what it says about itself; it is on the disk afterwards."""
    with _told(), closing(_connect(aside.whole)) as connection:
        folder = str(aside.index.absolute().parent).replace("'", "''")
        connection.execute(
            f"PRAGMA temp_store_directory = '{folder}'"
        )  # what is sorted is as large as the index
        connection.execute(f"PRAGMA threads = {SORTING_THREADS}")
        for number in range(stages):
            connection.execute(f"ATTACH DATABASE ? AS stage{number}", (str(aside.stage(number)),))
        connection.execute("BEGIN")
        for kind in KINDS:
            _sort(connection, kind, stages)
        connection.execute(f"CREATE TABLE {META}")
        connection.executemany("INSERT INTO index_meta VALUES (?, ?)", meta.items())
        connection.execute("COMMIT")
    connect(aside.whole, read_only=False).close()  # in the mode that whoever writes it later expects


def _sort(connection: sqlite3.Connection, kind: Kind, stages: int) -> None:
    every = " UNION ALL ".join(f"SELECT * FROM stage{number}.{kind.table}" for number in range(stages))
    connection.execute(index_table(kind))
    connection.execute(f"INSERT INTO {kind.table} SELECT * FROM ({every}) ORDER BY {', '.join(kind.key)}")
    for statement in further_indexes(kind):
        connection.execute(statement)


def _connect(path: Path) -> sqlite3.Connection:
    """Open a file that is thrown away where anything fails."""
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=512)
    for setting in ("journal_mode = off", "synchronous = off", "locking_mode = exclusive"):
        connection.execute(f"PRAGMA {setting}")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    return connection


def _names(kind: Kind) -> str:
    return ", ".join(column.name for column in kind.columns)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"the search index cannot be made ({error}): is there room on the disk?") from error
