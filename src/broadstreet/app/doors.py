"""Which doors this hub opens, and how each is made from the settings."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, TypedDict, Unpack
from zoneinfo import ZoneInfo

from broadstreet.app.settings import Mllp, Settings
from broadstreet.connectors.hl7v2.acknowledge import Code, acknowledge
from broadstreet.connectors.hl7v2.characters import codec_of
from broadstreet.connectors.hl7v2.connection import Refuse, ServerLimits
from broadstreet.connectors.hl7v2.door import AtHand, CannotTell, Commits, Door, Identify
from broadstreet.connectors.hl7v2.mapping.recorder import Directory
from broadstreet.connectors.hl7v2.mllp import FrameLimits
from broadstreet.connectors.hl7v2.problems import Problem
from broadstreet.connectors.hl7v2.tls import server_tls
from broadstreet.model.clock import Clock
from broadstreet.model.ids import RandomIds
from broadstreet.store.errors import StoreError
from broadstreet.store.index import Indexer
from broadstreet.trust.accounts import Accounts
from broadstreet.trust.senders import Sender, Senders


class More(TypedDict, total=False):
    """What a door has in a process of its own: see `Door`."""

    directory: Directory
    at_hand: AtHand
    barred: frozenset[bytes]


def door_of(
    settings: Settings, committer: Commits, indexer: Indexer, clock: Clock, **more: Unpack[More]
) -> Door:
    """Return the door for HL7 v2."""
    senders = settings.senders
    return Door(
        committer,
        indexer,
        clock,
        RandomIds(clock),
        zone=ZoneInfo(senders.zone or settings.zone),
        zones={name: ZoneInfo(zone) for name, zone in senders.zones.items()},
        fallback=codec_of(senders.character_set)[0],
        fallbacks={name: codec_of(stated)[0] for name, stated in senders.character_sets.items()},
        processing_ids=settings.mllp.processing_ids,
        identify=identify_of(settings.folder),
        **more,
    )


def identify_of(folder: Path) -> Identify:
    """Return what tells who a peer is, from the accounts in a folder."""
    senders = Senders(Accounts(folder))

    def identify(peer: Any) -> Sender | None:
        try:
            return senders.of(getattr(peer, "address", ""), getattr(peer, "certificate", None))
        except ValueError as error:
            raise CannotTell(str(error)) from error

    return identify


def refusal_of(clock: Clock) -> Refuse:
    """Return what answers a message that is too long to be kept; its sender still has it."""
    ids = RandomIds(clock)

    def refuse(start: bytes, problem: Problem) -> bytes:
        return acknowledge(start, Code.ERROR, now=clock.now(), control_id=ids.new(), problems=(problem,))

    return refuse


def limits_of(mllp: Mllp) -> ServerLimits:
    """Return what senders of HL7 v2 can take."""
    return ServerLimits(
        frame=FrameLimits(message=mllp.max_bytes),
        connections=mllp.max_connections,
        connections_each=mllp.max_connections,
        idle=mllp.idle_seconds,
    )


def tls_of(mllp: Mllp) -> ssl.SSLContext | None:
    """Return the server's side of TLS; None if the settings name no certificate.

    Raises
    ------
    StoreError
        If a file cannot be read, or does not hold what it should.
    """
    tls = mllp.tls
    if not tls.certificate:
        return None
    try:
        return server_tls(Path(tls.certificate), Path(tls.key), Path(tls.clients) if tls.clients else None)
    except OSError as error:
        raise StoreError(f"mllp.tls: expected readable PEM files, got {error}") from error
