"""The writer's lease: a lock on a file beside the database, given back by the system when its holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from broadstreet.store.protocol import StoreLocked


class Lease:
    """Held from construction until `release`, or until the process ends in whatever way."""

    def __init__(self, database: Path) -> None:
        path = database.with_name(database.name + ".lease")
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._file, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise StoreLocked(
                f"another hub (process {holder}) writes to {database.name}: stop it first"
            ) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Give the lease back."""
        os.close(self._file)
