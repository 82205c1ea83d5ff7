"""Which signals an officer still has to look at."""

from __future__ import annotations

from datetime import date

from broadstreet.model.records import Signal

UNREAD = 7
"""Days: a signal that is over is shown for so long after it was first known, unless an officer judges it."""
RECENT = 28
"""Days: what had ended so long before it was known is history, such as that which is loaded at the start."""


def is_open(signal: Signal, closed: date) -> bool:
    """Return whether a signal is to be looked at once the day `closed` is over.

    It is while it lives and is not dismissed; if it is over, while it is new.
    """
    if signal.state == "dismissed" or signal.status == "withdrawn":
        return False
    return signal.status != "closed" or is_new(signal, closed)


def is_new(signal: Signal, closed: date) -> bool:
    """Return whether a signal is over that nobody has judged, and that may not have been seen yet."""
    if signal.status != "closed" or signal.verdict is not None or signal.known is None:
        return False
    return (closed - signal.known).days < UNREAD and (signal.known - signal.until).days <= RECENT
