"""The values of FHIRPath that Python has no type for.

Boolean, Integer, Decimal and String are `bool`, `int`, `decimal.Decimal` and `str`. What comes from a
resource and has a type of FHIR (`code`, `dateTime`) is a `Primitive` while an expression is evaluated.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from broadstreet.model.fhirpath.temporal import Date, DateTime, Temporal, Time

__all__ = ["Date", "DateTime", "Primitive", "Quantity", "Target", "Temporal", "Time", "TypeInfo"]


class Primitive(msgspec.Struct, frozen=True, gc=False):
    """A primitive of FHIR: its type, its id and extensions; `value` is None if it has only those."""

    value: Any
    type: str
    sibling: Any = None


class Quantity(msgspec.Struct, frozen=True):
    """A value with a unit of UCUM, or with a calendar's (`4 days`)."""

    value: Decimal
    unit: str
    calendar: bool = False

    def __str__(self) -> str:
        return f"{self.value:f} {self.unit}" if self.calendar else f"{self.value:f} '{self.unit}'"


class TypeInfo(msgspec.Struct, frozen=True):
    """What `type()` returns."""

    namespace: str
    name: str


class Target(msgspec.Struct, frozen=True):
    """What a reference leads to, as far as the reference tells: its type."""

    type: str
