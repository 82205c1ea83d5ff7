"""What the hub does now and then beside its doors: whether it succeeds, and what is told if it does not."""

from __future__ import annotations

import logging
from typing import Literal

from broadstreet.model.failures import frames_of
from broadstreet.store.errors import told

OFTEN = 3
"""So many failures of a chore, one after another, and the hub is not ready."""

Chore = Literal["timers and housekeeping", "looking after the search index"]

_log = logging.getLogger(__name__)


class Upkeep:
    """Remembers which chores fail, how often one after another, and why."""

    def __init__(self) -> None:
        self._failures: dict[Chore, tuple[int, str]] = {}

    def succeeded(self, chore: Chore) -> None:
        """Take note that a chore was done."""
        self._failures.pop(chore, None)

    def failed(self, chore: Chore, error: Exception) -> None:
        """Log that a chore could not be done; it is tried again."""
        times = self._failures.get(chore, (0, ""))[0] + 1
        self._failures[chore] = times, told(error)
        _log.error("%s failed (tried again): %s", chore, told(error), extra={"trace": frames_of(error)})

    @property
    def reason(self) -> str:
        """What fails again and again; empty where nothing does."""
        failing = [(chore, *each) for chore, each in self._failures.copy().items() if each[0] >= OFTEN]
        return "; ".join(
            f"{chore} failed {times} times ({why}): see the hub's log" for chore, times, why in failing
        )
