"""Numbers as people read them."""

from __future__ import annotations


def number(value: float) -> str:
    """Return a number of visits that need not be whole."""
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def visits(count: int) -> str:
    """Return a number of visits in words, such as `1 visit`."""
    return f"{count:,} visit{'' if count == 1 else 's'}"


def chance(value: float | None) -> str:
    """Return a small probability as `1 in so many`."""
    if value is None:
        return "unknown"
    if value <= 0 or 1 / value >= 1e6:
        return "less than 1 in a million"
    return f"1 in {1 / value:,.0f}"
