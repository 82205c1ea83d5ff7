"""Views: how much of a resource is shown for a purpose.

*full*: all of it. *limited*: without what names somebody (names, numbers, contacts, streets, pictures,
notes, free text); dates of birth become years. *pseudonymous*: limited, and all ids but those of places
become pseudonyms, which differ from purpose to purpose, so that what was shown for one cannot be joined
with what was shown for another. *count*: nothing of a resource at all.

Limited and pseudonymous keep what is listed in `tables/limited.tsv` and drop everything else, so an element
that nobody thought of is not shown.

Source: what is dropped follows the limited data set of HIPAA, 45 CFR 164.514(e).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from typing import Any

import msgspec

from broadstreet.trust.policy import View
from broadstreet.trust.rows import rows

PLACES = frozenset({"Organization", "Location"})
"""What is no person and no record of one: references to it stay as they are."""


class Pseudonyms:
    """Pseudonyms of residents: keyed, the same for the same purpose, and of no use without the key.

    Parameters
    ----------
    key
        A secret of 32 bytes.
    purpose
        What for; an investigation has pseudonyms of its own.
    """

    def __init__(self, key: bytes, purpose: str) -> None:
        if len(key) != 32:
            raise ValueError(f"the key of pseudonyms has 32 bytes (has {len(key)})")
        self._key = hmac.digest(key, f"pseudonyms for {purpose}".encode(), sha256)

    def of(self, id: str) -> str:
        """Return the pseudonym of an id: 128 bits in hexadecimal."""
        return "p-" + hmac.digest(self._key, id.encode(), sha256).hex()[:32]


def shown(body: bytes, view: View, pseudonyms: Pseudonyms) -> bytes:
    """Return what a view shows of a FHIR resource in JSON.

    Raises
    ------
    ValueError
        If the view shows no resources.
    """
    if view == "full":
        return body
    if view == "count":
        raise ValueError("a view of counts shows no resource: count instead")
    resource = msgspec.json.decode(body)
    kind = resource.get("resourceType", "")
    limited = {"resourceType": kind, "id": resource.get("id", "")}
    limited |= _kept(resource, _elements(kind))
    if view == "pseudonymous":
        limited = _renamed(limited, pseudonyms)
        limited["id"] = pseudonyms.of(limited["id"])
    return msgspec.json.encode(limited)


def _kept(resource: Mapping[str, Any], elements: Mapping[str, str]) -> dict[str, Any]:
    return {name: _SHORTENED[elements[name]](value) for name, value in resource.items() if name in elements}


def _renamed(value: Any, pseudonyms: Pseudonyms) -> Any:
    """Put pseudonyms in the place of all ids that references lead to."""
    if isinstance(value, dict):
        return {
            key: _reference(each, pseudonyms) if key == "reference" else _renamed(each, pseudonyms)
            for key, each in value.items()
        }
    return [_renamed(each, pseudonyms) for each in value] if isinstance(value, list) else value


def _reference(text: Any, pseudonyms: Pseudonyms) -> Any:
    kind, slash, id = str(text).partition("/")
    if kind in PLACES:
        return text
    return f"{kind}/{pseudonyms.of(id)}" if slash else ""


@cache
def _elements(kind: str) -> dict[str, str]:
    """Return the elements that are shown of a type, and how each is shortened; for unknown types none."""
    return {row["element"]: row["how"] for row in rows("limited") if row["type"] in (kind, "*")}


def _codes(value: Any) -> Any:
    """Keep codes of a CodeableConcept or Coding, without the text that somebody typed."""
    if isinstance(value, list):
        return [_codes(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "coding" in value:
        return {"coding": _codes(value["coding"])}
    return {name: value[name] for name in ("system", "code") if name in value}


def _references(value: Any) -> Any:
    """Keep where references lead, without what they display."""
    if isinstance(value, list):
        return [_references(each) for each in value]
    return {"reference": value["reference"]} if isinstance(value, dict) and "reference" in value else {}


def _year(value: Any) -> Any:
    return str(value)[:4]


def _area(value: Any) -> Any:
    """Keep of addresses what is as coarse as a district."""
    return [_only(each, ("district", "city", "state", "country")) for each in value]


def _only(value: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: value[name] for name in names if name in value}


def _measure(value: Any) -> Any:
    return _only(value, ("value", "comparator", "unit", "system", "code"))


def _period(value: Any) -> Any:
    return _only(value, ("start", "end"))


def _same(value: Any) -> Any:
    return value


_SHORTENED = {
    "same": _same, "codes": _codes, "references": _references, "year": _year, "area": _area,
    "measure": _measure, "period": _period,
}  # fmt: skip
