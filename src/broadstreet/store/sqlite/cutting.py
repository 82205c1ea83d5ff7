"""Cut a log after a position: what came later is as if it had never been."""

from __future__ import annotations

import sqlite3

from broadstreet.store.entry import Entry, Opened, digest

_NEWEST = """
INSERT INTO current (type, id, seq, version, digest)
SELECT e.type, e.id, e.seq, e.version, body_digest(e.seq, e.type, e.id, e.version, e.seal, e.body)
FROM cut_resource c CROSS JOIN entry e ON e.seq = (
    SELECT max(o.seq) FROM entry o WHERE o.id = c.id AND o.type = c.type
)
"""


def cut_log(connection: sqlite3.Connection, to: int, opened: Opened) -> None:
    """Remove every entry after `to`; set the newest versions back; forget what shadows made of later ones."""

    def digested(seq: int, type: str, id: str, version: int, seal: int, body: bytes | None) -> int:
        entry = Entry(seq, 0, type, id, version, None, None, "", "", None, seal, body)
        return digest(opened(entry).body)

    connection.create_function("body_digest", 6, digested, deterministic=True)
    connection.execute("CREATE TEMP TABLE cut_resource AS SELECT type, id FROM current WHERE seq > ?", (to,))
    connection.execute("DELETE FROM current WHERE seq > ?", (to,))
    connection.execute("DELETE FROM entry_subject WHERE seq > ?", (to,))
    connection.execute("DELETE FROM entry_label WHERE seq > ?", (to,))
    connection.execute("DELETE FROM entry WHERE seq > ?", (to,))
    connection.execute(_NEWEST)
    connection.execute("DROP TABLE cut_resource")
    connection.execute("DELETE FROM shadow WHERE CAST(key AS INTEGER) > ?", (to,))  # a key is cause:ordinal
