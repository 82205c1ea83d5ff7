"""How often sign-in may be tried, so that passwords cannot be guessed and nobody can be locked out by others.

Failures are counted for a name from one network; they make that network wait for that name, ever longer,
and nobody else. Failures for a name from all networks that never signed in to it are counted together: past
a limit such networks wait, while the networks that the account is used from do not. So guessing from many
addresses is slowed down, and whoever guesses cannot keep the owner out. Attempts of a network, for whatever
names, are bounded too. Times are those of the caller, in seconds.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from typing import Final, TypeVar

FREE: Final = 5
"""So many failures for a name from one network cost nothing."""
FIRST_WAIT, LONGEST_WAIT = 2.0, 900.0
"""Seconds that the next failure costs; each doubles it."""
FREE_FROM_STRANGERS: Final = 50
"""So many failures for a name from all unknown networks, within a window, cost nothing."""
MOST_OF_A_NETWORK: Final = 100
"""Attempts of one network, for all names, within a window."""
WINDOW: Final = 900.0
"""Seconds."""
MOST_REMEMBERED: Final = 100_000
"""Of each kind of counter; the longest unused go first."""


class Throttled(Exception):
    """Too many attempts; `wait` is in how many seconds the next one is looked at."""

    def __init__(self, wait: float) -> None:
        super().__init__(f"too many attempts to sign in: try again in {wait:.0f} seconds")
        self.wait = wait


@dataclass
class _Count:
    """What happened within a window, and until when to wait."""

    number: int = 0
    since: float = 0.0
    until: float = 0.0

    def add(self, now: float) -> int:
        if now - self.since > WINDOW:
            self.number, self.since = 0, now
        self.number += 1
        return self.number


Key = TypeVar("Key")


class _Counts(OrderedDict[Key, _Count]):
    """Counters; at most so many."""

    def of(self, key: Key) -> _Count:
        found = self.get(key)
        if found is None:
            found = self[key] = _Count()
            if len(self) > MOST_REMEMBERED:
                self.popitem(last=False)
        self.move_to_end(key)
        return found


@dataclass
class Throttle:
    """Counts attempts to sign in; safe from any thread."""

    _pairs: _Counts[tuple[str, str]] = field(default_factory=_Counts)
    _strangers: _Counts[str] = field(default_factory=_Counts)
    _networks: _Counts[str] = field(default_factory=_Counts)
    _known: OrderedDict[tuple[str, str], None] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, name: str, address: str, now: float) -> None:
        """Count an attempt; refuse it, before any password is looked at, if it has to wait.

        Raises
        ------
        Throttled
            If it has to wait.
        """
        network = network_of(address)
        with self._lock:
            until = self._pairs.of((name, network)).until
            if (name, network) not in self._known:
                until = max(until, self._strangers.of(name).until)
            of_network = self._networks.of(network)
            if of_network.add(now) > MOST_OF_A_NETWORK:
                until = max(until, of_network.since + WINDOW)
            if until > now:
                raise Throttled(until - now)

    def failed(self, name: str, address: str, now: float) -> None:
        """Note that the password was wrong, or that there is no such name: no difference is made."""
        network = network_of(address)
        with self._lock:
            _fail(self._pairs.of((name, network)), now, FREE)
            if (name, network) not in self._known:
                _fail(self._strangers.of(name), now, FREE_FROM_STRANGERS)

    def succeeded(self, name: str, address: str) -> None:
        """Note that somebody signed in: their network is known to the account from now on."""
        pair = (name, network_of(address))
        with self._lock:
            self._pairs.pop(pair, None)
            self._known[pair] = None
            self._known.move_to_end(pair)
            if len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)


def network_of(address: str) -> str:
    """Return the network that an address counts for: itself, or of IPv6 the first 64 bits.

    Source: RFC 4291, section 2.5.1: the last 64 bits are the interface's own, and free to choose.
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:100]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))


def _fail(count: _Count, now: float, free: int) -> None:
    beyond = count.add(now) - free
    if beyond > 0:
        count.until = now + min(FIRST_WAIT * 2.0 ** min(beyond - 1, 20), LONGEST_WAIT)
