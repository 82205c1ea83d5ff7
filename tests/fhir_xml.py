"""Reads the XML form of FHIR as far as the inputs of published suites need it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec

from broadstreet.model import fhir
from broadstreet.model.fhirpath import schema

FHIR = "{http://hl7.org/fhir}"
READ_AS = {"boolean": lambda text: text == "true", "decimal": Decimal}
READ_AS |= dict.fromkeys(("integer", "positiveInt", "unsignedInt"), int)


def read(path: Path) -> fhir.Resource:
    """Return the resource in a file, of JSON or of XML."""
    if path.suffix == ".json":
        return fhir.decode(path.read_bytes())
    root = ElementTree.parse(path).getroot()
    return fhir.decode(msgspec.json.Encoder(decimal_format="number").encode(_resource(root)))


def _resource(element: ElementTree.Element) -> dict[str, Any]:
    kind = element.tag.removeprefix(FHIR)
    return {"resourceType": kind, **_properties(element, kind)}


def _properties(element: ElementTree.Element, kind: str) -> dict[str, Any]:
    slots = {
        slot.attribute.rstrip("_"): slot
        for choice in schema.elements(schema.struct(kind)).values()
        for slot in choice
    }
    found: dict[str, Any] = {name: value for name, value in element.attrib.items() if name in slots}
    for child in element:
        name = child.tag.rpartition("}")[2]
        slot = slots[name]
        if not slot.primitive:
            inner = _resource(child[0]) if slot.kind is None else _properties(child, slot.type)
            _put(found, name, inner, slot.many)
        elif name == "div":
            found[name] = ElementTree.tostring(child, encoding="unicode")
        else:
            _put_primitive(found, child, slot)
    return {
        name: value
        for name, value in found.items()
        if not isinstance(value, list) or value.count(None) < len(value)
    }


def _put(found: dict[str, Any], name: str, value: Any, many: bool) -> None:
    if many:
        found.setdefault(name, []).append(value)
    else:
        found[name] = value


def _put_primitive(found: dict[str, Any], child: ElementTree.Element, slot: schema.Slot) -> None:
    name = slot.attribute.rstrip("_")
    written = child.get("value")
    value = None if written is None else READ_AS.get(slot.type, str)(written)
    sibling = _properties(child, "Element") if len(child) or child.get("id") else None
    if slot.many:
        found.setdefault(name, []).append(value)
        found.setdefault(f"_{name}", []).append(sibling)
        return
    found |= {key: part for key, part in ((name, value), (f"_{name}", sibling)) if part is not None}
