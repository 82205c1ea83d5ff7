"""FHIR R4: a struct for every resource and datatype, decoded from JSON and checked in one go.

`fhir.Patient`, `fhir.HumanName` and all others are loaded when they are first asked for. Attributes have
FHIR's own names; Python's keywords get a trailing underscore (`class_`), and what FHIR writes as `_birthDate`
is `birthDate_ext`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from broadstreet.model.fhir import r4, registry
from broadstreet.model.fhir.codec import MAX_BYTES as MAX_BYTES
from broadstreet.model.fhir.codec import decode as decode
from broadstreet.model.fhir.codec import encode as encode
from broadstreet.model.fhir.codec import validate as validate
from broadstreet.model.fhir.invalid import Invalid as Invalid
from broadstreet.model.fhir.primitives import MAX_DIGITS as MAX_DIGITS
from broadstreet.model.fhir.primitives import MAX_EXPONENT as MAX_EXPONENT
from broadstreet.model.fhir.primitives import MAX_STRING as MAX_STRING
from broadstreet.model.fhir.rules import Node as Node
from broadstreet.model.fhir.wire import MAX_DEPTH as MAX_DEPTH

if TYPE_CHECKING:
    from broadstreet.model.fhir.r4 import *  # noqa: F403

RESOURCES = r4.RESOURCES


def __getattr__(name: str) -> Any:
    if name not in r4.HOMES:
        raise AttributeError(f"FHIR R4 has no resource or datatype named {name!r}")
    found = globals()[name] = registry.struct(name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *r4.HOMES})
