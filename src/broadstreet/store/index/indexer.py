"""The search index: which values of a resource can be searched, and as what.

A table, not code: each row names a search parameter of FHIR R4, its number in the index (never
reused), and where its values stand in the resource.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Literal

from broadstreet.model.clock import microseconds
from broadstreet.store.entry import IndexRows

Kind = Literal["token", "date", "reference"]
Extract = Callable[[Any], Iterable[Any]]


@dataclass(frozen=True)
class Parameter:
    """A search parameter: its number in the index, its kind, and how its values are found."""

    number: int
    type: str
    name: str
    kind: Kind
    values: Extract


def _identifiers(resource: Any) -> Iterable[tuple[str | None, str]]:
    return [(i.system, i.value) for i in resource.identifier or () if i.value]


def _codings(*concepts: Any) -> Iterable[tuple[str | None, str]]:
    return [(c.system, c.code) for concept in concepts if concept for c in concept.coding or () if c.code]


def _code(value: Any) -> Iterable[tuple[str | None, str]]:
    return [(None, value)] if value else []


def _reference(*references: Any) -> Iterable[str]:
    return [r.reference for r in references if r is not None and r.reference]


def _period(period: Any) -> Iterable[tuple[str | None, str | None]]:
    return [(period.start, period.end)] if period is not None and (period.start or period.end) else []


def _moment(*values: str | None) -> Iterable[tuple[str | None, str | None]]:
    return [(value, value) for value in values if value]


PARAMETERS: tuple[Parameter, ...] = (
    Parameter(1, "Patient", "identifier", "token", _identifiers),
    Parameter(2, "Patient", "birthdate", "date", lambda r: _moment(r.birthDate)),
    Parameter(3, "Patient", "organization", "reference", lambda r: _reference(r.managingOrganization)),
    Parameter(4, "Encounter", "identifier", "token", _identifiers),
    Parameter(5, "Encounter", "subject", "reference", lambda r: _reference(r.subject)),
    Parameter(6, "Encounter", "date", "date", lambda r: _period(r.period)),
    Parameter(7, "Encounter", "status", "token", lambda r: _code(r.status)),
    Parameter(8, "Encounter", "service-provider", "reference", lambda r: _reference(r.serviceProvider)),
    Parameter(9, "Condition", "subject", "reference", lambda r: _reference(r.subject)),
    Parameter(10, "Condition", "encounter", "reference", lambda r: _reference(r.encounter)),
    Parameter(11, "Condition", "code", "token", lambda r: _codings(r.code)),
    Parameter(12, "Condition", "recorded-date", "date", lambda r: _moment(r.recordedDate)),
    Parameter(13, "Observation", "subject", "reference", lambda r: _reference(r.subject)),
    Parameter(14, "Observation", "encounter", "reference", lambda r: _reference(r.encounter)),
    Parameter(15, "Observation", "code", "token", lambda r: _codings(r.code)),
    Parameter(16, "Observation", "date", "date", lambda r: _moment(r.effectiveDateTime)),
    Parameter(17, "DiagnosticReport", "identifier", "token", _identifiers),
    Parameter(18, "DiagnosticReport", "subject", "reference", lambda r: _reference(r.subject)),
    Parameter(19, "DiagnosticReport", "date", "date", lambda r: _moment(r.effectiveDateTime)),
    Parameter(20, "Location", "identifier", "token", _identifiers),
    Parameter(21, "Organization", "identifier", "token", _identifiers),
    Parameter(22, "Practitioner", "identifier", "token", _identifiers),
    Parameter(23, "Provenance", "target", "reference", lambda r: _reference(*r.target)),
    Parameter(24, "Provenance", "recorded", "date", lambda r: _moment(r.recorded)),
    Parameter(25, "Observation", "identifier", "token", _identifiers),
    Parameter(26, "Condition", "identifier", "token", _identifiers),
)

BY_NAME = {(p.type, p.name): p for p in PARAMETERS}
_BY_TYPE: dict[str, tuple[Parameter, ...]] = {
    type: tuple(p for p in PARAMETERS if p.type == type) for type in {p.type for p in PARAMETERS}
}

EARLIEST, LATEST = -(1 << 62), (1 << 62) - 1


class Indexer:
    """Turns resources and search conditions into index rows; tokens are hashed with the store's key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.hashed = lru_cache(maxsize=65_536)(self._hashed)

    def rows(self, resource: Any) -> IndexRows:
        """Return the index rows of a FHIR resource; none for a type that is not indexed yet."""
        tokens: dict[tuple[int, int], None] = {}
        dates: dict[tuple[int, int, int], None] = {}
        references: dict[tuple[int, int], None] = {}
        for parameter in _BY_TYPE.get(type(resource).__name__, ()):
            for value in parameter.values(resource):
                if parameter.kind == "token":
                    tokens[parameter.number, self.token(*value)] = None
                elif parameter.kind == "reference":
                    references[parameter.number, self.hashed(value)] = None
                else:
                    dates[(parameter.number, *span(*value))] = None
        return IndexRows(tuple(tokens), tuple(dates), tuple(references))

    def token(self, system: str | None, code: str) -> int:
        """Return the 64-bit keyed hash of a token."""
        return self.hashed(f"{system or ''}|{code}")

    def _hashed(self, text: str) -> int:
        hashed = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=self._key)
        return int.from_bytes(hashed.digest(), "big", signed=True)


def parameter(type: str, name: str, kind: Kind) -> Parameter:
    """Return the search parameter of a resource type.

    Raises
    ------
    ValueError
        If the type has no such parameter, or it is of another kind.
    """
    found = BY_NAME.get((type, name))
    if found is None:
        known = ", ".join(p.name for p in _BY_TYPE.get(type, ())) or "none"
        raise ValueError(f"{type} cannot be searched by {name!r} (can be searched by: {known})")
    if found.kind != kind:
        raise ValueError(f"{type}.{name} is searched as a {found.kind}, not as a {kind}")
    return found


def span(start: str | None, end: str | None) -> tuple[int, int]:
    """Return the microseconds `[low, high)` that FHIR dates of any precision cover.

    A date without a zone is read as UTC; an open end reaches to the end of time.
    """
    low = _covered(start)[0] if start else EARLIEST
    high = _covered(end)[1] if end else LATEST
    return low, max(low, high)


@lru_cache(maxsize=65_536)
def _covered(text: str) -> tuple[int, int]:
    if len(text) == 4:
        year = int(text)
        return _start(year, 1, 1), _start(year + 1, 1, 1)
    if len(text) == 7:
        year, month = int(text[:4]), int(text[5:])
        return _start(year, month, 1), _start(year + month // 12, month % 12 + 1, 1)
    if len(text) == 10:
        low = _start(int(text[:4]), int(text[5:7]), int(text[8:]))
        return low, low + 86_400_000_000
    leap = 1_000_000 if text[17:19] == "60" else 0  # FHIR allows a leap second, Python does not know it
    moment = datetime.fromisoformat(f"{text[:17]}59{text[19:]}" if leap else text)
    # Not by conversion to UTC: near the years 1 and 9999 that leaves the calendar.
    offset = (moment.utcoffset() or timedelta()) // timedelta(microseconds=1)
    low = microseconds(moment.replace(tzinfo=UTC)) - offset + leap
    return low, low + (1 if "." in text else 1_000_000)


def _start(year: int, month: int, day: int) -> int:
    if year > 9999:
        return microseconds(datetime(9999, 12, 31, tzinfo=UTC) + timedelta(hours=23))
    return microseconds(datetime(year, month, day, tzinfo=UTC))
