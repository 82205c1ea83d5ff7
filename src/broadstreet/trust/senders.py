"""Who sends messages: known by certificate or by network, once there are accounts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from broadstreet.trust.accounts import Accounts

REMEMBERED: Final = 1.0
"""In seconds; so soon a sender that was disabled is refused. To look the file up for each message would cost
more than the answer."""
MOST_REMEMBERED: Final = 10_000


@dataclass(frozen=True)
class Sender:
    """A system that may send: its name, and the facilities that it may speak for; empty for all."""

    name: str = ""
    facilities: tuple[str, ...] = ()

    def speaks_for(self, facility: str) -> bool:
        """Say whether messages of a facility may come from it."""
        return not self.facilities or facility in self.facilities


ANYBODY: Final = Sender()
"""Who sends as long as there are no accounts: this machine's own programs."""


class Senders:
    """Tells who sends, from the accounts.

    Parameters
    ----------
    accounts
        Those with a certificate or a network may send.
    """

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._known: dict[tuple[str, str | None], Sender | None] = {}
        self._until = 0.0

    def of(self, address: str, certificate: str | None) -> Sender | None:
        """Return who sends from an address with a certificate; None if nobody may.

        Raises
        ------
        ValueError
            If the file of accounts cannot be trusted.
        """
        now = time.monotonic()
        if now > self._until or len(self._known) > MOST_REMEMBERED:
            self._known.clear()
            self._until = now + REMEMBERED
        key = (address, certificate)
        if key not in self._known:
            self._known[key] = self._looked_up(address, certificate)
        return self._known[key]

    def _looked_up(self, address: str, certificate: str | None) -> Sender | None:
        if not self._accounts.configured:
            return ANYBODY
        account = self._accounts.sending(address, certificate)
        return None if account is None else Sender(account.name, account.facilities)
