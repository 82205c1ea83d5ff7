"""What the compiler must know of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

# How the arguments are handed over:
# values     evaluated where the expression stands, as collections: `call(items, *arguments)`
# framed     the same, with the frame first: `call(frame, items, *arguments)`
# each       not evaluated; the function asks for them item by item: `call(frame, items, *expressions)`
# type       a type, as written: `call(items, specifier)`
Style = Literal["values", "framed", "each", "type"]


class Function(NamedTuple):
    """A function: what it does, how many arguments it takes, and the type of its result.

    `result` is the name of a type, or `items` (those that came in), `body` (those of the first argument),
    `both` (of both), `type` (the one that the argument names), or `any`.
    """

    call: Callable[..., list[Any]]
    least: int = 0
    most: int = 0
    style: Style = "values"
    result: str = "any"


BOOLEAN, INTEGER, STRING = "System.Boolean", "System.Integer", "System.String"
