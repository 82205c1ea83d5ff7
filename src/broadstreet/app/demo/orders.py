"""What the conductor of a demonstration tells its clinics, and what they report."""

from __future__ import annotations

from datetime import date

import msgspec


class Orders(msgspec.Struct, frozen=True):
    """What the clinics are told: the seed of the city, and its size."""

    seed: int
    start: date
    days: int
    clinics: int
    zone: str


class Address(msgspec.Struct, frozen=True):
    """Where the hub listens."""

    host: str
    port: int


class Report(msgspec.Struct):
    """What became of a day's messages; `fault` says why a clinic gave up."""

    sent: int = 0
    accepted: int = 0
    refused: int = 0
    fault: str = ""

    def add(self, other: Report) -> None:
        """Count another clinic's as well."""
        self.sent += other.sent
        self.accepted += other.accepted
        self.refused += other.refused
        self.fault = self.fault or other.fault
