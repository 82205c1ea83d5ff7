"""Text that is safe where a table is opened as a spreadsheet."""

from __future__ import annotations

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """Keep a text from being a formula."""
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text
