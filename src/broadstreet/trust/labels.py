"""Labels: what policy decides on, worked out once when a resource is put, by `tables/labels.tsv`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, NamedTuple

from broadstreet.store.entry import Labels
from broadstreet.store.index import Indexer
from broadstreet.trust.categories import Sensitivity, categories
from broadstreet.trust.rows import rows

CODED = ("code", "type", "category", "reasonCode", "vaccineCode", "diagnosis", "valueCodeableConcept")
"""Elements whose codes may tell more than the type does."""
MOST_CODES = 200
"""Of one resource that are looked at; beyond, it counts as very restricted."""
LABORATORY = "laboratory"
_ICD_10 = re.compile(r"[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,4})?")
_SECURITY = {"R": Sensitivity.RESTRICTED, "V": Sensitivity.VERY_RESTRICTED}


class Told(NamedTuple):
    """Category and sensitivity; the more sensitive is the greater."""

    sensitivity: int
    category: int


UNKNOWN = Told(Sensitivity.VERY_RESTRICTED, 0)
"""Of types that the table does not name: nobody is granted the category 0."""


def labels_of(resource: Any, indexer: Indexer, *, organisation: str = "", district: str = "") -> Labels:
    """Return the labels of a FHIR resource.

    Parameters
    ----------
    resource
        The resource as it is put.
    indexer
        The store's, whose keyed hash labels are made with.
    organisation
        Id of the Organization that it comes from.
    district
        Code of the district where the resident lives.
    """
    told = category_of(resource)
    hashed = indexer.hashed
    return Labels(
        organisation=hashed(organisation) if organisation else 0,
        district=hashed(district) if district else 0,
        category=told.category,
        sensitivity=told.sensitivity,
    )


def category_of(resource: Any) -> Told:
    """Return what a resource tells, of its type and its codes the most sensitive; `meta.security` may
    raise it."""
    kind = type(resource).__name__
    told = _types().get(kind, UNKNOWN)
    if kind == "Observation" and any(code == LABORATORY for code in _codes(resource)):
        told = Told(told.sensitivity, categories()[LABORATORY].number)
    for number, code in enumerate(_codes(resource)):
        if number >= MOST_CODES:
            return UNKNOWN
        found = _by_code(code[:40])
        if found is not None and found.sensitivity > told.sensitivity:
            told = found
    security = getattr(getattr(resource, "meta", None), "security", None) or ()
    demanded = max((_SECURITY.get(each.code, 0) for each in security), default=0)
    return Told(max(told.sensitivity, demanded), told.category)


def district_of(patient: Any) -> str:
    """Return the district where a patient lives: of the first address its code, or else its postal code."""
    address = next(iter(patient.address or ()), None)
    return (address.district or address.postalCode or "") if address is not None else ""


def _codes(resource: Any) -> Iterator[str]:
    for name in CODED:
        value = getattr(resource, name, None)
        for concept in value if isinstance(value, list) else (value,):
            for coding in getattr(concept, "coding", None) or ():
                if coding.code:
                    yield coding.code


@lru_cache(maxsize=65_536)
def _by_code(code: str) -> Told | None:
    plain = code.upper() if _ICD_10.fullmatch(code.upper()) else ""
    for pattern, told in _patterns():
        if plain.startswith(pattern[:-1]) if pattern.endswith("*") else code == pattern:
            return told
    return None


@cache
def _types() -> dict[str, Told]:
    return {row["type"]: _told(row) for row in rows("labels") if not row["code"]}


@cache
def _patterns() -> tuple[tuple[str, Told], ...]:
    return tuple((row["code"], _told(row)) for row in rows("labels") if row["code"])


def _told(row: dict[str, str]) -> Told:
    return Told(int(Sensitivity.named(row["sensitivity"])), categories()[row["category"]].number)
