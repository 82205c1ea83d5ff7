"""Decode, encode and validate resources of FHIR R4."""

from __future__ import annotations

import decimal
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

import msgspec

from broadstreet.model.fhir import wire
from broadstreet.model.fhir.invalid import Invalid, translate
from broadstreet.model.fhir.registry import decoder
from broadstreet.model.fhir.rules import Node

if TYPE_CHECKING:
    from broadstreet.model.fhir.r4.abstract import Resource

MAX_BYTES = 40 * 2**20  # the largest official example has 35 MB; a door sets its own limit, far smaller

Kind = TypeVar("Kind", bound=Node)

_encode = msgspec.json.Encoder(decimal_format="number").encode
_REFUSALS = (
    msgspec.DecodeError,  # ValidationError is one of them
    UnicodeError,
    RecursionError,
    decimal.InvalidOperation,
)


class _Head(msgspec.Struct):
    kind: str = msgspec.field(name="resourceType")


@overload
def decode(data: bytes | str) -> Resource: ...
@overload
def decode(data: bytes | str, type: type[Kind]) -> Kind: ...
def decode(data: bytes | str, type: type[Kind] | None = None) -> Resource | Kind:
    """Decode a resource from JSON and check it against FHIR R4.

    Parameters
    ----------
    data
        UTF-8 JSON, at most `MAX_BYTES`.
    type
        The resource or datatype that is expected; without it, `resourceType` tells which resource it is.

    Returns
    -------
    Resource
        A struct of `broadstreet.model.fhir`, such as `fhir.Patient`.

    Raises
    ------
    Invalid
        With the path of the first element found that FHIR does not allow.
    """
    raw = _bytes(data, type)
    decoded = _decode(raw, type)
    if not wire.looks_clean(raw, _encode(decoded)):
        wire.inspect(raw, _root(raw, type))
    return cast("Resource | Kind", decoded)


def encode(resource: Node) -> bytes:
    """Encode a resource or element as compact JSON, decimals with the digits they were given.

    It is not checked: `validate` does that.
    """
    return _encode(resource)


def validate(resource: Node) -> None:
    """Check a resource that was built or changed in Python against the rules that `decode` applies.

    Raises
    ------
    Invalid
        With the path of the first element found that FHIR does not allow.
    """
    root = type(resource).__name__
    try:
        written = _encode(resource)
    except (TypeError, ValueError, RecursionError) as error:
        reason = "nested too deep, or inside itself" if isinstance(error, RecursionError) else str(error)
        raise Invalid(root, f"cannot be written as JSON: {reason}", "structure") from None
    _refuse_numbers_that_json_lacks(resource, written, root)
    kind = type(resource)
    _decode(_bytes(written, kind), kind)
    if not wire.looks_clean(written, written):
        wire.inspect(written, root)


def _bytes(data: bytes | str, kind: type[Node] | None) -> bytes:
    if len(data) > MAX_BYTES:
        raise Invalid(_root(b"", kind), f"larger than {MAX_BYTES} bytes", "too-costly")
    try:
        return data.encode() if isinstance(data, str) else data
    except UnicodeError as error:
        raise _refusal(error, b"", kind) from None


def _decode(data: bytes, kind: type[Node] | None) -> Any:
    try:
        decoded = decoder(kind).decode(data)
    except _REFUSALS as error:
        raise _refusal(error, data, kind) from None
    if kind is not None and not isinstance(decoded, kind):
        came = type(decoded).__name__
        raise Invalid(f"{came}.resourceType", f"expected {kind.__name__}, got {came}")
    return decoded


def _refuse_numbers_that_json_lacks(resource: Node, written: bytes, root: str) -> None:
    if b"NaN" not in written and b"Infinity" not in written:
        return
    todo: list[tuple[str, Any]] = [(root, msgspec.to_builtins(resource, builtin_types=(decimal.Decimal,)))]
    while todo:
        path, value = todo.pop()
        if isinstance(value, dict):
            todo += [(f"{path}.{name}", below) for name, below in value.items()]
        elif isinstance(value, list):
            todo += [(f"{path}[{index}]", below) for index, below in enumerate(value)]
        elif isinstance(value, decimal.Decimal) and not value.is_finite():
            raise Invalid(path, f"a number must be finite (is {value})", "value")


def _refusal(error: Exception, data: bytes, kind: type[Node] | None) -> Invalid:
    root = _root(data, kind)
    if isinstance(error, RecursionError):
        return Invalid(root, f"nested deeper than {wire.MAX_DEPTH} objects", "too-costly")
    if isinstance(error, UnicodeError):
        return Invalid(root, f"not UTF-8: {error.reason}" if hasattr(error, "reason") else "not UTF-8")
    if isinstance(error, decimal.InvalidOperation):
        return Invalid(root, "a number has an exponent out of bounds", "value")
    return translate(error, root)


def _root(data: bytes, kind: type[Node] | None) -> str:
    if kind is not None:
        return kind.__name__
    try:
        return msgspec.json.decode(data, type=_Head).kind
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return "Resource"
