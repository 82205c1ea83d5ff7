"""How often the process that receives ended, by message and by the address that the message came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from broadstreet.app.receiving.at_hand import Suspect

MANY = 3
"""So many ends within `WITHIN`, and an address is put off: its messages differ, or it has many of them."""
WITHIN = 600.0
"""In seconds."""
PUT_OFF = 60.0
"""In seconds; twice as long each further time, until it has left the process alone for `WITHIN`."""
LONGEST_PUT_OFF = 960.0
"""In seconds; no address is put off for good: an interface engine carries the messages of many clinics."""
MOST = 1_000
"""So many messages, and so many addresses, are remembered: the last ones."""

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass
class _Address:
    ends: list[float] = field(default_factory=list)
    until: float = 0.0
    times: int = 0


class Deaths:
    """Counts at which messages the process ended."""

    def __init__(self) -> None:
        self._messages: dict[bytes, int] = {}
        self._addresses: dict[str, _Address] = {}

    def count(self, suspect: Suspect, now: float) -> int:
        """Count an end at a message; return how often it was this very message."""
        times = self._messages.pop(suspect.digest, 0) + 1
        _remember(self._messages, suspect.digest, times)
        address = self._addresses.pop(suspect.address, None) or _Address()
        _remember(self._addresses, suspect.address, address)
        _count(address, now)
        return times

    def put_off(self, now: float) -> dict[str, float]:
        """Return the addresses that are put off, and for how many seconds more."""
        return {name: each.until - now for name, each in self._addresses.items() if each.until > now}


def _count(address: _Address, now: float) -> None:
    if address.times and now > address.until + WITHIN:
        address.times = 0
    address.ends = [*(end for end in address.ends if end > now - WITHIN), now][-MANY:]
    if address.times or len(address.ends) >= MANY:
        address.until = now + min(PUT_OFF * 2**address.times, LONGEST_PUT_OFF)
        address.times += 1


def _remember(known: dict[Key, Value], key: Key, value: Value) -> None:
    known[key] = value
    if len(known) > MOST:
        del known[next(iter(known))]
