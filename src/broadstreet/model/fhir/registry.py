"""Find the structs by name, load their modules when they are first asked for, and build decoders once."""

from __future__ import annotations

import functools
import importlib
import operator
import threading
from typing import Any

import msgspec

from broadstreet.model.fhir import r4
from broadstreet.model.fhir.primitives import decimal_from, decimal_from_text
from broadstreet.model.fhir.rules import Node


def struct(name: str) -> type[Node]:
    """Return the struct of that name.

    Raises
    ------
    KeyError
        If FHIR R4 has no resource, datatype or element of that name.
    """
    module = importlib.import_module(f"{r4.__name__}.{r4.HOMES[name]}")
    found: type[Node] = getattr(module, name)
    return found


@functools.cache
def any_resource() -> Any:
    """Load every resource and return the union of them all, told apart by `resourceType`."""
    union = functools.reduce(operator.or_, (struct(name) for name in r4.RESOURCES))
    for name in r4.HOLDERS:
        importlib.import_module(f"{r4.__name__}.{name}").AnyResource = union  # type: ignore[attr-defined]
    return union


_MAKING = threading.Lock()
_MADE: dict[type[Node] | None, msgspec.json.Decoder[Any]] = {}


def decoder(kind: type[Node] | None = None) -> msgspec.json.Decoder[Any]:
    """Return the decoder of a datatype; that of any resource for a resource or for None.

    A decoder of one resource alone would not ask that `resourceType` is there. One thread makes
    decoders at a time: msgspec 0.22 kills the process if two build the same structs at once.
    """
    made = _MADE.get(kind)
    if made is None:
        with _MAKING:
            made = _MADE.get(kind) or _made(kind)
            _MADE[kind] = made
    return made


def _made(kind: type[Node] | None) -> msgspec.json.Decoder[Any]:
    union = any_resource()
    is_resource = kind is None or kind.__struct_config__.tag is not None
    return msgspec.json.Decoder(
        union if is_resource else kind, dec_hook=decimal_from, float_hook=decimal_from_text
    )
