"""Text with U+0000 in it: keys and ids may have it, PostgreSQL's `text` may not.

U+0000 is written as U+0001 U+0001, and U+0001 as U+0001 U+0002. Nothing else changes, the order by
bytes stays what it is, and what a text begins with is still what it begins with.
"""

from __future__ import annotations

from psycopg import Connection
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader
from psycopg.pq import Format

_TEXT_OIDS = (25, 1043)


def escaped(text: str) -> bytes:
    """Return a text as PostgreSQL takes it."""
    encoded = text.encode()
    if b"\0" in encoded or b"\1" in encoded:
        return encoded.replace(b"\1", b"\1\2").replace(b"\0", b"\1\1")
    return encoded


def unescaped(data: Buffer) -> str:
    """Return the text that `escaped` was given."""
    text = str(data, "utf-8")
    return text if "\1" not in text else text.replace("\1\1", "\0").replace("\1\2", "\1")


class _TextDumper(Dumper):
    oid = 25
    format = Format.TEXT

    def dump(self, obj: str) -> bytes:
        return escaped(obj)


class _BinaryDumper(_TextDumper):
    format = Format.BINARY


class _TextLoader(Loader):
    format = Format.TEXT

    load = staticmethod(unescaped)  # called for each text of each row


class _BinaryLoader(_TextLoader):
    format = Format.BINARY


def take_any_text(connection: Connection) -> None:
    """Let a connection write and read texts with U+0000 in them."""
    for dumper in (_BinaryDumper, _TextDumper):  # the last one is taken where either format will do
        connection.adapters.register_dumper(str, dumper)
    for oid in _TEXT_OIDS:
        connection.adapters.register_loader(oid, _TextLoader)
        connection.adapters.register_loader(oid, _BinaryLoader)
