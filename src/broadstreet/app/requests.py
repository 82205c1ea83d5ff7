"""What a hub can be asked to do over its control socket: one JSON object a line, `do` says what."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

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


class SignIn(_Request, frozen=True, tag="sign-in", kw_only=True):
    """Exchange a name and its password for a token."""

    name: Id
    password: Annotated[str, Meta(max_length=1_000)]


class _Personal(_Request, frozen=True, kw_only=True):
    """What is asked by somebody: their token, where there are accounts."""

    token: Annotated[str, Meta(max_length=2_000)] = ""


class QuarantineList(_Personal, frozen=True, tag="quarantine-list", kw_only=True):
    """Tell which messages are held, or also which were; newest first."""

    everything: bool = False
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 50


class QuarantineShow(_Personal, frozen=True, tag="quarantine-show", kw_only=True):
    """Show a message as it came, and why it is held."""

    id: Id


class Looked(_Personal, frozen=True, tag="looked", kw_only=True):
    """Tell who looked at a resident."""

    of: Id
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 100


class Erase(_Personal, frozen=True, tag="erase", kw_only=True):
    """Erase a resident; answered when the files were written anew and searched for what is left."""

    resident: Id
    basis: Annotated[str, Meta(min_length=1, max_length=10_000)]


class QuarantineRetry(_Personal, frozen=True, tag="quarantine-retry", kw_only=True):
    """Map a quarantined message again, as it is or as `mended` (base64 of the message's bytes)."""

    id: Id
    mended: Annotated[bytes, Meta(max_length=64 * 2**20)] | None = None


class QuarantineDiscard(_Personal, frozen=True, tag="quarantine-discard", kw_only=True):
    """Take a message out of quarantine for good."""

    id: Id
    note: Annotated[str, Meta(min_length=1, max_length=10_000)]


class SignalCard(_Personal, frozen=True, tag="signal-card", kw_only=True):
    """Explain a signal, with the visits that the asker may see: for an investigation or public health."""

    id: Id
    investigation: Annotated[str, Meta(max_length=200)] = ""


class SignalJudge(_Personal, frozen=True, tag="signal-judge", kw_only=True):
    """Say what a signal is, and why; without a finding, take back what was said."""

    id: Id
    reason: Annotated[str, Meta(min_length=1, max_length=10_000)]
    finding: Literal["verified", "dismissed"] | None = None


class InvestigationOpen(_Personal, frozen=True, tag="investigation-open", kw_only=True):
    """Open an investigation about cases, the ids of residents."""

    title: Annotated[str, Meta(min_length=1, max_length=1_000)]
    cases: list[Id] = []
    signals: list[Id] = []


class InvestigationClose(_Personal, frozen=True, tag="investigation-close", kw_only=True):
    """Close an investigation: what was approved for it is over."""

    id: Id
    finding: Annotated[str, Meta(min_length=1, max_length=10_000)]


class InvestigationList(_Personal, frozen=True, tag="investigation-list", kw_only=True):
    """Tell which investigations are open, or also which were."""

    everything: bool = False


class MovementsAsk(_Personal, frozen=True, tag="movements-ask", kw_only=True):
    """Ask to see where residents were from `start` to `end`, until `expires`, for an investigation."""

    investigation: Id
    residents: Annotated[list[Id], Meta(min_length=1, max_length=1_000)]
    basis: Annotated[str, Meta(min_length=1, max_length=10_000)]
    start: Instant
    end: Instant
    expires: Instant


class MovementsList(_Personal, frozen=True, tag="movements-list", kw_only=True):
    """Tell which requests wait or are good, or also which were; without the residents."""

    everything: bool = False


class MovementsShow(_Personal, frozen=True, tag="movements-show", kw_only=True):
    """Show a request with its residents."""

    id: Id


class MovementsDecide(_Personal, frozen=True, tag="movements-decide", kw_only=True):
    """Approve or refuse a request, as another person than who asked."""

    id: Id
    status: Literal["approved", "refused"]
    reason: Annotated[str, Meta(min_length=1, max_length=10_000)]


class MovementsWithdraw(_Personal, frozen=True, tag="movements-withdraw", kw_only=True):
    """End a request before its time."""

    id: Id
    reason: Annotated[str, Meta(min_length=1, max_length=10_000)]


class Backup(_Request, frozen=True, tag="backup", kw_only=True):
    """Copy the store to a file that does not exist yet."""

    to: Path


class Resume(_Request, frozen=True, tag="resume", kw_only=True):
    """Let a follower that stopped try again."""

    follower: Id


class Promote(_Request, frozen=True, tag="promote", kw_only=True):
    """Let a reactor that runs in shadow emit from now on."""

    follower: Id


Request = (
    Advance | Settle | Status | SignIn | QuarantineList | QuarantineShow | QuarantineRetry | QuarantineDiscard
    | SignalCard | SignalJudge | Looked | Erase | InvestigationOpen | InvestigationClose | InvestigationList
    | MovementsAsk | MovementsList | MovementsShow | MovementsDecide | MovementsWithdraw
    | Backup | Resume | Promote
)  # fmt: skip

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
