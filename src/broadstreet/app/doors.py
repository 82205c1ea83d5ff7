"""Which doors this hub opens, and how each is made from the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from broadstreet.app.core import Core
from broadstreet.connectors.hl7v2.acknowledge import Code, acknowledge
from broadstreet.connectors.hl7v2.characters import codec_of
from broadstreet.connectors.hl7v2.connection import Refuse
from broadstreet.connectors.hl7v2.door import CannotTell, Door, Identify
from broadstreet.connectors.hl7v2.problems import Problem
from broadstreet.model.ids import RandomIds
from broadstreet.trust.accounts import Accounts
from broadstreet.trust.senders import Sender, Senders


def door_of(core: Core) -> Door:
    """Return the door for HL7 v2."""
    senders = core.settings.senders
    return Door(
        core.committer,
        core.store.indexer,
        core.clock,
        RandomIds(core.clock),
        zone=ZoneInfo(senders.zone) if senders.zone else core.zone,
        zones={name: ZoneInfo(zone) for name, zone in senders.zones.items()},
        fallback=codec_of(senders.character_set)[0],
        fallbacks={name: codec_of(stated)[0] for name, stated in senders.character_sets.items()},
        processing_ids=core.settings.mllp.processing_ids,
        identify=identify_of(core.settings.folder),
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


def refusal_of(core: Core) -> Refuse:
    """Return what answers a message that is too long to be kept; its sender still has it."""
    ids = RandomIds(core.clock)

    def refuse(start: bytes, problem: Problem) -> bytes:
        return acknowledge(start, Code.ERROR, now=core.clock.now(), control_id=ids.new(), problems=(problem,))

    return refuse
