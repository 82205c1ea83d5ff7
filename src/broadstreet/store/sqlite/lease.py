"""The writer's lease: a lock on a file beside the database, given back by the system when its holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from broadstreet.store.protocol import StoreError, StoreLocked

LEASE = ".lease"
"""What the name of the lease's file has after that of the database."""


class Lease:
    """Held from construction until `release`, or until the process ends in whatever way.

    Raises
    ------
    StoreLocked
        If another holds it.
    StoreError
        If the folder cannot be written to.
    """

    def __init__(self, database: Path) -> None:
        database = database.resolve()  # one file has one lease, by whatever name it is opened
        self._path = database.with_name(database.name + LEASE)
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                f"cannot take the lease of {database.name} ({error.strerror}):"
                " let this user write to its folder"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._file, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise StoreLocked(
                f"another hub (process {holder}) writes to {database.name}: stop it first"
                " (Ctrl-C where it runs, or its service)"
            ) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)

    def held(self) -> bool:
        """Say whether the lock still keeps others out: its file must be the one at its place."""
        try:
            there = os.stat(self._path)
        except OSError:
            return False
        return os.path.samestat(there, os.fstat(self._file))

    def release(self) -> None:
        """Give the lease back."""
        os.close(self._file)

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
