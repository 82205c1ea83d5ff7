"""The writer's lease, fenced: a lock that ends with its session, and a row that every transaction checks.

The advisory lock keeps a second hub out while the first one's session lives. The row keeps a hub from
writing that lost its session without knowing it: each session that takes the lease raises `epoch`, and
a transaction counts itself in `commits` only where it finds the epoch and the count that its writer knows.

So the row also tells, after a connection was lost in the middle of a COMMIT, whether that took place.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

from broadstreet.store.postgres.address import Address
from broadstreet.store.postgres.connection import Connection
from broadstreet.store.protocol import StoreError, StoreLocked

# `pg_locks` shows a lock of one 64-bit key as two halves, and objsubid 1.
_HOLDER = """
    SELECT a.pid, a.backend_start::text, a.application_name
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (l.classid::bigint << 32 | l.objid::bigint) = %s"""
_SESSION = "SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()"

_TRIES, _PAUSE = 10, 0.1
"""So often a lock is tried, and seconds between."""


def lock_key(address: Address) -> int:
    """Return the advisory lock's key: the same for one schema, whoever asks."""
    return int.from_bytes(blake2b(b"lease " + address.schema.encode(), digest_size=7).digest(), "big")


class Lease:
    """What one hub knows of its right to write.

    Attributes
    ----------
    epoch, commits
        What the row must say for a transaction of ours to count.
    fenced
        Whether another hub was found to have taken it.
    """

    def __init__(self, address: Address, connection: Connection) -> None:
        self._address, self._key = address, lock_key(address)
        _lock(connection, self._address)
        self._session = _one(connection, _SESSION)
        sql = "UPDATE lease SET epoch = epoch + 1, holder = %s RETURNING epoch, commits"
        self.epoch, self.commits = _one(connection, sql, _me())
        self.fenced = False

    def count(self, connection: Connection) -> None:
        """Count a transaction, inside it; it is `commits` + 1 once it is committed.

        Raises
        ------
        StoreLocked
            If another hub has taken the lease.
        """
        sql = "UPDATE lease SET commits = commits + 1 WHERE epoch = %s AND commits = %s"
        if connection.execute(sql, (self.epoch, self.commits)).rowcount != 1:
            raise self._fenced()

    def retake(self, connection: Connection) -> int:
        """Take the lease on a new connection, where no one else did meanwhile; return how many commits.

        The old session has ended when this returns, and with it every transaction it had begun.

        Raises
        ------
        StoreLocked
            If another hub has taken the lease.
        """
        self._end_old_session(connection)
        _lock(connection, self._address)
        self._session = _one(connection, _SESSION)
        sql = "UPDATE lease SET epoch = epoch + 1, holder = %s WHERE epoch = %s RETURNING epoch, commits"
        row: Any = connection.execute(sql, (_me(), self.epoch)).fetchone()
        if row is None:
            raise self._fenced()
        self.epoch, commits = row
        return int(commits)

    def _end_old_session(self, connection: Connection) -> None:
        """End the session that we have lost, where the server has not noticed yet."""
        holder = connection.execute(_HOLDER, (self._key,)).fetchone()
        if holder is not None and holder[:2] == self._session:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", (holder[0],))

    def _fenced(self) -> StoreLocked:
        self.fenced = True
        return StoreLocked(
            f"another hub has taken the lease of {self._address.name} since: this one (epoch {self.epoch})"
            " can no longer write; stop it, and find out why two were started"
        )


@contextmanager
def held(address: Address, connection: Connection) -> Iterator[None]:
    """Keep every writer out for a while, without taking its place.

    Raises
    ------
    StoreLocked
        If a hub holds the lease.
    """
    _lock(connection, address)
    yield
    connection.execute("SELECT pg_advisory_unlock(%s)", (lock_key(address),))


def _lock(connection: Connection, address: Address) -> None:
    """Lock out other hubs; a server lets go of one that has stopped only some time after it."""
    key = lock_key(address)
    for _ in range(_TRIES):
        if _one(connection, "SELECT pg_try_advisory_lock(%s)", key)[0]:
            break
        time.sleep(_PAUSE)
    else:
        holder = connection.execute(_HOLDER, (key,)).fetchone()
        name = str(holder[2]).removeprefix("broadstreet ") if holder else "unknown"
        raise StoreLocked(f"another hub (process {name}) writes to {address.name}: stop it first")


def _me() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _one(connection: Connection, sql: str, *values: object) -> Any:
    row = connection.execute(sql, values).fetchone()
    if row is None:
        raise StoreError("the lease has no row: the schema was changed by hand; restore a backup")
    return row
