"""The keys of residents, wrapped by a master key, in a SQLite file beside the log.

Keys are made in blocks ahead of their use, so that a new resident costs no sync to the disk of their own: a
block is durable before the first of its keys seals anything. Whose key it became is told by the log itself
(the entry's `seal` and `subject`); the file takes that over with the next block, and at the start from the
log.

A key that is destroyed is overwritten in the file (`secure_delete`), and its number is never used again.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Collection, Iterable
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from broadstreet.store.protocol import StoreError
from broadstreet.store.seal.masters import LIMIT, Masters, sync_folder

KEYS, MASTERS = "keys.db", "master.key"
BLOCK: Final = 512
"""Keys that are made at once."""
MOST_HELD: Final = 65_536
"""Unwrapped keys that are held in memory."""
SEEN_WITHIN: Final = 1.0
"""In seconds; so soon a key that another process destroyed opens nothing here. To ask the file for each body
would hand Python's lock away each time."""
WRAPPED_AT_ONCE: Final = 2_000
_NONCE: Final = 12
_SCHEMA = """
CREATE TABLE IF NOT EXISTS key (
    number  INTEGER PRIMARY KEY,
    owner   TEXT,                   -- a resident's id, or message:<id>; null while unused
    master  INTEGER NOT NULL,
    wrapped BLOB                    -- null once it is destroyed
) STRICT;
CREATE INDEX IF NOT EXISTS key_owner ON key (owner) WHERE owner IS NOT NULL;
CREATE TABLE IF NOT EXISTS mark (seq INTEGER NOT NULL) STRICT;
"""

Unwrapped = AESGCM | None


