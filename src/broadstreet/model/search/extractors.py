"""From a resource to the values that it is searched by.

Each parameter's expression is compiled when its type is first asked for, and joined to the functions that
read values of the parameter's kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from itertools import islice, product
from typing import Any

from broadstreet.model import fhir, fhirpath
from broadstreet.model.fhirpath import schema
from broadstreet.model.fhirpath.syntax import branches, text
from broadstreet.model.search import (
    dates,
    numbers,
    places,
    quantities,
    references,
    strings,
    tokens,
    uris,
)
from broadstreet.model.search.parameters import Component, Parameter

MAX_COMBINATIONS = (
    1_000  # of the values of a composite's components, for each place where they stand together
)

READERS: Mapping[str, Mapping[str, Any]] = {
    "token": tokens.READERS,
    "string": strings.READERS,
    "date": dates.READERS,
    "reference": references.READERS,
    "number": numbers.READERS,
    "quantity": quantities.READERS,
    "uri": uris.READERS,
    "special": places.READERS,
}
# What a primitive of FHIR is in Python, for those that are no text.
PYTHON = {
    **dict.fromkeys(("boolean", "System.Boolean"), "bool"),
    **dict.fromkeys(("integer", "positiveInt", "unsignedInt"), "int"),
    "decimal": "Decimal",
}
URIS = frozenset({"canonical", "oid", "uri", "url", "uuid"})
# The texts that are read as values of a kind; where it is not told, any.
TEXTS = {"date": frozenset({"date", "dateTime", "instant"}), "reference": URIS, "uri": URIS}

Extract = Callable[[Any], list[Any]]
Read = Callable[[Any], list[Any]]


def values(resource: fhir.Resource, parameter: Parameter) -> list[Any]:
    """Return the values of a resource for a search parameter, each once.

    Parameters
    ----------
    resource
        A valid resource, of the parameter's type.
    parameter
        From `parameter(type, name)`.

    Returns
    -------
    list
        By the kind of the parameter:

        - token: (system or None, code or None)
        - string: folded text
        - date: (low, high), microseconds since 1970 in UTC, `high` not included
        - reference: `Type/id` or a URL; or (system, value), the identifier of what is referred to
        - number: (low, high), the same but for a range
        - quantity: `QuantityValue`
        - uri: text
        - composite: a tuple with a value for each component
        - special: (latitude, longitude)

    Raises
    ------
    ValueError
        If the resource is of another type.
    """
    if parameter.type not in schema.ancestors(type(resource).__name__):
        raise ValueError(f"{parameter.type}.{parameter.name} asked of a {type(resource).__name__}")
    found = extractor(parameter)(resource)
    return list(dict.fromkeys(found)) if len(found) > 1 else found


@cache
def extractor(parameter: Parameter) -> Extract:
    """Return the function from a resource to the parameter's values."""
    if parameter.kind == "composite":
        return _joined(
            [composite_extractor(branch, parameter) for branch in branches_of(parameter.expression)]
        )
    return _of_kind(parameter.expression, parameter.kind, parameter.type)


def branches_of(expression: str) -> list[str]:
    """Return the operands of the union that an expression is; itself if it is none."""
    return [text(branch) for branch in branches(fhirpath.parse(expression))]


def _of_kind(expression: str, kind: str, start: str) -> Extract:
    return _joined([branch_extractor(branch, kind, start) for branch in branches_of(expression)])


def _joined(extracts: list[Extract]) -> Extract:
    if len(extracts) == 1:
        return extracts[0]
    return lambda item: [value for extract in extracts for value in extract(item)]


def reader_of(kind: str, name: str) -> Read | None:
    """Return the function that reads values of a type (as FHIR names it) for a kind of parameter, or None."""
    if name in schema.PRIMITIVES and name not in PYTHON:
        return READERS[kind].get("str") if name in TEXTS.get(kind, {name}) else None
    found: Read | None = READERS[kind].get(PYTHON.get(name, name))
    return found or (READERS[kind].get("Resource") if "Resource" in schema.ancestors(name) else None)


def branch_extractor(expression: str, kind: str, start: str) -> Extract:
    """Return the function from an item of the type `start` to the values of an expression, no union."""
    program = fhirpath.compile(expression, start)
    types = program.types or frozenset()
    readable = {name for name in types if name == "Extension" or reader_of(kind, name)}
    if readable and readable < types:
        # Of a choice, only some types can be searched in this way: the others are left out.
        return _joined(
            [branch_extractor(f"({expression}).ofType({name})", kind, start) for name in sorted(readable)]
        )
    read = _reader(kind, types)
    if program.straight is not None:
        return _read_straight(program.straight, read)
    return _read_each(program.quick or program, read)


def _read_straight(getters: tuple[Callable[[Any], Any], ...], read: Read) -> Extract:
    if len(getters) == 1:
        get = getters[0]
        return lambda item: [] if (found := get(item)) is None else read(found)

    def extract(item: Any) -> list[Any]:
        for get in getters:
            item = get(item)
            if item is None:
                return []
        return read(item)

    return extract


def _read_each(each: Extract, read: Read) -> Extract:
    def extract(item: Any) -> list[Any]:
        found = each(item)
        if not found:
            return found
        if len(found) == 1:
            return read(found[0])
        return [value for one in found for value in read(one)]

    return extract


def _nothing(_item: Any) -> list[Any]:
    return []


def _reader(kind: str, types: frozenset[str]) -> Read:
    """Return the function that reads a value: one for all, where the types are known and read alike."""
    known = {reader_of(kind, name) for name in types}
    if len(known) == 1 and types != {"Extension"}:
        return known.pop() or _nothing

    def read(item: Any) -> list[Any]:
        if isinstance(item, fhir.Extension):
            return _read_extension(kind, item)
        # What cannot be searched as a value of this kind is no value; a test lists where that may be.
        reader = READERS[kind].get(type(item).__name__) or reader_of(kind, type(item).__name__)
        return reader(item) if reader else []

    return read


def _read_extension(kind: str, extension: fhir.Extension) -> list[Any]:
    for slot in schema.elements_of(extension)["value"]:
        value = getattr(extension, slot.attribute)
        if value is not None:
            reader = reader_of(kind, slot.type)
            return reader(value) if reader else []
    return []


def composite_extractor(expression: str, parameter: Parameter) -> Extract:
    """Return the function from a resource to what stands together, at each place of an expression."""
    program = fhirpath.compile(expression, parameter.type)
    start = next(iter(program.types or ()))
    each = program.quick or program
    parts = [_part(component, start) for component in parameter.components]
    # The last component is absent more often than the first, which is a code in most of them.
    order = list(reversed(range(len(parts))))

    def extract(resource: Any) -> list[Any]:
        found: list[Any] = []
        for place in each(resource):
            combined: list[list[Any]] = [[]] * len(parts)
            for index in order:
                combined[index] = parts[index](place, resource)
                if not combined[index]:
                    break
            else:
                found += islice(product(*combined), MAX_COMBINATIONS)
        return found

    return extract


def _part(component: Component, start: str) -> Callable[[Any, Any], list[Any]]:
    if "%resource" not in component.expression and "%`resource`" not in component.expression:
        extract = _of_kind(component.expression, component.kind, start)
        return lambda place, _resource: extract(place)
    program = fhirpath.compile(component.expression, start)
    read = _reader(component.kind, program.types or frozenset())
    return lambda place, resource: [value for one in program(place, resource) for value in read(one)]
