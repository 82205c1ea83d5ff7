"""Cut a log after a position: what came later is as if it had never been."""

from __future__ import annotations

from typing import Any

from broadstreet.store.entry import Entry, Opened, digest
from broadstreet.store.postgres.connection import Connection

AT_ONCE = 500

_CUT = """
    CREATE TEMP TABLE cut_resource ON COMMIT DROP AS SELECT type, id FROM current WHERE seq > {0};
    DELETE FROM current WHERE seq > {0};
    DELETE FROM entry_subject WHERE seq > {0};
    DELETE FROM entry_label WHERE seq > {0};
    DELETE FROM entry WHERE seq > {0};
    DELETE FROM shadow WHERE split_part(key, ':', 1)::bigint > {0}"""
_NEWEST = """
    DECLARE newest CURSOR FOR
    SELECT n.type, n.id, n.seq, n.version, n.seal, n.body FROM cut_resource c CROSS JOIN LATERAL (
        SELECT * FROM entry e WHERE e.id = c.id AND e.type = c.type ORDER BY e.seq DESC LIMIT 1) n"""


def cut_log(connection: Connection, to: int, opened: Opened) -> None:
    """Remove every entry after `to`; set the newest versions back; forget what shadows made of later ones."""
    connection.execute(_CUT.format(int(to)))
    connection.execute(_NEWEST)
    while rows := connection.execute(f"FETCH {AT_ONCE} FROM newest", binary=True).fetchall():
        newest = [(*row[:4], _digest(opened, *row)) for row in rows]
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO current VALUES (%s, %s, %s, %s, %s)", newest)
    connection.execute("CLOSE newest")


def _digest(opened: Opened, type: Any, id: Any, seq: Any, version: Any, seal: Any, body: Any) -> int:
    return digest(opened(Entry(seq, 0, type, id, version, None, None, "", "", None, seal, body)).body)
