"""How strong evidence must be, so that false alarms stay within what officers can look into.

A budget of B false alarms a month is shared out: over the nights of a month, over series and scan, over all
series that are tested in a night. Officers' dismissals correct it, stream by stream: with E false alarms
expected of a stream and D of its signals dismissed, the rate of false alarms is thought to be
(A + D) / (A + E) times the expected one (the mean of a gamma distribution that A pseudo-alarms began), and
the level is divided by that. It is never above the level of the budget: that nobody dismisses may mean that
nobody looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from broadstreet.model.records import Signal

MONTH = 365.25 / 12
"""Days."""
PRIOR = 2.0
"""Pseudo-alarms: so many dismissals beyond what was expected double a stream's supposed false alarms."""
HIGHEST = 0.01
"""No test is made at a higher level, however few there are."""
SCAN_SHARE = 0.25
"""The scan's part of the budget, where places have coordinates."""
OVERLAP = 8.0
"""So many alarms make one false signal: nights share the seven days that `detect` weighs, the city has
the visits of its districts and ages, a fever is also an influenza-like illness, and all alarms of the same
visits are one signal. Chosen on simulated cities (seeds 0 to 5 of `bench/signals.py`), where without it a
budget of 10 a month gave less than 1."""
LEARNS_FROM = 364
"""Days: older dismissals are forgotten."""


@dataclass(frozen=True)
class Budget:
    """The false alarms that are allowed.

    Attributes
    ----------
    a_month
        In the whole city.
    has_scan
        Whether a part is the scan's.
    """

    a_month: float = 1.0
    has_scan: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.a_month <= 1_000:
            raise ValueError(f"the budget must be from 0 to 1,000 false alarms a month (is {self.a_month})")

    @property
    def a_night(self) -> float:
        """False alarms allowed in one night."""
        return self.a_month / MONTH

    def level_of_series(self, tests: int) -> float:
        """Return the level of one test among so many in a night."""
        share = 1.0 - SCAN_SHARE if self.has_scan else 1.0
        return min(share * OVERLAP * self.a_night / max(tests, 1), HIGHEST)

    def level_of_scan(self, scans: int) -> float:
        """Return the level of one scan among so many in a night."""
        return min(SCAN_SHARE * self.a_night / max(scans, 1), HIGHEST)

    def corrections(self, signals: Iterable[Signal], days: int, streams: Iterable[str]) -> dict[str, float]:
        """Return by what the level of each stream is divided, from 1 up.

        Parameters
        ----------
        signals
            Of the last `LEARNS_FROM` days.
        days
            How long there have been tests, at most `LEARNS_FROM`.
        streams
            Those that are tested.
        """
        dismissed = Counter(s.where.stream for s in signals if s.state == "dismissed" and s.kind == "rise")
        names = set(streams)
        expected = self.a_night * min(days, LEARNS_FROM) / max(len(names), 1)
        return {name: max(1.0, (PRIOR + dismissed[name]) / (PRIOR + expected)) for name in names}
