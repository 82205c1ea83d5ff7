"""Numbers as people say them."""

from __future__ import annotations


def percent(probability: float) -> str:
    """Return a probability as people say it."""
    if probability < 0.001:
        return "below 0.1 %"
    if probability > 0.999:
        return "above 99.9 %"
    return f"{100 * probability:.{0 if 0.0095 <= probability < 0.9895 else 1}f} %"


def unbroken(text: str) -> str:
    """Return a text whose numbers stay on one line with the % behind them."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number of things."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
