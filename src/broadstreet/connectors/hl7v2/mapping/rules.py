"""The rules of `fields.tsv`, compiled once: how a field is read, and where in a resource it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from broadstreet.connectors.hl7v2.mapping import datatypes, measurements, tables
from broadstreet.connectors.hl7v2.mapping.reading import Findings, Line, Reading, Wrong
from broadstreet.connectors.hl7v2.segment import NULL
from broadstreet.model import fhir

Convert = Callable[[str, Reading], Any]

CONVERSIONS: dict[str, Callable[..., Any]] = {
    "address": datatypes.address,
    "addresses": datatypes.addresses,
    "boolean": datatypes.boolean,
    "code": datatypes.code,
    "coding": datatypes.coding,
    "concept": datatypes.concept,
    "concepts": datatypes.concepts,
    "date": datatypes.date,
    "datetime": datatypes.datetime,
    "diagnosis": datatypes.concept,
    "identifier": datatypes.identifier,
    "instant": datatypes.instant,
    "languages": datatypes.languages,
    "name": datatypes.name,
    "names": datatypes.names,
    "order number": datatypes.order_number,
    "phones": datatypes.phones,
    "range": measurements.reference_range,
}

_INNER: dict[str, Callable[[], Any]] = {
    "hospitalization": fhir.EncounterHospitalization,
    "period": fhir.Period,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of `fields.tsv`: `held` reads the element of a resource, `put` sets it (None removes it)."""

    resource: str
    segment: str
    field: int
    element: str
    lenient: bool
    convert: Convert
    held: Callable[[Any], Any]
    put: Callable[[Any, Any], None]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pass to another process by name: it has the same rules."""
        return _rule, (self.resource, self.segment, self.field, self.element)


def _rule(*name: str | int) -> Rule:
    return _BY_NAME[name]


Said = list[tuple[Rule, Any]]
"""What a segment says: by rule, the new value of an element; None where it is to be removed."""


def read(rules: Iterable[Rule], line: Line, reading: Reading, findings: Findings) -> Said:
    """Convert the fields of a segment that say something; what cannot be read goes to `findings`."""
    fields, end = line.fields, len(line.fields)
    said: Said = []
    for rule in rules:
        if rule.field >= end or not (raw := fields[rule.field]):
            continue
        if raw == NULL:
            said.append((rule, None))
            continue
        try:
            value = rule.convert(raw, reading)
        except Wrong as wrong:
            if rule.lenient:
                findings.tolerate(f"{rule.segment}-{rule.field} cannot be read")
            else:
                findings.refuse(line, rule.field, wrong)
            continue
        if value is not None:
            said.append((rule, value))
    return said


def apply(resource: Any, said: Said, *, gaps_only: bool = False) -> None:
    """Change a resource as a segment says; with `gaps_only`, set only what it does not hold yet."""
    for rule, value in said:
        if not gaps_only or (value is not None and rule.held(resource) is None):
            rule.put(resource, value)


def value_of(said: Said, element: str) -> Any:
    """Return what is said about an element; None if nothing is."""
    return next((value for rule, value in said if rule.element == element), None)


def says(said: Said, element: str) -> bool:
    """Tell whether something is said about an element, be it that it is to be removed."""
    return any(rule.element == element for rule, _ in said)


def _compiled(row: dict[str, str]) -> Rule:
    segment, number = row["field"].split("-")
    resource, _, element = row["element"].partition(".")
    name, _, argument = row["conversion"].partition(":")
    convert = CONVERSIONS[name]
    outer, _, inner = element.partition(".")
    field = int(number)
    if outer.endswith("+"):
        held, put = _shared(outer[:-1], f"{segment}-{field}")
    elif inner:
        held, put = _nested(outer, inner)
    else:
        held, put = _plain("class_" if outer == "class" else outer)
    return Rule(
        resource,
        segment,
        field,
        element,
        row["if wrong"] == "leave out",
        _with_argument(convert, argument),
        held,
        put,
    )


def _with_argument(convert: Callable[..., Any], argument: str) -> Convert:
    return (lambda raw, reading: convert(raw, reading, argument)) if argument else convert


def _plain(name: str) -> tuple[Callable[[Any], Any], Callable[[Any, Any], None]]:
    return lambda resource: getattr(resource, name), partial(_set, name)


def _set(name: str, resource: Any, value: Any) -> None:
    setattr(resource, name, value)


def _nested(outer: str, inner: str) -> tuple[Callable[[Any], Any], Callable[[Any, Any], None]]:
    make = _INNER[outer]

    def held(resource: Any) -> Any:
        around = getattr(resource, outer)
        return None if around is None else getattr(around, inner)

    def put(resource: Any, value: Any) -> None:
        around = getattr(resource, outer)
        if around is None:
            if value is None:
                return
            around = make()
            setattr(resource, outer, around)
        setattr(around, inner, value)
        if value is None and around == make():
            setattr(resource, outer, None)  # FHIR knows no empty element

    return held, put


def _shared(name: str, field: str) -> tuple[Callable[[Any], Any], Callable[[Any, Any], None]]:
    """Return access to the items of a list that come from one of several fields: their id names it."""
    start = f"{field}."

    def held(resource: Any) -> Any:
        items = getattr(resource, name) or ()
        return [item for item in items if (item.id or "").startswith(start)] or None

    def put(resource: Any, value: Any) -> None:
        items = [item for item in getattr(resource, name) or () if not (item.id or "").startswith(start)]
        for number, item in enumerate(value or (), start=1):
            item.id = f"{start}{number}"
            items.append(item)
        setattr(resource, name, items or None)

    return held, put


_BY_SEGMENT: dict[tuple[str, str], tuple[Rule, ...]] = {}
_BY_NAME: dict[tuple[str | int, ...], Rule] = {}
for _each in map(_compiled, tables.rows("fields")):
    _at = _each.resource, _each.segment
    _BY_SEGMENT[_at] = (*_BY_SEGMENT.get(_at, ()), _each)
    _BY_NAME[_each.resource, _each.segment, _each.field, _each.element] = _each


def rules(resource: str, segment: str) -> tuple[Rule, ...]:
    """Return the rules for what a segment says about a resource."""
    return _BY_SEGMENT[resource, segment]
