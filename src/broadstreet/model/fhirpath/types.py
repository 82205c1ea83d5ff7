"""Which type an item has, and whether it is one that an expression names."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from broadstreet.model.fhir import r4
from broadstreet.model.fhir.rules import Node
from broadstreet.model.fhirpath import schema
from broadstreet.model.fhirpath.errors import TypeInvalid
from broadstreet.model.fhirpath.values import Date, DateTime, Primitive, Quantity, Target, Time, TypeInfo

_SYSTEM: dict[type[Any], str] = {
    bool: "Boolean",
    int: "Integer",
    Decimal: "Decimal",
    str: "String",
    Date: "Date",
    DateTime: "DateTime",
    Time: "Time",
    Quantity: "Quantity",
}


class Specifier:
    """A type that an expression names: of FHIR, of System, or of both where only `Quantity` is written.

    Raises
    ------
    TypeInvalid
        If there is no type of that name.
    """

    def __init__(self, written: str) -> None:
        namespace, _, self.name = written.rpartition(".")
        self.fhir = namespace in ("", "FHIR") and schema.is_type(self.name)
        self.system = namespace in ("", "System") and self.name in schema.SYSTEM
        # `System.Patient` asks for a type that does not exist: nothing is of it.
        if not (self.fhir or self.system or namespace == "System"):
            raise TypeInvalid(f"no type named {written!r}")

    def matches(self, item: Any) -> bool:
        """Tell whether an item is of this type or of a kind of it: a `code` is a `string`."""
        if isinstance(item, Node | Primitive | Target):
            return self.fhir and self.name in schema.ancestors(type_name(item))
        return self.system and (self.name == "Any" or _SYSTEM.get(type(item)) == self.name)

    def takes(self, item: Any) -> bool:
        """Tell whether `as` and `ofType` keep an item: as `matches`, but a `code` is no `string` to them."""
        if isinstance(item, Primitive):
            return self.fhir and item.type == self.name
        return self.matches(item)


def type_name(item: Any) -> str:
    """Return the name of an item's type: that of FHIR for what comes from a resource."""
    if isinstance(item, Primitive | Target):
        return item.type
    return _SYSTEM.get(type(item), type(item).__name__)


def type_info(item: Any) -> TypeInfo:
    """Return what `type()` tells of an item; the type of an inner element is that of what it is based on."""
    name = type_name(item)
    if not isinstance(item, Node | Primitive):
        return TypeInfo("System", name)
    if isinstance(item, Node) and name not in r4.RESOURCES and "BackboneElement" in schema.ancestors(name):
        name = name if name in ("Timing", "Dosage") else "BackboneElement"
    return TypeInfo("FHIR", name)
