"""Ids and names of groups as they are shown: what is long is cut, but never so that two become one."""

from __future__ import annotations

import hashlib

from broadstreet.app.reading.table import shown

_LONGEST = 200
_SIGNS = 8


def id_of(cell: str) -> str:
    """Return an id of a file: what is longer than 200 signs ends with a digest of all of it."""
    text = cell.strip()
    if len(text) <= _LONGEST:
        return shown(text, _LONGEST)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_SIGNS]
    return f"{shown(text, _LONGEST - _SIGNS)}{digest}"
