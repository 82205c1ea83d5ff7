"""Write HL7 v2.5.1: fields by number, delimiters escaped."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

_VERSION = "2.5.1"
# HL7 v2.5.1 chapter 2, section 2.7: what stands for a delimiter inside a value.
_ESCAPES = str.maketrans(
    {sign: f"\\{code}\\" for sign, code in {
        "|": "F", "^": "S", "&": "T", "~": "R", "\\": "E", "\r": "X0D", "\n": "X0A",
    }.items()}
)  # fmt: skip


@lru_cache(maxsize=4096)
def coded(*components: str) -> str:
    """Return a field of components, escaped, without empty ones at its end."""
    return "^".join([component.translate(_ESCAPES) for component in components]).rstrip("^")


@lru_cache(maxsize=256)
def timestamp(at: datetime, zone: ZoneInfo) -> str:
    """Return an HL7 time with the offset of the zone."""
    return f"{at.astimezone(zone):%Y%m%d%H%M%S%z}"


def segment(name: str, fields: dict[int, str]) -> str:
    """Return a segment with these fields; their values are escaped already."""
    row = [""] * (max(fields) + 1)
    row[0] = name
    for number, value in fields.items():
        row[number] = value
    return "|".join(row)


def header(kind: str, facility: str, control_id: str, created: str) -> str:
    """Return an MSH segment; `kind` is code, event and structure, `created` an HL7 time."""
    before = rf"MSH|^~\&|REGISTRY|{facility}|BROADSTREET|CITY|{created}||{kind}|{control_id}|P|{_VERSION}"
    return f"{before}|||AL|NE||UNICODE UTF-8"


def message(*segments: str) -> bytes:
    """Return the message as it goes over the wire, without its frame."""
    return ("\r".join(segments) + "\r").encode()
