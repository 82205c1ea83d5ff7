"""What a hub can be asked to do over its control socket: one JSON object a line, `do` says what."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

Id = Annotated[str, Meta(min_length=1, max_length=200)]
Path = Annotated[str, Meta(min_length=1, max_length=4_096)]
Instant = Annotated[datetime, Meta(tz=True)]


class _Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", kw_only=True):
    pass


class Advance(_Request, frozen=True, tag="advance", kw_only=True):
    """Drive the clock to an instant; answered when the timers that are then due are durable."""

    to: Instant


class Settle(_Request, frozen=True, tag="settle"):
    """Answer when the followers have seen everything, their own output included."""


class Status(_Request, frozen=True, tag="status"):
    """Tell how the hub is."""


class QuarantineRetry(_Request, frozen=True, tag="quarantine-retry", kw_only=True):
    """Map a quarantined message again, as it is or as `mended` (base64 of the message's bytes)."""

    id: Id
    mended: Annotated[bytes, Meta(max_length=64 * 2**20)] | None = None


class QuarantineDiscard(_Request, frozen=True, tag="quarantine-discard", kw_only=True):
    """Take a message out of quarantine for good."""

    id: Id
    note: Annotated[str, Meta(min_length=1, max_length=10_000)]


class Backup(_Request, frozen=True, tag="backup", kw_only=True):
    """Copy the store to a file that does not exist yet."""

    to: Path


class Resume(_Request, frozen=True, tag="resume", kw_only=True):
    """Let a follower that stopped try again."""

    follower: Id


class Promote(_Request, frozen=True, tag="promote", kw_only=True):
    """Let a reactor that runs in shadow emit from now on."""

    follower: Id


Request = Advance | Settle | Status | QuarantineRetry | QuarantineDiscard | Backup | Resume | Promote

_DECODER: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_ENCODER = msgspec.json.Encoder()


def decode(line: bytes) -> Request:
    """Return the request that a line holds.

    Raises
    ------
    ValueError
        If it is none; the text says why.
    """
    try:
        return _DECODER.decode(line)
    except msgspec.MsgspecError as error:
        raise ValueError(f'expected a request such as {{"do": "status"}}: {error}') from error


def encode(message: Any) -> bytes:
    """Return a request or an answer as one line."""
    return _ENCODER.encode(message) + b"\n"
