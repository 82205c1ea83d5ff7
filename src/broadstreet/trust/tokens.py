"""Tokens: who somebody signed in as, signed by this hub, for a short time.

A token is `bst1.<key>.<claims>.<signature>`: the claims as JSON and the HMAC-SHA-256 of all that stands
before it, each in base64url. The form says which algorithm it is, and there is no other: nothing in a token
chooses how it is checked. It holds no roles; those are looked up in the account when it is used, so that a
right that was taken away is gone at once.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NoBase64
from collections.abc import Mapping
from hashlib import sha256
from typing import Final, Literal

import msgspec

from broadstreet.model.clock import Clock, microseconds

FORM: Final = "bst1"
LONGEST: Final = 1_024
SECOND: Final = 1_000_000
ACCESS: Final = 15 * 60 * SECOND
"""A token that opens reads is good for so long, in microseconds."""
REFRESH: Final = 12 * 3600 * SECOND
"""A token that is exchanged for new ones, once, is good for so long: a shift."""
AHEAD: Final = 60 * SECOND
"""A token from further in the future was not made by this hub's clock."""
MOST_REMEMBERED: Final = 200_000
"""Used tokens that are remembered until they expire; beyond, exchanges are refused."""

Use = Literal["access", "refresh"]


class BadToken(Exception):
    """A token is not accepted. It does not say why: the log does, and whoever forges one learns nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__("the token is not accepted: sign in again")
        self.reason = reason


class Claims(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a token says: the account's name and generation, what for, from when to when, and two numbers.

    `number` is the token's own, `family` that of the sign-in which it and its successors come from.
    """

    name: str
    generation: int
    use: Use
    issued: int
    expires: int
    number: str
    family: str


class Signer:
    """Makes and checks tokens with signing keys by id; the newest signs, older ones still check until
    dropped.

    Parameters
    ----------
    keys
        The signing keys, of 32 bytes each, by id; at least one. The last one signs.
    clock
        Tells when a token expires.
    """

    def __init__(self, keys: Mapping[str, bytes], clock: Clock) -> None:
        if not keys or any(len(key) != 32 for key in keys.values()):
            raise ValueError("a signer needs at least one key, and each has 32 bytes")
        self._keys, self._clock = dict(keys), clock
        self._began = microseconds(clock.now())
        self._spent: dict[str, int] = {}
        self._lock = threading.Lock()

    def issue(self, name: str, generation: int, use: Use, family: str = "") -> str:
        """Return a new token, of the family of the one that it is given for, or of a new one."""
        now = microseconds(self._clock.now())
        until = now + (ACCESS if use == "access" else REFRESH)
        number = secrets.token_urlsafe(12)
        claims = Claims(name, generation, use, now, until, number, family or number)
        key = next(reversed(self._keys))
        head = f"{FORM}.{key}.{_written(msgspec.json.encode(claims))}"
        return f"{head}.{_written(_signature(self._keys[key], head))}"

    def read(self, token: str, use: Use) -> Claims:
        """Return what a token says.

        Raises
        ------
        BadToken
            If it was not made here, is of another use, or is not good at this time.
        """
        claims = self._checked(token)
        now = microseconds(self._clock.now())
        if claims.use != use:
            raise BadToken(f"used for {use}, made for {claims.use}")
        if claims.expires <= now:
            raise BadToken("expired")
        if claims.issued > now + AHEAD:
            raise BadToken("from the future")
        return claims

    def spend(self, token: str) -> Claims:
        """Return what a refresh token says, once.

        Where it comes a second time, somebody has a copy: its whole family is refused from then on. Which
        tokens were spent is known to this process alone, so those that were made before it began are
        refused.

        Raises
        ------
        BadToken
            If it is not good, or was spent before.
        """
        claims = self.read(token, "refresh")
        if claims.issued < self._began:
            raise BadToken("made before this hub began")
        now = microseconds(self._clock.now())
        with self._lock:
            if claims.number in self._spent:
                self._remember(f"family {claims.family}", now + REFRESH, now)
                raise BadToken("spent before")
            if f"family {claims.family}" in self._spent:
                raise BadToken("of a family that was copied")
            self._remember(claims.number, claims.expires, now)
        return claims

    def _remember(self, what: str, until: int, now: int) -> None:
        if len(self._spent) >= MOST_REMEMBERED:
            self._spent = {each: end for each, end in self._spent.items() if end > now}
        if len(self._spent) >= MOST_REMEMBERED:
            raise BadToken("too many are remembered")
        self._spent[what] = until

    def _checked(self, token: str) -> Claims:
        pieces = token.split(".") if len(token) <= LONGEST and token.isascii() else []
        if len(pieces) != 4 or pieces[0] != FORM:
            raise BadToken("no token of this hub")
        key = self._keys.get(pieces[1])
        if key is None:
            raise BadToken("signed with a key that is not known")
        if not hmac.compare_digest(_read(pieces[3]), _signature(key, token.rpartition(".")[0])):
            raise BadToken("the signature does not fit")
        return msgspec.json.decode(_read(pieces[2]), type=Claims)


def _signature(key: bytes, head: str) -> bytes:
    return hmac.digest(key, head.encode(), sha256)


def _written(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _read(text: str) -> bytes:
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (NoBase64, ValueError) as error:
        raise BadToken("not base64url") from error
    if _written(data) != text:
        raise BadToken("written in another way than tokens are")
    return data
