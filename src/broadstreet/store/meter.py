"""What the committer has done since it began, in numbers."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the times of a commit; a sync to a disk takes from under 1 ms to some 30 ms."""
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)
"""Upper bounds of the entries of a commit."""


@dataclass
class Histogram:
    """How often values fell at or below each bound, and above the last; and their sum."""

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def copied(self) -> Histogram:
        """Return it as it is now."""
        return Histogram(self.bounds, list(self.counts), self.total)


@dataclass(frozen=True)
class Reading:
    """The numbers at one moment; `full` says that the last commit found no room."""

    entries: int
    bytes: int
    sizes: Histogram
    seconds: Histogram
    failures: dict[str, int]
    full: bool


class Meter:
    """Counts commits; written by the committer's thread, read by any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.batches = self._entries = self._bytes = 0
        self._sizes, self._seconds = Histogram(SIZES), Histogram(SECONDS)
        self._failures: Counter[str] = Counter()
        self._full = False

    def committed(self, entries: int, size: int, seconds: float) -> None:
        """Count a commit of so many entries and bytes of bodies."""
        with self._lock:
            self.batches += 1
            self._entries += entries
            self._bytes += size
            self._sizes.add(entries)
            self._seconds.add(seconds)
            self._full = False

    def failed(self, *, full: bool) -> None:
        """Count a commit that kept nothing, because there was no room or for another reason."""
        with self._lock:
            self._failures["full" if full else "other"] += 1
            self._full = full

    def read(self) -> Reading:
        """Return the numbers as they are now."""
        with self._lock:
            return Reading(
                self._entries,
                self._bytes,
                self._sizes.copied(),
                self._seconds.copied(),
                dict(self._failures),
                self._full,
            )
