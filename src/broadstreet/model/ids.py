"""The one source of ids: random, never derived from a record number or a name.

Ids are UUIDs of version 7 (RFC 9562, section 5.7): 48 bits of time, then 74 random bits. The time
part says only when the id was drawn; it keeps ids that were drawn together close in every index.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from typing import Protocol

from broadstreet.model.clock import Clock, microseconds

_POOL = 4096
_DRAWN = 10  # bytes for an id
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


class Ids(Protocol):
    """Draws ids."""

    def new(self, at: int | None = None) -> str:
        """Return an id that was never drawn before; `at` is the time in microseconds, if it is known."""
        ...


class RandomIds:
    """Ids from the operating system's randomness."""

    def __init__(self, clock: Clock, randomness: Callable[[int], bytes] = os.urandom) -> None:
        self._clock = clock
        self._randomness = randomness
        self._pool = ""
        self._used = 0
        self._lock = threading.Lock()

    def new(self, at: int | None = None) -> str:
        """Return a new UUID of version 7 in its usual text form; `at` saves asking the clock."""
        millis = (microseconds(self._clock.now()) if at is None else at) // 1000
        with self._lock:
            if self._used >= len(self._pool):
                self._pool, self._used = self._randomness(_POOL * _DRAWN).hex(), 0
            drawn = self._pool[self._used : self._used + 2 * _DRAWN]
            self._used += 2 * _DRAWN
        return _uuid7(millis, drawn)


class SeededIds(RandomIds):
    """Ids that come out the same for the same seed and clock: for tests and simulations."""

    def __init__(self, clock: Clock, seed: int) -> None:
        super().__init__(clock, random.Random(seed).randbytes)  # noqa: S311 - reproducible on purpose


def _uuid7(millis: int, drawn: str) -> str:
    time = f"{millis & 0xFFFFFFFFFFFF:012x}"
    return f"{time[:8]}-{time[8:]}-7{drawn[1:4]}-{_VARIANT[drawn[4]]}{drawn[5:8]}-{drawn[8:]}"
