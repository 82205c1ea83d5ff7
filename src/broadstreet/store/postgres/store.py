"""The store on a PostgreSQL server: reader, writer, backup."""

from __future__ import annotations

import secrets
from contextlib import closing
from pathlib import Path

import psycopg

from broadstreet.store.index import Indexer
from broadstreet.store.index.identity import IdentityIndexer
from broadstreet.store.postgres.address import Address
from broadstreet.store.postgres.beside import IndexSchema, is_beside, put_beside
from broadstreet.store.postgres.connection import Connection, connect, told
from broadstreet.store.postgres.lease import held
from broadstreet.store.postgres.migrate import meta, migrate, newest_schema, schema_of, set_meta
from broadstreet.store.postgres.portable import copy_to_file
from broadstreet.store.postgres.reader import PostgresReader
from broadstreet.store.postgres.writer import PostgresWriter
from broadstreet.store.protocol import IndexSide, NoStore, StoreError


class PostgresStore(PostgresReader):
    """A store in one schema of a PostgreSQL database.

    Parameters
    ----------
    address
        Such as `postgresql://hub@db.example/city?schema=broadstreet`; all that libpq takes in a URL may
        stand in it. The schema is made, unless `create` is false.
    index_beside
        Let another process keep the search index (see `beside`); a store for which this was said once remains
        so. Otherwise each commit writes the index too.

    Raises
    ------
    StoreError
        If the server cannot be reached, the schema is not a store, or it cannot be made durable.
    """

    def __init__(self, address: str, *, create: bool = True, index_beside: bool = False) -> None:
        parsed = Address.parse(address)
        key, beside = _prepared(parsed, create=create, index_beside=index_beside)
        super().__init__(parsed, IdentityIndexer(key) if beside else Indexer(key), beside=beside)
        self._writer: PostgresWriter | None = None

    def writer(self) -> PostgresWriter:
        """Take the writer's lease and return the write side."""
        if self._writer is None:
            self._writer = PostgresWriter(self.address)
        return self._writer

    def index_side(self) -> IndexSide | None:
        """Open the write side of an index that another process keeps; None where each commit writes it."""
        return IndexSchema(self.address) if self.index_is_beside else None

    def backup(self, target: Path) -> int:
        """Write a copy to a file that can be opened as a store, while writing goes on; return its head.

        Raises
        ------
        StoreError
            If there is a file already, or no room for the copy.
        """
        return copy_to_file(self, target)

    def close(self) -> None:
        """Give back every connection and the lease."""
        super().close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _prepared(address: Address, *, create: bool, index_beside: bool) -> tuple[bytes, bool]:
    """Return the key of the index, and whether it is beside; make the store first if asked to."""
    with closing(connect(address, read_only=not create)) as connection:
        try:
            if create:
                _prepare(connection, address, index_beside=index_beside)
            return _held_key(connection, address), is_beside(connection)
        except psycopg.Error as error:
            raise told(error) from error


def _prepare(connection: Connection, address: Address, *, index_beside: bool) -> None:
    reached = schema_of(connection, address)
    ready = reached == newest_schema() and meta(connection, "index_key") is not None
    if ready and (not index_beside or is_beside(connection)):
        return
    with held(address, connection):
        migrate(connection, address)
        if meta(connection, "index_key") is None:
            set_meta(connection, "index_key", secrets.token_bytes(32))
        if index_beside:
            put_beside(connection)


def _held_key(connection: Connection, address: Address) -> bytes:
    reached = schema_of(connection, address)
    if not reached:
        raise NoStore(
            f"there is no store at {address.name}: start the hub once (`broadstreet serve`) to make it"
        )
    if reached < newest_schema():
        raise StoreError(
            f"the store has schema {reached}, this release needs {newest_schema()}: start the hub once"
        )
    key = meta(connection, "index_key")
    if key is None:
        raise StoreError(f"{address.name} has no key for its search index: it was never made to its end")
    return key
