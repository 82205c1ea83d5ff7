"""Paths such as ``PID-3[2].4.1``: field, repetition, component, sub-component, counted from 1."""

from __future__ import annotations

import re
from functools import lru_cache

_NUMBER = r"([1-9][0-9]{0,3})"
_FIELD = re.compile(rf"{_NUMBER}(?:\[{_NUMBER}\])?(?:\.{_NUMBER}(?:\.{_NUMBER})?)?")
_COMPONENT = re.compile(rf"{_NUMBER}(?:\.{_NUMBER})?")

MessageSteps = tuple[str, int, int, int, int]
FieldSteps = tuple[int, int, int, int]
ComponentSteps = tuple[int, int]


@lru_cache(maxsize=4096)
def message_path(path: str) -> MessageSteps:
    """Read ``PID-5.1`` as segment name and the steps in the segment.

    Raises
    ------
    ValueError
        If it is not of that form.
    """
    name, dash, rest = path.partition("-")
    if not (dash and len(name) == 3):
        raise ValueError(f"a path in a message must look like 'PID-3[2].4.1' (is {path!r})")
    return name, *field_path(rest)


@lru_cache(maxsize=4096)
def field_path(path: str) -> FieldSteps:
    """Read ``3[2].4.1`` as field number and zero-based repetition, component, sub-component.

    Raises
    ------
    ValueError
        If it is not of that form.
    """
    match = _FIELD.fullmatch(path)
    if not match:
        raise ValueError(f"a path in a segment must look like '3[2].4.1', counted from 1 (is {path!r})")
    field, repetition, component, subcomponent = (int(n or 1) for n in match.groups())
    return field, repetition - 1, component - 1, subcomponent - 1


@lru_cache(maxsize=4096)
def component_path(path: str) -> ComponentSteps:
    """Read ``4.1`` as zero-based component and sub-component.

    Raises
    ------
    ValueError
        If it is not of that form.
    """
    match = _COMPONENT.fullmatch(path)
    if not match:
        raise ValueError(f"a path in a repetition must look like '4.1', counted from 1 (is {path!r})")
    component, subcomponent = (int(n or 1) for n in match.groups())
    return component - 1, subcomponent - 1
