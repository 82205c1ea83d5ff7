"""All values of a resource at once: what its parameters share is evaluated once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import islice, product
from typing import Any

from broadstreet.model import fhir
from broadstreet.model.search.extractors import (
    MAX_COMBINATIONS,
    Extract,
    branch_extractor,
    branches_of,
    composite_extractor,
)
from broadstreet.model.search.parameters import Parameter, parameters_of


def every_value(resource: fhir.Resource) -> list[tuple[Parameter, list[Any]]]:
    """Return the values of a resource for all of its search parameters that have some.

    The same value may come twice for a parameter, and parameters may share a list: do not change these.
    """
    return _plan(type(resource).__name__).values(resource)


class _Plan:
    """What all parameters of a type need, each part of it once.

    Parameters share what they say alike: `value-quantity` and `combo-value-quantity` of an Observation, and
    the `code` in each of its composites.
    """

    def __init__(self, parameters: Iterable[Parameter]) -> None:
        self._parts: dict[tuple[str, str, str], int] = {}
        self._extracts: list[Extract] = []
        self._single: list[tuple[Parameter, int]] = []
        self._several: list[tuple[Parameter, list[int]]] = []
        self._composites: list[tuple[Parameter, list[list[int]], list[int]]] = []
        for parameter in parameters:
            self._add(parameter)

    def _add(self, parameter: Parameter) -> None:
        if parameter.kind == "composite":
            self._add_composite(parameter)
            return
        parts = self._parts_of(parameter.expression, parameter.kind, parameter.type)
        if len(parts) == 1:
            self._single.append((parameter, parts[0]))
        else:
            self._several.append((parameter, parts))

    def _add_composite(self, parameter: Parameter) -> None:
        """Take the components from the parts, for the resource itself; elsewhere, evaluate them there."""
        places = branches_of(parameter.expression)
        elsewhere = [
            self._keep(composite_extractor(place, parameter)) for place in places if place != parameter.type
        ]
        components = self._components(parameter) if parameter.type in places else []
        self._composites.append((parameter, components, elsewhere))

    def _components(self, parameter: Parameter) -> list[list[int]]:
        return [
            [
                part
                for branch in branches_of(component.expression)
                for part in self._parts_of(f"{parameter.type}.{branch}", component.kind, parameter.type)
            ]
            for component in parameter.components
        ]

    def _parts_of(self, expression: str, kind: str, start: str) -> list[int]:
        found = []
        for branch in branches_of(expression):
            part = self._parts.get((branch, kind, start))
            if part is None:
                part = self._parts[branch, kind, start] = self._keep(branch_extractor(branch, kind, start))
            found.append(part)
        return found

    def _keep(self, extract: Extract) -> int:
        self._extracts.append(extract)
        return len(self._extracts) - 1

    def values(self, resource: Any) -> list[tuple[Parameter, list[Any]]]:
        """Return the values of every parameter that has some."""
        parts = [extract(resource) for extract in self._extracts]
        found = [(parameter, values) for parameter, part in self._single if (values := parts[part])]
        for parameter, several in self._several:
            values = _together(several, parts)
            if values:
                found.append((parameter, values))
        for parameter, components, elsewhere in self._composites:
            values = [*_combined(components, parts), *_together(elsewhere, parts)]
            if values:
                found.append((parameter, values))
        return found


def _together(several: list[int], parts: list[list[Any]]) -> list[Any]:
    if len(several) == 1:
        return parts[several[0]]
    values: list[Any] = []
    for part in several:
        if parts[part]:
            values += parts[part]
    return values


def _combined(components: list[list[int]], parts: list[list[Any]]) -> Iterable[tuple[Any, ...]]:
    """Return every combination of the components' values.

    The last is looked at first: it is absent more often than the first, which is a code in most of them.
    """
    columns: list[list[Any]] = []
    for several in reversed(components):
        column = _together(several, parts)
        if not column:
            return ()
        columns.append(column)
    return islice(product(*reversed(columns)), MAX_COMBINATIONS) if columns else ()


@cache
def _plan(name: str) -> _Plan:
    return _Plan(parameters_of(name).values())
