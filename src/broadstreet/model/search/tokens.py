"""Tokens: a code and the system that it belongs to.

Source: https://hl7.org/fhir/R4/search.html#token
"""

from __future__ import annotations

from typing import Any

from broadstreet.model import fhir

Token = tuple[str | None, str | None]


def of_text(text: str) -> list[Token]:
    """Return a code, id, string or URI as a token without a system."""
    return [(None, text)]


def of_boolean(value: bool) -> list[Token]:
    """Return `true` or `false`."""
    return [(None, "true" if value else "false")]


def of_coding(coding: fhir.Coding) -> list[Token]:
    """Return the system and code."""
    return [] if coding.code is None and coding.system is None else [(coding.system, coding.code)]


def of_concept(concept: fhir.CodeableConcept) -> list[Token]:
    """Return the system and code of each coding; what is only text is no token."""
    codings = concept.coding
    if codings is None:
        return []
    return [(one.system, one.code) for one in codings if one.code is not None or one.system is not None]


def of_identifier(identifier: fhir.Identifier) -> list[Token]:
    """Return the system and value."""
    if identifier.value is None and identifier.system is None:
        return []
    return [(identifier.system, identifier.value)]


def of_contact(contact: fhir.ContactPoint) -> list[Token]:
    """Return the kind of contact (`phone`, `email`) and the number or address."""
    return [] if contact.value is None else [(contact.system, contact.value)]


READERS: dict[str, Any] = {
    "Coding": of_coding,
    "CodeableConcept": of_concept,
    "Identifier": of_identifier,
    "ContactPoint": of_contact,
    "bool": of_boolean,
    "str": of_text,
}
