"""Take out of a copy of a store what can be made again from its log, and all that free pages still hold.

What is left is the log, whose bodies about residents are sealed, and what no projection owns. The search
index and the tables of projections hold plain names, days of birth and complaints: in a copy they would
outlast an erasure.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from broadstreet.store.errors import StoreError
from broadstreet.store.follower import Projection
from broadstreet.store.sqlite import upkeep
from broadstreet.store.sqlite.beside import is_beside
from broadstreet.store.sqlite.index_rows import WHOLE


def strip(copy: Path, projections: Iterable[Projection]) -> None:
    """Take index and projections out of a copy that nobody uses.

    Identifiers stay, as keyed hashes, where the index is kept beside: a door needs them at once. Of other
    copies the index is to be made again before they are used.

    Raises
    ------
    StoreError
        If there is no room.
    """
    try:
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for projection in projections:
                for table in projection.tables:
                    if upkeep.has_table(connection, table.name):
                        connection.execute(f'DELETE FROM "{table.name}"')
                connection.execute("UPDATE cursor SET seq = 0 WHERE follower = ?", (projection.name,))
            if not is_beside(connection):
                for name in WHOLE:
                    connection.execute(f"DELETE FROM {name}")
                connection.execute("DELETE FROM meta WHERE name = 'purged'")
                connection.execute("INSERT OR REPLACE INTO meta VALUES ('reindexing', x'01')")
            connection.execute("COMMIT")
            connection.execute("VACUUM")
    except sqlite3.Error as error:
        raise StoreError(f"cannot finish the copy {copy.name} ({error})") from error
