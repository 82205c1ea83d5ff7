"""The tree of an expression, and how a tree is written as text again."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from broadstreet.model.fhirpath.values import Date, DateTime, Time


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an expression; `at` is where it stands."""

    at: int = 0


class Literal(Node, frozen=True):
    """A value: boolean, integer, decimal, string, date, time, quantity; or the empty collection."""

    value: Any


class Focus(Node, frozen=True):
    """`$this`, `$index`, `$total`; or the same as `$this` where nothing is written, with an empty name."""

    name: str


class Constant(Node, frozen=True):
    """An environment variable: `%ucum`."""

    name: str


class Path(Node, frozen=True):
    """A step to an element: `left.name`."""

    left: Expression
    name: str


class Call(Node, frozen=True):
    """A function: `left.name(arguments)`."""

    left: Expression
    name: str
    arguments: tuple[Expression, ...]


class Index(Node, frozen=True):
    """An item of a collection: `left[index]`."""

    left: Expression
    index: Expression


class Unary(Node, frozen=True):
    """A sign: `-operand`."""

    sign: str
    operand: Expression


class Binary(Node, frozen=True):
    """An operator between two operands."""

    sign: str
    left: Expression
    right: Expression


class TypeTest(Node, frozen=True):
    """`left is type` or `left as type`; `type` is as written: `Quantity`, `System.String`."""

    sign: str
    left: Expression
    type: str


Expression: TypeAlias = Literal | Focus | Constant | Path | Call | Index | Unary | Binary | TypeTest


def branches(node: Expression) -> list[Expression]:
    """Return the operands of the union that an expression is; itself if it is none."""
    if isinstance(node, Binary) and node.sign == "|":
        return [*branches(node.left), *branches(node.right)]
    return [node]


def text(node: Expression) -> str:
    """Write an expression as text that reads back as the same tree.

    Operations within operations have parentheses, also where precedence would do.
    """
    written = _inner(node)
    return written[1:-1] if isinstance(node, Binary | TypeTest | Unary) else written


def _inner(node: Expression) -> str:
    return _WRITERS[type(node)](node)


def _left(node: Expression) -> str:
    if isinstance(node, Focus) and not node.name:
        return ""
    # `1.5.abs()` and `4 days.abs()` read well; a date literal would swallow what follows it.
    return f"({_inner(node)})." if isinstance(node, Literal) else f"{_inner(node)}."


def _name(name: str) -> str:
    return name if name.isidentifier() else f"`{_escaped(name)}`"


def _escaped(written: str) -> str:
    return written.replace("\\", "\\\\").replace("'", "\\'").replace("`", "\\`")


def _literal(node: Literal) -> str:
    value = node.value
    if isinstance(value, str):
        return f"'{_escaped(value)}'"
    if isinstance(value, Date | DateTime | Time):
        clock = isinstance(value, DateTime) and len(value.parts) <= 3
        return f"@{'T' if isinstance(value, Time) else ''}{value}{'T' if clock else ''}"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "{}" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


_WRITERS: dict[type[Any], Callable[..., str]] = {
    Literal: _literal,
    Focus: lambda node: f"${node.name or 'this'}",
    Constant: lambda node: f"%`{_escaped(node.name)}`",
    Path: lambda node: f"{_left(node.left)}{_name(node.name)}",
    Call: lambda node: f"{_left(node.left)}{node.name}({', '.join(map(text, node.arguments))})",
    Index: lambda node: f"{_inner(node.left)}[{text(node.index)}]",
    Unary: lambda node: f"({node.sign}{_inner(node.operand)})",
    TypeTest: lambda node: f"({_inner(node.left)} {node.sign} {node.type})",
    Binary: lambda node: f"({_inner(node.left)} {node.sign} {_inner(node.right)})",
}
