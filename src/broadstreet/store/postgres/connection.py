"""Connections to a PostgreSQL server, what it must promise, and what its errors mean for the store."""

from __future__ import annotations

import os
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg.types.numeric import Int8BinaryDumper

from broadstreet.store.postgres.address import Address
from broadstreet.store.postgres.text import take_any_text
from broadstreet.store.protocol import StoreError, StoreFull, StoreUnavailable

OLDEST_SERVER = 14
CONNECT_SECONDS = 10
MOST_READERS = 16
"""So many connections read at once; whoever comes then waits for one of them."""

# A connection whose other end is gone without a word is given up after half a minute by either side: until
# then the server keeps the lease of a hub whose machine lost its power.
_SERVER_KEEPALIVE = {"tcp_keepalives_idle": 10, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 4}
_BOTH = {"timezone": "UTC", "jit": "off"}
# A search is written so that reading keys in their order is the best that can be done. What the server
# guesses of the number of rows, in a log that grows, would make it sort all that a condition finds.
_READER = {
    "default_transaction_read_only": "on",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_sort": "off",
    "plan_cache_mode": "force_generic_plan",
}
# All that a writer reads it reads by key; statistics of a log that grows are always old.
_WRITER = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
    "lock_timeout": "60s",
    "idle_in_transaction_session_timeout": "5min",
}

# What the server says as it ends a session.
_GOODBYES = (
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.CannotConnectNow,
    errors.IdleInTransactionSessionTimeout,
)

Connection = psycopg.Connection[tuple[object, ...]]


def connect(address: Address, *, read_only: bool) -> Connection:
    """Open a connection on which each statement is a transaction of its own.

    Raises
    ------
    StoreUnavailable
        If the server cannot be reached.
    StoreError
        If it refuses us, or cannot keep what the store promises.
    """
    settings = _BOTH | _SERVER_KEEPALIVE | (_READER if read_only else _WRITER)
    options = [
        f"-c search_path={address.schema}",
        *(f"-c {name}={value}" for name, value in settings.items()),
    ]
    try:
        connection = psycopg.connect(
            address.server,
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            application_name=f"broadstreet {socket.gethostname()}:{os.getpid()}",
            options=" ".join(options),
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=4,
        )
    except psycopg.Error as error:
        raise _not_connected(address, error) from error
    try:
        take_any_text(connection)
        if read_only:  # one plan for a number, large or small
            connection.adapters.register_dumper(int, Int8BinaryDumper)
        connection.execute("SET synchronous_commit = on" if not read_only else "SELECT 1")
        require_durable(connection)
    except psycopg.Error as error:
        connection.close()
        raise _not_connected(address, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def require_durable(connection: Connection) -> None:
    """Refuse a server that cannot keep what the store promises.

    Raises
    ------
    StoreError
        If it is too old, keeps texts in another encoding than UTF-8, or does not wait for its disk.
    """
    version = connection.info.server_version // 10_000
    if version < OLDEST_SERVER:
        raise StoreError(f"the store needs PostgreSQL {OLDEST_SERVER} or newer (is {version}): upgrade it")
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreError(f"the store needs a database in UTF8 (is {encoding}): create one with ENCODING UTF8")
    for setting in ("fsync", "full_page_writes"):
        value = connection.execute(f"SHOW {setting}").fetchone()
        if value != ("on",):
            raise StoreError(f"the store needs {setting} = on (is off): a commit must outlast a power cut")


def told(error: psycopg.Error) -> StoreError:
    """Return what an error means for the store; never with a value in its text.

    Of the server's words only the first line of a few classes is passed on: the others quote what was sent.
    """
    kind = type(error).__name__
    if isinstance(error, errors.DiskFull):
        return StoreFull(f"no room in the store ({kind} on the server); nothing of the batch was kept")
    if isinstance(error, psycopg.DataError):
        return StoreError(f"cannot store a value of another type or size than its column has ({kind})")
    if isinstance(error, psycopg.IntegrityError):
        return StoreError(
            f"the store refused a batch: {kind} in {error.diag.table_name or 'a table'}"
            f" ({error.diag.constraint_name or error.diag.column_name or 'no name'})"
        )
    return StoreError(f"the server refused a statement of the store: {error.diag.message_primary or error}")


def lost(connection: Connection, error: psycopg.Error) -> bool:
    """Say whether an error means that the connection is no more."""
    return connection.broken or connection.closed or isinstance(error, _GOODBYES)


class Connections:
    """Connections for reading, for any thread: each is lent for one statement."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._idle: queue.LifoQueue[Connection] = queue.LifoQueue()
        self._places = threading.BoundedSemaphore(MOST_READERS)
        self._closings = 0
        self._held = threading.local()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all that this thread reads inside be as it was at one moment."""
        with self.lent() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.execute("SELECT 1 FROM meta LIMIT 1")  # the snapshot is taken with the first read
            self._held.connection = connection
            try:
                yield
            finally:
                del self._held.connection

    @contextmanager
    def lent(self) -> Iterator[Connection]:
        """Lend a connection; one that broke is not lent again, nor are those that were idle meanwhile."""
        if hasattr(self._held, "connection"):
            yield self._held.connection
            return
        with self._places:
            closings, connection = self._closings, self._take()
            try:
                yield connection
            except StoreUnavailable:
                connection.close()
                self.close()
                raise
            finally:
                if self._closings == closings:
                    self._idle.put(connection)
                else:
                    connection.close()

    def close(self) -> None:
        """Close those that are idle, and each lent one when it comes back."""
        self._closings += 1
        while True:
            try:
                self._idle.get_nowait().close()
            except queue.Empty:
                return

    def _take(self) -> Connection:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return connect(self._address, read_only=True)


def _not_connected(address: Address, error: psycopg.Error) -> StoreError:
    refused = isinstance(error, errors.InvalidAuthorizationSpecification | errors.InvalidCatalogName)
    text = f"cannot connect to the store {address.name}: {_first_line(error)}"
    return StoreError(text) if refused else StoreUnavailable(text)


def _first_line(error: psycopg.Error) -> str:
    return str(error).partition("\n")[0]
