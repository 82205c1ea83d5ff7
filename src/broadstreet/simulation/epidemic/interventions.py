"""What is done against an epidemic, as a script."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention:
    """Something done from a day on."""

    first_day: int = 0
