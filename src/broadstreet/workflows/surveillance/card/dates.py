"""Days as people write them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date


def when(days: Sequence[date]) -> str:
    """Return days, in order, as `4 March 2026`, `4 to 9 March 2026`, `3 days from 4 to 9 March 2026`."""
    first, last = days[0], days[-1]
    if first == last:
        return day(first)
    told = f"{_begun(first, last)} to {day(last)}"
    return told if in_a_row(days) else f"{len(days)} days from {told}"


def sentence(days: Sequence[date]) -> str:
    """Return days as a sentence begins: `On 4 March 2026`, `From 4 to 9 March 2026`."""
    begins = "From" if len(days) > 1 and in_a_row(days) else "On"
    return f"{begins} {when(days)}"


def day(one: date) -> str:
    """Return a day."""
    return f"{one.day} {one:%B %Y}"


def count(n: int) -> str:
    """Return a number of days."""
    return f"{n:,} day{'' if n == 1 else 's'}"


def in_a_row(days: Sequence[date]) -> bool:
    """Return whether no day is missing between the first and the last."""
    return len(days) == (days[-1] - days[0]).days + 1


def _begun(first: date, last: date) -> str:
    """Return the first day without what it has in common with the last."""
    if first.year != last.year:
        return day(first)
    return f"{first.day}" if first.month == last.month else f"{first.day} {first:%B}"
