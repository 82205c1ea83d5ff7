"""What a replay sends: a message, the city's day that it belongs to, and where it was found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

MOST_MESSAGES = 5_000_000
"""A replay with more is split by whoever starts it."""


class NothingToSend(ValueError):
    """A path holds no message that could be sent; the text says what was expected."""


@dataclass(frozen=True)
class Parcel:
    """A message; `day` is None where the message tells none."""

    message: bytes
    day: date | None
    origin: str
