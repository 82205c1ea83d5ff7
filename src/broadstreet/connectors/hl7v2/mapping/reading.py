"""How the values of one feed are read: its delimiters and characters, its zone, and its facility's name."""

from __future__ import annotations

import re
from collections import Counter
from datetime import tzinfo
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from broadstreet.connectors.hl7v2.delimiters import Delimiters
from broadstreet.connectors.hl7v2.escapes import unescaper
from broadstreet.connectors.hl7v2.mapping import tables
from broadstreet.connectors.hl7v2.problems import ErrorCode
from broadstreet.connectors.hl7v2.segment import NULL
from broadstreet.model.records import Fault

NAMESPACE = "urn:broadstreet:namespace:"
"""Stands before the name of an assigning authority that has no URI of its own."""

CODES = "urn:broadstreet:codes:"
"""Stands before the name of a coding system that table 0396 does not know."""

_OID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CONTROLS = {code: None for code in range(0x20) if code not in {0x09, 0x0A, 0x0D}}
_UNUSED = "\r"  # stands for a delimiter that is not in use: no segment holds a carriage return


class Wrong(ValueError):
    """A value that cannot be converted: what was expected and what came, without its context."""

    def __init__(self, reason: str, code: ErrorCode = ErrorCode.DATA_TYPE, component: int | None = None):
        super().__init__(reason)
        self.reason, self.code, self.component = reason, code, component


class Findings:
    """What was found wrong in a message: what was tolerated, with how often, and what was not."""

    __slots__ = ("faults", "tolerated")

    def __init__(self, tolerated: Counter[str]) -> None:
        self.tolerated = tolerated
        self.faults: list[Fault] = []

    def refuse(self, line: Line | str, field: int | None, wrong: Wrong) -> None:
        """Note what makes the message impossible to map."""
        name, sequence = (line, 1) if isinstance(line, str) else (line.name, line.sequence)
        self.faults.append(
            Fault(
                segment=name,
                sequence=sequence,
                field=field,
                component=wrong.component,
                code=wrong.code.value,
                reason=wrong.reason,
            )
        )

    def tolerate(self, what: str) -> None:
        """Count what could be left out or read in another way."""
        self.tolerated[what] += 1


class Line:
    """A segment as its fields, still encoded; MSH is not read by it."""

    __slots__ = ("fields", "name", "sequence")

    def __init__(self, name: str, sequence: int, fields: list[str]) -> None:
        self.name, self.sequence, self.fields = name, sequence, fields

    def __reduce__(self) -> tuple[Any, ...]:
        """Pass to another process without its fields: what they say stands in the plan."""
        return Line, (self.name, self.sequence, [])

    def raw(self, number: int) -> str:
        """Return a field as it is encoded; empty if the segment ends before."""
        return self.fields[number] if number < len(self.fields) else ""


class Reading:
    """Reads the encoded values of one feed. Texts come stripped, explicit null as the empty text."""

    __slots__ = (
        "_made_of",
        "_unescape",
        "component",
        "escape",
        "facility",
        "facility_name",
        "repetition",
        "subcomponent",
        "zone",
    )  # fmt: skip

    def __init__(self, delimiters: Delimiters, codec: str, zone: tzinfo, facility: str) -> None:
        self._made_of = delimiters, codec, zone, facility
        self.component = delimiters.component or _UNUSED
        self.repetition = delimiters.repetition or _UNUSED
        self.subcomponent = delimiters.subcomponent or _UNUSED
        self.escape = delimiters.escape or _UNUSED
        self._unescape = unescaper(delimiters, codec) if delimiters.escape else str
        self.zone = zone
        name, *rest = [self.text(part) for part in facility.split(self.component)]
        self.facility_name = name or "".join(rest[:1])
        self.facility = ""
        self.facility = self._authority(name, *(*rest, "", "")[:2])

    def __reduce__(self) -> tuple[Any, ...]:
        """Pass to another process as what it is made of, which is remembered there."""
        return reading, self._made_of

    def text(self, raw: str) -> str:
        """Return an encoded text as it is meant."""
        if not raw or raw == NULL:
            return ""
        if self.escape in raw:
            raw = self._unescape(raw)
        if not raw.isprintable():
            raw = raw.translate(_CONTROLS)
        return raw.strip()

    def first(self, raw: str) -> str:
        """Return the first component of the first repetition."""
        return self.text(raw.split(self.repetition, 1)[0].split(self.component, 1)[0])

    def repetitions(self, raw: str) -> list[str]:
        """Return the repetitions that hold something, still encoded."""
        if self.repetition not in raw:
            return [raw]
        return [part for part in raw.split(self.repetition) if part]

    def components(self, raw: str, least: int) -> list[str]:
        """Return the components, still encoded, empty ones added up to `least`."""
        parts = raw.split(self.component)
        return parts + [""] * (least - len(parts)) if len(parts) < least else parts

    def texts(self, raw: str, least: int) -> list[str]:
        """Return the components as texts, empty ones added up to `least`."""
        text = self.text
        parts = [text(part) for part in raw.split(self.component)]
        return parts + [""] * (least - len(parts)) if len(parts) < least else parts

    def subcomponents(self, raw: str, least: int = 0) -> list[str]:
        """Return the sub-components of a component as texts, empty ones added up to `least`."""
        parts = [self.text(part) for part in raw.split(self.subcomponent)]
        return parts + [""] * (least - len(parts)) if len(parts) < least else parts

    def words(self, raw: str) -> str:
        """Return all that a field says as one readable text."""
        flat = raw
        for sign in (self.repetition, self.component, self.subcomponent):
            flat = flat.replace(sign, " ")
        return " ".join(self.text(flat).split())

    def authority(self, raw: str) -> str:
        """Return the URI of an assigning authority (HD, as a component); empty if it is not stated."""
        name, universal, kind = self.subcomponents(raw, 3)[:3]
        return self._authority(name, universal, kind) if name or universal else ""

    def _authority(self, name: str, universal: str, kind: str) -> str:
        listed = tables.pairs("namespaces", "namespace", "uri").get(name.upper())
        if listed and listed != "of the facility":
            return listed
        if kind == "ISO" and _OID.fullmatch(universal):
            return f"urn:oid:{universal}"
        if kind in {"UUID", "GUID"} and _UUID.fullmatch(universal):
            return f"urn:uuid:{universal.lower()}"
        if listed and self.facility:
            return f"{NAMESPACE}{quote(self.facility_name, safe='')}:{quote(name, safe='')}"
        return NAMESPACE + quote(name or universal, safe="")


LONGEST_FACILITY = 1_000
"""Characters of MSH-4 (HL7 v2.5 allows 227): each facility's reading is remembered."""


@lru_cache(maxsize=1024)
def reading(delimiters: Delimiters, codec: str, zone: tzinfo, facility: str) -> Reading:
    """Return the reading of messages of one facility; `facility` is MSH-4 as it is encoded."""
    return Reading(delimiters, codec, zone, facility)
