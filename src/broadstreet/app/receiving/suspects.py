"""What becomes of a message at which the process that receives ended: the second time it is barred.

It is kept in quarantine, unread, and whoever sends it again is told so without anybody reading it. An address
whose messages end the process too often, since each is a little different, is put off for some time.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from hashlib import sha256

from broadstreet.app.receiving.at_hand import Suspect
from broadstreet.app.receiving.deaths import Deaths
from broadstreet.connectors.hl7v2.door import Commits, Door
from broadstreet.connectors.hl7v2.unread import UNREAD
from broadstreet.model.failures import frames_of
from broadstreet.store.errors import told
from broadstreet.store.protocol import Store
from broadstreet.store.quarantine import QUARANTINE
from broadstreet.store.tables import Condition

BARRED_AT = 2
"""The first end may have had another cause: somebody killed the process, or memory was short."""

_PUT_OFF = "%s may not connect for %d seconds: its messages ended the process that receives too often"
_OF_ANY_STATE = {"kind": UNREAD}

_log = logging.getLogger(__name__)


class Suspects:
    """Judges messages at which the process ended.

    Parameters
    ----------
    door, committer
        What they are kept with.
    barred
        Digests of those that were barred before.
    """

    def __init__(self, door: Door, committer: Commits, barred: frozenset[bytes]) -> None:
        self._door, self._committer = door, committer
        self.barred = barred
        """The SHA-256 of each message that is not to be read."""
        self._deaths = Deaths()

    async def judge(self, suspect: Suspect, now: float) -> None:
        """Count an end at a message; bar it the second time, once it is kept."""
        times = self._deaths.count(suspect, now)
        if (seconds := self.put_off(now).get(suspect.address)) is not None:
            _log.error(_PUT_OFF, suspect.address, seconds)
        if times >= BARRED_AT:
            await self._bar(suspect)

    def put_off(self, now: float) -> dict[str, float]:
        """Return the addresses that are put off, and for how many seconds more."""
        return self._deaths.put_off(now)

    async def _bar(self, suspect: Suspect) -> None:
        try:
            await self._committer.committed(self._door.unread(suspect.raw, suspect.address))
        except Exception as error:  # such as a full disk: the next end at it is as good
            _log.error("%s could not be kept: %s", suspect, told(error), extra={"trace": frames_of(error)})
            return
        self.barred |= {suspect.digest}
        _log.error("%s is in quarantine, unread, and read no more: see `broadstreet quarantine`", suspect)


def barred_of(store: Store) -> frozenset[bytes]:
    """Return the SHA-256 of each message that is held unread: to discard one is to let it be read again."""
    return unread_of(store, {"kind": UNREAD, "state": "held"})


def unread_of(store: Store, where: Mapping[str, Condition] = _OF_ANY_STATE) -> frozenset[bytes]:
    """Return the SHA-256 of each message that is, or was, in quarantine unread."""
    rows = store.select(QUARANTINE, where) if store.has(QUARANTINE) else []
    found = [entry for row in rows for entry in store.entries(int(row[1] or 0) - 1, limit=1)]
    return frozenset(sha256(entry.body).digest() for entry in found if entry.body is not None)
