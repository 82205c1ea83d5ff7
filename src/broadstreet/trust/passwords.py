"""Passwords and client secrets: kept as Argon2id hashes, compared without telling how far they fit.

Source: RFC 9106, section 4, second recommended option (64 MiB, 3 passes); the lanes are those of two cores.
"""

from __future__ import annotations

import secrets
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 256
"""Characters. Source: NIST SP 800-63B-4, section 3.1.1.2 (15 where a password is all there is; 8 with
another)."""
AT_ONCE = 2
"""So many hashes are computed at once: each takes 64 MiB, and sign-in must not exhaust the machine."""

_HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=2)
_TURN = BoundedSemaphore(AT_ONCE)


def hashed(password: str) -> str:
    """Return the hash of a password, with its salt and cost.

    Raises
    ------
    ValueError
        If it is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise ValueError(f"a password has {SHORTEST} to {LONGEST} characters (has {len(password)})")
    with _TURN:
        return _HASHER.hash(password)


def fits(hash: str | None, password: str) -> bool:
    """Say whether a password has this hash; without a hash no, after just as much work.

    So nobody learns from the time it takes which names there are.
    """
    password = password[: LONGEST + 1]
    with _TURN:
        nobody = _of_nobody()
        try:
            return _HASHER.verify(hash or nobody, password) and hash is not None
        except (VerificationError, InvalidHashError):
            return False


@cache
def _of_nobody() -> str:
    """Return a hash that no password is known for. Made when it is first needed: most commands never do."""
    return _HASHER.hash(secrets.token_urlsafe(32))


def outdated(hash: str) -> bool:
    """Say whether a hash was made at another cost than is usual now."""
    return _HASHER.check_needs_rehash(hash)


def new_secret() -> str:
    """Return a random secret of 256 bits, for a client."""
    return secrets.token_urlsafe(32)