class Keyring:
    """The keys in a folder; reading is safe from any thread, the rest is the committer's.

    Parameters
    ----------
    folder
        Where the files are; made, open to its owner alone, unless `create` is false.

    Raises
    ------
    StoreError
        If the files are not ours, or others may read them.
    """

    def __init__(self, folder: Path, *, create: bool = True) -> None:
        if create:
            folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        self.path = folder / KEYS
        self._masters = Masters(folder / MASTERS)
        self._connection = _connect(self.path, create=create)
        self._lock = threading.Lock()
        self._version = -1
        self._look_again = 0.0
        self._free: list[int] = []
        self._owned: dict[str, int] = {}
        self._pending: dict[int, str] = {}
        self._of = lru_cache(maxsize=MOST_HELD)(self._unwrapped)

    # -- reading ---------------------------------------------------------------------------------

    def cipher(self, number: int) -> AESGCM | None:
        """Return what opens bodies that are sealed with a key; None once the key is destroyed."""
        with self._lock:
            if time.monotonic() >= self._look_again:
                self._look_for_changes()
            return self._of(number)

    def numbers(self) -> dict[str, int]:
        """Return how many keys are in use, unused and destroyed."""
        sql = "SELECT count(owner), count(*) - count(owner), sum(wrapped IS NULL) FROM key"
        with self._lock:
            self._keep_owners(0)
            used, unused, destroyed = self._connection.execute(sql).fetchone()
        return {"used": used, "unused": unused, "destroyed": destroyed or 0}

    # -- sealing ---------------------------------------------------------------------------------

    def look_for_changes(self) -> None:
        """See at once what others changed: before a batch is sealed, lest it be with a destroyed key."""
        with self._lock:
            self._look_for_changes()

    def key_of(self, owner: str, head: int, at: int) -> int:
        """Return the number of an owner's key, which is made if there is none; `head` is the log's."""
        with self._lock:
            number = self._owned.get(owner)
            if number is None:
                found = self._connection.execute(
                    "SELECT max(number) FROM key WHERE owner = ? AND wrapped IS NOT NULL",
                    (owner,),
                ).fetchone()
                number = found[0] or self._new(owner, head, at)
                if len(self._owned) >= MOST_HELD:
                    self._owned.clear()
                    self._owned.update({owner: number for number, owner in self._pending.items()})
                self._owned[owner] = number
            return number

    def learn(self, sealed: Iterable[tuple[int, str]], seq: int) -> None:
        """Take over whose keys are whose from the log: `(number, owner)`, up to a seq."""
        with self._lock:
            self._pending.update(dict(sealed))
            self._keep_owners(seq)
            sql = "SELECT number FROM key WHERE owner IS NULL AND wrapped IS NOT NULL ORDER BY number DESC"
            self._free = [row[0] for row in self._connection.execute(sql)]

    def mark(self) -> int:
        """Return the seq up to which the file knows whose keys are whose."""
        with self._lock:
            found = self._connection.execute("SELECT max(seq) FROM mark").fetchone()[0]
        return found or 0

    # -- care ------------------------------------------------------------------------------------

    def destroy(self, owners: Collection[str], numbers: Collection[int] = ()) -> int:
        """Overwrite the keys of owners, and others by number; return how many there were."""
        with self._lock, self._connection as connection:
            self._keep_owners(0)
            gone = 0
            for column, values in (("owner", owners), ("number", numbers)):
                for value in values:
                    gone += connection.execute(
                        f"UPDATE key SET wrapped = NULL WHERE {column} = ? AND wrapped IS NOT NULL",  # noqa: S608
                        (value,),
                    ).rowcount
            named, numbered = set(owners), set(numbers)
            self._owned = {o: n for o, n in self._owned.items() if o not in named and n not in numbered}
            self._of.cache_clear()
        return gone

    def rotate(self, at: int, limit: int = LIMIT) -> int:
        """Wrap every key with a new master key, forget master keys past their limit; return how many keys.

        A slice at a time, so that whoever seals or opens meanwhile does not wait.
        """
        master = self._masters.add(at)
        number, wrapped = 0, 0
        while True:
            with self._lock, self._connection as connection:
                rows = connection.execute(
                    "SELECT number, master, wrapped FROM key WHERE wrapped IS NOT NULL AND number > ?"
                    " AND master < ? ORDER BY number LIMIT ?",
                    (number, master, WRAPPED_AT_ONCE),
                ).fetchall()
                anew = [(master, self._wrap(row[0], self._unwrap(*row), master), row[0]) for row in rows]
                connection.executemany("UPDATE key SET master = ?, wrapped = ? WHERE number = ?", anew)
            if not rows:
                break
            number, wrapped = rows[-1][0], wrapped + len(rows)
        self.forget(at - limit)
        return wrapped

    def forget(self, before: int) -> list[int]:
        """Forget the master keys that were replaced before an instant and that wrap nothing; return them."""
        with self._lock:
            sql = "SELECT DISTINCT master FROM key WHERE wrapped IS NOT NULL"
            used = {row[0] for row in self._connection.execute(sql)}
            return self._masters.forget(before, used)

    def made(self) -> int:
        """Return when the newest master key was made, in microseconds."""
        return self._masters.made()

    def backup(self, target: Path) -> None:
        """Copy the wrapped keys; of use only together with the master key of the time.

        Raises
        ------
        StoreError
            If there is a file already.
        """
        if target.exists():
            raise StoreError(f"{target} exists already, and a backup never overwrites: name another file")
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with self._lock:
            self._keep_owners(0)
            with closing(sqlite3.connect(target)) as copy:
                self._connection.backup(copy)
        sync_folder(target.parent)

    def close(self) -> None:
        """Keep what is known of owners, and close the file."""
        with self._lock:
            self._keep_owners(0)
            self._connection.close()

    # -- inside ----------------------------------------------------------------------------------

    def _look_for_changes(self) -> None:
        """Forget what is held in memory if another process destroyed keys, or wrapped them anew."""
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._version = version
            self._of.cache_clear()
            self._owned = {owner: number for number, owner in self._pending.items()}
            self._masters.read_again()
        self._look_again = time.monotonic() + SEEN_WITHIN

    def _new(self, owner: str, head: int, at: int) -> int:
        if not self._free:
            self._make_block(head, at)
        number = self._free.pop()
        self._pending[number] = owner
        return number

    def _make_block(self, head: int, at: int) -> None:
        """Make unused keys and keep whose the others are; durable when this returns."""
        master = self._masters.newest() or self._masters.add(at)
        with self._connection as connection:
            last = connection.execute("SELECT coalesce(max(number), 0) FROM key").fetchone()[0]
            numbers = range(last + 1, last + 1 + BLOCK)
            rows = [(n, master, self._wrap(n, AESGCM.generate_key(256), master)) for n in numbers]
            connection.executemany("INSERT INTO key (number, master, wrapped) VALUES (?, ?, ?)", rows)
        self._keep_owners(head)
        self._free = list(reversed(numbers))

    def _keep_owners(self, seq: int) -> None:
        """Write whose keys are whose; those of entries up to `seq` are then known for good."""
        if not self._pending and not seq:
            return
        with self._connection as connection:
            rows = [(owner, number) for number, owner in self._pending.items()]
            connection.executemany("UPDATE key SET owner = ? WHERE number = ?", rows)
            if seq:
                connection.execute("DELETE FROM mark")
                connection.execute("INSERT INTO mark VALUES (?)", (seq,))
        self._pending.clear()

    def _unwrapped(self, number: int) -> Unwrapped:
        row = self._connection.execute(
            "SELECT number, master, wrapped FROM key WHERE number = ?", (number,)
        ).fetchone()
        if row is None:
            raise StoreError(f"{KEYS} has no key {number}: it is older than the log; restore a newer one")
        return None if row[2] is None else AESGCM(self._unwrap(*row))

    def _wrap(self, number: int, key: bytes, master: int) -> bytes:
        nonce, secret = os.urandom(_NONCE), self._masters.secret(master)
        assert secret is not None
        return nonce + AESGCM(secret).encrypt(nonce, key, _named(number))

    def _unwrap(self, number: int, master: int, wrapped: bytes) -> bytes:
        secret = self._masters.secret(master)
        if secret is None:  # another process may have rotated it a moment ago
            self._masters.read_again()
            secret = self._masters.secret(master)
        if secret is None:
            raise StoreError(
                f"key {number} needs the master key {master}, which {MASTERS} does not have: restore it"
            )
        try:
            return AESGCM(secret).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _named(number))
        except InvalidTag as error:
            raise StoreError(f"key {number} does not fit its master key: {KEYS} is damaged") from error


def _named(number: int) -> bytes:
    """Return what a wrapped key is bound to: it cannot be taken for another."""
    return number.to_bytes(8, "big")


def _connect(path: Path, *, create: bool) -> sqlite3.Connection:
    if create and not path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    try:
        if path.stat().st_mode & 0o077:
            raise StoreError(f"{path.name} may be read by others (chmod 600 it): it holds keys")
        connection = sqlite3.connect(path, check_same_thread=False)
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.execute("PRAGMA secure_delete = on")
        connection.execute("PRAGMA journal_mode = truncate")  # a journal would keep what was overwritten
        connection.execute("PRAGMA synchronous = full")
        if create:
            connection.executescript(_SCHEMA)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"cannot open the keys {path.name}: {error}") from error
    return connection
