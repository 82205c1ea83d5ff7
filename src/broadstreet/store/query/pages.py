"""Page tokens: where a page ended, so that the next begins there, however far in that is.

A token is opaque but no secret, and need not be signed: a forged one is refused, or reads another page of
what the search may read anyway. A text in it, which may be somebody's name, is masked with the store's key.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NoBase64
from hashlib import blake2b
from itertools import count
from typing import Final

import msgspec

from broadstreet.store.index import Indexer
from broadstreet.store.query.sql import Key
from broadstreet.store.query.terms import Value

LONGEST: Final = 4_096
_SIGNED = 1 << 63
REFUSED: Final = "the page token is none that this search gave out: begin again without it"


class Page(msgspec.Struct, frozen=True):
    """Where a page ended: at which position, with which drive, after which key."""

    at: int
    drive: int
    key: Key


class _Written(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A page as a token has it."""

    search: int
    at: int
    drive: int
    since: int
    slice: int
    value: int | float | bytes
    tie: int | float | None


def fingerprint(*parts: object) -> int:
    """Return a number that tells one search from another."""
    return int.from_bytes(blake2b(repr(parts).encode("utf-8", "replace"), digest_size=6).digest(), "big")


def write(page: Page, search: int, indexer: Indexer) -> str:
    """Return the token of a page of a search."""
    key = page.key
    value = (
        _masked(key.value.encode(), indexer, key.since, page.at) if isinstance(key.value, str) else key.value
    )
    assert not isinstance(key.tie, str)
    written = _Written(search, page.at, page.drive, key.since, key.slice, value, key.tie)
    return urlsafe_b64encode(msgspec.msgpack.encode(written)).decode().rstrip("=")


def read(token: str, search: int, indexer: Indexer) -> Page:
    """Return the page of a token.

    Raises
    ------
    ValueError
        If the token is of another search, or of none.
    """
    if len(token) > LONGEST:
        raise ValueError(REFUSED)
    try:
        data = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        written = msgspec.msgpack.decode(data, type=_Written)
        value: Value = _read_value(written, indexer)
    except (msgspec.MsgspecError, NoBase64, UnicodeError) as error:
        raise ValueError(REFUSED) from error
    if written.search != search:
        raise ValueError("the page token belongs to another search: begin again without it")
    numbers = (written.at, written.drive, written.since, written.slice)
    whole = [n for n in (*numbers, value, written.tie) if isinstance(n, int)]
    if min(numbers) < 0 or any(not -_SIGNED <= n < _SIGNED for n in whole):
        raise ValueError(REFUSED)
    return Page(written.at, written.drive, Key(value, written.since, written.tie, written.slice))


def _read_value(written: _Written, indexer: Indexer) -> Value:
    if isinstance(written.value, bytes):
        return _masked(written.value, indexer, written.since, written.at).decode()
    return written.value


def _masked(data: bytes, indexer: Indexer, *nonce: int) -> bytes:
    """Return bytes combined with a stream that only the store's key can make again; twice undoes it."""
    mask = b""
    for block in count():
        if len(mask) >= len(data):
            break
        mask += blake2b(f"{indexer.hashed('page')} {nonce} {block}".encode()).digest()
    return bytes(one ^ other for one, other in zip(data, mask, strict=False))
