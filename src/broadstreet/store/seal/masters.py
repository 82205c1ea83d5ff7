"""Master keys, which wrap the keys of residents: in a file of their own that only its owner may open.

A copy of the residents' keys is of use only with the master key that they were wrapped with. So copies that
were kept too long are made useless, wherever they lie, by forgetting old master keys.
"""

from __future__ import annotations

import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Collection
from pathlib import Path
from typing import Final

import msgspec

from broadstreet.store.protocol import StoreError

DAY: Final = 86_400_000_000
LIMIT: Final = 7 * DAY
"""Master keys that were replaced longer ago, in microseconds, are forgotten: so long backups of keys are
good."""


class Master(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A master key in base64, when it was made, and when it was replaced (0: it is the newest)."""

    key: str
    made: int
    replaced: int = 0

    @property
    def secret(self) -> bytes:
        """The 32 bytes of the key."""
        return b64decode(self.key)


class Masters:
    """The master keys in a file, by number; the newest wraps.

    Raises
    ------
    StoreError
        If the file is none of ours, or others may read it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held = self._read()

    def secret(self, number: int) -> bytes | None:
        """Return a master key; None if it was forgotten."""
        held = self._held.get(number)
        return held.secret if held is not None else None

    def newest(self) -> int:
        """Return the number of the key that wraps; 0 if there is none yet."""
        return max(self._held, default=0)

    def made(self) -> int:
        """Return when the newest was made, in microseconds."""
        return self._held[self.newest()].made if self._held else 0

    def add(self, at: int) -> int:
        """Make a new master key, durable when this returns; return its number."""
        before = self.newest()
        held = {n: Master(m.key, m.made, m.replaced or at) for n, m in self._held.items()}
        held[before + 1] = Master(b64encode(secrets.token_bytes(32)).decode(), at)
        self._write(held)
        return before + 1

    def forget(self, before: int, used: Collection[int] = ()) -> list[int]:
        """Forget the keys that were replaced before an instant and are not used; return their numbers."""
        replaced = (number for number, master in self._held.items() if 0 < master.replaced < before)
        gone = [number for number in replaced if number not in used]
        if gone:
            self._write({n: m for n, m in self._held.items() if n not in gone})
        return gone

    def read_again(self) -> None:
        """Take over what another process has changed."""
        self._held = self._read()

    def _read(self) -> dict[int, Master]:
        try:
            if self._path.stat().st_mode & 0o077:
                raise StoreError(f"{self._path.name} may be read by others (chmod 600 it): it holds keys")
            return msgspec.json.decode(self._path.read_bytes(), type=dict[int, Master])
        except FileNotFoundError:
            return {}
        except msgspec.MsgspecError as error:
            raise StoreError(f"{self._path.name} is not a file of master keys: {error}") from error

    def _write(self, held: dict[int, Master]) -> None:
        replace_private(self._path, msgspec.json.format(msgspec.json.encode(held), indent=1))
        self._held = held


def replace_private(path: Path, data: bytes) -> None:
    """Replace a file, whole and durably, by one that only its owner may open."""
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
