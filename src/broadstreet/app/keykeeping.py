"""Keep the limit of copies of the keys: a new master key every half of it, replaced ones forgotten after the
other half.
"""

from __future__ import annotations

import logging

from broadstreet.model.clock import Clock, microseconds
from broadstreet.store.seal.keyring import Keyring
from broadstreet.store.seal.masters import DAY

_log = logging.getLogger(__name__)


class KeyKeeper:
    """Rotates master keys.

    Parameters
    ----------
    keyring
        What they wrap.
    clock
        Tells how old they are.
    days
        For so long a copy of the residents' keys is of use.
    """

    def __init__(self, keyring: Keyring, clock: Clock, days: int) -> None:
        self._keyring, self._clock, self._half = keyring, clock, days * DAY // 2

    def run(self) -> bool:
        """Do what is due; return whether the master key was replaced."""
        now, made = microseconds(self._clock.now()), self._keyring.made()
        if not made or now - made < self._half:
            self._keyring.forget(now - self._half)
            return False
        number = self._keyring.rotate(now, self._half)
        _log.info("the master key was replaced, and %d keys wrapped anew: copy master.key again", number)
        return True
